"""A whole benchmark of the toy system: made, kept, interrupted, killed, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from filelock import FileLock

from pointanno.benchmark import Options, read_plan, run_benchmark
from pointanno.benchmark.plan import resolve_row
from pointanno.benchmark.runner import resolve_rows
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.coco_point import write as write_points
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.simulation import simulate

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(toy_installed: None, plan_path: Path, data: Path, tmp_path: Path) -> Start:
    """Start ``pointanno benchmark`` on the toy plan in a process."""

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pointanno", "benchmark", "toy_points", "--plan", str(plan_path)]
        command += ["--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu", "--threads", "1", "--json"]
        return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return begin


def _finish(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, orjson.loads(out) if out else {}, err


def _slow(plan_path: Path) -> None:
    """Steps that take long enough to be interrupted."""
    text = plan_path.read_text()
    plan_path.write_text(text.replace('"train.batch_size=2"', '"train.batch_size=2", "trouble.seconds=0.25"'))


def _wait_for_step(run: Path, step: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (run / "environment.json").is_file() and RunFolder(run).status().step >= step:
            return
        time.sleep(0.05)
    raise AssertionError(f"{run} did not reach step {step}")


def _wait_for_resume(run: Path, count: int) -> None:
    """Until the run was resumed so often and has trained on."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        resumed = _events(run, "resume")
        if len(resumed) == count and RunFolder(run).status().step > resumed[-1]["step"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{run} was not resumed {count} times")


def _events(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in RunFolder(run).events() if event["kind"] == kind]


def test_everything_is_made_once_and_kept_afterwards(start: Start, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, table, said = _finish(start("--jobs", "2", "--row", "continued"))
    assert code == 0, said
    states = {row["row"]: row["state"] for row in table["rows"]}
    # the row that it starts from is trained, but was not asked to be measured
    assert states == {"first": "trained, not measured", "other-seed": "not run", "continued": "finished"}
    assert {path.name for path in (out / "continued").iterdir()} >= {
        "points.json", "run", "pred.json", "result.json", "pictures", "log.txt",
    }  # fmt: skip
    result = orjson.loads((out / "continued" / "result.json").read_bytes())
    assert result["training"]["steps"] == {"first": 12} and result["training"]["seconds"] > 0
    assert result["machine"]["device"] == "cpu" and result["machine"]["threads"] == 1
    assert set(result["ap"]) == set(result["boxes_filled"]) == {"100", "500"}
    assert result["versions"]["pointanno"] and len(result["recipe"]["sha256"]) == 64
    assert RunFolder(out / "continued" / "run").arguments().init == out / "first" / "run"
    assert len(list((out / "continued" / "pictures").glob("*.png"))) == 3
    # a second look measures what is missing and trains nothing again
    stamp = (out / "continued" / "result.json").stat().st_mtime_ns
    code, table, said = _finish(start("--row", "first", "--row", "continued"))
    assert code == 0 and "first      trained before, kept" in said and "continued  finished before, kept" in said
    assert (out / "continued" / "result.json").stat().st_mtime_ns == stamp
    assert len(_events(out / "first" / "run", "hello")) == 1
    assert [row["state"] for row in table["rows"]] == ["finished", "not run", "finished"]
    assert "not run" in (out / "table.md").read_text(encoding="utf-8")
    assert orjson.loads((out / "table.json").read_bytes())["rows"][2]["of_twin"] is not None


def test_interrupted_in_every_way_it_goes_on(start: Start, plan_path: Path, tmp_path: Path) -> None:
    """Ctrl-C, then the training is killed, then the benchmark is killed; four commands make one training."""
    _slow(plan_path)
    run = tmp_path / "out" / "first" / "run"
    process = start("--row", "first")
    _wait_for_step(run, 2)
    process.send_signal(signal.SIGINT)
    code, table, said = _finish(process)
    assert code == 130 and table["is_stopped"] and "stopped at step" in said
    stopped = RunFolder(run).status().step
    assert 2 <= stopped < 7 and RunFolder(run).checkpoint("last") is not None
    assert _events(run, "end")[-1]["reason"] == "stopped"

    process = start("--row", "first")
    _wait_for_step(run, 7)
    worker = RunFolder(run).status().pid
    assert worker is not None and worker != process.pid
    os.kill(worker, signal.SIGKILL)
    code, table, said = _finish(process)
    assert code == 2 and f"training goes on at step {stopped} of 12" in said
    assert "1 of the rows failed, first first" in said
    assert table["rows"][0]["state"].startswith("lost at step")

    process = start("--row", "first")
    _wait_for_resume(run, 2)
    RunFolder(run).request_pause()  # so that the training is not over before somebody follows it
    process.kill()
    process.communicate()
    worker = RunFolder(run).status().pid
    follower = start("--row", "first")
    assert follower.stderr is not None
    assert follower.stderr.readline() == f"[1/1] first  process {worker} is training already; waiting for it\n"
    RunFolder(run).request_pause(False)
    code, table, said = _finish(follower)
    assert code == 0, said
    assert table["rows"][0]["state"] == "finished"
    assert [event["step"] for event in _events(run, "step")] == list(range(1, 13))
    # the last checkpoint before the training was killed is that of step 5, or the one that Ctrl-C left
    assert [event["step"] for event in _events(run, "resume")] == [stopped, max(stopped, 5)]
    seconds = orjson.loads((tmp_path / "out" / "first" / "result.json").read_bytes())["training"]["seconds"]
    assert seconds >= 12 * 0.25


def test_another_training_in_a_rows_place_is_refused_and_left_alone(
    start: Start, data: Path, plan_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    descriptor, plan = read_plan("toy_points", plan_path)
    row = resolve_row(plan, plan.rows[0], descriptor, schedule="small", steps=None, data=data, out=out)
    row.folder.mkdir(parents=True)
    points = simulate(read_dataset(row.train_truth), "box-points", n=10, seed=0)
    write_points(points, row.training_data)
    create_run(
        TrainArguments(row.training_data, row.train_images, "toy_points", overrides=row.overrides, steps=2), row.run
    )
    before = {path.name: path.stat().st_mtime_ns for path in row.run.iterdir()}
    code, _, said = _finish(start("--row", "first"))
    assert code == 2
    assert said.strip().splitlines()[-1] == (
        f"pointanno: {out}/first/run: this run is not the training of row first: the number of steps is 2 instead of "
        "12. Move the folder away, or name another --out"
    )
    assert {path.name: path.stat().st_mtime_ns for path in row.run.iterdir()} == before


def test_a_row_is_worked_on_once_at_a_time(toy_installed: None, data: Path, plan_path: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "first").mkdir(parents=True)
    with FileLock(tmp_path / "out" / "first" / "row.lock"):
        outcome = run_benchmark(_options(data, tmp_path / "out", plan_path, rows=("first", "continued")), print)
    assert "another benchmark works on this row" in outcome.failures["first"]
    assert outcome.failures["continued"] == "it starts from first, which failed"


def _options(given_data: Path, out: Path, plan: Path, **changes: Any) -> Options:
    values = {"system": "toy_points", "data": given_data, "out": out, "plan": plan, "device": "cpu"}
    return Options(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"jobs": 0}, "--jobs 0: expected at least 1"),
        ({"steps": 0}, "--steps 0: expected at least 1"),
        ({"threads": 0}, "--threads 0: expected at least 1"),
        ({"rows": ("nobody",)}, "--row 'nobody': there is no such row; the rows are first, other-seed, continued"),
        ({"schedule": "huge"}, "--schedule 'huge': this benchmark has small, gpu; name one of them"),
        ({"data": Path("nowhere")}, "nowhere: --data must be an existing folder"),
    ],
)
def test_options_that_cannot_work(
    toy_installed: None, data: Path, plan_path: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as refused:
        run_benchmark(_options(data, tmp_path / "out", plan_path, **changes), print)
    assert sentence in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_keeps_the_schedule_that_it_was_begun_with(
    toy_installed: None, data: Path, plan_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    descriptor, plan = read_plan("toy_points", plan_path)

    def channels(**changes: Any) -> int:
        rows = resolve_rows(_options(data, tmp_path / "out", plan_path, **changes), descriptor, plan)
        return int(rows[0].recipe["network"]["channels"])

    assert channels(schedule="gpu") == 8
    assert channels() == 8
    with pytest.raises(InputError, match="was begun with 'gpu'; name another --out"):
        channels(schedule="small")


def test_half_a_run_folder_is_made_anew_and_anything_else_is_left(tmp_path: Path) -> None:
    from pointanno.benchmark.row_job import _remove_unfinished_creation, in_words

    run = tmp_path / "run"
    _remove_unfinished_creation(run)
    (run / "checkpoints").mkdir(parents=True)
    (run / "recipe.toml").write_text("")
    _remove_unfinished_creation(run)
    assert not run.exists()
    (run / "checkpoints" / "last").mkdir(parents=True)
    with pytest.raises(InputError, match="environment.json is missing"):
        _remove_unfinished_creation(run)
    assert (run / "checkpoints" / "last").is_dir()
    assert [in_words(seconds) for seconds in (40.4, 89.9, 719, 3900)] == ["40 s", "90 s", "12 min", "1 h 05 min"]
