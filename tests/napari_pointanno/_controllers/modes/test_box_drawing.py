"""Boxes by extreme points, and boxes that are given by a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pointanno.project import Project

EXTREMES = ((30, 10), (20, 25), (33, 40), (50, 22))
"""Top, left, bottom, right; the box is 20, 10, 51, 41."""


@pytest.fixture
def extremes(desktop: Any) -> Any:
    desktop.person.key("W")
    _tool(desktop, "extreme")
    return desktop


def _tool(desktop: Any, name: str) -> None:
    desktop.controller.sitting.use_tool(name)


def _pressed(desktop: Any) -> list[str]:
    return [tool.name for tool in desktop.view.show_tools.call_args.args[0] if tool.on]


def test_four_clicks_make_a_box_with_points(extremes: Any) -> None:
    assert _pressed(extremes) == ["extreme"]
    for number, place in enumerate(EXTREMES, 1):
        extremes.person.click(*place)
        if number < 4:
            assert extremes.session.annotations.boxes == ()
            assert [cross.text for cross in extremes.canvas.drawing.crosses][-1] == f"{number}/4"
            assert len(extremes.canvas.drawing.frames) == (number > 1)
    (box,) = extremes.session.annotations.boxes
    assert box.box.xyxy == (20, 10, 51, 41)
    assert box.extreme_points == EXTREMES
    assert box.source == "extreme"
    assert extremes.session.asked is not None
    assert extremes.canvas.drawing.crosses == ()
    (event,) = extremes.events("box")
    assert event.payload["time_ms"] == sum(event.payload["extreme_times_ms"])


def test_undo_steps_one_click_back_even_from_the_box(extremes: Any) -> None:
    start = extremes.project.projection_hash()
    for place in EXTREMES:
        extremes.person.click(*place)
    end = extremes.project.projection_hash()
    extremes.person.key("Backspace")
    assert len(extremes.session.annotations.extremes) == 3
    extremes.person.click(44, 41)
    assert extremes.session.annotations.boxes[0].box.xyxy == (20, 10, 45, 42)
    for _ in range(4):
        extremes.person.key("Ctrl+Z")
    assert extremes.project.projection_hash() == start
    for place in EXTREMES:
        extremes.person.click(*place)
    assert extremes.session.annotations.boxes[0].box.xyxy == (20, 10, 51, 41)
    assert extremes.project.projection_hash() != end, "the new box has a uid of its own"


def test_escape_gives_begun_points_up_durably(extremes: Any, reopened: Callable[[Any], Any]) -> None:
    extremes.person.click(*EXTREMES[0])
    extremes.person.click(*EXTREMES[1])
    extremes.person.key("Escape")
    assert extremes.session.annotations.extremes == ()
    assert "given up" in extremes.canvas.drawing.hint
    assert len(extremes.events("extreme_cancelled")) == 1
    extremes.person.key("Ctrl+Z")
    assert len(extremes.session.annotations.extremes) == 2
    extremes.person.key("Escape")
    again = reopened(extremes)
    assert again.session.annotations.extremes == ()


def test_a_restart_goes_on_with_begun_points(extremes: Any, reopened: Callable[[Any], Any]) -> None:
    for place in EXTREMES[:3]:
        extremes.person.click(*place)
    again = reopened(extremes)
    assert again.session.mode == "box_points"
    assert again.canvas.drawing.headline.startswith("Click the top, left, lowest and right end")
    again.person.click(*EXTREMES[3])
    assert again.session.annotations.boxes[0].box.xyxy == (20, 10, 51, 41)


def test_an_extreme_point_on_a_point_of_another_object_selects_nothing(extremes: Any) -> None:
    extremes.person.key("Q")
    extremes.person.click(*EXTREMES[0])
    extremes.person.key("W")
    extremes.person.click(*EXTREMES[0])
    assert len(extremes.session.annotations.extremes) == 1
    assert extremes.session.selected is None


def test_a_double_click_is_one_extreme_point(extremes: Any) -> None:
    extremes.person.click(30, 10)
    extremes.person.now_ns -= 1_900_000_000
    extremes.person.click(30, 10)
    assert len(extremes.session.annotations.extremes) == 1
    extremes.person.click(30, 10)
    assert len(extremes.session.annotations.extremes) == 2, "a corner is extreme in two directions"


def test_other_drawing_gives_begun_points_up(extremes: Any) -> None:
    extremes.person.click(*EXTREMES[0])
    _tool(extremes, "drag")
    assert extremes.session.annotations.extremes == ()
    extremes.person.drag(10, 10, 50, 40)
    assert len(extremes.session.annotations.boxes) == 1


def test_skip_leaves_the_open_points_for_good(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    desktop.person.key("F")
    desktop.person.key("K")
    desktop.person.key("K")  # without a reason
    (box,) = desktop.session.annotations.boxes
    assert box.answers == ("object", "skip", "skip")
    assert desktop.session.asked is None
    desktop.person.key("Ctrl+Z")
    assert getattr(desktop.session.asked, "index", None) == 1


def test_a_set_with_extreme_points_is_drawn_so(desktop: Any) -> None:
    images = desktop.project.images()
    desktop.project.set_protocol("by extremes", "box_points", [images[1].id], draw="extreme", points_per_box=5)
    desktop.person.key("N")
    assert _pressed(desktop) == ["extreme"]
    for place in EXTREMES:
        desktop.person.click(*place)
    assert len(desktop.session.annotations.boxes[0].answers) == 5
    _tool(desktop, "drag")
    assert _pressed(desktop) == ["drag"]
    desktop.person.key("Escape")
    desktop.person.key("N")
    desktop.person.key("B")
    assert _pressed(desktop) == ["extreme"], "another set has its own ways"


# ------------------------------------------------------------------ given boxes


@pytest.fixture
def given(images_folder: Path, tmp_path: Path, begin: Callable[[Project], Any]) -> Iterator[Any]:
    """Boxes of a COCO file: two cars and a person on the first image, a car on the third; two points each."""
    boxes = [(1, 1, [5, 5, 20, 20]), (1, 1, [40, 5, 20, 20]), (1, 2, [10, 35, 20, 20]), (3, 1, [30, 30, 20, 20])]
    coco = {
        "images": [
            {"id": number, "file_name": f"{name}.png", "height": 60, "width": 80}
            for number, name in enumerate("abc", 1)
        ],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": category, "bbox": box, "area": 400, "iscrowd": 0}
            for number, (image, category, box) in enumerate(boxes, 1)
        ],
    }
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(coco))
    project = Project.create(tmp_path / "given", images=images_folder, coco=path, points_per_box=2)
    yield begin(project)


def _all_given(desktop: Any, **options: Any) -> None:
    project = desktop.project
    project.set_protocol("all", "box_points", [image.id for image in project.images()], draw="none", **options)
    desktop.controller.show_image(0)


def test_given_boxes_are_answered_without_a_mouse(given: Any) -> None:
    _all_given(given)
    assert given.session.mode == "box_points"
    for _ in range(6):
        given.person.key("F")
    assert given.session.asked is None
    assert given.canvas.drawing.headline.startswith("All points of this image are answered.   Enter next image")
    given.person.drag(10, 10, 50, 40)
    assert len(given.session.annotations.boxes) == 3, "nothing is drawn"
    given.person.key("Return")
    assert given.session.image.file_name == "c.png"
    for _ in range(2):
        given.person.key("J")
    given.person.key("Return")
    assert given.canvas.drawing.hint == "the points of all boxes are answered"
    assert given.project.open_boxes() == []


def test_boxes_class_by_class_lead_from_image_to_image(given: Any) -> None:
    _all_given(given, order="class")
    seen = []
    for _ in range(8):
        seen.append((given.session.asked.category_id, given.session.image.file_name))
        given.person.key("F")
    assert [category for category, _ in seen] == [1] * 6 + [2] * 2
    assert {name for _, name in seen[:6]} == {"a.png", "c.png"}
    assert given.canvas.drawing.hint == "the points of all boxes are answered"


def test_a_box_that_was_left_is_asked_again_on_enter(given: Any) -> None:
    _all_given(given)
    first = given.session.asked.box_uid
    given.person.key("Escape")
    assert given.session.asked.box_uid != first
    for _ in range(4):
        given.person.key("F")
    assert given.session.asked is None
    given.person.key("Return")
    assert getattr(given.session.asked, "box_uid", None) == first


def test_an_image_without_boxes_says_so(given: Any) -> None:
    _all_given(given)
    given.person.key("N")
    assert given.canvas.drawing.headline.startswith("No box is given on this image.")
    given.person.key("F")
    assert "finds the next" in given.canvas.drawing.hint
