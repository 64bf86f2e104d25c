"""Brush and polygon against pixels counted one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from pycocotools import mask as coco
from skimage.measure import points_in_poly

from pointanno.formats.rle import mask_to_rle
from pointanno.protocols import brush_mask, polygon_mask
from pointanno.protocols.strokes import brush_rle, polygon_rle

SIZE = (30, 40)


def distance(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a position to a segment, by trying many positions of it."""
    return min(math.hypot(x - a[0] - t * (b[0] - a[0]), y - a[1] - t * (b[1] - a[1])) for t in np.linspace(0, 1, 2001))


def test_a_dab_covers_the_pixels_whose_centres_it_reaches() -> None:
    """Radius 1 around a pixel's centre: the pixel and its four neighbours, at distance 1."""
    mask = brush_mask([(10.5, 7.5)], 1.0, SIZE)
    assert sorted(zip(*np.nonzero(mask), strict=True)) == [(6, 10), (7, 9), (7, 10), (7, 11), (8, 10)]


def test_a_stroke_covers_what_lies_near_its_path() -> None:
    path = [(3.0, 4.0), (20.2, 9.7), (20.2, 25.0)]
    mask = brush_mask(path, 2.3, SIZE)
    for row in range(0, 30, 3):
        for column in range(0, 40, 3):
            near = min(distance(column + 0.5, row + 0.5, a, b) for a, b in pairwise(path))
            if abs(near - 2.3) > 1e-2:
                assert mask[row, column] == (near < 2.3)


def test_beside_the_image() -> None:
    assert not brush_mask([(-9.0, -9.0), (-5.0, 50.0)], 2.0, SIZE).any()
    assert brush_mask([(-1.0, 5.0), (90.0, 5.0)], 1.0, SIZE)[4:6].all()
    assert polygon_mask([(-5, -5), (100, -5), (100, 100), (-5, 100)], SIZE).all()


def test_polygon_against_skimage() -> None:
    corners = [(3.2, 4.1), (33.7, 2.2), (20.1, 13.3), (37.4, 28.6), (5.5, 24.9)]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    expected = points_in_poly(np.stack([x.ravel(), y.ravel()], axis=1), corners).reshape(SIZE)
    mask = polygon_mask(corners, SIZE)
    np.testing.assert_array_equal(mask, expected)
    theirs = coco.decode(coco.merge(coco.frPyObjects([[v for xy in corners for v in xy]], *SIZE)))
    assert np.mean(theirs != mask) < 0.05, "pycocotools rounds edges, the area is the same"


@pytest.mark.parametrize(("path", "radius"), [([], 2.0), ([(1.0, 1.0)], 0.0)])
def test_refusals(path: list[tuple[float, float]], radius: float) -> None:
    with pytest.raises(ValueError, match="path must have a position"):
        brush_mask(path, radius, SIZE)
    with pytest.raises(ValueError, match="corners must be at least 3"):
        polygon_mask([(1, 1), (2, 2)], SIZE)


def test_codes_are_those_of_the_masks() -> None:
    """A stroke across a large picture is put together from parts."""
    size = (1500, 1400)
    path = [(-20.0, 3.0), (700.2, 480.9), (1399.0, 1499.5), (1390.0, 20.0), (3.0, 1480.0)]
    assert brush_rle(path, 6.5, size) == mask_to_rle(brush_mask(path, 6.5, size))
    assert brush_rle([(-90.0, -90.0)], 3.0, SIZE) == mask_to_rle(np.zeros(SIZE, dtype=bool))
    corners = [(-3.2, 4.1), (33.7, 2.2), (20.1, 13.3), (47.4, 28.6), (5.5, 24.9)]
    assert polygon_rle(corners, SIZE) == mask_to_rle(polygon_mask(corners, SIZE))
