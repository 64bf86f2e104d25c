"""Two people, one of them blind to the other; what is known of them stays here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Instance, PointDataset, Points
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.image_list import ImageFilter
from pointanno.project.people import is_drawn
from pointanno.protocols import SecondLook

BOX = "b" * 32


def answered_box(project: Project, image_id: int = 1, uid: str = BOX) -> None:
    coords = [[1, 1], [2, 2], [3, 3]]
    project.record(
        "box", {"uid": uid, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": coords}, image_id=image_id
    )
    for point, value in enumerate(("object", "background", "object")):
        project.record("answer", {"uid": uid, "point": point, "value": value}, image_id=image_id)


def look_again(project: Project, values: tuple[str, ...], layer: str = "main", image_id: int = 1) -> None:
    """A second person goes through the protocol."""
    look = SecondLook()
    step = look.begin_box(project.annotations(image_id, layer=layer), project.annotations(image_id, layer="second"))
    assert step is not None
    project.record(step[0], step[1], image_id=image_id)
    for value in values:
        first, second = project.annotations(image_id, layer=layer), project.annotations(image_id, layer="second")
        kind, payload = look.answer(first, second, value)
        project.record(kind, payload, image_id=image_id)


def test_names_stay_here(project: Project, tmp_path: Path) -> None:
    pseudonym = project.pseudonym_for("Anna Alpha")
    assert pseudonym.startswith("anon-") and project.pseudonym_for("Anna Alpha") == pseudonym
    assert project.pseudonym_for("Ben Beta") != pseudonym
    project.close()
    with Project.open(project.path, annotator=pseudonym) as opened:
        answered_box(opened)
        assert opened.people()[pseudonym] == "Anna Alpha"
        opened.write_coco_point(tmp_path / "out.json")
        text = (tmp_path / "out.json").read_text()
        assert pseudonym in text and "Anna" not in text
        assert "Anna" not in "".join(repr(event) for event in opened.events())


def test_the_second_pass_is_a_seeded_share(project: Project) -> None:
    for share in (0.0, 0.3, 1.0):
        chosen = [f"image {n}" for n in range(2000) if is_drawn(f"image {n}", share, seed=4)]
        assert abs(len(chosen) / 2000 - share) < 0.04
        assert {n for n in chosen if is_drawn(n, share / 2, seed=4)} <= set(chosen)
    assert [is_drawn(str(n), 0.5, 1) for n in range(50)] != [is_drawn(str(n), 0.5, 2) for n in range(50)]
    event = project.plan_second_pass(1.0, seed=9)
    assert event.payload["image_ids"] == [1, 2, 3] and project.image(2).second_pass == "chosen"
    project.record("second_done", {"done": True}, image_id=2)
    project.plan_second_pass(0.0)
    assert [image.second_pass for image in project.images()] == [None, "done", None], "what was done stays"
    with pytest.raises(InputError, match="a1.png is not among the images of the second pass"):
        project.record("second_done", {"done": True}, image_id=1)
    with pytest.raises(InputError, match="share from 0 to 1"):
        project.plan_second_pass(1.5)


def test_a_pass_over_some_images_leaves_the_others_as_they_are(project: Project) -> None:
    project.plan_second_pass(1.0)
    project.record("flag", {"flagged": True}, image_id=2)
    event = project.plan_second_pass(0.0, where=ImageFilter(attention="flagged"))
    assert event.payload["released_ids"] == [2]
    assert [image.second_pass for image in project.images()] == ["chosen", None, "chosen"]


def test_people_take_turns_in_one_open_project(project: Project) -> None:
    assert project.annotator == "anon-1" == project.new_pseudonym(), "nobody has worked yet"
    answered_box(project)
    ben = project.pseudonym_for("Ben Beta")
    assert ben != "anon-1" and project.annotators() == ["anon-1", ben]
    session = project.session_id
    project.change_annotator(ben)
    assert project.session_id != session and project.annotator == ben
    project.record("click", {"uid": "c" * 32, "category_id": 1, "x": 5, "y": 5}, image_id=1)
    project.change_annotator("anon-1")
    project.record("click", {"uid": "d" * 32, "category_id": 1, "x": 9, "y": 9}, image_id=1)
    exported = project.dataset(with_events=True)
    names = {entry["index"]: entry["name"] for entry in exported.annotators}
    assert [names[one.points.annotator[0] or 0] for one in exported.targets] == [ben, "anon-1"]
    assert [names[event["annotator"]] for event in exported.events if event["kind"] == "click"] == [ben, "anon-1"]
    assert len({event["session"] for event in exported.events}) == 3
    assert "Ben" not in repr(exported)
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state


def test_who_works_at_which_computer_is_remembered(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.annotator_here() is None
    project.remember_annotator("anon-7")
    assert project.annotator_here() == "anon-7"
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    assert project.annotator_here() is None, "a copy of the project at another computer asks anew"
    project.record("flag", {"flagged": True}, image_id=1)
    assert project.new_pseudonym() not in ("anon-1", "anon-7")


def test_a_second_opinion_is_kept_apart_and_compared(project: Project) -> None:
    """Answers (object, background, object) and (object, object, unsure): 2 are compared, 1 agrees."""
    answered_box(project)
    exported = project.dataset()
    look_again(project, ("object", "object", "unsure"))
    assert len(project.annotations(1).boxes) == 1 and project.image(1).boxes == 1, "the first view is unchanged"
    assert project.dataset().instances == exported.instances
    [copy] = project.annotations(1, layer="second").boxes
    assert copy.copy_of == BOX and copy.answers == ("object", "object", "unsure")
    assert project.image(1).disagreements == 2
    items = [(item.point, item.value, item.other) for item in project.review_items(["disagreement"])]
    assert items == [(1, "background", "object"), (2, "object", "unsure")]
    found = project.agreement()
    assert (found.answers, found.same, found.share) == (2, 1, 0.5)
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    project.review(1, BOX, "change", point=1, value="object")
    assert project.image(1).disagreements == 1


def test_clicks_are_compared_when_both_are_done(project: Project) -> None:
    for uid, x, layer in (
        ("1", 5, "main"),
        ("2", 40, "main"),
        ("3", 8, "second"),
        ("4", 20, "second"),
        ("5", 50, "second"),
    ):
        payload = {"uid": uid * 32, "category_id": 1, "x": x, "y": 9, "layer": layer}
        project.record("click", payload, image_id=1)
    assert len(project.annotations(1).clicks) == 2 and len(project.annotations(1, layer="second").clicks) == 3
    assert project.agreement().clicks == 0, "the second opinion is not complete yet"
    project.plan_second_pass(1.0)
    project.record("second_done", {"done": True}, image_id=1)
    found = project.agreement(radius=15)
    assert (found.clicks, found.median_distance, found.unmatched) == (2, 6.5, 1)  # 3 and 10 pixels apart
    assert project.image(1).disagreements == 1


def test_gold_items_are_hidden_and_count(project: Project) -> None:
    points = Points.answered(np.array([[1, 1], [2, 2]]), np.array([1, 0]), source="imported")
    gold = PointDataset(
        images=project.dataset().images[1:2],
        categories=(Category(1, "cell", True),),
        instances=(Instance(1, 2, 1, Box(0, 0, 9, 9), points),),
    )
    project.import_dataset(gold, layer="gold")
    assert project.annotations(2).boxes == () and project.image(2).boxes == 0 and project.dataset().instances == ()
    assert project.image(2).state == "unlabelled"
    assert len(project.annotations(2, layer="gold").boxes) == 1
    look_again(project, ("object", "object"), layer="gold", image_id=2)
    found = project.agreement("gold")
    assert (found.answers, found.same) == (2, 1)
    assert project.image(2).disagreements == 0, "the list of images must not tell what was wrong"
    assert project.agreement().answers == 0 and list(project.review_items(["disagreement"])) == []
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    with pytest.raises(InputError, match="layer: expected one of main, second, gold"):
        project.annotations(2, layer="bronze")
