"""Masks by brush and polygon, and predictions that are taken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_pointanno._models.predicted import Predicted
from napari_pointanno.mask_layer import MASKS
from pointanno.coords import index_to_napari
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle, rle_area, rle_to_mask
from pointanno.protocols import brush_mask, polygon_mask

SIZE = (60, 80)


@pytest.fixture
def masks(desktop: Any) -> Any:
    desktop.person.key("M")
    while desktop.controller.sitting.desk.mode.radius < 3:
        desktop.person.key("=")
    return desktop


def _mask(desktop: Any, number: int = 0) -> Any:
    return rle_to_mask(desktop.session.annotations.boxes[number].mask.rle)


def _sources(desktop: Any) -> list[tuple[int, str]]:
    return [(box.category_id, box.mask.source) for box in desktop.session.annotations.boxes]


def _hover(desktop: Any, x: float, y: float) -> None:
    desktop.canvas.handler.on_hover(desktop.person._at(x, y))


def _layer_shows(desktop: Any) -> None:
    """The layer holds exactly the masks of the project."""
    layer = desktop.viewer.layers[MASKS]
    boxes = desktop.session.annotations.boxes
    union = np.zeros(SIZE, dtype=bool)
    for box in boxes:
        mask = rle_to_mask(box.mask.rle)
        assert len(np.unique(layer.data[mask])) == 1, "one number for each object"
        union |= mask
    if boxes:
        np.testing.assert_array_equal(layer.data != 0, union)
        assert len(np.unique(layer.data)) == len(boxes) + (not union.all())
    else:
        assert not layer.data.any()


def test_a_stroke_is_one_event_when_the_button_goes_up(masks: Any) -> None:
    masks.person.press(10, 10)
    masks.person.move(20, 10)
    assert masks.events("mask") == []
    (path,) = masks.canvas.drawing.paths
    assert path.width == 6 and len(path.positions) == 2
    masks.person.release(30, 10)
    assert len(masks.events("mask")) == 1
    expected = brush_mask([(10.5, 10.5), (20.5, 10.5), (30.5, 10.5)], 3, SIZE)
    np.testing.assert_array_equal(_mask(masks), expected)
    assert masks.canvas.drawing.paths == ()
    assert _sources(masks) == [(1, "painted")]
    _layer_shows(masks)


def test_a_cancelled_stroke_leaves_nothing(masks: Any) -> None:
    start = masks.project.projection_hash()
    masks.person.press(10, 10)
    masks.person.move(20, 10)
    masks.person.key("Escape")
    masks.person.move(40, 40)
    masks.person.release(40, 40)
    assert masks.project.projection_hash() == start
    assert masks.events("mask") == []
    assert masks.canvas.drawing.paths == ()
    assert MASKS not in masks.viewer.layers


def test_another_tool_in_the_middle_of_a_stroke_drops_it(masks: Any) -> None:
    """What was begun with one tool is not finished with the other, nor with the next stroke."""
    person = masks.person
    person.press(10, 10)
    person.move(20, 10)
    person.key("O")
    person.release(20, 10)
    person.press(60, 50)
    person.key("O")
    person.move(70, 50)
    person.release(70, 50)
    assert masks.events("mask") == []
    person.drag(60, 50, 70, 50)
    assert not _mask(masks)[:40].any()


def test_strokes_add_to_one_object_until_another_is_begun(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.drag(10, 20, 30, 20)
    assert len(masks.session.annotations.boxes) == 1
    masks.person.key("A")
    masks.person.drag(10, 40, 30, 40)
    assert len(masks.session.annotations.boxes) == 2
    _layer_shows(masks)


def test_a_digit_gives_the_class_also_of_stuff(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("2")
    assert _sources(masks) == [(2, "painted")]
    masks.person.key("A")
    masks.person.key("3")
    masks.person.drag(10, 40, 70, 40)
    assert _sources(masks) == [(2, "painted"), (3, "painted")]
    _layer_shows(masks)


def test_the_eraser_takes_away_and_spares_the_rest(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    before = _mask(masks)
    masks.person.key("S")
    assert [tool.name for tool in masks.view.show_tools.call_args.args[0] if tool.on] == ["brush", "erase"]
    masks.person.drag(25, 10, 40, 10)
    assert _mask(masks).sum() < before.sum()
    assert not (_mask(masks) & ~before).any()
    _layer_shows(masks)
    masks.person.drag(0, 10, 60, 10)
    assert "Nothing is left of the mask" in masks.canvas.drawing.hint
    assert len(masks.events("mask")) == 2


def test_other_objects_are_spared(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("A")
    masks.person.drag(20, 5, 20, 30)
    assert not (_mask(masks, 0) & _mask(masks, 1)).any()
    _layer_shows(masks)


def test_a_click_with_the_brush_chooses_an_object(masks: Any) -> None:
    masks.person.key("2")
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("A")
    masks.person.key("1")
    masks.person.drag(10, 40, 30, 40)
    masks.person.click(20, 10)
    assert masks.session.category.name == "person"
    assert "person chosen" in masks.canvas.drawing.hint
    area = _mask(masks, 0).sum()
    masks.person.drag(10, 16, 30, 16)
    assert _mask(masks, 0).sum() > area
    masks.person.click(60, 50)
    assert len(masks.session.annotations.boxes) == 2, "a click beside all objects is a dab of this one"
    assert _mask(masks, 0)[50, 60]


def test_delete_takes_the_object_under_the_pointer(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("A")
    masks.person.drag(10, 40, 30, 40)
    kept = masks.session.annotations.boxes[1].uid
    _hover(masks, 20, 10)
    masks.person.key("Delete")
    assert [box.uid for box in masks.session.annotations.boxes] == [kept]
    _layer_shows(masks)
    masks.person.key("Delete")
    assert masks.session.annotations.boxes == ()
    _layer_shows(masks)


def test_a_polygon_is_closed_by_enter(masks: Any) -> None:
    masks.person.key("O")
    for place in ((10, 10), (40, 12), (30, 40)):
        masks.person.click(*place)
    assert masks.events("mask") == []
    masks.person.key("Return")
    expected = polygon_mask([(10.5, 10.5), (40.5, 12.5), (30.5, 40.5)], SIZE)
    np.testing.assert_array_equal(_mask(masks), expected)
    assert _sources(masks) == [(1, "polygon")]
    _layer_shows(masks)


def test_a_polygon_is_closed_by_its_first_corner(masks: Any) -> None:
    masks.person.key("O")
    for place in ((10, 10), (40, 12), (30, 40), (10, 10)):
        masks.person.click(*place)
    assert len(masks.events("mask")) == 1
    assert masks.canvas.drawing.paths == ()


def test_corners_are_taken_back_and_dropped(masks: Any) -> None:
    start = masks.project.projection_hash()
    masks.person.key("O")
    for place in ((10, 10), (40, 12), (70, 55)):
        masks.person.click(*place)
    masks.person.key("Backspace")
    (path,) = masks.canvas.drawing.paths
    assert [tuple(position) for position in path.positions[:2]] == [
        pytest.approx(index_to_napari(place)) for place in ((10, 10), (40, 12))
    ]
    masks.person.key("Return")
    assert masks.canvas.drawing.hint == "a polygon needs three corners"
    masks.person.key("Escape")
    assert masks.canvas.drawing.paths == ()
    assert masks.project.projection_hash() == start
    masks.person.click(10, 10)
    masks.person.key("N")
    assert masks.canvas.drawing.paths == (), "another image drops it, too"


def test_a_polygon_that_is_not_saved_stays(masks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    masks.person.key("O")
    for place in ((10, 10), (40, 12), (30, 40)):
        masks.person.click(*place)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise InputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(masks.project, "record", refuse)
        masks.person.key("Return")
        assert len(masks.canvas.drawing.paths) == 1
        assert masks.session.annotations.boxes == ()
    masks.person.key("Return")
    assert len(masks.session.annotations.boxes) == 1


def test_undo_and_redo_through_strokes(masks: Any) -> None:
    start = masks.project.projection_hash()
    masks.person.drag(10, 10, 30, 10)
    masks.person.drag(10, 20, 30, 20)
    masks.person.key("2")
    masks.person.key("A")
    masks.person.drag(10, 40, 30, 40)
    end = masks.project.projection_hash()
    for _ in range(4):
        masks.person.key("Ctrl+Z")
        _layer_shows(masks)
    assert masks.project.projection_hash() == start
    for _ in range(4):
        masks.person.key("Ctrl+Shift+Z")
        _layer_shows(masks)
    assert masks.project.projection_hash() == end


def test_a_restart_keeps_every_stroke(masks: Any, reopened: Callable[[Any], Any]) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("O")
    masks.person.click(50, 50)
    again = reopened(masks)
    assert again.session.mode == "mask"
    assert len(again.session.annotations.boxes) == 1
    _layer_shows(again)


def test_masks_are_shown_in_every_mode_and_hidden_with_the_rest(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    masks.person.key("Q")
    layer = masks.viewer.layers[MASKS]
    assert layer.data.any()
    masks.person.key("H")
    assert not layer.visible
    masks.person.key("H", released=True)
    assert layer.visible
    masks.person.key("N")
    assert not layer.data.any()
    masks.person.key("B")
    assert layer.data.any() and masks.viewer.layers[MASKS] is layer


def test_the_layer_is_locked_and_cannot_be_painted_on(masks: Any) -> None:
    masks.person.drag(10, 10, 30, 10)
    layer = masks.viewer.layers[MASKS]
    assert layer.locked and not layer.editable
    layer.mode = "paint"
    assert layer.mode == "pan_zoom"
    masks.viewer.layers.remove(layer)
    masks.person.drag(10, 20, 30, 20)
    _layer_shows(masks)


def test_a_drawn_box_gets_a_mask(masks: Any) -> None:
    masks.person.key("W")
    masks.person.drag(10, 10, 50, 40)
    for key in "FFF":
        masks.person.key(key)
    masks.person.key("M")
    masks.person.click(10, 25)
    masks.person.drag(15, 25, 45, 25)
    (box,) = masks.session.annotations.boxes
    assert box.mask is not None and len(box.answers) == 3
    assert box.box.xyxy == (10.5, 10.5, 50.5, 40.5)


# ------------------------------------------------------------------ predictions


class Shown:
    """A prediction of a disc on the first image."""

    def __init__(self, category_id: int = 2) -> None:
        rows, columns = np.mgrid[:60, :80]
        self.mask = (rows - 30) ** 2 + (columns - 40) ** 2 < 100
        self.category_id = category_id

    def shows(self, image_id: int) -> bool:
        return image_id == 1

    def segment_at(self, image_id: int, x: int, y: int) -> Predicted | None:
        if not self.shows(image_id) or not self.mask[y, x]:
            return None
        return Predicted(self.category_id, mask_to_rle(self.mask), "run7 step 900")


def test_a_prediction_is_taken_over_and_then_corrected(masks: Any) -> None:
    shown = Shown()
    masks.controller.use_predictions(shown)
    _hover(masks, 5, 5)
    masks.person.key("Return")
    assert masks.canvas.drawing.hint == "nothing is predicted under the pointer"
    _hover(masks, 40, 30)
    assert "Enter takes the prediction under the pointer" in masks.canvas.drawing.headline
    masks.person.key("Return")
    np.testing.assert_array_equal(_mask(masks), shown.mask)
    assert _sources(masks) == [(2, "accepted_prediction")]
    (event,) = masks.events("mask")
    assert event.payload["suggested_by"] == "run7 step 900"
    masks.person.drag(40, 30, 60, 30)
    assert _sources(masks) == [(2, "edited_prediction")]
    _layer_shows(masks)


def test_a_prediction_spares_what_was_painted(masks: Any) -> None:
    masks.controller.use_predictions(Shown())
    masks.person.drag(20, 30, 60, 30)
    painted = _mask(masks)
    masks.person.key("A")
    _hover(masks, 40, 38)
    masks.controller.sitting.use_tool("accept")
    assert not (_mask(masks, 1) & painted).any()
    assert rle_area(masks.session.annotations.boxes[1].mask.rle) == (Shown().mask & ~painted).sum()


def test_without_a_prediction_enter_says_so(masks: Any) -> None:
    _hover(masks, 40, 30)
    masks.person.key("Return")
    assert masks.canvas.drawing.hint == "no prediction is shown: P shows a model's, I masks from clicks"
    masks.controller.use_predictions(Shown(category_id=77))
    masks.person.key("Return")
    assert "class 77" in masks.canvas.drawing.hint
    assert masks.events("mask") == []
