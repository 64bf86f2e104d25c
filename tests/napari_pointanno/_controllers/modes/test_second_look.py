"""The second person sees nothing of the first, and what they say lies apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_pointanno._controllers.modes.second_look import SecondLookMode
from napari_pointanno.layers import BOXES, POINTS
from pointanno.dataset import Box, Instance, PointDataset, Points

BOX, CLICK, GOLD_ANSWERS = "b" * 32, "c" * 32, (1, 0)


def prepare(project: Any, *, gold: bool = False) -> None:
    """Image 1: a box answered yes, no, yes and nothing else. Image 3: a click on a person, and "no road here"."""
    first, _, third = (image.id for image in project.images())
    coords = [[12, 12], [20, 20], [28, 28]]
    payload = {"uid": BOX, "category_id": 1, "box": [10, 10, 30, 30], "point_coords": coords}
    project.record("box", payload, image_id=first)
    for point, value in enumerate(("object", "background", "object")):
        project.record("answer", {"uid": BOX, "point": point, "value": value, "time_ms": 500}, image_id=first)
    project.record("click", {"uid": CLICK, "category_id": 2, "x": 60, "y": 40}, image_id=third)
    project.record("absent", {"category_id": 3, "absent": True}, image_id=third)
    project.record("complete", {"things": True, "stuff": False}, image_id=third)
    if gold:
        points = Points.answered(np.array([[42, 12], [48, 18]]), np.array(GOLD_ANSWERS), source="imported")
        dataset = PointDataset(
            images=project.dataset().images[:1],
            categories=tuple(project.categories()),
            instances=(Instance(1, first, 1, Box(40, 10, 50, 20), points),),
        )
        project.import_dataset(dataset, layer="gold")


def begin(project: Any, make_desktop: Callable[[Any], Any], **options: bool) -> Any:
    prepare(project, **options)
    ids = [project.images()[0].id, project.images()[2].id]
    project.record("second_pass", {"share": 0.5, "seed": 0, "image_ids": ids})
    desktop = make_desktop(project)
    desktop.controller.show_image(1)
    desktop.view.mode_chosen.connect.call_args.args[0]("second_look")
    return desktop


@pytest.fixture
def blind(project: Any, make_desktop: Callable[[Any], Any]) -> Any:
    return begin(project, make_desktop)


def points_shown(desktop: Any) -> int:
    return sum(len(desktop.viewer.layers[name].data) for name in (BOXES, POINTS) if name in desktop.viewer.layers)


def test_the_points_of_the_boxes_are_asked_without_their_answers(blind: Any) -> None:
    project, person = blind.project, blind.person
    third, first = project.images()[2].id, project.images()[0].id
    assert blind.session.image.id == third, "from the second image to the next that is chosen"
    person.key("N")
    assert blind.session.image.id == first
    assert "Is the ring on the CAR?" in blind.view.show_now.call_args.args[0].prompt
    assert points_shown(blind) == 0 and blind.canvas.drawing.dots == ()
    before = project.projection_hash()
    assert project.annotations(first, layer="second").boxes == (), "nothing is written by looking"
    for key in "FFU":
        person.key(key)
    [copy] = project.annotations(first, layer="second").boxes
    assert copy.copy_of == BOX and copy.answers == ("object", "object", "unsure")
    assert copy.times_ms == (1000, 1000, 1000) and copy.point_coords.tolist() == [[12, 12], [20, 20], [28, 28]]
    assert project.annotations(first).boxes[0].answers == ("object", "background", "object")
    assert "Every point is answered" in blind.view.show_now.call_args.args[0].prompt
    for _ in range(4):
        person.key("Ctrl+Z")
    assert project.projection_hash() == before


def test_the_list_of_images_and_classes_tells_nothing(blind: Any) -> None:
    row = blind.session.pages.row(2)
    assert (row.clicks, row.state, row.complete_things) == (0, "unlabelled", None)
    rows = blind.view.show_classes.call_args.args[0]
    assert [(one.count, one.absent) for one in rows] == [(0, False)] * 4
    assert blind.view.show_now.call_args.args[0].answered == 0 and not blind.session.annotations.clicks
    blind.person.key("Q")
    assert blind.session.pages.row(2).clicks == 1 and len(blind.session.annotations.clicks) == 1
    assert [one.absent for one in blind.view.show_classes.call_args.args[0]] == [False, False, True, False]


def test_clicks_lie_apart_and_are_compared_once_the_image_is_done(blind: Any) -> None:
    project, person = blind.project, blind.person
    third = project.images()[2].id
    assert "Second opinion: click every car" in blind.canvas.drawing.headline
    person.key("2")
    person.click(63, 44)
    [click] = project.annotations(third, layer="second").clicks
    assert (click.category_id, click.x, click.y) == (2, 63, 44) and len(project.annotations(third).clicks) == 1
    assert blind.session.annotations.clicks == (click,)
    person.click(63, 44)
    person.click(60, 44)
    [click] = project.annotations(third, layer="second").clicks
    assert (click.x, click.y) == (60, 44)
    assert project.agreement().clicks == 0
    person.key("D")
    assert project.image(third).second_pass == "done" and blind.session.image.id == project.images()[0].id
    found = project.agreement()
    assert (found.clicks, found.median_distance, found.unmatched) == (1, 4.0, 0)
    assert project.image(third).complete_things is True, "what the first person declared is left alone"
    person.key("Ctrl+Z")
    assert project.image(third).second_pass == "chosen" and blind.session.image.id == third


def test_done_waits_for_the_points_and_ends_in_a_sentence(blind: Any) -> None:
    project, person = blind.project, blind.person
    person.key("D")
    person.key("D")
    assert "a point is asked first" in blind.canvas.drawing.hint
    for key in "FJF":
        person.key(key)
    person.click(50, 30)
    assert not project.annotations(project.images()[0].id, layer="second").clicks, "no clicks were made there"
    person.key("D")
    assert "every image of the second pass is done" in blind.canvas.drawing.hint
    assert project.agreement().same == 3 and project.agreement().kappa == 1.0
    person.key("B")
    assert "this is the first image" in blind.canvas.drawing.hint


def test_keys_of_the_first_pass_do_nothing(blind: Any) -> None:
    before = blind.project.projection_hash()
    for key in ("Shift+1", "K", "L", "R", "P"):
        blind.person.key(key)
        assert "not in a second opinion" in blind.canvas.drawing.hint
    assert blind.project.projection_hash() == before


def test_images_that_are_not_chosen_show_nothing(blind: Any) -> None:
    blind.controller.show_image(1)
    assert "needs no second opinion" in blind.canvas.drawing.headline
    blind.person.click(30, 30)
    assert not blind.events("click")[1:]
    blind.person.key("N")
    assert blind.session.image.id == blind.project.images()[2].id


def test_without_a_plan_the_dock_says_what_to_do(desktop: Any) -> None:
    desktop.view.mode_chosen.connect.call_args.args[0]("second_look")
    assert "No image is chosen for a second opinion" in desktop.canvas.drawing.headline


def test_known_answers_are_asked_among_the_others_and_look_like_them(
    project: Any, make_desktop: Callable[[Any], Any]
) -> None:
    desktop = begin(project, make_desktop, gold=True)
    first = project.images()[0].id
    desktop.person.key("N")
    for _ in range(5):
        assert "CAR?" in desktop.canvas.drawing.question.text
        desktop.person.key("F")
    assert isinstance(desktop.controller.sitting.desk.mode, SecondLookMode)
    boxes = desktop.session.annotations.boxes
    assert {box.source for box in boxes} == {"imported"} and len(boxes) == 2
    found = project.agreement("gold")
    assert (found.answers, found.same) == (2, 1)
    assert project.agreement().answers == 3
    assert project.image(first).disagreements == 1, "the known answers do not count there"


def test_the_preview_is_switched_off(project: Any, make_desktop: Callable[[Any], Any]) -> None:
    told: list[bool] = []
    prepare(project)
    desktop = make_desktop(project)
    desktop.controller.blinded.connect(lambda: told.append(True))
    desktop.view.mode_chosen.connect.call_args.args[0]("second_look")
    assert told == [True]
