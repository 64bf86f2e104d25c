"""A file becomes one event, and the same file comes out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.mask import encode

from pointanno.dataset import Box, Category, Image, Instance, MaskLabel, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.project import Project

NONE = (None, None)


def points(coords: Any, labels: Any) -> Points:
    return Points.answered(np.array(coords), np.array(labels), source="simulated")


def dataset() -> PointDataset:
    half = Points(
        np.array([[3, 4], [5, 6], [8, 9]], dtype=np.int32),
        np.array([1, 0, -1], dtype=np.int8),
        ("ok", "ok", "pad"),
        (640, None, None),
        (0, 1, None),
        (0, 0, None),
        ("random", "random", "random"),
    )
    counts = encode(np.zeros((40, 60), dtype=np.uint8, order="F"))["counts"].decode()
    rle = {"size": [40, 60], "counts": counts}
    return PointDataset(
        images=(
            Image(7, "a1.png", 40, 60, complete={"things": True, "stuff": False}, absent_category_ids=(5,)),
            Image(9, "a3.png", 40, 60),
        ),
        categories=(Category(2, "cell", True), Category(5, "road", False, "stuff", (9, 8, 7))),
        instances=(
            Instance(11, 7, 2, Box(2.25, 3, 9, 10.5), half, point_seed=4, box_time_ms=6400, box_session=0),
            Instance(12, 9, 2, Box(0, 0, 20, 20), points([[1, 1]], [1]), area=7.0, mask=MaskLabel(rle, "painted")),
        ),
        targets=(
            Target(1, 7, 2, True, 4, points([[7, 7]], [1]), linked_annotation_id=11),
            Target(2, 7, 5, False, 0, points([[0, 0], [9, 9]], [1, 1])),
        ),
        annotators=({"index": 0, "name": "p-07"}, {"index": 1, "name": "p-08"}),
        sessions=({"index": 0, "id": "s-1", "started": "2026-01-01T00:00:00Z", "note": "kept"},),
    )


def test_import_is_one_event_and_one_step(project: Project) -> None:
    empty = project.projection_hash()
    count = len(list(project.events()))
    report = project.import_dataset(dataset(), file="x.json")
    assert (report.images, report.boxes, report.clicks, report.categories, report.skipped) == (2, 2, 3, 1, ())
    assert len(list(project.events())) == count + 1
    first, third = project.image(1), project.image(3)
    assert (first.boxes, first.clicks, first.answers, first.complete_things, first.complete_stuff) == (
        *(1, 3, 2),
        *(True, False),
    )
    assert (third.boxes, third.clicks, third.answers, third.complete_things) == (1, 0, 1, None)

    found = project.annotations(1)
    [box] = found.boxes
    assert box.answers == ("object", "background", None) and box.next_point == 2
    assert box.times_ms == (640, None, None) and box.box_time_ms == 6400 and box.point_seed == 4
    road = next(one.id for one in project.categories() if one.name == "road")
    assert [(one.category_id, one.instance, one.x) for one in found.clicks] == [(1, 4, 7), (road, 0, 0), (road, 0, 9)]
    assert found.clicks[0].linked_uid == box.uid
    assert found.absent_category_ids == (road,)
    assert project.annotations(3).boxes[0].mask == dataset().instances[1].mask

    full = project.projection_hash()
    project.undo()
    assert project.projection_hash() == empty
    project.redo()
    assert project.projection_hash() == full


def test_editing_an_imported_object(project: Project) -> None:
    project.import_dataset(dataset())
    full = project.projection_hash()
    uid = project.annotations(1).boxes[0].uid
    project.record("answer", {"uid": uid, "point": 2, "value": "unsure", "time_ms": 9}, image_id=1)
    assert project.annotations(1).boxes[0].answers == ("object", "background", "unsure")
    click = project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=1)
    assert click.payload["instance"] == 7, "behind the numbers of the file: 4 for the thing, 5 and 6 kept for stuff"
    edited = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == edited
    project.undo()
    project.undo()
    assert project.projection_hash() == full
    project.undo()
    assert project.annotations(1).boxes == () and project.image(1).boxes == 0
    for _ in range(3):
        project.redo()
    assert project.projection_hash() == edited


def test_importing_twice_adds(project: Project) -> None:
    project.import_dataset(dataset())
    project.import_dataset(dataset())
    assert project.image(1).boxes == 2
    things = [one.instance for one in project.annotations(1).clicks if one.isthing]
    assert len(set(things)) == 2, "objects of two files are different objects"
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state


def same(ours: PointDataset, theirs: PointDataset) -> None:
    """All but image extras, which only the file knows."""
    for one, other in zip(ours.images, theirs.images, strict=True):
        assert replace(one, extra={}) == replace(other, extra={})
    for name in ("categories", "instances", "targets", "annotators", "sessions", "points_per_instance"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.exhaustive_things == theirs.exhaustive_things


def test_project_to_file_to_project(project: Project, person: Any, pictures: Path, tmp_path: Path) -> None:
    someone = person(project, 21)
    for _ in range(60):
        someone.act()
    project.import_dataset(dataset())
    before = project.dataset()
    assert before.instances and before.targets and len(before.sessions) == 2
    FORMATS["coco-point"].write(before, tmp_path / "out.json")
    read = read_dataset(tmp_path / "out.json")
    same(read, before)
    with Project.create(tmp_path / "copy", images=pictures, points_per_box=4) as copy:
        copy.import_dataset(read)
        same(copy.dataset(), before)
        FORMATS["coco-point"].write(copy.dataset(), tmp_path / "again.json")
    first, second = ((tmp_path / name).read_text().splitlines() for name in ("out.json", "again.json"))
    assert [line for line in first if "date" not in line] == [line for line in second if "date" not in line]


def test_project_from_coco(tmp_path: Path, pictures: Path) -> None:
    source = replace(dataset(), images=(*dataset().images, Image(10, "gone.png", 40, 60)))
    FORMATS["coco-point"].write(source, tmp_path / "in.json")
    with Project.create(tmp_path / "p", images=pictures, coco=tmp_path / "in.json") as made:
        assert [(one.id, one.file_name) for one in made.images()] == [(7, "a1.png"), (9, "a3.png")]
        assert len(made.skipped) == 1 and "gone.png" in made.skipped[0]
        assert [one.id for one in made.categories()] == [2, 5] and made.categories()[1].color == (9, 8, 7)
        assert not made.can_undo
        state = made.projection_hash()
        made.rebuild()
        assert made.projection_hash() == state and not made.can_undo


def test_boxes_without_points_get_random_ones(project: Project) -> None:
    bare = replace(dataset().instances[0], points=points(np.zeros((0, 2)), []))
    crowd = replace(bare, id=12, iscrowd=True)
    project.import_dataset(replace(dataset(), instances=(bare, crowd), targets=()))
    box, other = project.annotations(1).boxes
    assert box.answers == (None,) * 4 and box.sampler == "distinct-1"
    assert len({tuple(point) for point in box.point_coords.tolist()}) == 4
    assert (box.point_coords >= [2, 3]).all() and (box.point_coords <= [8, 10]).all()
    assert other.iscrowd and other.answers == ()


def test_padding_is_not_asked_about(project: Project) -> None:
    padded = Points(
        np.array([[3, 4], [3, 4], [3, 4]], dtype=np.int32),
        np.array([1, -1, -1], dtype=np.int8),
        ("ok", "pad", "pad"),
        *((None,) * 3,) * 3,
        ("random", "pad", "pad"),
    )
    project.import_dataset(replace(dataset(), instances=(replace(dataset().instances[0], points=padded),), targets=()))
    [box] = project.annotations(1).boxes
    assert box.answers == ("object",) and box.next_point is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": (Image(7, "a1.png", 41, 60),)}, "x.json, image 7 (a1.png): the file says 60 wide and 41 high"),
        (
            {"categories": (Category(2, "cell", False),)},
            "isthing says stuff, but the class of that name",
        ),
        ({"categories": (Category(4, "tree", True),)}, "annotation 11: category_id 2 is not among the categories"),
        (
            {"instances": (Instance(3, 7, 2, Box(0, 0, 99, 9), points([[1, 1]], [1])),)},
            "annotation 3: bbox [0, 0, 99, 9] does not lie in the image of 60 x 40 pixels",
        ),
        (
            {"instances": (Instance(3, 7, 2, Box(0, 0, 9, 9), points([[60, 1]], [1])),)},
            "annotation 3: point_coords [60, 1] lies outside",
        ),
        ({"targets": (Target(5, 7, 2, True, 1, points([[0, 40]], [1])),)}, "point annotation 5: point_coords [0, 40]"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(project: Project, change: dict[str, Any], words: str) -> None:
    state, count = project.projection_hash(), len(list(project.events()))
    with pytest.raises(InputError) as refused:
        project.import_dataset(replace(dataset(), **change), file="x.json")
    assert words in str(refused.value)
    assert project.projection_hash() == state and len(list(project.events())) == count
    project.import_dataset(dataset(), file="x.json")


def test_images_that_the_project_does_not_have_are_left_out(project: Project) -> None:
    images = (replace(dataset().images[0], file_name="deep/a1.png"), replace(dataset().images[1], file_name="zz.png"))
    report = project.import_dataset(replace(dataset(), images=images))
    assert (report.images, report.boxes) == (1, 1), "the first is found by its bare name"
    assert report.skipped == ("zz.png: the project has no image of this name; its annotations are left out",)


def test_many_objects_are_spread_over_parts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointanno.project.importing.PART_OBJECTS", 1)
    report = project.import_dataset(dataset())
    assert report.event.payload["parts"] == 2
    assert [project.image(one).boxes for one in (1, 2, 3)] == [1, 0, 1]
    assert len(project.annotations(3).boxes) == 1


def test_stuff_of_a_panoptic_truth_is_not_asked_about(project: Project) -> None:
    rle = dataset().instances[1].mask
    region = Instance(3, 7, 5, Box(0, 0, 60, 40), points(np.zeros((0, 2)), []), mask=rle)
    project.import_dataset(replace(dataset(), instances=(region,), targets=()))
    [box] = project.annotations(1).boxes
    assert box.answers == () and box.mask == rle


def test_two_entries_for_one_picture_are_refused(project: Project) -> None:
    before = project.projection_hash()
    twice = dataset()
    twice = replace(twice, images=(twice.images[0], replace(twice.images[1], file_name="other/a1.png")))
    with pytest.raises(InputError, match=r"x.json, image 9 \(other/a1.png\).* already meant by image 7"):
        project.import_dataset(twice, file="x.json")
    assert project.projection_hash() == before


def test_licenses_of_imported_images_travel_on(project: Project) -> None:
    """They say whom to credit, so a project must not lose them; undoing the import takes them along."""
    licences = ({"id": 4, "name": "Attribution", "url": "by/4.0"}, {"id": 7, "name": "None known"})
    project.import_dataset(replace(dataset(), licenses=licences))
    project.import_dataset(replace(dataset(), licenses=({"id": 7, "name": "another"}, {"id": 8, "name": "CC0"})))
    assert project.dataset().licenses == (*licences, {"id": 8, "name": "CC0"})
    project.undo()
    assert project.dataset().licenses == licences
