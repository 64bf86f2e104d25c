from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pointanno.runs.process import is_alive, lower_priority, read_worker_file, write_worker_file


def test_an_ended_process_is_told_from_a_later_one_of_the_same_id(tmp_path: Path) -> None:
    path = tmp_path / "worker.json"
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    write_worker_file(path, process.pid)
    worker = read_worker_file(path)
    assert worker is not None
    assert is_alive(worker) is True
    assert is_alive({**worker, "created": worker["created"] - 100}) is False
    process.communicate(b"\n")
    assert is_alive(worker) is False


def test_another_machine_cannot_be_seen() -> None:
    assert is_alive({"pid": os.getpid(), "host": "elsewhere", "created": None}) is None


def test_priority_is_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "nice", asked.append)
    lower_priority(10)
    assert asked == [10]


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not share by sessions")
def test_a_session_of_its_own_gives_way_and_a_terminal_does_not() -> None:
    code = (
        "from pointanno.runs.process import lower_priority\n"
        "lower_priority(7)\n"
        "print(open('/proc/self/autogroup').read())"
    )
    own = subprocess.run(
        [sys.executable, "-c", code], start_new_session=True, capture_output=True, text=True, check=True
    )
    assert own.stdout.split()[-1] == "7"
    before = Path("/proc/self/autogroup").read_text()  # empty for the sessions that began with the system
    shared = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shared.stdout.strip() == before.strip() == Path("/proc/self/autogroup").read_text().strip()
