"""A project from the command line: new, import, export, open."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.cli import main
from pointanno.formats import read_dataset
from pointanno.project import Project
from pointanno.protocols import BoxPoints, MultiPoint


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (1, 2):
        Picture.fromarray(np.full((20, 30), number, dtype=np.uint8)).save(folder / f"p{number}.png")
    return folder


def result(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    main([*map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1, "one JSON object on standard output"
    answer = json.loads(out)
    assert isinstance(answer, dict)
    return answer


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    captured = capsys.readouterr()
    assert ended.value.code == 2 and captured.out == "" and "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    return captured.err


def test_new_export_import_open(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell", "--stuff", "ground")
    assert made["images"] == 2 and [one["isthing"] for one in made["categories"]] == [True, False]
    path = Path(made["project"])
    with Project.open(path) as project:
        project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 3, "y": 4}, image_id=1)
        payload = {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1], [2, 2]]}
        project.record("box", payload, image_id=2)
        project.record("answer", {"uid": "b" * 32, "point": 0, "value": "object"}, image_id=2)

        # the project is open for writing here, and may be exported meanwhile
        written = result(capsys, "export", path, "-o", tmp_path / "out" / "points.json")
    assert (written["boxes"], written["points"], written["clicks"]) == (1, 2, 1)
    found = read_dataset(tmp_path / "out" / "points.json")
    assert len(found.instances) == 1 and len(found.targets) == 1 and len(found.events) == 5

    plain = result(capsys, "export", path, "-o", tmp_path / "plain.json", "--no-events", "--no-names")
    assert plain["boxes"] == 1
    assert read_dataset(tmp_path / "plain.json").events == () == read_dataset(tmp_path / "plain.json").annotators
    result(capsys, "export", path, "-o", tmp_path / "strict.json", "--format", "pointsup")
    assert len(read_dataset(tmp_path / "strict.json").instances) == 1

    copy = result(capsys, "new", tmp_path / "copy", "--images", pictures)["project"]
    taken = result(capsys, "import", copy, tmp_path / "out" / "points.json")
    assert (taken["images"], taken["boxes"], taken["clicks"], taken["categories"]) == (2, 1, 1, 2)
    shown = result(capsys, "open", copy, "--no-window")
    assert (shown["boxes"], shown["clicks"], shown["answers"], shown["recovered"]) == (1, 1, 1, "")

    from_coco = result(capsys, "new", tmp_path / "q", "--images", pictures, "--coco", tmp_path / "strict.json")
    assert [one["name"] for one in from_coco["categories"]] == ["cell"]


def test_open_starts_the_window(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[Path] = []
    window = ModuleType("napari_pointanno.application")
    window.run = opened.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "napari_pointanno.application", window)
    path = Path(result(capsys, "new", tmp_path / "p", "--images", pictures)["project"])
    moved = tmp_path / "moved"
    pictures.rename(moved)
    main(["open", str(path)])
    captured = capsys.readouterr()
    assert opened == [path] and "the folder of the images is missing" in captured.err
    main(["open", str(path), "--images", str(moved)])
    assert opened == [path, path] and capsys.readouterr().err == ""
    with Project.open(path) as project:
        assert project.image(1).path == moved / "p1.png"


def test_refusals(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere: the folder of the images is missing" in refusal(
        capsys, "new", tmp_path / "p", "--images", tmp_path / "nowhere"
    )
    assert "there is no such project" in refusal(capsys, "open", tmp_path / "p")
    assert "there is no such project" in refusal(capsys, "export", tmp_path / "p", "-o", tmp_path / "x.json")
    path = result(capsys, "new", tmp_path / "p", "--images", pictures)["project"]
    assert "this already exists" in refusal(capsys, "new", path, "--images", pictures)
    assert "'xml'" in refusal(capsys, "export", path, "-o", tmp_path / "x.json", "--format", "xml")
    (tmp_path / "empty.json").write_bytes(b"")
    assert "empty.json" in refusal(capsys, "import", path, tmp_path / "empty.json")
    with Project.open(path):
        assert "open for writing elsewhere" in refusal(capsys, "import", path, tmp_path / "empty.json")


@pytest.mark.parametrize("name", ["psps-png", "openimages-csv", "bestie-txt", "csv"])
@pytest.mark.parametrize("named", [True, False])
def test_formats_of_points_go_out_and_come_in(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str], name: str, named: bool
) -> None:
    made = result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell", "--stuff", "ground")
    with Project.open(made["project"]) as project:
        for number, (category, x, y) in enumerate([(1, 3, 4), (1, 29, 19), (2, 7, 8)]):
            project.record("click", {"uid": f"{number:032}", "category_id": category, "x": x, "y": y}, image_id=2)
    out = tmp_path / ("out.csv" if name.endswith("csv") else "out")
    written = result(capsys, "export", made["project"], "-o", out, "-f", name)
    clicks = 2 if name == "bestie-txt" else 3  # which knows things only
    assert (written["format"], written["clicks"], written["boxes"]) == (name, clicks, 0)

    copy = result(capsys, "new", tmp_path / "copy", "--images", pictures, "--thing", "cell", "--stuff", "ground")
    taken = result(capsys, "import", copy["project"], out, *(("-f", name) if named else ()))
    assert (taken["images"], taken["clicks"], taken["categories"], taken["skipped"]) == (1, clicks, 0, [])
    with Project.open(copy["project"]) as project:
        targets = project.dataset().targets
    assert sorted((one.category_id, *one.points.coords[0].tolist()) for one in targets) == [
        (1, 3, 4), (1, 29, 19), (2, 7, 8)
    ][:clicks]  # fmt: skip


def test_what_a_table_names_and_the_project_lacks_is_told(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell")["project"]
    (tmp_path / "a.csv").write_text("file_name,class,x,y\np1,cell,3,4\nzebra,cell,3,4\n")
    taken = result(capsys, "import", made, tmp_path / "a.csv")
    assert taken["clicks"] == 1
    assert taken["skipped"] == ["zebra: the project has no image of this name; its annotations are left out"]
    (tmp_path / "a.csv").write_text("file_name,class,x,y\np1,cell,3,4\np1,cell,30,4\n")
    assert "a.csv, line 3, x: expected an integer from 0 to 29" in refusal(capsys, "import", made, tmp_path / "a.csv")
    with Project.open(made) as project:
        assert len(project.dataset().targets) == 1  # nothing of a broken file comes in


def test_formats_of_masks_do_not_swallow_points(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell")["project"]
    with Project.open(made) as project:
        payload = {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1]]}
        project.record("box", payload, image_id=1)
    out = tmp_path / "out.json"
    assert "coco-panoptic keeps masks only" in refusal(capsys, "export", made, "-o", out, "-f", "coco-panoptic")
    assert not out.exists()
    main(["export", made, "-o", str(out), "-f", "coco-instances"])
    assert "1 boxes have no mask" in capsys.readouterr().err


def test_copies_are_merged(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = Path(result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell")["project"])
    theirs = Path(shutil.copytree(ours, tmp_path / "q.pointanno"))
    for number, (path, person) in enumerate(((ours, "anna"), (theirs, "ben"))):
        with Project.open(path, annotator=person) as project:
            payload = {"uid": str(number) * 32, "category_id": 1, "x": 3 + number, "y": 4}
            project.record("click", payload, image_id=1)
    merged = result(capsys, "merge", ours, theirs)
    assert (merged["events"], merged["images"], merged["annotators"]) == (1, 0, ["anna", "anon-1", "ben"])
    assert [one["what"] for one in merged["conflicts"]] == ["annotated_twice"]
    assert result(capsys, "merge", ours, theirs)["events"] == 0
    main(["merge", str(ours), str(theirs)])
    assert "nothing new" in capsys.readouterr().out
    shown = result(capsys, "stats", ours)
    assert (shown["counts"]["clicks"], shown["counts"]["in_progress"]) == (2, 1)
    assert "at least one copy" in refusal(capsys, "merge", ours)
    assert "this is the project itself" in refusal(capsys, "merge", ours, ours)


def test_protocols_facts_and_names(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--thing", "cell", "--protocol", "multi_point", "--points-per-target", 3)
    path = Path(result(capsys, "new", tmp_path / "p", "--images", pictures, *options)["project"])
    with Project.open(path) as project:
        pseudonym = project.pseudonym_for("Anna Alpha")
    with Project.open(path, annotator=pseudonym) as project:
        protocol = project.protocol_of(2)
        assert isinstance(protocol, MultiPoint) and protocol.points_per_target == 3
        project.record("click", {"uid": "a" * 32, "category_id": 1, "x": 3, "y": 4, "time_ms": 90}, image_id=1)
        project.record("skip_image", {"skipped": True, "reason": "dark"}, image_id=2)
        project.record("flag", {"flagged": True, "reason": "odd"}, image_id=1)
    shown = result(capsys, "stats", path)
    assert shown["image_sets"] == [
        {"name": "all", "protocol": "multi_point", "options": {"points_per_target": 3}, "images": 2}
    ]
    assert (shown["counts"]["skipped"], shown["counts"]["flagged"], shown["counts"]["fast"]) == (1, 1, 1)
    main(["stats", str(path)])
    assert "image set   all: 2 images, multi_point" in capsys.readouterr().out

    out = tmp_path / "out.json"
    assert result(capsys, "export", path, "-o", out)["clicks"] == 1
    assert "Anna" not in out.read_text() and pseudonym in out.read_text()
    counted = result(capsys, "stats", out)
    assert (counted["flagged"], counted["skipped"]) == (1, 1)
    assert result(capsys, "validate", out)["valid"]
    result(capsys, "export", path, "-o", out, "--people")
    assert "Anna Alpha" in out.read_text()
    assert "protocol: expected one of" in refusal(
        capsys, "new", tmp_path / "x", "--images", pictures, "--protocol", "scribble"
    )
    assert not (tmp_path / "x.pointanno").exists()
    assert "only the protocol multi_point" in refusal(
        capsys, "new", tmp_path / "x", "--images", pictures, "--points-per-target", 3
    )


def test_gold_items_come_from_a_file(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = result(capsys, "new", tmp_path / "p", "--images", pictures, "--thing", "cell")["project"]
    with Project.open(made) as project:
        payload = {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1]]}
        project.record("box", payload, image_id=1)
        project.record("answer", {"uid": "b" * 32, "point": 0, "value": "object"}, image_id=1)
    result(capsys, "export", made, "-o", tmp_path / "gold.json")
    other = result(capsys, "new", tmp_path / "q", "--images", pictures)["project"]
    assert result(capsys, "import", other, tmp_path / "gold.json", "--gold")["boxes"] == 1
    with Project.open(other) as project:
        assert project.annotations(1).boxes == () and len(project.annotations(1, layer="gold").boxes) == 1


def test_protocols_of_image_sets(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mixed.pointanno"
    result(capsys, "new", path, "--images", pictures, "--thing", "cell")
    assert result(capsys, "protocol", path)["sets"] == []
    result(capsys, "protocol", path, "--protocol", "multi_point", "--points-per-target", 4)
    answer = result(capsys, "protocol", path, "--set", "few", "--images", "p1*", "--protocol", "mask", "--no-exclusive")
    assert answer["images"] == 2
    assert answer["sets"] == [
        {"name": "all images", "protocol": "multi_point", "options": {"points_per_target": 4}, "images": 1},
        {"name": "few", "protocol": "mask", "options": {"exclusive": False}, "images": 1},
    ]
    result(capsys, "protocol", path, "--set", "few", "--protocol", "box_points", "--draw", "extreme")
    with Project.open(path, writable=False) as project:
        first, second = (project.protocol_of(image.id) for image in project.images())
        assert isinstance(second, MultiPoint) and second.points_per_target == 4
        assert isinstance(first, BoxPoints) and first.draw == "extreme"
    assert "no image of" in refusal(capsys, "protocol", path, "--images", "q*", "--protocol", "mask")
    assert "not among its options" in refusal(capsys, "protocol", path, "--protocol", "mask", "--draw", "none")
    assert "--protocol: expected" in refusal(capsys, "protocol", path, "--set", "few")
