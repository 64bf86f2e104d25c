from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from napari_pointanno.keymap import Action, KeyInput
from napari_pointanno.napari_versions import camera_of, grid_of
from pointanno.errors import InputError


def test_a_session_starts_on_the_first_image(desktop: Any) -> None:
    assert desktop.session.image.file_name == "a.png"
    assert desktop.canvas.handler is desktop.controller.sitting
    assert [event.kind for event in desktop.project.events() if event.kind != "category_added"][:3] == [
        "session_start",
        "image_load_start",
        "image_shown",
    ]
    assert desktop.canvas.focused > 0


def test_four_classes_twelve_points(desktop: Any) -> None:
    for digit in "1234":
        desktop.person.key(digit)
        for step in range(3):
            desktop.person.click(int(digit) * 15, 10 + 15 * step)
    clicks = desktop.project.annotations(desktop.session.image.id).clicks
    assert [click.category_id for click in clicks] == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert [(click.x, click.y) for click in clicks[:2]] == [(15, 10), (15, 25)]
    assert [click.isthing for click in clicks] == [True] * 6 + [False] * 6


def test_undo_and_redo_go_to_the_image(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert desktop.session.row == 1
    desktop.person.key("Ctrl+Z")
    assert desktop.session.row == 0
    assert desktop.session.annotations.clicks == ()
    desktop.person.key("Ctrl+Shift+Z")
    assert len(desktop.session.annotations.clicks) == 1
    desktop.person.key("Ctrl+Shift+Z")
    assert desktop.canvas.drawing.hint == "nothing to redo"


def test_undo_survives_a_restart(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(25, 5)
    again = reopened(desktop)
    assert len(again.session.annotations.clicks) == 2
    again.person.key("Backspace")
    assert len(again.session.annotations.clicks) == 1


def test_a_restart_goes_on_at_the_image_and_the_open_box(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    desktop.person.key("N")
    desktop.person.key("N")
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    desktop.person.key("F")
    again = reopened(desktop)
    assert again.session.image.file_name == "c.png"
    assert again.session.mode == "box_points"
    assert again.session.asked.index == 1


def test_done_declares_complete_and_goes_on(desktop: Any) -> None:
    desktop.person.key("D")
    assert desktop.session.row == 1
    image = desktop.project.images()[0]
    assert (image.complete_things, image.complete_stuff) == (True, True)
    desktop.person.key("B")
    desktop.person.key("D")
    assert len(desktop.events("complete")) == 1


def test_absence_is_recorded_and_taken_back(desktop: Any) -> None:
    desktop.person.key("Shift+4")
    assert desktop.session.annotations.absent_category_ids == (4,)
    desktop.person.key("Shift+4")
    assert desktop.session.annotations.absent_category_ids == ()


def test_what_is_there_is_not_absent(desktop: Any) -> None:
    desktop.person.key("1")
    desktop.person.click(5, 5)
    desktop.person.key("Shift+1")
    assert desktop.session.annotations.absent_category_ids == ()
    assert "cannot be absent" in desktop.canvas.drawing.hint


def test_a_digit_changes_the_class_of_what_is_selected(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(5, 5)
    assert desktop.session.selected is not None
    desktop.person.key("2")
    assert desktop.session.annotations.clicks[0].category_id == 2


def test_there_is_no_ninth_class(desktop: Any) -> None:
    desktop.person.key("9")
    assert desktop.canvas.drawing.hint == "no class has the key 9"
    desktop.person.key("0")
    desktop.view.focus_search.assert_called_once()


def test_paused_inputs_do_nothing_and_time_stands_still(desktop: Any) -> None:
    desktop.person.key("F10")
    assert desktop.canvas.drawing.paused
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert desktop.session.row == 0
    assert desktop.session.annotations.clicks == ()
    desktop.person.key("F10")
    desktop.person.click(5, 5)
    click = desktop.session.annotations.clicks[0]
    # shown at 0 s; pause 1 ... 5 s (the press, the release and N fall into it); press at 6 s: 2 s count
    assert click.time_ms == 2000
    assert [event.kind for event in desktop.events("pause", "resume")] == ["pause", "resume"]


def test_lost_focus_does_not_count(desktop: Any) -> None:
    desktop.canvas.handler.on_focus(False, desktop.person.tick(), "window")
    desktop.canvas.handler.on_focus(True, desktop.person.tick(5000), "canvas")
    desktop.person.click(5, 5)
    assert desktop.session.annotations.clicks[0].time_ms == 2000
    assert [event.payload["reason"] for event in desktop.events("focus_lost")] == ["window"]
    desktop.view.show_keyboard.assert_called_with(True)


def test_hold_to_hide(desktop: Any) -> None:
    desktop.person.click(5, 5)
    points = desktop.viewer.layers["points"]
    desktop.person.key("H")
    assert desktop.canvas.hidden
    assert not points.visible
    desktop.person.key("H", released=True)
    assert not desktop.canvas.hidden
    assert points.visible


def test_keys_and_preview(desktop: Any) -> None:
    toggled: list[bool] = []
    desktop.controller.preview_toggled.connect(lambda: toggled.append(True))
    desktop.person.key("?")
    assert desktop.canvas.drawing.key_sheet
    desktop.person.key("Escape")
    assert not desktop.canvas.drawing.key_sheet
    desktop.person.key("P")
    assert toggled == [True]


def test_a_full_disk_stops_everything_with_a_sentence(desktop: Any, monkeypatch: Any) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise InputError("project.db: the disk is full")

    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    asked = desktop.session.asked
    monkeypatch.setattr(desktop.project, "record", full)
    desktop.person.key("F")
    assert desktop.session.asked == asked
    assert desktop.notified() == ["project.db: the disk is full"]
    desktop.view.show_saved.assert_called_with("not saved", False)
    desktop.person.key("F")
    assert len(desktop.notified()) == 1
    monkeypatch.undo()
    desktop.person.key("F")
    assert desktop.session.asked.index == asked.index + 1


def test_closing_leaves_the_viewer_as_it_was(desktop: Any) -> None:
    sitting = desktop.controller.sitting
    desktop.person.click(5, 5)
    desktop.controller.close()
    assert list(desktop.viewer.layers) == []
    assert desktop.canvas.handler is None
    assert desktop.controller.project is None
    sitting.on_beat(2)
    sitting.on_focus(True, 3, "canvas")
    sitting.on_key(KeyInput(Action.OBJECT, 4))
    assert desktop.controller.enter("box_points") is None
    desktop.controller.show_again()


def test_errors_of_opening_are_shown(desktop: Any) -> None:
    desktop.controller.open("/nowhere/x.pointanno")
    assert len(desktop.notified()) == 1
    desktop.controller.create("/nowhere", "")
    assert "/nowhere: there is no such file or folder" in desktop.notified()[1]
    assert desktop.controller.project is desktop.project


def test_a_project_that_is_open_here_stays_open(desktop: Any) -> None:
    desktop.controller.open(str(desktop.project.path))
    assert desktop.notified() == [f"{desktop.project.path}: this project is open already"]
    assert desktop.controller.project is desktop.project
    desktop.person.click(5, 5)
    assert len(desktop.events("click")) == 1


def test_a_project_whose_folder_is_gone_can_be_closed(desktop: Any, monkeypatch: Any) -> None:
    def gone() -> None:
        raise FileNotFoundError(2, "No such file or directory", "project.db")

    monkeypatch.setattr(desktop.project, "close", gone)
    desktop.controller.close()
    assert "No such file" in desktop.notified()[0]
    assert desktop.controller.project is None
    monkeypatch.undo()


@pytest.mark.parametrize("turned", ["3d", "grid"])
def test_a_turned_view_takes_no_clicks_and_asks_nothing(desktop: Any, turned: str) -> None:
    """A click would mean another pixel than the one under the pointer."""
    dims, grid = desktop.viewer.dims, grid_of(desktop.viewer)
    desktop.person.click(5, 5)
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    asked = desktop.session.asked
    desktop.person.press(20, 20)
    if turned == "grid":
        grid.enabled = True
    else:
        dims.ndisplay = 3
    assert desktop.session.asked is None
    assert desktop.canvas.drawing.headline == desktop.session.obstacle != ""
    assert (desktop.canvas.drawing.question, desktop.canvas.drawing.frames) == (None, ())
    desktop.person.key("F")
    desktop.person.drag(60, 10, 70, 40)
    desktop.person.key("Q")
    desktop.person.click(50, 5)
    desktop.canvas.handler.on_hover(desktop.person._at(5, 5))
    desktop.person.key("Delete")
    assert len(desktop.events("click", "box")) == 2
    assert desktop.events("answer", "delete") == []
    dims.ndisplay, dims.order, grid.enabled = 2, (0, 1), False
    desktop.person.key("W")
    assert desktop.session.asked == asked
    desktop.person.key("F")
    assert len(desktop.events("answer")) == 1


def test_undo_that_fails_is_not_called_nothing(desktop: Any, monkeypatch: Any) -> None:
    def full(**_: Any) -> None:
        raise InputError("project.db: the disk is full")

    desktop.person.click(5, 5)
    monkeypatch.setattr(desktop.project, "undo", full)
    desktop.person.key("Ctrl+Z")
    assert desktop.canvas.drawing.hint == ""
    assert desktop.notified() == ["project.db: the disk is full"]


def test_pan_moves_the_camera_against_the_hand(desktop: Any) -> None:
    camera = camera_of(desktop.viewer)
    before = camera.center
    desktop.canvas.handler.on_pan(camera.zoom * 3, 0)
    assert camera.center[-1] == before[-1] - 3
