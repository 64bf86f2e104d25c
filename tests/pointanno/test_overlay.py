"""Drawings show what they are given, where it is."""

from __future__ import annotations

import numpy as np

from pointanno.dataset import Box, Category, Instance, Points
from pointanno.formats.rle import mask_to_rle
from pointanno.overlay import draw_annotations, draw_instances, draw_outlines, draw_panoptic, side_by_side


def test_answers_have_their_colours_at_their_pixels() -> None:
    points = Points.answered(np.array([[2, 3], [7, 3], [5, 8]]), np.array([1, 0, -1]), source="test")
    drawn = draw_annotations(
        np.zeros((12, 12, 3), np.uint8), [Instance(1, 1, 1, Box(1, 1, 10, 10), points)], [], zoom=4
    )
    assert drawn.shape == (48, 48, 3)
    green, red, grey = (drawn[int((y + 0.5) * 4), int((x + 0.5) * 4)] for x, y in ((2, 3), (7, 3), (5, 8)))
    assert green[1] > green[0] and red[0] > red[1] and grey[0] == grey[1] == grey[2] > 0
    assert drawn[4, 20].tolist() == [255, 220, 0]  # the box's upper edge


def test_the_first_instance_lies_on_top() -> None:
    masks = [np.zeros((6, 6), bool) for _ in range(2)]
    masks[0][:, :4] = True
    masks[1][:, 2:] = True
    drawn = draw_instances(np.zeros((6, 6, 3), np.uint8), [mask_to_rle(mask) for mask in masks], zoom=1)
    assert (drawn[:, 2:4] == drawn[0, 0]).all()
    assert (drawn[0, 5] != drawn[0, 0]).any()
    panels = side_by_side([drawn, drawn])
    assert panels.shape == (6, 18, 3)


def test_outlines_are_one_pixel_wide_and_leave_the_inside_alone() -> None:
    """A square of 3 x 3 at zoom 2 is 6 x 6 with 20 pixels of outline; at the picture's rim it is closed as well."""
    mask = np.zeros((5, 7), bool)
    mask[0:3, 2:5] = True
    image = np.full((5, 7, 3), 9, np.uint8)
    drawn = draw_outlines(image, [mask_to_rle(mask)], zoom=2)
    expected = np.zeros((10, 14), bool)
    expected[0:6, 4:10] = True
    expected[1:5, 5:9] = False
    assert ((drawn != 9).any(axis=2) == expected).all() and expected.sum() == 20
    assert (image == 9).all()
    other = np.zeros((5, 7), bool)
    other[0:3, 4:7] = True
    both = draw_outlines(image, [mask_to_rle(mask), mask_to_rle(other)], zoom=2)
    assert (both[expected] == drawn[expected]).all()  # the first is on top
    assert (both[0, 13] != 9).any() and (both[0, 13] != both[0, 4]).any()


def test_segments_have_the_colours_of_their_classes_and_objects_differ() -> None:
    """Two things beside each other and stuff below: borders are dark, void stays the picture."""
    panoptic_seg = np.zeros((12, 18), np.int32)
    panoptic_seg[:6, :6], panoptic_seg[:6, 6:12], panoptic_seg[6:, :12] = 1001, 1002, 2000
    segments = [{"id": 1001, "category_id": 1}, {"id": 1002, "category_id": 1}, {"id": 2000, "category_id": 2}]
    categories = [Category(1, "cell", True, "", (100, 50, 20)), Category(2, "ground", False, "", (10, 200, 30))]
    image = np.full((12, 18, 3), 60, np.uint8)
    drawn = draw_panoptic(image, panoptic_seg, segments, categories, zoom=1, opacity=1.0)
    assert drawn[2, 2].tolist() == [70, 35, 14] and drawn[2, 9].tolist() == [125, 62, 25]
    assert drawn[9, 3].tolist() == [10, 200, 30] and drawn[9, 15].tolist() == [60, 60, 60]
    assert not drawn[2, 6].any() and not drawn[6, 3].any()
    half = draw_panoptic(image, panoptic_seg, segments, categories, zoom=2, opacity=0.5)
    assert half.shape == (24, 36, 3) and half[18, 6].tolist() == [35, 130, 45]
