"""Workers that wait, and what is left of a worker after each kind of end: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pointanno.errors import InputError
from pointanno.runs import RunFolder, TrainArguments, WarmWorker, start_training, start_worker
from pointanno.runs.process import process_tree, read_worker_file
from pointanno.runs.stopping import stop_and_wait

MakeRun = Callable[..., RunFolder]

SLOW = ("trouble.seconds=0.05", "train.steps=400")


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def trained(run: RunFolder, steps: int = 1) -> bool:
    return bool(run.status().step >= steps)


@pytest.fixture
def warm() -> Iterator[WarmWorker]:
    made = WarmWorker()
    made.start()
    yield made
    made.close()
    assert made.pid is None


def arguments(toy_data: Any, *overrides: str) -> TrainArguments:
    return TrainArguments(
        data=toy_data.points, images=toy_data.images, system="toy_points", device="cpu", overrides=overrides
    )


def test_a_warm_worker_takes_the_run_and_is_like_any_other(warm: WarmWorker, toy_data: Any, tmp_path: Path) -> None:
    wait_until(lambda: warm.is_ready)
    pid = warm.pid
    assert pid is not None and os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert os.getsid(pid) != os.getsid(0), "the worker must outlive the window"
    process = start_training(arguments(toy_data, *SLOW), tmp_path / "run", warm=warm)
    assert process.pid == pid and warm.pid is None
    run = RunFolder(tmp_path / "run")
    assert run.status().state == "starting"
    wait_until(lambda: trained(run))
    warm.close()
    assert not is_gone(pid), "closing does not end a worker that has its run"
    assert os.path.realpath(f"/proc/{pid}/fd/0") == os.devnull
    assert os.path.realpath(f"/proc/{pid}/fd/1") == str(run.log_file.resolve())
    run.request_stop()
    assert process.wait(20) == 0
    assert run.status().state == "stopped" and run.checkpoint("last") is not None
    assert "stage first" in run.log_file.read_text()


@pytest.mark.slow
def test_a_run_may_be_given_before_the_imports_are_done(make_run: MakeRun) -> None:
    run = make_run("run", *SLOW)
    made = WarmWorker()
    made.start()
    process = start_worker(run, warm=made)
    assert made.pid is None
    wait_until(lambda: trained(run))
    run.request_stop()
    assert process.wait(20) == 0


@pytest.mark.slow
def test_without_a_waiting_worker_a_new_one_is_started(make_run: MakeRun) -> None:
    dead = WarmWorker()
    dead.start()
    assert dead.pid is not None
    os.kill(dead.pid, signal.SIGKILL)
    wait_until(lambda: dead.pid is None)
    run = make_run("run", *SLOW)
    process = start_worker(run, warm=dead)
    wait_until(lambda: trained(run))
    run.request_stop()
    assert process.wait(20) == 0
    dead.close()


@pytest.mark.slow
def test_the_same_numbers_as_a_cold_one(make_run: MakeRun) -> None:
    from pointanno_models.engine.worker import train

    cold, other = make_run("cold", "train.steps=4"), make_run("other", "train.steps=4")
    train(cold)
    made = WarmWorker()
    made.start()
    assert start_worker(other, warm=made).wait(60) == 0

    def losses(run: RunFolder) -> list[float]:
        return [event["loss"] for event in run.events() if event["kind"] == "step"]

    assert losses(other) == losses(cold) and len(losses(cold)) == 8


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_worker_that_waits_ends_with_its_window(end: str) -> None:
    """A window that is closed, and one that is killed."""
    code = """
        import sys, time
        from pointanno.runs import WarmWorker
        warm = WarmWorker()
        warm.start()
        print(warm.pid, flush=True)
        sys.stdin.readline()
    """
    window = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert window.stdin is not None and window.stdout is not None
    pid = int(window.stdout.readline())
    assert not is_gone(pid)
    if end == "kill":
        window.kill()
    window.stdin.close()
    window.wait(20)
    window.stdout.close()
    wait_until(lambda: is_gone(pid))


def test_a_warm_worker_survives_its_window(make_run: MakeRun) -> None:
    run = make_run("run", *SLOW)
    code = f"""
        from pointanno.runs import RunFolder, WarmWorker, start_worker
        warm = WarmWorker()
        warm.start()
        start_worker(RunFolder({str(run.path)!r}), warm=warm)
        warm.close()
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], check=True)
    wait_until(lambda: trained(run, 2))
    assert stop_and_wait(run) == "ended"
    assert run.status().state == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("end", ["finished", "stopped", "crashed", "killed"])
def test_nothing_of_a_worker_is_left(make_run: MakeRun, end: str) -> None:
    """Memory on a GPU belongs to a process: it is back when no process of the run is there any more."""
    settings = {"finished": ("train.steps=2",), "crashed": ("trouble.nan_at=0", "train.steps=400")}
    run = make_run("run", *settings.get(end, SLOW))
    if end == "crashed":  # a hundred steps without a finite loss
        run.recipe_file.write_text(run.recipe_file.read_text().replace("learning_rate = 0.02", "learning_rate = 1e30"))
    process = start_worker(run)
    worker = read_worker_file(run.worker_file)
    assert worker is not None and process_tree(worker)
    if end in ("stopped", "killed"):
        wait_until(lambda: trained(run))
        if end == "stopped":
            run.request_stop()
        else:
            process.kill()
    code = process.wait(60)
    assert process_tree(worker) == [] and is_gone(process.pid)
    expected = {
        "finished": (0, "finished"),
        "stopped": (0, "stopped"),
        "crashed": (2, "failed"),
        "killed": (-9, "lost"),
    }
    assert (code, run.status().state) == expected[end]


def test_two_things_at_once_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from pointanno_models.engine.worker import main

    for words in ([], [str(tmp_path), "--wait"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
    with pytest.raises(InputError):
        RunFolder(tmp_path / "none")
