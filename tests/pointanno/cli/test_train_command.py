"""``pointanno train`` where nothing can be trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pointanno.cli.main import main as command
from pointanno.scenes import write_scenes

ONE_LEVEL = ("--set", "detector.anchor_sizes=[12]")
"""Only the system itself knows that this does not fit its network."""


def _refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(words)
    assert ended.value.code == 2


def test_a_training_that_cannot_begin_leaves_its_name_free(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, 64)
    run = tmp_path / "runs" / "first"
    words = ["train", str(scenes / "points.json"), "--images", str(scenes / "images"), "--run", str(run)]
    _refused([*words, "--device", "cpu", *ONE_LEVEL])
    assert "detector.anchor_sizes must have 4 sizes" in capsys.readouterr().err
    assert not run.exists()


def test_a_rehearsal_that_fails_answers_machines_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = write_scenes(tmp_path / "scenes", 3, 64)
    command(["simulate", str(scenes / "instances.json"), "--protocol", "box-points", "-o", str(tmp_path / "bp.json")])
    capsys.readouterr()
    words = ["train", str(tmp_path / "bp.json"), "--images", str(scenes / "images"), "--run", str(tmp_path / "run")]
    _refused([*words, "--device", "cpu", "--dry-run", "--json", *ONE_LEVEL])
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["step"] is None
    [error] = [finding for finding in told["findings"] if finding["level"] == "error"]
    assert error["subject"] == "run" and "detector.anchor_sizes must have 4 sizes" in error["sentence"]
