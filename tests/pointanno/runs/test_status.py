from __future__ import annotations

import os
import time
from typing import Any

import pytest

from pointanno.runs.status import RunStatus, status_from_events

ALIVE: dict[str, Any] = {"pid": os.getpid(), "host": os.uname().nodename}
DEAD: dict[str, Any] = {"pid": 2**22 + 1, "host": os.uname().nodename}
NOW = time.time()

HELLO = {"kind": "hello", "time": NOW, "stages": ["train"]}
STAGE = {"kind": "stage", "time": NOW, "stage": "train", "step": 0, "steps": 9}
STEP = {
    "kind": "step",
    "time": NOW,
    "stage": "train",
    "step": 3,
    "steps": 9,
    "loss": 0.5,
    "losses": {"a": 0.5},
    "eta_s": 6.0,
}
STOPPED = {"kind": "end", "time": NOW, "reason": "stopped"}
FINISHED = {"kind": "end", "time": NOW, "reason": "finished"}
ERROR = {"kind": "error", "time": NOW, "message": "no memory"}
RESUME = {"kind": "resume", "time": NOW, "stage": "train", "step": 3, "steps": 9}


def look(events: list[dict[str, Any]], worker: dict[str, Any] | None, **control: bool) -> RunStatus:
    return status_from_events(events, control=control, worker=worker, launched=NOW - 1 if worker else None)


@pytest.mark.parametrize(
    ("events", "worker", "control", "state"),
    [
        ([], ALIVE, {}, "starting"),
        ([HELLO, STAGE], ALIVE, {}, "starting"),  # the first step is slow
        ([HELLO, STAGE, STEP], ALIVE, {}, "running"),
        ([HELLO, STAGE, STEP], ALIVE, {"stop": True}, "stopping"),
        ([HELLO, STAGE, STEP, STOPPED], DEAD, {}, "stopped"),
        ([HELLO, STAGE, STEP, STOPPED], ALIVE, {}, "stopped"),  # about to exit
        ([HELLO, STAGE, STEP, FINISHED], DEAD, {}, "finished"),
        ([HELLO, STAGE, STEP, ERROR], DEAD, {}, "failed"),
        ([HELLO, STAGE, STEP], DEAD, {}, "lost"),
        ([], DEAD, {}, "lost"),
        ([], None, {}, "stopped"),  # created, never started
        ([HELLO, STEP, ERROR, HELLO, RESUME, STEP], ALIVE, {}, "running"),
    ],
)
def test_state(
    events: list[dict[str, Any]], worker: dict[str, Any] | None, control: dict[str, bool], state: str
) -> None:
    assert look(events, worker, **control).state == state


def test_numbers_and_message() -> None:
    val = {"kind": "val", "time": NOW, "metric": "ap", "value": 0.25}
    status = look([HELLO, STAGE, STEP, val, {**val, "value": 0.2}], ALIVE)
    assert (status.stage, status.step, status.steps, status.loss, status.eta_s) == ("train", 3, 9, 0.5, 6.0)
    assert (status.best, status.metric, status.losses) == (0.25, "ap", {"a": 0.5})
    assert look([HELLO, STAGE, STEP, ERROR], DEAD).message == "no memory"
    assert "resumed" in look([HELLO, STAGE, STEP], DEAD).message
    assert look([HELLO, STAGE, STEP], ALIVE, pause=True).paused


def test_an_end_before_the_present_start_does_not_count() -> None:
    status = status_from_events([HELLO, STEP, STOPPED], control={}, worker=ALIVE, launched=NOW + 5)
    assert status.state == "starting"


def test_silent_worker_on_another_machine_is_lost_after_a_while() -> None:
    there = {"pid": 1, "host": "elsewhere"}
    # a whole suite may have run since this file was read
    fresh = [{**event, "time": time.time()} for event in (HELLO, STAGE, STEP)]
    assert status_from_events(fresh, control={}, worker=there, launched=NOW - 1).state == "running"
    old = [{**event, "time": NOW - 3600} for event in (HELLO, STAGE, STEP)]
    assert status_from_events(old, control={}, worker=there, launched=NOW - 3600).state == "lost"
