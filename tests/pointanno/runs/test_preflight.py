"""Findings before a training; every case changes one thing of a data set that is in order."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.runs import TrainArguments, create_run
from pointanno.runs import preflight as module
from pointanno.runs.preflight import Finding, check_dry_step, check_training

Data = dict[str, Any]


def box(number: int, image: int, category: int, labels: list[int]) -> Data:
    return {
        "id": number, "image_id": image, "category_id": category, "bbox": [2, 2, 8, 8], "area": 64, "iscrowd": 0,
        "point_coords": [[3 + n, 4] for n in range(len(labels))], "point_labels": labels,
    }  # fmt: skip


@pytest.fixture
def data() -> Data:
    return {
        "images": [{"id": n, "file_name": f"{n}.png", "height": 20, "width": 30} for n in (1, 2, 3)],
        "annotations": [box(n, n, 1 + n % 2, [1, 0, 1]) for n in (1, 2, 3)],
        "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "nucleus"}],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for n in (1, 2, 3):
        Picture.fromarray(np.zeros((20, 30, 3), dtype=np.uint8)).save(images / f"{n}.png")
    return tmp_path


def asked(folder: Path, data: Data, **changes: Any) -> TrainArguments:
    file = folder / "points.json"
    file.write_text(json.dumps(data))
    return replace(TrainArguments(data=file, images=folder / "images"), **changes)


def look(folder: Path, data: Data, *levels: str, **changes: Any) -> list[tuple[str, str]]:
    checked = check_training(asked(folder, data, **changes), folder / "runs" / "new")
    return [(one.subject, one.sentence) for one in checked.findings if one.level in (levels or ("error", "warning"))]


def test_data_in_order(folder: Path, data: Data) -> None:
    checked = check_training(asked(folder, data), folder / "runs" / "new")
    assert not checked.has_errors and not checked.has_warnings
    assert checked.facts["per_class"] == {
        "cell": {"objects": 1, "points": 3},
        "nucleus": {"objects": 2, "points": 6},
    }
    assert (checked.facts["pictures"], checked.facts["boxes"], checked.facts["points"]) == (3, 3, 9)
    assert len(checked.facts["sha256"]) == 64
    assert [one.subject for one in checked.findings] == ["validation"]
    assert not (folder / "runs").exists(), "nothing is written"


def test_a_class_without_objects(folder: Path, data: Data) -> None:
    data["categories"].append({"id": 3, "name": "fibre"})
    [(subject, sentence)] = look(folder, data)
    assert subject == "classes" and "1 class has no object and will not be learnt: fibre" in sentence


def test_a_class_without_points(folder: Path, data: Data) -> None:
    data["annotations"][1] |= {"point_labels": [-1, -1, -1]}
    found = look(folder, data)
    assert ("points", "1 class has objects but no answered point, so only boxes are learnt for: cell") in found
    assert any("1 box has no answered point (of 3)" in sentence for _, sentence in found)


def test_boxes_that_are_answered_in_part(folder: Path, data: Data) -> None:
    data["annotations"][0] |= {"point_labels": [1, -1, -1]}
    assert look(folder, data) == []
    assert ("points", "1 box is answered in part: the answers so far count") in look(folder, data, "info")


@pytest.mark.parametrize(
    ("labels", "message"),
    [([-1, -1, -1], "not one point of the 3 boxes is answered"), (None, "no object to learn from; draw boxes")],
)
def test_nothing_to_learn_from(folder: Path, data: Data, labels: list[int] | None, message: str) -> None:
    if labels is None:
        data["annotations"] = []
    else:
        for annotation in data["annotations"]:
            annotation["point_labels"] = labels
    [(_, sentence)] = look(folder, data, "error")
    assert message in sentence


def test_single_clicks_are_not_boxes(folder: Path, data: Data) -> None:
    data["annotations"] = []
    data["point_annotations"] = [
        {"id": 1, "image_id": 1, "category_id": 1, "isthing": 1, "instance": 1, "point_coords": [[3, 3]],
         "point_labels": [1]}
    ]  # fmt: skip
    [(_, sentence)] = look(folder, data, "error")
    assert "the 1 single clicks have no boxes" in sentence


def test_masks_are_asked_for_where_they_are_learnt(folder: Path, data: Data) -> None:
    [(_, sentence)] = look(folder, data, "error", supervision="masks")
    assert "3 of 3 objects have no mask" in sentence


def test_pictures_missing_and_of_another_size(folder: Path, data: Data) -> None:
    (folder / "images" / "1.png").unlink()
    Picture.fromarray(np.zeros((20, 31), dtype=np.uint8)).save(folder / "images" / "2.png")
    (folder / "images" / "3.png").write_bytes(b"no picture")
    missing, broken, sized = (sentence for _, sentence in look(folder, data, "error"))
    assert "1 picture is missing: 1.png" in missing
    assert "3.png" in broken
    assert "2.png (31 x 20, the data say 30 x 20)" in sized


def test_many_missing_pictures_are_a_number(folder: Path, data: Data) -> None:
    data["images"] += [{"id": n, "file_name": f"{n}.png", "height": 20, "width": 30} for n in range(10, 20)]
    data["annotations"] += [box(n, n, 1, [1]) for n in range(10, 20)]
    [(_, sentence)] = look(folder, data, "error")
    assert "10 pictures are missing: 10.png, 11.png, 12.png and 7 more" in sentence


def test_a_large_set_is_looked_at_in_part(folder: Path, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PICTURES", 2)
    (folder / "images" / "2.png").unlink()  # the middle one is not among the first and the last
    assert look(folder, data, "error") == []
    assert ("pictures", "2 of 3 pictures were looked at") in look(folder, data, "info")


def test_options_and_files_that_cannot_work(folder: Path, data: Data) -> None:
    assert "no setting" in look(folder, data, overrides=("train.no_such=1",))[0][1]
    assert "expected at least 1" in look(folder, data, steps=0)[0][1]
    file = asked(folder, data)
    file.data.write_text("{")
    [finding] = check_training(file, folder / "new").findings
    assert (finding.level, finding.subject) == ("error", "data") and "points.json" in finding.sentence


def test_validation_on_the_training_pictures(folder: Path, data: Data) -> None:
    val = folder / "val.json"
    val.write_text(json.dumps({**data, "categories": data["categories"][:1], "annotations": []}))
    found = look(folder, data, val=val, val_images=folder / "images")
    assert any("lacks nucleus" in sentence for _, sentence in found)
    assert any("3 pictures are both trained and validated on" in sentence for _, sentence in found)
    empty = folder / "elsewhere"
    empty.mkdir()
    found = look(folder, data, val=val, val_images=empty)
    assert any("3 validation pictures are missing" in sentence for _, sentence in found)


@pytest.mark.parametrize(("free", "level"), [(100, "error"), (2**29, "warning"), (2**40, None)])
def test_disk(folder: Path, data: Data, free: int, level: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_disk_free", lambda folder: free)
    checked = check_training(asked(folder, data), folder / "runs" / "new")
    levels = [one.level for one in checked.findings if one.subject == "disk"]
    assert levels == ([] if level is None else [level])


def test_the_same_data_as_an_earlier_run(folder: Path, data: Data) -> None:
    arguments = asked(folder, data)
    create_run(arguments, folder / "runs" / "first")
    assert ("run", "the data are exactly those of first") in look(folder, data, "info")
    data["annotations"].pop()
    assert not [one for one in look(folder, data, "info") if one[0] == "run"]


def test_what_a_rehearsal_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = {
        "warnings": ["the GPU memory was full at step 1"], "memory": 2**50, "gpu_memory": 95, "gpu_memory_total": 100,
        "checkpoint_bytes": shutil.disk_usage(tmp_path).total,
    }  # fmt: skip
    found = list(check_dry_step(tried, tmp_path / "new"))
    assert [(one.level, one.subject) for one in found] == [
        ("warning", "memory"), ("warning", "memory"), ("warning", "memory"), ("error", "disk"),
    ]  # fmt: skip
    quiet = {"warnings": [], "memory": 1, "gpu_memory": None, "gpu_memory_total": None, "checkpoint_bytes": 1}
    assert list(check_dry_step(quiet, tmp_path)) == []
    assert isinstance(found[0], Finding)


def test_pictures_that_nobody_declared_complete(folder: Path, data: Data) -> None:
    """A warning while some are complete, an error if none is; not for systems that learn from boxes."""
    for entry in data["images"]:
        entry["pointanno"] = {"complete": {"things": True, "stuff": False}}
    assert not [sentence for _, sentence in look(folder, data, system="psps") if "complete" in sentence]
    data["images"][1]["pointanno"]["complete"]["things"] = False
    [(subject, sentence)] = look(folder, data, "warning", system="psps")
    assert subject == "data"
    assert sentence == (
        "1 picture has clicks but is not declared complete, and left out unless data.all_pictures is set: 2.png"
    )
    for entry in data["images"]:
        entry["pointanno"] = {}
    [(_, sentence)] = look(folder, data, "error", system="psps")
    assert sentence.startswith("3 pictures have clicks but are not declared complete")
    assert not look(folder, data)
