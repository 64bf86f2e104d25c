from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from pointanno.runs import RunFolder
from pointanno_models.engine.control import Control


def test_stop_by_file(make_run: Callable[..., RunFolder]) -> None:
    run = make_run("run")
    control = Control(run)
    assert not control.is_stop_asked
    run.request_stop()
    assert control.is_stop_asked
    run.clear_control()
    assert not control.is_stop_asked


def test_stop_by_signal_and_at_once_by_a_second(make_run: Callable[..., RunFolder]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Control(make_run("run")) as control:
        os.kill(os.getpid(), signal.SIGINT)
        assert control.is_stop_asked
        os.kill(os.getpid(), signal.SIGTERM)  # a cluster that asks twice is no reason to hurry
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def test_pause_ends_when_asked(make_run: Callable[..., RunFolder]) -> None:
    run = make_run("run")
    control = Control(run)
    told: list[str] = []
    assert not control.wait_while_paused(lambda: told.append("paused"))
    assert told == []
    run.request_pause()
    timer = threading.Timer(0.1, run.request_pause, args=(False,))
    timer.start()
    assert control.wait_while_paused(lambda: told.append("paused"))
    timer.join()
    assert told == ["paused"] and run.control() == {"pause": False}
    # a stop ends a pause
    run.request_pause()
    run.request_stop()
    control.wait_while_paused(lambda: told.append("again"))
    assert told == ["paused"]
