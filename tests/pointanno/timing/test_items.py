"""Rules of single items that the long replay does not spell out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno.project import Project
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.items import Item
from pointanno.timing.log import MS, make_log, read_log
from pointanno.timing.study import Study, study_of


def journal_with_picture(**facts: Any) -> FakeJournal:
    journal = FakeJournal()
    journal.begin("anon-1", **facts)
    journal.write("image_load_start", image_id=1)
    journal.wait(100)
    journal.write("image_shown", {"swapped": True}, image_id=1)
    return journal


def click(journal: FakeJournal, uid: str, ms: float, *, instance: int, image_id: int = 1, category_id: int = 1) -> Any:
    journal.wait(ms)
    payload = {"uid": uid, "category_id": category_id, "x": 0, "y": 0, "instance": instance}
    return journal.write("click", payload, image_id=image_id)


def timed(journal: FakeJournal, **options: Any) -> Study:
    return study_of(make_log(journal.events, journal.annotators, stuff=options.pop("stuff", ())), **options)


def raw_ms(study: Study, kind: str) -> list[float]:
    return [item.raw_ms for item in study.items if item.kind == kind]


def of(study: Study, kind: str) -> list[Item]:
    return [item for item in study.items if item.kind == kind]


def test_object_of_several_clicks_without_the_time_on_another_one() -> None:
    journal = journal_with_picture(mode="multi_point")
    click(journal, "a", 1000, instance=1)
    click(journal, "b", 700, instance=1)
    click(journal, "c", 5000, instance=2)
    click(journal, "d", 300, instance=1)
    journal.wait(200)
    journal.write("target_done", {"uid": "a", "done": True}, image_id=1)
    study = timed(journal)
    assert raw_ms(study, "click") == [1000, 700, 5000, 300]
    assert raw_ms(study, "object") == [2200, 5000]
    assert [item.actions for item in of(study, "object")] == [3, 1]
    assert {item.condition for item in study.items} == {"multi_point"}


def test_clicks_on_stuff_are_one_region() -> None:
    journal = journal_with_picture()
    for number in range(3):
        click(journal, f"s{number}", 400, instance=number + 1, category_id=7)
    assert raw_ms(timed(journal, stuff=[7]), "object") == [1200]
    assert raw_ms(timed(journal), "object") == [400] * 3


def test_undone_click_costs_its_picture_but_leaves_no_object() -> None:
    journal = journal_with_picture()
    event = click(journal, "a", 1000, instance=1)
    journal.wait(400)
    undo = journal.turn("undo", event)
    click(journal, "b", 600, instance=1)
    study = timed(journal, warm_up=0)
    first, second = of(study, "click")
    assert (first.superseded_by, second.superseded_by) == (undo.uuid, None)
    assert raw_ms(study, "object") == [2000] and of(study, "object")[0].is_final
    assert raw_ms(study, "image") == [2000]
    assert len(study.chosen("click", answers="first")) == 2 and len(study.chosen("click", answers="final")) == 1
    journal.wait(100)
    journal.turn("undo", study_event(journal, "b"))
    assert not of(timed(journal), "object")[0].is_final
    journal.wait(100)
    journal.turn("redo", study_event(journal, "b"))
    assert of(timed(journal), "object")[0].is_final


def study_event(journal: FakeJournal, uid: str) -> Any:
    return next(event for event in journal.events if event.payload.get("uid") == uid)


def test_deleted_object_does_not_stand() -> None:
    journal = journal_with_picture()
    click(journal, "a", 1000, instance=1)
    journal.wait(500)
    delete = journal.write("delete", {"uid": "a"}, image_id=1)
    study = timed(journal)
    assert [item.superseded_by for item in of(study, "click")] == [delete.uuid]
    assert raw_ms(study, "object") == [1500]


def test_done_ends_the_picture_unless_work_goes_on() -> None:
    journal = journal_with_picture()
    click(journal, "a", 1000, instance=1)
    journal.wait(200)
    journal.write("complete", {"things": True, "stuff": True}, image_id=1)
    journal.wait(5000)
    journal.write("image_load_start", image_id=2)
    assert raw_ms(timed(journal), "image") == [1200]
    journal.wait(100)
    journal.write("image_shown", image_id=1)
    click(journal, "b", 300, instance=2)
    journal.wait(50)
    journal.write("session_end")
    assert raw_ms(timed(journal), "image") == [1550]


def test_images_that_were_only_seen_are_not_counted() -> None:
    journal = journal_with_picture()
    journal.wait(900)
    journal.write("image_load_start", image_id=2)
    journal.wait(100)
    journal.write("image_shown", image_id=2)
    journal.wait(700)
    journal.write("complete", {"things": True, "stuff": False}, image_id=2)  # there is nothing on it
    study = timed(journal, warm_up=0)
    assert raw_ms(study, "image") == [900, 700]
    assert [item.raw_ms for item in study.chosen("image")] == [700]


def test_warm_up_is_counted_for_each_session_and_condition() -> None:
    journal = FakeJournal()
    for _ in range(2):
        journal.begin("anon-1")
        journal.write("image_shown", image_id=1)
        for condition in ("one", "two"):
            journal.write("block_start", {"condition": condition})
            for number in range(4):
                click(journal, f"{len(journal.events)}", 500, instance=len(journal.events) + number)
    study = timed(journal, warm_up=3)
    assert ["warm_up" in item.flags for item in of(study, "click")] == [True, True, True, False] * 4
    assert ["warm_up" in item.flags for item in of(study, "object")] == [True, True, True, False] * 4
    assert [item.condition for item in study.chosen("click")] == ["one", "two"] * 2
    seconds = [(stop - start) / 1e9 for _, start, stop, condition in study.conditions if condition]
    assert seconds == [2.0] * 4


def test_practice_and_preview_are_flagged() -> None:
    journal = journal_with_picture()
    journal.write("block_start", {"condition": "one", "practice": True})
    click(journal, "a", 500, instance=1)
    journal.write("block_start", {"condition": "one"})
    journal.write("preview_visible", {"run": "x"})
    click(journal, "b", 500, instance=2)
    journal.write("preview_hidden", {"run": "x"})
    click(journal, "c", 500, instance=3)
    flags = [item.flags for item in of(timed(journal, warm_up=0), "click")]
    assert flags == [{"practice"}, {"preview"}, frozenset()]


def test_box_with_open_points_is_not_a_finished_object() -> None:
    journal = journal_with_picture()
    journal.wait(2000)
    payload = {"uid": "b", "category_id": 1, "box": [0.0, 0.0, 9.0, 4.0], "point_coords": [[1, 1], [2, 2]]}
    journal.write("box", payload, image_id=1)
    for point, opened in ((0, True), (1, False)):
        journal.wait(20)
        journal.write("point_shown", {"uid": "b", "point": point, "swapped": False}, image_id=1)
        journal.wait(400)
        journal.write("answer", {"uid": "b", "point": point, "value": "object"}, image_id=1)
        (item,) = of(timed(journal, warm_up=0), "object")
        assert ("open" in item.flags) == opened
    assert item.raw_ms == 2840 and item.parts == {"box": 2000 * MS, "points": 800 * MS}
    assert item.extent == 6.0
    assert all(point.flags == {"fallback"} for point in of(timed(journal, warm_up=0), "point"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "images"
    folder.mkdir()
    Picture.fromarray(np.zeros((40, 60), np.uint8)).save(folder / "a.png")
    return Project.create(tmp_path / "p", images=folder, categories=[Category(1, "cell", True)], points_per_box=2)


def test_project_is_read_with_its_imported_boxes(project: Project) -> None:
    """Answers about boxes of a file: the class and the size come from the project."""
    box = Instance(
        id=1,
        image_id=1,
        category_id=1,
        box=Box(2.0, 2.0, 18.0, 11.0),
        points=Points.answered(np.zeros((0, 2)), np.zeros(0), source="random"),
    )
    image = Image(1, "a.png", 40, 60)
    dataset = PointDataset(images=(image,), categories=(Category(1, "cell", True),), instances=(box,))
    with project:
        project.import_dataset(dataset)
        (made,) = project.annotations(1).boxes
        start = 5_000 * MS
        project.record("session_start", {"mode": "box_points"}, t_mono_ns=start)
        project.record("image_shown", {}, image_id=1, t_mono_ns=start + 100 * MS)
        for point in range(2):
            shown = start + (200 + 1000 * point) * MS
            project.record("point_shown", {"uid": made.uid, "point": point}, image_id=1, t_mono_ns=shown)
            payload = {"uid": made.uid, "point": point, "value": "object"}
            project.record("answer", payload, image_id=1, t_mono_ns=shown + 600 * MS)
        study = study_of(read_log(project), warm_up=0)
    assert [item.raw_ms for item in study.chosen("point")] == [600, 600]
    assert {item.category_id for item in study.chosen("point")} == {1}
    (whole,) = study.chosen("object")
    assert whole.raw_ms == 1700 and whole.extent == 12.0 and whole.annotator == "anon-1"


def test_times_do_not_depend_on_the_wall_clock() -> None:
    journal = journal_with_picture()
    for number in range(5):
        click(journal, f"{number}", 700, instance=number + 1)
    moved = [replace(event, t_wall=0) for event in journal.events]
    assert study_of(make_log(moved, journal.annotators)).items == timed(journal).items
