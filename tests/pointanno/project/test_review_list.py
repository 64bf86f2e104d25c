"""A second look never overwrites the first answer, and what waits for one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.project import Project

BOX, CLICK = "b" * 32, "c" * 32


def prepare(project: Project) -> None:
    coords = [[1, 1], [2, 2], [3, 3]]
    project.record("box", {"uid": BOX, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": coords}, image_id=2)
    for point, value, time_ms in ((0, "unsure", 900), (1, "object", 120), (2, "background", 800)):
        payload = {"uid": BOX, "point": point, "value": value, "time_ms": time_ms}
        project.record("answer", payload, image_id=2)
    project.record("click", {"uid": CLICK, "category_id": 2, "x": 5, "y": 5, "time_ms": 90}, image_id=2)


def waiting(project: Project, reason: str) -> list[tuple[str, int | None]]:
    return [(item.uid, item.point) for item in project.review_items([reason])]


def test_unsure_and_fast_answers_wait_until_they_are_reviewed(project: Project) -> None:
    prepare(project)
    image = project.image(2)
    assert (image.unsure, image.fast, image.later) == (1, 2, 0)
    assert waiting(project, "unsure") == [(BOX, 0)]
    assert waiting(project, "fast") == [(CLICK, None), (BOX, 1)]
    project.review(2, BOX, "later", point=0)
    assert waiting(project, "unsure") == [(BOX, 0)] and waiting(project, "later") == [(BOX, 0)]
    project.review(2, BOX, "confirm", point=0)
    assert waiting(project, "unsure") == [] == waiting(project, "later")
    project.review(2, BOX, "change", point=1, value="background", time_ms=2000)
    project.review(2, CLICK, "confirm")
    assert waiting(project, "fast") == []
    image = project.image(2)
    assert (image.unsure, image.fast, image.later, image.answers) == (0, 0, 0, 3)


def test_the_original_is_kept_beside_what_holds_now(project: Project) -> None:
    prepare(project)
    before = project.projection_hash()
    event = project.review(2, BOX, "change", point=1, value="background", time_ms=2000, reason="it is the rim")
    found = project.annotations(2)
    assert found.boxes[0].answers == ("unsure", "background", "background")
    [review] = found.reviews
    assert review.original is not None
    assert (review.original["value"], review.original["time_ms"], review.superseded_by) == ("object", 120, event.seq)
    assert (review.verdict, review.value["value"], review.reason) == ("change", "background", "it is the rim")
    answers = [one for one in project.events() if one.kind == "answer" and one.payload["point"] == 1]
    assert [one.payload["value"] for one in answers] == ["object"], "the event of the first answer stays as it is"
    project.undo()
    assert project.projection_hash() == before


def test_objects_are_changed_and_taken_out(project: Project) -> None:
    prepare(project)
    project.review(2, CLICK, "change", category_id=1, x=7, y=8)
    [click] = project.annotations(2).clicks
    assert (click.category_id, click.x, click.y) == (1, 7, 8)
    assert project.annotations(2).reviews[0].original == {"category_id": 2, "x": 5, "y": 5}
    project.review(2, BOX, "delete", reason="twice")
    assert project.annotations(2).boxes == () and project.dataset().instances == ()
    assert (project.image(2).boxes, project.image(2).answers, project.image(2).unsure) == (0, 0, 0)
    with pytest.raises(InputError, match="has no box"):
        project.record("answer", {"uid": BOX, "point": 0, "value": "object"}, image_id=2)
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    project.undo()
    assert project.annotations(2).boxes[0].answers[1] == "object", "nothing of it was lost"


def test_reviews_travel_with_their_annotations(project: Project, pictures: Path, tmp_path: Path) -> None:
    prepare(project)
    project.review(2, BOX, "change", point=1, value="background")
    project.review(2, CLICK, "confirm", reason="sure")
    file, again = tmp_path / "reviewed.json", tmp_path / "again.json"
    FORMATS["coco-point"].write(project.dataset(), file)
    found = read_dataset(file)
    [entry] = found.instances[0].extra["reviews"]
    assert (entry["point"], entry["verdict"]) == (1, "change")
    assert entry["original"] == {"value": "object", "time_ms": 120} and entry["value"] == {"value": "background"}
    assert found.targets[0].extra["reviews"][0]["reason"] == "sure"
    assert found.instances[0].points.labels.tolist() == [-1, 0, 0]
    with Project.create(tmp_path / "copy", images=pictures, coco=file, points_per_box=4) as copy:
        FORMATS["coco-point"].write(copy.dataset(), again)
    assert again.read_bytes() == file.read_bytes()


def test_everything_is_read_in_pages_and_counted(project: Project) -> None:
    """One click, one box and its three answers; each is left out once it was reviewed."""
    prepare(project)
    assert project.review_counts() == {
        **{"unsure": 1, "fast": 2, "flagged": 0, "disagreement": 0, "later": 0},
        "everything": 5,
    }
    first = project.review_page("everything", images=1)
    assert first.items == () and first.after == 0, "the first image shows nothing"
    second = project.review_page("everything", after=first.after, images=1)
    found = [(item.uid, item.point, item.value) for item in second.items]
    assert found == [(CLICK, None, "object"), (BOX, None, None), (BOX, 0, "unsure"), (BOX, 1, "object"),
                     (BOX, 2, "background")]  # fmt: skip
    project.review(2, BOX, "confirm")
    project.review(2, BOX, "change", point=0, value="object")
    project.review(2, BOX, "later", point=1)
    assert [(item.uid, item.point) for item in project.review_page("everything").items] == [
        (CLICK, None), (BOX, 1), (BOX, 2)
    ]  # fmt: skip
    assert project.review_page("everything").after is None
    assert project.review_counts()["everything"] == 3 and project.review_counts()["later"] == 1
    [later] = project.review_page("later").items
    assert (later.uid, later.point, later.value, later.time_ms) == (BOX, 1, "object", 120)


def test_a_flag_goes_with_the_review_of_its_object_in_one_step(project: Project) -> None:
    prepare(project)
    project.record("flag", {"flagged": True, "uid": BOX, "reason": "rim"}, image_id=2)
    assert waiting(project, "flagged") == [(BOX, None)]
    before = project.projection_hash()
    project.review(2, BOX, "later")
    project.review(2, BOX, "confirm", point=1)
    assert waiting(project, "flagged") == [(BOX, None)], "the box itself was not looked at"
    project.review(2, BOX, "confirm")
    assert waiting(project, "flagged") == [] and project.image(2).flags == 0
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    for _ in range(3):
        project.undo()
    assert project.projection_hash() == before and waiting(project, "flagged") == [(BOX, None)]


def test_clicks_of_one_person_only_are_disagreements(project: Project) -> None:
    """Main clicks at x = 5 and 31, second ones at 8 and 55: one pair, one click each that the other lacks."""
    for uid, x, layer in (("1", 5, "main"), ("2", 31, "main"), ("3", 8, "second"), ("4", 55, "second")):
        payload = {"uid": uid * 32, "category_id": 1, "x": x, "y": 9, "layer": layer}
        project.record("click", payload, image_id=1)
    project.plan_second_pass(1.0)
    assert project.review_page("disagreement").items == (), "the second opinion is not complete"
    project.record("second_done", {"done": True}, image_id=1)
    project.record("click", {"uid": "5" * 32, "category_id": 1, "x": 2, "y": 38, "layer": "second"}, image_id=1)
    items = project.review_page("disagreement").items
    assert [(item.uid[0], item.value, item.other, item.place) for item in items] == [
        ("2", "object", "nothing", None), ("4", None, "object", (55, 9)), ("5", None, "object", (2, 38))
    ]  # fmt: skip
    project.review(1, "2" * 32, "confirm")
    project.review(1, "4" * 32, "confirm", reason="no object there")
    project.review(1, "5" * 32, "later")
    assert [item.uid[0] for item in project.review_page("disagreement").items] == ["5"]
    [later] = project.review_page("later").items
    assert later.place == (2, 38) and project.image(1).later == 1
    with pytest.raises(InputError, match="belongs to a second opinion"):
        project.review(1, "4" * 32, "delete")
    assert [one.uid[0] for one in project.annotations(1).clicks] == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"uid": BOX, "verdict": "change", "point": 0}, "review, value: expected the answer that holds now"),
        ({"uid": BOX, "verdict": "confirm", "point": 3}, "has no point 3"),
        ({"uid": CLICK, "verdict": "confirm", "point": 0}, "has no point 0"),
        ({"uid": CLICK, "verdict": "change"}, "expected category_id, or x and y"),
        ({"uid": BOX, "verdict": "change", "x": 1, "y": 1}, "a box has no single place"),
        ({"uid": CLICK, "verdict": "perhaps"}, "review, verdict"),
    ],
)
def test_refusals(project: Project, arguments: dict[str, object], words: str) -> None:
    prepare(project)
    with pytest.raises(InputError) as refused:
        project.record("review", arguments, image_id=2)
    assert words in str(refused.value)
    with pytest.raises(InputError, match="review, reason: expected one of unsure"):
        list(project.review_items(["bad"]))
