"""The rehearsal, in this process and in a child."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointanno.cli.main import main as command
from pointanno.errors import InputError
from pointanno.runs import TrainArguments
from pointanno.runs.preparation import Request, rehearse_in_child
from pointanno_models.engine.dry_step import DryStep, dry_step


@pytest.fixture
def arguments(toy_data: Any) -> TrainArguments:
    return TrainArguments(
        data=toy_data.points, images=toy_data.images, system="toy_points", device="cpu",
        overrides=("trouble.seconds=0.02",),
    )  # fmt: skip


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_steps_are_measured_and_nothing_is_left(arguments: TrainArguments, temporary: Path) -> None:
    began = time.perf_counter()
    tried = dry_step(arguments)
    assert (tried.device, tried.stage, tried.pictures, tried.batch_size) == ("cpu", "first", 5, 3)
    assert tried.measured == 5
    assert 0.02 <= tried.seconds_a_step < time.perf_counter() - began
    assert tried.steps == 24, "12 steps in each of two stages"
    assert tried.estimated_s == pytest.approx(24 * tried.seconds_a_step, abs=0.06)
    assert tried.checkpoint_bytes > 1000
    assert 10 * 2**20 < tried.memory < tried.memory_total
    assert tried.gpu_memory is None
    assert not list(temporary.glob("pointanno*"))


def test_the_asked_length_counts(arguments: TrainArguments, temporary: Path) -> None:
    tried = dry_step(replace(arguments, steps=100))
    assert tried.steps == 200
    # shorter than what would be measured: it ends by itself
    only = dry_step(replace(arguments, steps=1, overrides=('network.stages=["first"]', "trouble.seconds=0.02")))
    assert only.seconds_a_step >= 0.02


def test_what_cannot_work_is_said(arguments: TrainArguments, temporary: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no setting"):
        dry_step(replace(arguments, overrides=("train.no_such=1",)))
    with pytest.raises(InputError, match=r"1\.png"):
        dry_step(replace(arguments, images=empty))
    assert not list(temporary.glob("pointanno*"))


def test_a_full_gpu_is_a_warning(arguments: TrainArguments, temporary: Path) -> None:
    tried = dry_step(replace(arguments, overrides=("trouble.largest_batch=2",)))
    assert "at most 2 pictures at a time" in tried.warnings[0]


def test_in_words() -> None:
    made = DryStep(
        device="cuda", device_name="H200", threads=1, stage="train", pictures=3, batch_size=4, first_step_s=1,
        seconds_a_step=0.5, measured=5, steps=9000, estimated_s=4500, memory=2**30, memory_total=2**33,
        gpu_memory=3 * 2**30, gpu_memory_total=2**34, checkpoint_bytes=1,
    )  # fmt: skip
    assert made.sentence() == (
        "0.50 s a step of 4 pictures on H200, 1.0 GB of memory, 3.0 of 16 GB on the GPU; 9,000 steps take about 75 min"
    )


def test_the_command(
    arguments: TrainArguments, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", str(arguments.data), "--images", str(arguments.images), "--system", "toy_points", "--dry-run"]
    before = sorted(tmp_path.glob("*"))
    command([*words, "--device", "cpu", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True and told["step"]["steps"] == 24 and told["data"]["boxes"] == 10
    assert {finding["level"] for finding in told["findings"]} == {"info"}
    assert sorted(tmp_path.glob("*")) == before, "a rehearsal creates nothing"
    (tmp_path / "empty").mkdir()
    words[3] = str(tmp_path / "empty")
    with pytest.raises(SystemExit) as ended:
        command(words)
    assert ended.value.code == 2
    assert "error: " in (said := capsys.readouterr().out) and "5 pictures are missing" in said


@pytest.mark.slow
def test_in_a_child_for_the_window(
    arguments: TrainArguments, tmp_path: Path, toy_paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = rehearse_in_child(Request(arguments, tmp_path / "runs"))
    assert not prepared.has_errors and prepared.run is None
    assert prepared.tried is not None and prepared.tried["steps"] == 24
    assert "steps take about" in prepared.tried["sentence"]
    bad = replace(arguments, device="cuda:77")
    found = rehearse_in_child(Request(bad, tmp_path / "runs")).findings
    assert "cuda:77" in found[-1].sentence and found[-1].level == "error"
    assert not (tmp_path / "runs").exists()


def test_the_child_speaks_json_only(arguments: TrainArguments) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pointanno_models.engine.dry_step"],
        input=json.dumps({"arguments": replace(arguments, system="none").to_dict()}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'none' is not installed" in json.loads(done.stdout)["error"]
