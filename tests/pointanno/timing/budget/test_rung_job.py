"""One rung: what an earlier, killed command left behind is waited for, and errors stay errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.benchmark import row_job
from pointanno.benchmark.children import Stop
from pointanno.errors import InputError
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno.timing.budget import LadderOptions, parse_kind
from pointanno.timing.budget.rung import Rung, write_annotations
from pointanno.timing.budget.rung_job import RungJob
from pointanno.timing.budget.simulated import plan_ladder


@pytest.fixture
def rung(tmp_path: Path) -> Rung:
    """A rung whose run folder was made and not trained yet."""
    write_scenes(tmp_path / "data", 2, 48, seed=0)
    truth, images = tmp_path / "data" / "instances.json", tmp_path / "data" / "images"
    options = LadderOptions(
        truth=truth, images=images, val=truth, val_images=images, out=tmp_path / "out",
        kinds=(parse_kind("box_points:3"),), hours=(9.0,), system="point_sup", steps=5, seeds=1,
    )  # fmt: skip
    (made,) = plan_ladder(options).rungs
    write_annotations(made)
    arguments = TrainArguments(
        data=made.training_data, images=images, supervision="points", steps=5, seed=0, val_limit=1
    )
    create_run(arguments, made.run)
    return made


def _job(rung: Rung) -> RungJob:
    return RungJob(rung, device="cpu", threads=1, stop=Stop(), say=lambda text: None)


def _finish(run: RunFolder) -> None:
    events = [{"kind": "hello"}, {"kind": "end", "reason": "finished"}]
    lines = [orjson.dumps({**event, "time": time.time(), "line": number}) for number, event in enumerate(events, 1)]
    run.events_file.write_bytes(b"\n".join(lines) + b"\n")


def _refused(then: Callable[[], None]) -> Callable[..., Any]:
    def run_child(*words: Any, **options: Any) -> None:
        then()
        raise InputError("another process is training this run")

    return run_child


def test_a_training_that_somebody_else_finished_counts(rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_job, "run_child", _refused(lambda: _finish(RunFolder(rung.run))))
    _job(rung).train()


def test_an_error_of_the_training_stays_one(rung: Rung, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_job, "run_child", _refused(lambda: None))
    with pytest.raises(InputError, match="another process is training this run"):
        _job(rung).train()


def test_nothing_is_measured_on_the_way(rung: Rung) -> None:
    words = rung.train_words()
    assert words[-2:] == ["--val-limit", "1"] and "--val" not in words
    assert words[words.index("--steps") + 1] == "5" and words[words.index("--supervision") + 1] == "points"
