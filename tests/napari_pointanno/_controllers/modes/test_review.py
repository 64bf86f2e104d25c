"""Items come one by one, each key writes one record, undo leads back, the first answer stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_pointanno._controllers.modes.review import ReviewMode
from pointanno.coords import index_to_napari
from pointanno.runs.preview_client import PreviewReply

BOX, OTHER, CLICK = "b" * 32, "d" * 32, "c" * 32


def prepare(project: Any) -> None:
    """Image 1: a box answered unsure, yes in 90 ms, no. Image 3: a box answered unsure twice, and a click."""
    ids = [image.id for image in project.images()]
    for uid, image_id, answers in (
        (BOX, ids[0], (("unsure", 900), ("object", 90), ("background", 800))),
        (OTHER, ids[2], (("unsure", 700), ("unsure", 600), ("object", 500))),
    ):
        coords = [[12, 12], [20, 20], [28, 28]]
        payload = {"uid": uid, "category_id": 1, "box": [10, 10, 30, 30], "point_coords": coords}
        project.record("box", payload, image_id=image_id)
        for point, (value, time_ms) in enumerate(answers):
            answer = {"uid": uid, "point": point, "value": value, "time_ms": time_ms}
            project.record("answer", answer, image_id=image_id)
    project.record("click", {"uid": CLICK, "category_id": 2, "x": 60, "y": 40, "time_ms": 50}, image_id=ids[2])


@pytest.fixture
def reviewing(project: Any, make_desktop: Callable[[Any], Any]) -> Any:
    prepare(project)
    desktop = make_desktop(project)
    desktop.person.key("E")
    return desktop


def mode_of(desktop: Any) -> ReviewMode:
    mode = desktop.controller.sitting.desk.mode
    assert isinstance(mode, ReviewMode)
    return mode


def choose(desktop: Any, key: str) -> ReviewMode:
    desktop.controller.reviewing.act(lambda review: review.choose(key))
    return mode_of(desktop)


def item_shown(desktop: Any) -> str:
    return str(desktop.view.review.show_item.call_args.args[0])


def test_the_first_filter_with_items_is_shown_with_counts(reviewing: Any) -> None:
    mode = mode_of(reviewing)
    assert (mode.filter, mode.queue.total, mode.progress()) == ("unsure", 3, "1/3")
    filters, current = reviewing.view.review.show_filters.call_args.args
    counts = {one.key: one.count for one in filters}
    assert current == "unsure"
    assert counts == {"unsure": 3, "fast": 2, "disagreement": 0, "flagged": 0, "later": 0, "everything": 9}
    question = reviewing.canvas.drawing.question
    assert (question.row, question.column) == tuple(index_to_napari((12, 12)))
    assert "CAR?" in question.text and "was unsure" in question.text
    assert "Is the ring on the car?  Enter keeps: unsure" in reviewing.canvas.drawing.headline
    assert reviewing.session.image.id == reviewing.project.images()[0].id
    assert reviewing.session.asked is None, "no point is asked as in the first pass"


def test_keys_confirm_change_and_put_off_across_images(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    person.key("J")
    assert reviewing.session.image.id == project.images()[2].id, "the next item lies on another image"
    person.key("Enter")
    person.key("K")
    first, third = (project.annotations(project.images()[n].id) for n in (0, 2))
    assert first.boxes[0].answers == ("background", "object", "background")
    assert third.boxes[0].answers == ("unsure", "unsure", "object")
    [review] = first.reviews
    assert (review.verdict, review.point, review.value["value"]) == ("change", 0, "background")
    assert review.original is not None and review.original["value"] == "unsure" and review.original["time_ms"] == 900
    assert review.time_ms == 1000
    assert [(one.verdict, one.point) for one in third.reviews] == [("confirm", 0), ("later", 1)]
    assert "Reviewed: 1 confirmed, 1 changed, 1 put off." in reviewing.canvas.drawing.headline
    assert reviewing.canvas.drawing.question is None
    answers = [event.payload for event in reviewing.events("answer") if event.payload["uid"] == BOX]
    assert [one["value"] for one in answers] == ["unsure", "object", "background"], "the journal keeps the first ones"
    assert choose(reviewing, "later").queue.total == 1


def test_the_same_answer_is_a_confirmation(reviewing: Any) -> None:
    reviewing.person.key("U")
    [event] = reviewing.events("review")
    assert (event.payload["verdict"], event.payload["point"]) == ("confirm", 0)


def test_undo_and_redo_go_back_to_their_item(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    before = project.projection_hash()
    person.key("J")
    person.key("F")
    assert mode_of(reviewing).progress() == "3/3"
    after = project.projection_hash()
    person.key("Ctrl+Z")
    assert (mode_of(reviewing).progress(), reviewing.session.image.id) == ("2/3", project.images()[2].id)
    person.key("Backspace")
    assert (mode_of(reviewing).progress(), reviewing.session.image.id) == ("1/3", project.images()[0].id)
    assert project.projection_hash() == before
    assert "was unsure" in reviewing.canvas.drawing.question.text
    person.key("Ctrl+Shift+Z")
    assert reviewing.session.image.id == project.images()[0].id and "was no" in reviewing.canvas.drawing.question.text
    person.key("Ctrl+Shift+Z")
    assert project.projection_hash() == after


def test_next_and_back_write_nothing(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    before = project.projection_hash()
    person.key("N")
    assert (mode_of(reviewing).progress(), reviewing.session.image.id) == ("2/3", project.images()[2].id)
    person.key("N")
    person.key("N")
    assert "this is the last item" in reviewing.canvas.drawing.hint
    person.key("B")
    person.key("B")
    assert mode_of(reviewing).progress() == "1/3"
    person.key("B")
    assert "this is the first item" in reviewing.canvas.drawing.hint
    assert project.projection_hash() == before


def test_points_and_whole_objects_are_deleted_but_kept_in_the_record(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    person.key("X")
    image_id = project.images()[0].id
    assert project.annotations(image_id).boxes[0].answers[0] == "skip"
    mode = choose(reviewing, "everything")
    while mode.queue.current is not None and (mode.queue.current.uid, mode.queue.current.point) != (OTHER, None):
        person.key("N")
    assert "Is this box right: car?" in reviewing.canvas.drawing.headline
    assert any(frame.text.startswith("CAR   Enter right") for frame in reviewing.canvas.drawing.frames)
    person.key("Delete")
    third = project.annotations(project.images()[2].id)
    assert third.boxes == () and [one.verdict for one in third.reviews] == ["delete"]
    person.key("Ctrl+Z")
    assert len(project.annotations(project.images()[2].id).boxes) == 1


def test_a_click_is_confirmed_moved_and_gets_another_class(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    mode = choose(reviewing, "fast")
    image_id = project.images()[2].id
    person.key("N")
    assert mode.queue.current is not None and mode.queue.current.uid == CLICK
    assert "PERSON" in reviewing.canvas.drawing.question.text and "(in 50 ms)" in reviewing.canvas.drawing.headline
    person.key("J")
    assert "X deletes it" in reviewing.canvas.drawing.hint and not project.annotations(image_id).reviews
    person.click(66, 44)
    [click] = project.annotations(image_id).clicks
    assert (click.x, click.y) == (66, 44)
    assert project.annotations(image_id).reviews[0].original == {"x": 60, "y": 40}
    person.key("Ctrl+Z")
    assert mode.queue.current is not None and mode.queue.current.uid == CLICK
    person.key("1")
    [click] = project.annotations(image_id).clicks
    assert (click.category_id, click.x) == (1, 60)
    assert project.annotations(image_id).reviews[0].original == {"category_id": 2}
    person.key("Ctrl+Z")
    person.key("F")
    assert project.annotations(image_id).reviews[-1].verdict == "confirm"


def test_a_digit_changes_the_class_of_a_points_box_and_stays(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    person.key("2")
    assert project.annotations(project.images()[0].id).boxes[0].category_id == 2
    assert mode_of(reviewing).progress() == "1/3" and "PERSON?" in reviewing.canvas.drawing.question.text
    person.key("3")
    assert "only things have boxes" in " ".join(reviewing.notified())
    person.key("Ctrl+Z")
    assert project.annotations(project.images()[0].id).boxes[0].category_id == 1
    assert mode_of(reviewing).progress() == "1/3"


def test_keys_never_act_on_an_item_that_is_not_shown(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    reviewing.controller.show_image(1)
    assert "goes back to item 1/3" in reviewing.canvas.drawing.headline
    person.key("J")
    assert reviewing.session.image.id == project.images()[0].id and not reviewing.events("review")
    person.key("J")
    assert len(reviewing.events("review")) == 1


def test_flags_of_images_and_objects_are_taken_off(project: Any, make_desktop: Callable[[Any], Any]) -> None:
    prepare(project)
    first = project.images()[0].id
    project.record("flag", {"flagged": True, "reason": "blurred"}, image_id=first)
    project.record("flag", {"flagged": True, "uid": BOX, "reason": "rim"}, image_id=first)
    desktop = make_desktop(project)
    desktop.person.key("E")
    choose(desktop, "flagged")
    assert "This image is flagged (blurred)" in desktop.canvas.drawing.headline
    desktop.person.key("Enter")
    assert "Is this box right: car (rim)?" in desktop.canvas.drawing.headline
    desktop.person.key("Enter")
    assert project.image(first).flags == 0
    desktop.person.key("Ctrl+Z")
    assert project.image(first).flags == 1 and "rim" in desktop.canvas.drawing.headline
    desktop.person.key("Ctrl+Z")
    assert project.image(first).flags == 2 and "blurred" in desktop.canvas.drawing.headline


def test_what_only_the_second_opinion_has_is_taken_over_or_not(
    project: Any, make_desktop: Callable[[Any], Any]
) -> None:
    first = project.images()[0].id
    for uid, x in (("4", 20), ("5", 70)):
        payload = {"uid": uid * 32, "category_id": 1, "x": x, "y": 9, "layer": "second"}
        project.record("click", payload, image_id=first)
    project.plan_second_pass(1.0)
    project.record("second_done", {"done": True}, image_id=first)
    desktop = make_desktop(project)
    desktop.person.key("E")
    assert mode_of(desktop).filter == "disagreement"
    assert "Only the second opinion has this car" in desktop.canvas.drawing.headline
    desktop.person.key("F")
    [click] = project.annotations(first).clicks
    assert (click.x, click.y, click.source) == (20, 9, "suggested+accepted")
    desktop.person.key("J")
    assert len(project.annotations(first).clicks) == 1
    assert project.review_page("disagreement").items == ()
    assert "1 confirmed, 1 changed" in desktop.canvas.drawing.headline
    desktop.person.key("Ctrl+Z")
    desktop.person.key("Ctrl+Z")
    assert project.annotations(first).clicks == () and mode_of(desktop).progress() == "1/2"


def test_answers_are_compared_with_the_preview_of_the_image(reviewing: Any) -> None:
    """A car fills the box but for pixel (28, 28) and beyond, so the answer yes at (12, 12) is what the model says."""
    image = reviewing.session.image
    labels = np.zeros((image.height, image.width), dtype=np.uint16)
    labels[10:27, 10:30] = 1
    segments = [{"id": 1, "category_id": 1, "isthing": True, "score": 0.9, "area": int(labels.sum())}]
    reviewing.controller.reviewing.preview_shown(PreviewReply(image.id, "c1", labels, segments))
    mode = choose(reviewing, "preview")
    assert [(item.uid, item.point) for item in mode.queue.items] == [], "unsure is no opinion, 2 and 3 agree"
    labels[20, 20] = 0
    reviewing.controller.reviewing.preview_shown(PreviewReply(image.id, "c2", labels, segments))
    assert [(item.point, item.value, item.other) for item in mode.queue.items] == [(1, "object", "background")]
    assert "(model: no)" in reviewing.canvas.drawing.headline
    keys = [one.key for one in reviewing.view.review.show_filters.call_args.args[0]]
    assert "preview" in keys


def test_a_file_that_is_no_prediction_is_told_and_forgotten(reviewing: Any, tmp_path: Any) -> None:
    file = tmp_path / "no.json"
    reviewing.controller.reviewing.act(lambda review: review.take_file(str(file)))
    assert str(file) in reviewing.notified()[-1]
    keys = [one.key for one in reviewing.view.review.show_filters.call_args.args[0]]
    assert not [key for key in keys if key.startswith("file:")]
    assert "Nothing waits" in reviewing.canvas.drawing.headline


def test_an_image_set_with_a_plan_does_not_end_the_review(project: Any, make_desktop: Callable[[Any], Any]) -> None:
    prepare(project)
    project.set_protocol("clicks", "single_point", [image.id for image in project.images()])
    desktop = make_desktop(project)
    desktop.person.key("E")
    desktop.person.key("J")
    assert desktop.session.mode == "review" and desktop.session.image.id == project.images()[2].id


def test_what_is_gone_is_passed_over(reviewing: Any) -> None:
    project, person = reviewing.project, reviewing.person
    project.record("delete", {"uid": BOX}, image_id=project.images()[0].id)
    reviewing.controller.sitting.refresh()
    assert "is gone" in reviewing.canvas.drawing.headline
    person.key("J")
    assert mode_of(reviewing).progress() == "2/3" and not reviewing.events("review")


def test_the_view_is_told_what_is_reviewed(reviewing: Any) -> None:
    assert "Is the ring on the car?" in item_shown(reviewing)
    reviewing.controller.reviewing.act(lambda review: review.decide("confirm"))
    assert [event.payload["verdict"] for event in reviewing.events("review")] == ["confirm"]
    reviewing.person.key("Q")
    assert item_shown(reviewing) == ""
    reviewing.person.key("E")
    assert mode_of(reviewing).progress() == "2/3", "the review goes on where it was left"
