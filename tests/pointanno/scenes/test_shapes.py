from __future__ import annotations

import numpy as np

from pointanno.scenes.shapes import Shape, hide, make_balloon, make_boat, make_house


def _shape(depth: float, columns: slice) -> Shape:
    mask = np.zeros((8, 8), bool)
    mask[:4, columns] = True
    return Shape(1, depth, mask, np.zeros((8, 8, 3)))


def test_near_shapes_hide_far_ones() -> None:
    near, far = _shape(2, slice(2, 6)), _shape(1, slice(0, 4))
    (first, first_mask), (second, second_mask) = hide([near, far], 8, lambda left, whole: left > 0)
    assert first is far and second is near
    assert first_mask.sum() == 8 and second_mask.sum() == 16


def test_what_a_vanished_shape_had_hidden_comes_back() -> None:
    """The middle one is hidden to a quarter and goes; the far one, hidden by it, stays."""
    shapes = [_shape(1, slice(0, 4)), _shape(2, slice(0, 8)), _shape(3, slice(2, 8))]
    result = hide(shapes, 8, lambda left, whole: left > 0.3 * whole)
    assert [shape.depth for shape, _ in result] == [1, 3]
    assert [int(mask.sum()) for _, mask in result] == [8, 24]


def test_shapes_fill_their_place() -> None:
    generator = np.random.default_rng(0)
    house = make_house(generator, 100, 20, 80, 30, 25).mask
    boat = make_boat(generator, 100, 50, 80, 40).mask
    balloon = make_balloon(generator, 100, (50, 40), 20, 1).mask
    assert house[60, 30] and not house[85, 30] and not house[60, 60]
    assert boat[78, 50] and not boat[85, 50]
    assert balloon[40, 50] and not balloon[10, 50]
    assert 800 < balloon.sum() < 1500
