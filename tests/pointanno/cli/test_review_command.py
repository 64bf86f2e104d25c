"""What waits for a review, the second pass, and who annotates, from the command line; and what leaves the project."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from pycocotools.coco import COCO

from pointanno.cli import main
from pointanno.dataset import Category
from pointanno.formats import FORMATS, read_dataset
from pointanno.formats.rle import mask_to_rle
from pointanno.formats.validate import validate_file
from pointanno.project import Project

BOX, CLICK = "b" * 32, "c" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A box answered unsure, yes, no on the first of two images."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (1, 2):
        Picture.fromarray(np.full((20, 30), number, dtype=np.uint8)).save(folder / f"p{number}.png")
    with Project.create(tmp_path / "p", images=folder, categories=[Category(1, "cell", True)]) as project:
        coords = [[1, 1], [2, 2], [3, 3]]
        payload = {"uid": BOX, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": coords}
        project.record("box", payload, image_id=1)
        for point, value in enumerate(("unsure", "object", "background")):
            answer = {"uid": BOX, "point": point, "value": value, "time_ms": 700}
            project.record("answer", answer, image_id=1)
        return project.path


def result(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    main([*map(str, arguments), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_what_waits_is_counted_and_listed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = result(capsys, "review", path)["counts"]
    assert (counts["unsure"], counts["everything"]) == (1, 4)
    [item] = result(capsys, "review", path, "--reason", "unsure")["items"]
    assert item == {
        **{"image": "p1.png", "uid": BOX, "point": 0, "reason": "unsure", "value": "unsure", "time_ms": 700}
    }
    assert len(result(capsys, "review", path, "-r", "everything", "--limit", "2")["items"]) == 2
    with pytest.raises(SystemExit) as ended:
        main(["review", str(path), "--reason", "bad"])
    assert ended.value.code == 2 and "expected one of unsure, fast" in capsys.readouterr().err


def test_predictions_are_compared(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's cell covers (3, 3), which was answered no, and everything else that was answered yes."""
    mask = np.zeros((20, 30), dtype=bool)
    mask[:9, :9] = True
    entry = {"image_id": 1, "file_name": "p1.png", "category_id": 1, "score": 0.9, "bbox": [0, 0, 9, 9]}
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps([entry | {"segmentation": mask_to_rle(mask)}]))
    [item] = result(capsys, "review", path, "--predictions", file)["items"]
    assert (item["point"], item["value"], item["other"]) == (2, "background", "object")
    main(["review", str(path), "--predictions", str(file)])
    assert "p1.png  bbbbbbbb point 2  background, other: object" in capsys.readouterr().out


def test_a_second_pass_is_planned(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert result(capsys, "review", path, "--second-pass", "1")["images"] == 2
    with Project.open(path, writable=False) as project:
        assert [image.second_pass for image in project.images()] == ["chosen", "chosen"]


def test_who_annotates_is_told_by_name_and_stays_here(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["open", str(path), "--no-window", "--annotator", "Anna Alpha"])
    told = capsys.readouterr().err
    with Project.open(path, writable=False) as project:
        pseudonym = project.annotator_here()
        assert pseudonym is not None and pseudonym.startswith("anon-") and pseudonym in told
        assert dict(project.people()) == {pseudonym: "Anna Alpha"}
    main(["open", str(path), "--no-window", "--annotator", "anon-42"])
    with Project.open(path, writable=False) as project:
        assert project.annotator_here() == "anon-42" and "anon-42" not in project.people()


def test_an_export_keeps_the_rules_and_says_no_name(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reviews lie beside their annotation, the second opinion stays out of it, people are pseudonyms."""
    with Project.open(path) as project:
        project.change_annotator(project.pseudonym_for("Ben Beta"))
        project.review(1, BOX, "change", point=0, value="object", time_ms=900)
        project.record("click", {"uid": CLICK, "category_id": 1, "x": 20, "y": 9}, image_id=1)
        project.review(1, CLICK, "confirm")
        project.plan_second_pass(1.0)
        second = {"uid": "d" * 32, "category_id": 1, "x": 21, "y": 9, "layer": "second"}
        project.record("click", second, image_id=1)
        project.record("second_done", {"done": True}, image_id=1)
        ben = project.annotator
    out = tmp_path / "out.json"
    main(["export", str(path), "-o", str(out)])
    assert validate_file(out, strict=False) == [] and "Ben" not in out.read_text()
    content = json.loads(out.read_text())
    [annotation], [clicks] = content["annotations"], content["point_annotations"]
    assert annotation["point_labels"] == [1, 1, 0] and annotation["point_status"] == ["ok", "ok", "ok"]
    [review] = annotation["reviews"]
    assert review["original"]["value"] == "unsure" and review["value"] == {"value": "object"}
    assert clicks["point_coords"] == [[20, 9]] and clicks["reviews"][0]["verdict"] == "confirm"
    names = [entry["name"] for entry in content["pointanno"]["annotators"]]
    assert sorted(names) == sorted(["anon-1", ben])
    assert [names[index] for index in annotation["point_annotator"]] == [ben, "anon-1", "anon-1"]
    events = content["pointanno"]["events"]
    assert [one["layer"] for one in events if one["kind"] == "click" and "layer" in one] == ["second"]
    assert [names[one["annotator"]] for one in events if one["kind"] == "review"] == [ben, ben]
    with contextlib.redirect_stdout(io.StringIO()):
        assert len(COCO(str(out)).getAnnIds()) == 1
    again = tmp_path / "again.json"
    FORMATS["coco-point"].write(read_dataset(out), again)
    assert again.read_bytes() == out.read_bytes()
    capsys.readouterr()
    main(["export", str(path), "-o", str(out), "--people"])
    people = {entry["name"]: entry.get("person") for entry in json.loads(out.read_text())["pointanno"]["annotators"]}
    assert people == {"anon-1": None, ben: "Ben Beta"}
