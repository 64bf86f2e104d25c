"""Workers that answer, workers that do not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pointanno.runs import RunFolder
from pointanno.runs.process import write_worker_file
from pointanno.runs.stopping import Stopping, seconds_a_step

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
POLITE = "import time; print('up', flush=True); time.sleep(600)"
PARENT = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {DEAF!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""

Start = Callable[[str], tuple[RunFolder, subprocess.Popen[bytes], bytes]]


def step(number: int, seconds: float) -> dict[str, Any]:
    return {"kind": "step", "time": seconds, "stage": "train", "step": number, "steps": 9, "loss": 1.0}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A run folder with a process that stands in for its worker."""
    made: list[subprocess.Popen[bytes]] = []

    def begin(code: str) -> tuple[RunFolder, subprocess.Popen[bytes], bytes]:
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "environment.json").write_text(json.dumps({"arguments": {"data": "d.json", "images": "i"}}))
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        made.append(process)
        assert process.stdout is not None
        said = process.stdout.readline()
        write_worker_file(folder / "worker.json", process.pid)
        later = time.time() + 1
        events = [{"kind": "hello", "time": later, "stages": ["train"]}, step(1, later + 1), step(2, later + 2)]
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        return RunFolder(folder), process, said

    yield begin
    for process in made:
        assert process.stdout is not None
        process.stdout.close()
        process.kill()
        process.wait()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_that_answers_is_never_signalled(start: Start) -> None:
    run, process, _ = start(DEAF)
    clock = Clock()
    stopping = Stopping(run, clock=clock)
    assert run.control()["stop"] is True
    clock.now = 9.9
    assert stopping.look() == "asked"
    assert stopping.sentence().endswith("is told to end in 0 s")
    with run.events_file.open("a") as file:
        file.write(json.dumps({"kind": "end", "time": time.time() + 5, "reason": "stopped"}) + "\n")
    assert stopping.look() == "ended"
    clock.now = 100
    assert stopping.look() == "ended"
    assert process.poll() is None


def test_after_ten_seconds_the_worker_is_terminated(start: Start) -> None:
    run, process, _ = start(POLITE)
    clock = Clock()
    stopping = Stopping(run, clock=clock)
    clock.now = 10
    assert stopping.look() == "terminated"
    assert process.wait(10) == -15
    assert stopping.look() == "ended"
    status = run.status()
    assert (status.state, status.step) == ("stopped", 2)
    assert "ended before it could write a checkpoint; Resume goes on from the beginning" in status.message
    assert run.control() == {}, "a worker that resumes must not find the old request"


def test_after_twenty_seconds_the_tree_is_killed(start: Start) -> None:
    run, process, said = start(PARENT)
    child = psutil.Process(int(said))
    clock = Clock()
    stopping = Stopping(run, clock=clock)
    clock.now = 10
    assert stopping.look() == "terminated"
    clock.now = 19.9
    assert stopping.look() == "terminated"
    assert process.poll() is None and "killed in 0 s" in stopping.sentence()
    clock.now = 20
    assert stopping.look() == "killed"
    assert process.wait(10) == -9
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert run.status().state == "stopped"
    assert "was killed" in run.status().message
    assert stopping.look() == "killed"
    kinds = [event["kind"] for event in run.events()]
    assert kinds.count("end") == 1


def test_steps_that_take_long_are_waited_for(start: Start) -> None:
    """Steps of 30 s: the signal comes after twice that, the kill 10 s later."""
    run, _, _ = start(DEAF)
    later = time.time() + 10
    run.events_file.write_text("".join(json.dumps(step(n, later + 30 * n)) + "\n" for n in range(1, 4)))
    assert seconds_a_step(run) == pytest.approx(30)
    clock = Clock()
    stopping = Stopping(run, clock=clock)
    clock.now = 59
    assert stopping.look() == "asked"
    clock.now = 60
    assert stopping.look() == "terminated"
    clock.now = 70
    assert stopping.look() == "killed"


def test_a_run_of_another_machine_can_only_be_asked(start: Start) -> None:
    run, process, _ = start(POLITE)
    worker = json.loads(run.worker_file.read_text())
    run.worker_file.write_text(json.dumps(worker | {"host": "elsewhere"}))
    clock = Clock()
    stopping = Stopping(run, clock=clock)
    clock.now = 100
    assert stopping.look() == "asked"
    assert process.poll() is None and run.control()["stop"] is True
