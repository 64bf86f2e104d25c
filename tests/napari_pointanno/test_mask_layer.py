"""The layer against masks painted one over the other, and what of it is touched by a change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray

from napari_pointanno.mask_layer import MASKS, MOST_PARTS, SHADES, MaskLayer
from pointanno.dataset import Box, Category, MaskLabel
from pointanno.formats.rle import mask_to_rle
from pointanno.project.records import BoxAnnotation, ImageAnnotations

SIZE = (40, 50)
CATEGORIES = [Category(1, "cell", True), Category(2, "wall", False)]
COLORS = {1: (230, 60, 20), 2: (20, 60, 230)}


def _box(uid: str, mask: NDArray[np.bool_], category_id: int = 1) -> BoxAnnotation:
    empty = np.zeros((0, 2), np.int32)
    label = MaskLabel(mask_to_rle(mask), "painted")
    return BoxAnnotation(uid, category_id, Box(0, 0, 9, 9), empty, (), (), None, "mask", None, None, mask=label)


def _block(y0: int, x0: int, y1: int, x1: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, dtype=bool)
    mask[y0:y1, x0:x1] = True
    return mask


class Shown:
    def __init__(self) -> None:
        self.viewer = ViewerModel()
        self.masks = MaskLayer(self.viewer)

    def show(self, *boxes: BoxAnnotation, image_id: int = 1, categories: Any = CATEGORIES) -> Labels:
        if self.masks.show(ImageAnnotations(image_id, boxes=boxes), categories, COLORS):
            assert self.masks.made is not None
            self.viewer.layers.append(self.masks.made)
        layer = self.viewer.layers[MASKS]
        assert isinstance(layer, Labels)
        return layer

    def numbers(self) -> dict[str, int]:
        return {uid: shown.number for uid, shown in self.masks._masks.items()}


@pytest.fixture
def shown() -> Shown:
    return Shown()


def _is_right(shown: Shown, layer: Labels, *boxes: tuple[str, NDArray[np.bool_]]) -> None:
    expected = np.zeros(SIZE, dtype=np.uint16)
    numbers = shown.numbers()
    for uid, mask in boxes:
        expected[mask] = numbers[uid]
    np.testing.assert_array_equal(layer.data, expected)


def test_no_layer_before_there_is_a_mask(shown: Shown) -> None:
    assert not shown.masks.show(ImageAnnotations(1), CATEGORIES, COLORS)
    assert MASKS not in shown.viewer.layers


def test_added_changed_and_deleted_masks(shown: Shown) -> None:
    a, b = _block(2, 2, 10, 10), _block(20, 20, 30, 30)
    layer = shown.show(_box("a", a))
    _is_right(shown, layer, ("a", a))
    data = layer.data
    _is_right(shown, shown.show(_box("a", a), _box("b", b, 2)), ("a", a), ("b", b))
    smaller = _block(2, 2, 6, 8)
    _is_right(shown, shown.show(_box("a", smaller), _box("b", b, 2)), ("a", smaller), ("b", b))
    _is_right(shown, shown.show(_box("b", b, 2)), ("b", b))
    shown.show()
    assert layer is shown.viewer.layers[MASKS]
    assert layer.data.shape == (1, 1) and data.any(), "blank, but kept"


def test_the_later_mask_lies_above_and_what_it_covered_comes_back(shown: Shown) -> None:
    a, b = _block(2, 2, 20, 20), _block(10, 10, 30, 30)
    layer = shown.show(_box("a", a), _box("b", b))
    _is_right(shown, layer, ("a", a), ("b", b))
    moved = _block(15, 15, 30, 30)
    shown.show(_box("a", a), _box("b", moved))
    _is_right(shown, layer, ("a", a), ("b", moved))
    shown.show(_box("b", moved))
    _is_right(shown, layer, ("b", moved))


def test_only_the_changed_part_is_drawn_anew(shown: Shown) -> None:
    a, b = _block(2, 2, 10, 10), _block(20, 20, 30, 30)
    layer = shown.show(_box("a", a), _box("b", b))
    whole, parts = [], []
    layer.events.data.connect(lambda event: whole.append(event))
    layer.events.labels_update.connect(lambda event: parts.append((tuple(event.offset), event.data.shape)))
    grown = _block(20, 20, 30, 34)
    shown.show(_box("a", a), _box("b", grown))
    assert whole == []
    assert parts == [((20, 30), (10, 4))]
    _is_right(shown, layer, ("a", a), ("b", grown))
    assert len(layer._undo_history) == 0, "napari keeps no second history of it"


def test_numbers_tell_objects_apart_and_colours_follow_the_class(shown: Shown) -> None:
    boxes = [_box(f"{number}", _block(number, number, number + 1, number + 1), 1 + number % 2) for number in range(14)]
    layer = shown.show(*boxes)
    numbers = shown.numbers()
    assert len(set(numbers.values())) == 14
    for box in boxes:
        place = (numbers[box.uid] - 1) % (2 * SHADES) // SHADES
        assert place == box.category_id - 1
        red, _, blue, _ = layer.colormap.map(np.array([numbers[box.uid]], dtype=np.uint16))[0]
        assert (red > blue) == (box.category_id == 1)
    colormap = layer.colormap
    shown.show(*boxes, _box("more", _block(30, 30, 35, 35)))
    assert layer.colormap is colormap, "a new object changes no table of colours"


def test_another_class_is_another_colour(shown: Shown) -> None:
    a = _block(2, 2, 10, 10)
    layer = shown.show(_box("a", a))
    before = shown.numbers()["a"]
    shown.show(_box("a", a, 2))
    assert shown.numbers()["a"] != before
    _is_right(shown, layer, ("a", a))
    assert layer.features["class"].tolist() == ["", "wall"]


def test_other_images_and_many_changes_at_once(shown: Shown) -> None:
    layer = shown.show(*[_box(f"{n}", _block(n, 0, n + 1, 50)) for n in range(MOST_PARTS + 5)])
    shown.show(*[_box(f"{n}", _block(n, 0, n + 1, 20)) for n in range(MOST_PARTS + 5)])
    _is_right(shown, layer, *[(f"{n}", _block(n, 0, n + 1, 20)) for n in range(MOST_PARTS + 5)])
    b = _block(5, 5, 9, 9)
    shown.show(_box("b", b), image_id=2)
    _is_right(shown, layer, ("b", b))
    shown.show(_box("b", b), image_id=2, categories=[CATEGORIES[1], CATEGORIES[0]])
    _is_right(shown, layer, ("b", b))


def test_a_layer_that_was_removed_is_made_again(shown: Shown) -> None:
    a = _block(2, 2, 10, 10)
    shown.viewer.layers.remove(shown.show(_box("a", a)))
    _is_right(shown, shown.show(_box("a", a)), ("a", a))
    shown.masks.clear()
    assert MASKS not in shown.viewer.layers


def test_masks_of_boxes_with_answers(shown: Shown) -> None:
    a = _block(2, 2, 10, 10)
    box = replace(_box("a", a), source="drag")
    bare = replace(box, uid="c", mask=None)
    _is_right(shown, shown.show(box, bare), ("a", a))


def test_a_hidden_layer_takes_another_size_and_a_stroke(shown: Shown) -> None:
    """What napari has drawn of it is still of the size before."""
    small = np.ones((4, 5), dtype=bool)
    layer = shown.show(_box("small", small))
    layer.visible = False
    first, second = _block(2, 3, 8, 9), _block(30, 40, 35, 45)
    shown.show(_box("a", first), image_id=2)
    shown.show(_box("a", first), _box("b", second), image_id=2)
    _is_right(shown, layer, ("a", first), ("b", second))
    layer.visible = True
    np.testing.assert_array_equal(layer._slice.image.raw, layer.data)
    assert layer._slice.image.view.shape == SIZE
    assert np.all((layer._slice.image.view != 0) == (first | second))
