"""Commands in child processes: their answers, their mistakes, their end."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pointanno.benchmark.children import Stop, Stopped, run_child
from pointanno.errors import InputError


@pytest.fixture(autouse=True)
def paths(toy_installed: None) -> None:
    """Children find this checkout."""


def test_answer_and_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    answer = run_child(["scenes", str(tmp_path / "scenes"), "--count", "1", "--size", "48"], log, Stop())
    assert (tmp_path / "scenes" / "instances.json").is_file() and answer
    assert "$ pointanno scenes" in log.read_text()


def test_a_failure_is_the_childs_own_sentence(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with pytest.raises(InputError) as refused:
        run_child(["stats", str(tmp_path / "absent.json")], log, Stop())
    assert str(refused.value) == (
        f"{tmp_path}/absent.json: there is no such file; check the name (`pointanno stats`; its words are in {log})"
    )


def test_a_child_is_ended_when_asked_and_none_begins_afterwards(tmp_path: Path) -> None:
    stop = Stop()
    # enough scenes for a minute
    words = ["scenes", str(tmp_path / "scenes"), "--count", "5000", "--size", "256"]
    threading.Timer(1.5, lambda: setattr(stop, "is_asked", True)).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        run_child(words, tmp_path / "log.txt", stop)
    assert time.monotonic() - began < 30
    with pytest.raises(Stopped):
        run_child(words, tmp_path / "other.txt", stop)
    assert not (tmp_path / "other.txt").exists()
