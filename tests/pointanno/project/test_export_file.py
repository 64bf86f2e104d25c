from __future__ import annotations

import json
from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.project.export_file import export_project
from pointanno.project.project import Project
from pointanno.scenes import CATEGORIES, write_scenes


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A project with one box of two points, one of them answered."""
    write_scenes(tmp_path, count=1, size=48, seed=0)
    with Project.create(tmp_path / "set", images=tmp_path / "images", categories=CATEGORIES) as project:
        image = project.images()[0]
        thing = next(category.id for category in CATEGORIES if category.isthing)
        project.record(
            "box",
            {"uid": "0" * 32, "category_id": thing, "box": [2, 2, 12, 12], "point_coords": [[4, 4], [9, 9]]},
            image_id=image.id,
        )  # fmt: skip
        project.record("answer", {"uid": "0" * 32, "point": 0, "value": "object"}, image_id=image.id)
        return project.path


def test_the_counts_are_those_of_the_file(made: Path, tmp_path: Path) -> None:
    for name in ("coco-point", "pointsup"):
        out = tmp_path / "out" / f"{name}.json"
        exported = export_project(made, out, name)
        dataset = read_dataset(out)
        assert exported.as_dict() == {
            "file": str(out), "format": name, "images": 1, "boxes": 1, "points": 2, "targets": 0, "clicks": 0,
        }  # fmt: skip
        assert len(dataset.instances) == 1
        assert exported.sentence() == f"{out}: 1 boxes with 2 points and 0 clicks on 1 images ({name})"


def test_what_a_format_has_no_room_for_is_told(made: Path, tmp_path: Path) -> None:
    exported = export_project(made, tmp_path / "a.json", "coco-instances")
    assert exported.notes == ("1 boxes have no mask; this format keeps neither their points nor clicks",)
    with pytest.raises(InputError, match="coco-panoptic keeps masks only"):
        export_project(made, tmp_path / "b.json", "coco-panoptic")
    assert not (tmp_path / "b.json").exists()


def test_formats_of_points_tell_what_they_leave_out(made: Path, tmp_path: Path) -> None:
    told = {name: export_project(made, tmp_path / name, name) for name in ("psps-png", "bestie-txt", "csv")}
    boxes = "1 boxes are left out, not their points; {} keeps {}"
    assert told["psps-png"].notes == (boxes.format("psps-png", "points on objects and regions"),)
    assert told["bestie-txt"].notes == (boxes.format("bestie-txt", "one point on each object"),)
    assert told["csv"].notes == ()
    counts = [(one.boxes, one.points, one.targets, one.clicks) for one in told.values()]
    assert counts == [(0, 0, 1, 1), (0, 0, 1, 1), (1, 2, 0, 0)]  # what is written, not what the project holds
    with Project.open(made) as project:
        project.record("answer", {"uid": "0" * 32, "point": 1, "value": "background"}, image_id=1)
    exported = export_project(made, tmp_path / "bestie-txt", "bestie-txt")  # again, into the same folder
    assert exported.notes[0] == "1 of 2 answers are left out; bestie-txt keeps one point on each object"


def test_what_would_lose_everything_is_refused(made: Path, tmp_path: Path) -> None:
    with Project.open(made) as project:
        project.record("answer", {"uid": "0" * 32, "point": 0, "value": "background"}, image_id=1)
    for name in ("psps-png", "bestie-txt"):
        with pytest.raises(InputError, match=f"{name} keeps .* only, and the project has none, so all of its boxes"):
            export_project(made, tmp_path / name, name)
        assert not (tmp_path / name).exists()


def test_a_folder_of_somebody_else_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="mine: the folder holds files that are no earlier export as bestie-txt"):
        export_project(made, tmp_path / "mine", "bestie-txt")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_without_journal_and_pseudonyms(made: Path, tmp_path: Path) -> None:
    export_project(made, tmp_path / "a.json", "coco-point", events=False, names=False)
    header = json.loads((tmp_path / "a.json").read_text())["pointanno"]
    assert not header.get("events")
    assert not header.get("annotators")


def test_unknown_formats_and_projects_are_named(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'xml' is not known; choose one of " + ", ".join(FORMATS)):
        export_project(made, tmp_path / "a.xml", "xml")
    with pytest.raises(InputError, match="there is no such project"):
        export_project(tmp_path / "nowhere", tmp_path / "a.json", "coco-point")
