"""Doing, undoing, redoing and rebuilding end in the same state."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Instance, MaskLabel, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle
from pointanno.project import Project
from pointanno.project.schema import PROJECTION


def dump(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every projected table, as they lie in the file."""
    with closing(sqlite3.connect(project.path / "project.db")) as raw:
        names = [table.name for table in PROJECTION] + ["images"]
        return {name: sorted(map(tuple, raw.execute(f"select * from {name}")), key=repr) for name in names}


def check_counters(project: Project) -> None:
    """The counters of every image are what counting gives."""
    for image in project.images():
        found = project.annotations(image.id)
        second = project.annotations(image.id, layer="second")
        answers = sum(answer is not None for box in found.boxes for answer in box.answers)
        assert (image.clicks, image.boxes, image.answers) == (len(found.clicks), len(found.boxes), answers)
        newest: dict[Any, str] = {}
        reviewed = set()
        for one in found.reviews:
            newest[one.uid, one.point] = one.verdict
            if one.verdict != "later":
                reviewed.add((one.uid, one.point))
        assert image.later == sum(verdict == "later" for verdict in newest.values())
        given: list[tuple[Any, str | None, int | None]] = []
        given += [((click.uid, None), click.status, click.time_ms) for click in found.clicks]
        for box in found.boxes:
            given += [
                ((box.uid, n), box.answers[n], box.times_ms[n]) for n in range(len(box.answers)) if box.answers[n]
            ]
        assert image.unsure == sum(answer == "unsure" and key not in reviewed for key, answer, _ in given)
        quick = [key for key, _, time_ms in given if time_ms is not None and time_ms < 150 and key not in reviewed]
        assert image.fast == len(quick)
        assert image.flags == len(found.flags)
        differing = 0
        for copy in second.boxes:
            first = next((box for box in found.boxes if box.uid == copy.copy_of), None)
            if first is not None:
                differing += sum(
                    None not in (one, other) and one != other
                    for one, other in zip(first.answers, copy.answers, strict=False)
                )
        if image.second_pass != "done":
            assert image.disagreements == differing
        declared = [value for value in (image.complete_things, image.complete_stuff) if value is not None]
        if image.skipped is not None:
            assert image.state == "skipped"
        elif declared and all(declared):
            assert image.state == "complete"
        elif given or found.boxes or found.extremes or found.absent_category_ids or any(declared):
            assert image.state == "in_progress"
        else:
            assert image.state == "unlabelled"
    counts = project.counts()
    assert counts["images"] == len(project.images()) and counts["answers"] == sum(i.answers for i in project.images())


def small_dataset(project: Project, with_mask: bool = False) -> PointDataset:
    """One half-answered box, one click and one stuff region on the first image."""
    base = project.dataset()
    thing = next(one.id for one in base.categories if one.isthing)
    stuff = next((one.id for one in base.categories if not one.isthing), None)
    points = Points.answered(np.array([[3, 4], [5, 6]]), np.array([1, -1]), source="imported")
    region = Points.answered(np.array([[0, 0], [9, 9]]), np.array([1, 1]), source="click")
    instance = Instance(1, 1, thing, Box(2, 3, 9, 10.5), points)
    return PointDataset(
        images=base.images,
        categories=base.categories,
        instances=(instance,),
        targets=(
            Target(1, 1, thing, True, 1, Points.answered(np.array([[7, 7]]), np.array([1]), source="click"), 1),
            *([] if stuff is None else [Target(2, 1, stuff, False, 0, region)]),
        ),
    )


@pytest.mark.parametrize("seed", range(6))
def test_undo_all_redo_all_and_rebuild(project: Project, person: Any, every_kind: list[str], seed: int) -> None:
    someone = person(project, seed, every_kind if seed > 1 else None)
    hashes = [project.projection_hash()]
    kinds = []
    for step in range(40):
        if step == 15:
            project.import_dataset(small_dataset(project))
        else:
            kinds.append(someone.act())
        hashes.append(project.projection_hash())
    assert len(set(kinds)) > 4, "the random walk must try most kinds"

    for expected in reversed(hashes[:-1]):
        assert project.undo() is not None
        assert project.projection_hash() == expected
    assert project.undo() is None and not project.can_undo
    for expected in hashes[1:]:
        assert project.redo() is not None
        assert project.projection_hash() == expected
    assert project.redo() is None and not project.can_redo

    before = dump(project)
    project.rebuild()
    assert dump(project) == before
    assert project.projection_hash() == hashes[-1]


