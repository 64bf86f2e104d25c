"""The numbers of the format's acceptance list, and there-and-back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointanno.coords import (
    box_to_napari_corners,
    continuous_to_index,
    index_to_continuous,
    index_to_napari,
    napari_corners_to_box,
    napari_to_index,
    normalize_to_boxes,
    xywh_to_xyxy,
    xyxy_to_xywh,
)


@pytest.mark.parametrize(
    ("position", "index"),
    [
        ((5.3, 2.6), [3, 5]),
        ((4.5, 2.5), [3, 5]),  # half to even would give [2, 4]
        ((0.0, 0.0), [0, 0]),
        ((-0.5, -0.5), [0, 0]),  # the outer corner of the first pixel
        ((-0.51, 0.49), [0, -1]),
    ],
)
def test_a_position_in_napari_belongs_to_the_pixel_under_it(position: tuple[float, float], index: list[int]) -> None:
    assert napari_to_index(position).tolist() == index


def test_an_index_is_the_centre_of_its_pixel() -> None:
    assert index_to_continuous([3, 5]).tolist() == [3.5, 5.5]


def test_resize_and_flip_keep_a_point_on_its_object() -> None:
    """[3, 5] of 8 x 8: centre (3.5, 5.5), at 16 x 16 (7, 11), flipped x' = 16 - 7 = 9; W - 1 - x would give 8."""
    resized = index_to_continuous([3, 5]) * 2
    assert resized.tolist() == [7.0, 11.0]
    assert [16 - resized[0], resized[1]] == [9.0, 11.0]


@pytest.mark.parametrize(
    ("point", "relative", "inside"),
    [
        ((3.5, 5.5), (0.1875, 0.1875), True),
        ((9.5, 11.5), (0.9375, 0.9375), True),
        ((10.5, 6.5), (1.0625, 0.3125), False),
        ((2.0, 4.0), (0.0, 0.0), True),
    ],
)
def test_box_relative_coordinates(point: tuple[float, float], relative: tuple[float, float], inside: bool) -> None:
    result = normalize_to_boxes([point], [2, 4, 10, 12])
    assert result.shape == (1, 2)
    assert tuple(result[0]) == relative
    assert bool(((result >= 0) & (result <= 1)).all()) is inside


def test_points_of_many_boxes_are_normalised_each_by_its_own() -> None:
    result = normalize_to_boxes(np.full((2, 3, 2), 4.0), [[0, 0, 8, 8], [2, 2, 4, 4]])
    assert result.shape == (2, 3, 2)
    assert result[0].tolist() == [[0.5, 0.5]] * 3
    assert result[1].tolist() == [[1.0, 1.0]] * 3


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=20))
def test_there_and_back(pixels: list[tuple[int, int]]) -> None:
    coords = np.array(pixels)
    assert np.array_equal(napari_to_index(index_to_napari(coords)), coords)
    assert np.array_equal(continuous_to_index(index_to_continuous(coords)), coords)


def test_a_rectangle_drawn_in_napari_becomes_a_box_and_back() -> None:
    corners = [[3.5, 1.5], [3.5, 9.5], [11.5, 9.5], [11.5, 1.5]]
    box = napari_corners_to_box(corners, (128, 128))
    assert box.tolist() == [2.0, 4.0, 10.0, 12.0]
    assert box_to_napari_corners(box).tolist() == corners


def test_a_rectangle_is_clipped_to_the_picture() -> None:
    assert napari_corners_to_box([[-9, -9], [99, 99]], (20, 30)).tolist() == [0, 0, 30, 20]
    outside = napari_corners_to_box([[-9, -9], [-5, -5]], (20, 30))
    assert outside[2] - outside[0] == 0


def test_coco_boxes_and_back() -> None:
    assert xywh_to_xyxy([[2.0, 4.0, 8.0, 8.0]]).tolist() == [[2.0, 4.0, 10.0, 12.0]]
    assert xyxy_to_xywh([[2.0, 4.0, 10.0, 12.0]]).tolist() == [[2.0, 4.0, 8.0, 8.0]]
