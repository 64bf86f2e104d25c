from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import tifffile

from pointanno.cli import main
from pointanno.errors import InputError
from pointanno.images import read_image
from pointanno.runs import RunFolder
from pointanno_models.engine.folder_prediction import predict_folder
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def run(make_run: MakeRun) -> RunFolder:
    made = make_run("run", 'network.stages=["only"]', steps=15)
    train(made)
    return made


def call(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_ids_come_from_the_truth_or_are_numbered(run: RunFolder, toy_data: Any, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("3.png", "5.png"):
        shutil.copy(toy_data.images / name, pictures / name)
    out = tmp_path / "out.json"
    report = predict_folder(run, pictures, out, gt=toy_data.masks, device="cpu", on_skip=pytest.fail)
    entries = orjson.loads(out.read_bytes())
    assert {(entry["image_id"], entry["file_name"]) for entry in entries} == {(3, "3.png"), (5, "5.png")}
    assert report["predictions"] == len(entries) and report["pictures"] == 2
    predict_folder(run, pictures, out, device="cpu", on_skip=pytest.fail)
    assert {entry["image_id"] for entry in orjson.loads(out.read_bytes())} == {1, 2}


def test_unreadable_pictures_are_named_and_left_out(
    run: RunFolder, toy_data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(toy_data.images, pictures)
    (pictures / "2.png").write_bytes((pictures / "2.png").read_bytes()[:100])
    (pictures / "4.png").write_bytes(b"")
    out = tmp_path / "out.json"
    assert call("predict", run.path, "--images", pictures, "-o", out, "--device", "cpu", "--json") == 2
    captured = capsys.readouterr()
    report = orjson.loads(captured.out)
    assert report["pictures"] == 3 and len(report["skipped"]) == 2
    assert {entry["file_name"] for entry in orjson.loads(out.read_bytes())} <= {"1.png", "3.png", "5.png"}
    assert captured.err.count("left out: ") == 2 and "Traceback" not in captured.err


def test_of_a_stack_of_planes_the_named_one_is_predicted(run: RunFolder, toy_data: Any, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    disc, empty = read_image(toy_data.images / "1.png"), np.zeros((32, 32, 3), np.uint8)
    tifffile.imwrite(pictures / "s.tif", np.stack([empty, disc]), photometric="rgb", metadata={"axes": "ZYXS"})
    out = tmp_path / "out.json"
    report = predict_folder(run, pictures, out, device="cpu", on_skip=pytest.fail)
    [note] = report["notes"]
    assert note.endswith("s.tif: the file holds a stack of planes (z: 2); the first one was predicted")
    of_first = orjson.loads(out.read_bytes())
    gt = tmp_path / "gt.json"
    image = {"id": 4, "file_name": "s.tif", "pointanno": {"plane": {"z": 1}}}
    gt.write_bytes(orjson.dumps({"images": [image]}))
    report = predict_folder(run, pictures, out, gt=gt, device="cpu", on_skip=pytest.fail)
    assert report["notes"] == []
    assert orjson.loads(out.read_bytes()) != of_first
    tifffile.imwrite(pictures / "s.tif", disc, photometric="rgb")
    gt.write_bytes(orjson.dumps({"images": [{**image, "pointanno": None}]}))
    of_plane = orjson.loads(out.read_bytes())
    predict_folder(run, pictures, out, gt=gt, device="cpu", on_skip=pytest.fail)
    assert orjson.loads(out.read_bytes()) == of_plane
    gt.write_bytes(orjson.dumps({"images": [image, {**image, "id": 5}]}))
    with pytest.raises(InputError, match=r"--gt names s\.tif for the images 4 and 5"):
        predict_folder(run, pictures, out, gt=gt, device="cpu", on_skip=pytest.fail)


def test_errors_are_sentences(run: RunFolder, make_run: MakeRun, toy_data: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    with pytest.raises(InputError, match="no checkpoint yet"):
        predict_folder(make_run("fresh"), toy_data.images, out, device="cpu", on_skip=print)
    with pytest.raises(InputError, match="the folder does not exist"):
        predict_folder(run, toy_data.images, tmp_path / "no" / "out.json", device="cpu", on_skip=print)
    with pytest.raises(InputError, match="--device cuda:99"):
        predict_folder(run, toy_data.images, out, device="cuda:99", on_skip=print)


def test_train_runs_stop_resume_from_the_command_line(
    toy_data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "runs" / "one"
    words = ["train", toy_data.points, "--images", toy_data.images, "--system", "toy_points", "--device", "cpu"]
    assert call(*words, "--steps", 3, "--set", 'network.stages=["only"]', "--run", folder, "--json") == 0
    result = orjson.loads(capsys.readouterr().out)
    assert (result["reason"], result["step"], result["run"]) == ("finished", 3, str(folder))
    assert call("runs", tmp_path / "runs", "--json") == 0
    [listed] = orjson.loads(capsys.readouterr().out)["runs"]
    assert (listed["name"], listed["state"], listed["step"]) == ("one", "finished", 3)
    assert call("runs", tmp_path / "runs") == 0
    assert "finished" in capsys.readouterr().out
    assert call("stop", folder) == 0
    assert "not running (finished)" in capsys.readouterr().out
    assert call("train", "--resume", "--run", folder) == 2
    assert "the run is finished (3 of 3 steps)" in capsys.readouterr().err
    assert call(*words, "--set", "train.stepz=3", "--run", tmp_path / "two") == 2
    assert "did you mean train.steps?" in capsys.readouterr().err
    assert call("train", toy_data.points) == 2
    assert "--images is missing" in capsys.readouterr().err
