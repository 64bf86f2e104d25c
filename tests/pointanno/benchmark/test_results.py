"""Times and ends of trainings, told from their events."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from pointanno.benchmark.machine import describe, this_machine
from pointanno.benchmark.results import is_finished, recipe_hash, trained_steps, training_seconds
from pointanno.runs import RunFolder


def _event(kind: str, time: float, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "time": time, **fields}


def test_seconds_add_up_over_interruptions() -> None:
    """Stopped after 30 s by its own account, killed 12 s after its hello, ended after 50 s: 92, without the waits."""
    events = [
        _event("hello", 100.0), _event("step", 128.0, step=3), _event("end", 129.0, reason="stopped", seconds=30.0),
        _event("hello", 1000.0), _event("resume", 1001.0, step=3), _event("step", 1012.0, step=4),
        _event("hello", 5000.0), _event("resume", 5001.0, step=4), _event("step", 5048.0, step=9),
        _event("end", 5049.0, reason="finished", seconds=50.0),
    ]  # fmt: skip
    assert training_seconds(events) == 92.0
    assert training_seconds(events[:3]) == 30.0
    assert training_seconds([]) == 0.0


def test_steps_of_all_stages() -> None:
    events = [_event("stage", 1.0, stage="train", steps=40, step=0), _event("stage", 2.0, stage="retrain", steps=20),
              _event("stage", 3.0, stage="retrain", steps=20, step=10)]  # fmt: skip
    assert trained_steps(events) == {"train": 40, "retrain": 20}


def test_a_copied_run_is_still_finished(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("{}")
    (tmp_path / "worker.json").write_text('{"pid": 1, "created": 0.0, "host": "elsewhere"}')  # newer than the events

    def after(*events: dict[str, Any]) -> bool:
        (tmp_path / "events.jsonl").write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
        os.utime(tmp_path / "worker.json")
        return is_finished(RunFolder(tmp_path))

    hello, end = _event("hello", 1.0), _event("end", 2.0, reason="finished")
    assert after(hello, end)
    assert not after(hello)
    assert not after(hello, end, hello)
    assert not after(hello, _event("end", 2.0, reason="stopped"))
    assert not after(hello, end, _event("error", 3.0, message=""))
    assert not after()


def test_hash_of_settings_does_not_depend_on_their_order() -> None:
    assert recipe_hash({"a": 1, "b": {"c": 2, "d": 3}}) == recipe_hash({"b": {"d": 3, "c": 2}, "a": 1})
    assert recipe_hash({"a": 1}) != recipe_hash({"a": 2})


def test_machines_in_words() -> None:
    here = this_machine()
    assert here["cores"] >= 1 and here["cpu"]
    two = {"host": "a", "cpu": "AMD EPYC", "cores": 2}
    one = {"host": "b", "cpu": "Intel", "cores": 1}
    assert describe([two], device="cpu", device_name="cpu", threads=1) == "AMD EPYC, 2 cores, 1 thread"
    assert describe([two, one], device="cpu", device_name="cpu", threads=2) == (
        "AMD EPYC, 2 cores and Intel, 1 core, 2 threads"
    )
    assert describe([two], device="cuda", device_name="NVIDIA H200", threads=8) == "NVIDIA H200 (AMD EPYC, 2 cores)"
    assert describe([], device="cpu", device_name="cpu", threads=None) == "unknown processor"
