from __future__ import annotations

from typing import Any


def test_a_click_carries_the_time_since_the_last_one(desktop: Any) -> None:
    """Shown at 0; press 1 s, release 2 s, press 3 s: 1,000 and 2,000 ms, both to the press."""
    desktop.person.click(5, 5)
    desktop.person.click(25, 5)
    assert [click.time_ms for click in desktop.session.annotations.clicks] == [1000, 2000]
    events = desktop.events("click")
    assert events[0].t_mono_ns == 1_000_000_000
    assert events[0].timing["release_ns"] == 2_000_000_000


def test_press_with_movement_is_no_point(desktop: Any) -> None:
    desktop.person.drag(5, 5, 30, 5)
    assert desktop.session.annotations.clicks == ()
    assert desktop.canvas.drawing.hint.startswith("drag ignored")
    assert len(desktop.events("drag_ignored")) == 1


def test_outside_the_picture(desktop: Any) -> None:
    desktop.person.click(-5, 5)
    assert desktop.session.annotations.clicks == ()
    assert "outside" in desktop.canvas.drawing.hint


def test_the_same_pixel_is_clicked_once(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(5, 5)
    assert len(desktop.session.annotations.clicks) == 1


def test_select_and_move(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(5, 5)
    assert desktop.canvas.drawing.selected == (5.0, 5.0)
    desktop.person.click(40, 30)
    click = desktop.session.annotations.clicks[0]
    assert (click.x, click.y) == (40, 30)
    assert desktop.session.selected is None
    assert len(desktop.events("move")) == 1


def test_escape_deselects(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(5, 5)
    desktop.person.key("Escape")
    desktop.person.click(40, 30)
    assert len(desktop.session.annotations.clicks) == 2


def test_delete_takes_what_is_hovered(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.click(40, 30)
    desktop.canvas.handler.on_hover(desktop.person._at(40, 30))
    desktop.person.key("Delete")
    assert [(click.x, click.y) for click in desktop.session.annotations.clicks] == [(5, 5)]
    desktop.person.key("Delete")
    assert "nothing under the pointer" in desktop.canvas.drawing.hint
    desktop.person.key("Ctrl+Z")
    assert len(desktop.session.annotations.clicks) == 2


def test_a_box_is_drawn_from_corner_to_corner(desktop: Any) -> None:
    """From the centre of pixel (10, 10) to that of (50, 40): continuous 10.5 ... 50.5 and 10.5 ... 40.5."""
    desktop.person.key("W")
    desktop.person.key("2")
    desktop.person.press(10, 10)
    desktop.person.move(30, 20)
    (frame,) = desktop.canvas.drawing.frames
    assert (frame.corner, frame.opposite, frame.text) == ((10.0, 10.0), (20.0, 30.0), "person")
    desktop.person.release(50, 40)
    box = desktop.session.annotations.boxes[0]
    assert box.box.xyxy == (10.5, 10.5, 50.5, 40.5)
    assert box.category_id == 2
    assert len(box.answers) == 3
    assert box.box_drag_ms == 2000
    assert [event.kind for event in desktop.events("drag_start", "box")] == ["drag_start", "box"]


def test_escape_cancels_a_drag_and_nothing_else(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.press(10, 10)
    desktop.person.move(30, 20)
    desktop.person.key("Escape")
    desktop.person.release(50, 40)
    assert desktop.session.annotations.boxes == ()
    assert [event.payload["reason"] for event in desktop.events("drag_cancelled")] == ["escape"]


def test_a_box_is_cut_to_the_picture(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(60, 40, 200, 200)
    assert desktop.session.annotations.boxes[0].box.xyxy == (60.5, 40.5, 80.0, 60.0)


def test_a_box_outside_the_picture_is_none(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(-60, -40, -5, -5)
    assert desktop.session.annotations.boxes == ()


def test_clicks_while_a_point_is_asked_do_nothing(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    desktop.person.click(20, 20)
    assert desktop.session.annotations.clicks == ()
    assert "F / J / U" in desktop.canvas.drawing.hint


def test_without_a_class_there_is_a_hint(desktop: Any) -> None:
    desktop.session.categories.clear()
    desktop.session.category_id = None
    desktop.person.click(5, 5)
    assert desktop.canvas.drawing.hint == "add a class first"
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    assert desktop.canvas.drawing.hint == "add a class first"
    assert desktop.session.annotations.boxes == ()


def test_layers_catch_up_when_the_person_pauses(desktop: Any) -> None:
    desktop.canvas.busy = True
    points = desktop.viewer.layers["points"]
    desktop.person.click(5, 5)
    desktop.person.click(25, 7)
    assert len(points.data) == 0
    assert [(point.row, point.column) for point in desktop.canvas.drawing.fresh] == [(5.0, 5.0), (7.0, 25.0)]
    desktop.person.key("Ctrl+Z")
    assert len(desktop.canvas.drawing.fresh) == 1
    desktop.canvas.idle()
    assert points.data.tolist() == [[5, 5]]
    assert desktop.canvas.drawing.fresh == ()
    desktop.person.key("Ctrl+Z")
    assert len(points.data) == 0


def test_a_fresh_point_does_not_follow_to_the_next_image(desktop: Any) -> None:
    desktop.canvas.busy = True
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert desktop.canvas.drawing.fresh == ()
    desktop.canvas.idle()
    assert len(desktop.viewer.layers["points"].data) == 0
    desktop.person.key("B")
    assert len(desktop.viewer.layers["points"].data) == 1


def test_a_fresh_point_can_be_selected_moved_and_deleted(desktop: Any) -> None:
    desktop.canvas.busy = True
    desktop.person.click(5, 5)
    desktop.person.click(5, 5)
    assert desktop.canvas.drawing.selected == (5.0, 5.0)
    desktop.person.click(40, 30)
    assert [(point.row, point.column) for point in desktop.canvas.drawing.fresh] == [(30.0, 40.0)]
    desktop.canvas.handler.on_hover(desktop.person._at(40, 30))
    desktop.person.key("Delete")
    assert desktop.canvas.drawing.fresh == ()


def test_a_closed_box_stays_on_the_overlay_until_the_person_pauses(desktop: Any) -> None:
    desktop.canvas.busy = True
    desktop.person.key("W")
    desktop.person.drag(10, 10, 40, 40)
    for _ in range(3):
        desktop.person.key("F")
    assert desktop.session.asked is None
    assert "boxes" not in desktop.viewer.layers
    assert len(desktop.canvas.drawing.frames) == 1
    assert [dot.value for dot in desktop.canvas.drawing.dots] == ["object"] * 3
    desktop.canvas.idle()
    assert len(desktop.viewer.layers["boxes"].data) == 1
    assert len(desktop.viewer.layers["points"].data) == 3
    assert desktop.canvas.drawing.frames == desktop.canvas.drawing.dots == ()
