from __future__ import annotations

from typing import Any

from napari_pointanno._models.question_look import QuestionLook
from napari_pointanno.napari_versions import camera_of
from napari_pointanno.view_transform import view_of_box


def _box(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)


def test_answers_follow_the_keys_and_the_box_closes(desktop: Any) -> None:
    _box(desktop)
    for key in "FJU":
        desktop.person.key(key)
    box = desktop.session.annotations.boxes[0]
    assert box.answers == ("object", "background", "unsure")
    assert desktop.session.asked is None
    assert "Draw a box" in desktop.canvas.drawing.headline


def test_a_point_is_timed_from_its_display(desktop: Any) -> None:
    _box(desktop)
    desktop.canvas.hold = True
    desktop.person.key("F")
    desktop.canvas.release(desktop.person.tick(300))
    desktop.person.key("J")
    times = desktop.session.annotations.boxes[0].times_ms
    assert times[1] == 1000
    shown = desktop.events("point_shown")
    assert [event.payload["point"] for event in shown] == [0, 1]
    assert shown[1].payload["swapped"] is True


def test_a_key_before_the_display_has_no_time(desktop: Any) -> None:
    _box(desktop)
    desktop.canvas.hold = True
    desktop.person.key("F")
    desktop.person.key("J")
    box = desktop.session.annotations.boxes[0]
    assert box.answers[:2] == ("object", "background")
    assert box.times_ms[1] is None
    assert [event.timing["shown"] for event in desktop.events("answer")] == [True, False]


def test_the_view_goes_to_the_box_and_back(desktop: Any) -> None:
    camera = camera_of(desktop.viewer)
    before = (camera.center[-2:], camera.zoom)
    _box(desktop)
    center, zoom = view_of_box((10, 10, 50, 40), (600, 800))
    assert (camera.center[-2:], camera.zoom) == (center, zoom)
    for key in "FFF":
        desktop.person.key(key)
    assert (camera.center[-2:], camera.zoom) == before


def test_the_look_of_questions_is_a_matter_of_preferences(desktop: Any, monkeypatch: Any) -> None:
    look = QuestionLook(near_point=False, hides_answered=True, zoom=30.0)
    monkeypatch.setattr("napari_pointanno._controllers.desk.question_look", lambda: look)
    _box(desktop)
    camera, asked = camera_of(desktop.viewer), desktop.session.asked
    assert camera.zoom == 30
    assert camera.center[-2:] == (asked.y, asked.x), "the box is larger than the canvas"
    assert desktop.canvas.drawing.question.text == ""
    assert desktop.canvas.drawing.headline.startswith("CAR?   F yes")
    desktop.person.key("F")
    assert desktop.canvas.drawing.dots == ()
    asked = desktop.session.asked
    assert camera.center[-2:] == (asked.y, asked.x), "each point comes into the middle"


def test_the_question_is_drawn_where_it_is_asked(desktop: Any) -> None:
    _box(desktop)
    question, asked = desktop.canvas.drawing.question, desktop.session.asked
    assert (question.row, question.column) == (asked.y, asked.x)
    assert "CAR?" in question.text
    assert "1/3" in question.text
    desktop.person.key("J")
    assert [dot.value for dot in desktop.canvas.drawing.dots] == ["background"]


def test_the_points_layer_waits_for_the_end_of_the_box(desktop: Any) -> None:
    _box(desktop)
    points = desktop.viewer.layers["points"]
    changes: list[Any] = []
    points.events.data.connect(changes.append)
    desktop.person.key("F")
    desktop.person.key("F")
    assert changes == []
    desktop.person.key("F")
    assert len(points.data) == 3
    assert len(desktop.viewer.layers["boxes"].data) == 1


def test_step_back_asks_again(desktop: Any) -> None:
    _box(desktop)
    desktop.person.key("F")
    desktop.person.key("F")
    desktop.person.key("Backspace")
    assert desktop.session.asked.index == 1


def test_undo_of_the_last_answer_opens_the_box_again(desktop: Any) -> None:
    _box(desktop)
    for key in "FJU":
        desktop.person.key(key)
    desktop.person.key("Ctrl+Z")
    assert desktop.session.asked.index == 2


def test_escape_leaves_the_box_and_a_click_inside_returns(desktop: Any) -> None:
    _box(desktop)
    desktop.person.key("F")
    desktop.person.key("Escape")
    assert not desktop.session.asked
    assert len(desktop.session.annotations.boxes) == 1
    desktop.person.click(30, 25)
    assert desktop.session.asked.index == 1


def test_resample_draws_new_points(desktop: Any) -> None:
    _box(desktop)
    desktop.person.key("F")
    before = desktop.session.annotations.boxes[0]
    desktop.person.key("R")
    after = desktop.session.annotations.boxes[0]
    assert after.point_seed != before.point_seed
    assert after.answers == (None, None, None)
    desktop.person.key("Ctrl+Z")
    assert desktop.session.annotations.boxes[0].answers == before.answers


def test_a_digit_gives_a_fresh_box_its_class(desktop: Any) -> None:
    _box(desktop)
    desktop.person.key("2")
    assert desktop.session.annotations.boxes[0].category_id == 2
    desktop.person.key("F")
    desktop.person.key("1")
    assert desktop.session.annotations.boxes[0].category_id == 2
    assert desktop.session.category_id == 1


def test_no_question_no_answer(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.key("F")
    desktop.person.key("R")
    assert desktop.events("answer", "resample") == []
    assert desktop.canvas.drawing.hint == "no box is open"


def test_delete_takes_the_box_that_is_asked(desktop: Any) -> None:
    _box(desktop)
    desktop.person.key("Delete")
    assert desktop.session.annotations.boxes == ()
    assert desktop.session.asked is None