@pytest.mark.parametrize("seed", [10, 11, 12, 13])
def test_rebuild_equals_live_state_with_undo_in_between(
    project: Project, person: Any, every_kind: list[str], seed: int
) -> None:
    someone = person(project, seed, every_kind if seed > 10 else None)
    for step in range(80):
        if step == 30:
            project.import_dataset(small_dataset(project))
        draw = someone.random.random()
        if draw < 0.25:
            project.undo()
        elif draw < 0.4:
            project.redo()
        else:
            someone.act()
        check_counters(project)
    before = dump(project)
    assert any(before.values())
    project.rebuild()
    assert dump(project) == before


def test_500_mixed_steps_back_and_forth(project: Project, person: Any, every_kind: list[str]) -> None:
    """All kinds of events at random: undone all, the tables are as at the start; redone all, as at the end."""
    start = dump(project)
    someone = person(project, 77, every_kind)
    kinds = [someone.act() for _ in range(500)]
    assert set(kinds) == set(every_kind), f"never happened: {set(every_kind) - set(kinds)}"
    check_counters(project)
    end, state = dump(project), project.projection_hash()
    assert sum(project.undo() is not None for _ in range(500)) == 500 and not project.can_undo
    undone = dump(project)
    assert undone.pop("history") and {**undone, "history": []} == {**start, "history": []}
    check_counters(project)
    assert sum(project.redo() is not None for _ in range(500)) == 500 and not project.can_redo
    assert project.projection_hash() == state
    assert dump(project) == end
    project.rebuild()
    assert dump(project) == end


def test_rebuild_repairs_what_was_changed_behind_the_journal(project: Project, person: Any) -> None:
    someone = person(project, 1)
    for _ in range(30):
        someone.act()
    good = project.projection_hash()
    path = project.path
    project.close()
    with closing(sqlite3.connect(path / "project.db", isolation_level=None)) as raw:
        raw.execute("update images set clicks = clicks + 7 where id = 1")
    with Project.open(path) as opened:
        assert opened.repaired
        assert opened.projection_hash() == good


def test_counters_count(project: Project) -> None:
    box = "b" * 32
    project.record("click", {"uid": "1" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.record("click", {"uid": "2" * 32, "category_id": 3, "x": 2, "y": 1}, image_id=1)
    project.record(
        "box", {"uid": box, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1], [2, 2]]}, image_id=1
    )
    project.record("answer", {"uid": box, "point": 1, "value": "object", "time_ms": 640}, image_id=1)
    project.record("answer", {"uid": box, "point": 1, "value": "unsure"}, image_id=1)  # a changed answer is no new one
    image = project.image(1)
    assert (image.clicks, image.boxes, image.answers) == (2, 1, 1)
    found = project.annotations(1)
    assert found.boxes[0].answers == (None, "unsure") and found.boxes[0].times_ms == (None, None)
    assert found.boxes[0].next_point == 0
    assert [click.instance for click in found.clicks] == [1, 0]
    project.record("delete", {"uid": box}, image_id=1)
    image = project.image(1)
    assert (image.clicks, image.boxes, image.answers) == (2, 0, 0)


def test_things_get_fresh_numbers_even_after_a_deletion(project: Project) -> None:
    def click(uid: str) -> int:
        project.record("click", {"uid": uid * 32, "category_id": 1, "x": 1, "y": 1}, image_id=2)
        return project.annotations(2).clicks[-1].instance

    assert click("a") == 1
    assert click("b") == 2
    project.record("delete", {"uid": "b" * 32}, image_id=2)
    assert click("c") == 3


def test_imported_boxes_count_too(project: Project) -> None:
    project.import_dataset(small_dataset(project))
    with pytest.raises(InputError, match="there are boxes of 'cell'"):
        project.change_category(1, isthing=False)
    assert not project.change_category(2, isthing=False).isthing


def test_class_may_turn_to_stuff_and_back_without_losing_numbers(project: Project) -> None:
    for name in "ab":
        project.record("click", {"uid": name * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.change_category(1, isthing=False)
    assert [(one.isthing, one.instance) for one in project.annotations(1).clicks] == [(False, 0), (False, 0)]
    project.change_category(1, isthing=True)
    assert [one.instance for one in project.annotations(1).clicks] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("click", {"uid": "f" * 32, "category_id": 9, "x": 1, "y": 1}, "click, category_id: 9 is not among"),
        ("click", {"uid": "f" * 32, "category_id": 1, "x": 60, "y": 1}, "click, x, y: pixel (60, 1) lies outside"),
        ("click", {"uid": "a" * 32, "category_id": 1, "x": 0, "y": 1}, "is already used on this image"),
        ("box", {"uid": "f" * 32, "category_id": 1, "box": [0, 0, 61, 5], "point_coords": []}, "reaches out of a1.png"),
        (
            "box",
            {"uid": "f" * 32, "category_id": 1, "box": [0, 0, 9, 5], "point_coords": [[60, 0]]},
            "pixel (60, 0) lies outside",
        ),
        (
            "box",
            {"uid": "f" * 32, "category_id": 3, "box": [0, 0, 9, 5], "point_coords": []},
            "'ground' is stuff, and only things have boxes",
        ),
        ("reclass", {"uid": "b" * 32, "category_id": 3}, "'ground' is stuff, and only things have boxes"),
        ("category_changed", {"id": 1, "isthing": False}, "there are boxes of 'cell'"),
        ("answer", {"uid": "f" * 32, "point": 0, "value": "object"}, "answer, uid: image 1 has no box"),
        ("answer", {"uid": "b" * 32, "point": 2, "value": "object"}, "has points 0 to 1, received 2"),
        ("move", {"uid": "b" * 32, "x": 0, "y": 0}, "move, uid: a1.png has no click"),
        ("delete", {"uid": "f" * 32}, "neither a click nor a box"),
        ("category_added", {"id": 1, "name": "x", "isthing": True}, "already has a category 1"),
        ("category_added", {"id": 8, "name": "cell", "isthing": True}, "already has a class 'cell'"),
        ("mask", {"uid": "b" * 32, "rle": {"size": [1, 2], "counts": "0"}}, "mask, rle.size: expected [40, 60]"),
    ],
)
def test_events_that_do_not_fit_are_refused_and_change_nothing(
    project: Project, kind: str, payload: dict[str, Any], words: str
) -> None:
    project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    project.record(
        "box", {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1], [2, 2]]}, image_id=1
    )
    state, count = project.projection_hash(), len(list(project.events()))
    with pytest.raises(InputError) as refused:
        project.record(kind, payload, image_id=None if kind.startswith("category") else 1)
    assert words in str(refused.value)
    assert project.projection_hash() == state and len(list(project.events())) == count
    project.record("click", {"uid": "c" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)  # goes on


def test_mask_is_kept_and_taken_back(project: Project) -> None:
    project.record(
        "box", {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1]]}, image_id=1
    )
    rle = mask_to_rle(np.eye(40, 60, dtype=bool))
    project.record("mask", {"uid": "b" * 32, "rle": rle, "source": "accepted_prediction"}, image_id=1)
    assert project.annotations(1).boxes[0].mask == MaskLabel(rle, "accepted_prediction")
    project.record("mask", {"uid": "b" * 32, "rle": None}, image_id=1)
    assert project.annotations(1).boxes[0].mask is None
    project.undo()
    assert project.annotations(1).boxes[0].mask == MaskLabel(rle, "accepted_prediction")


def test_unknown_image(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the project has no image 77"):
        project.record("complete", {"things": True, "stuff": False}, image_id=77)
    with pytest.raises(InputError, match="has no image 77"):
        project.annotations(77)
