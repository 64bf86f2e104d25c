"""The worker as a process of its own: killed, stopped, resumed, started by the window."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.errors import InputError
from pointanno.runs import RunFolder, TrainArguments, resume, start_training
from pointanno_models.engine.checkpoints import read_state, read_weights
from pointanno_models.engine.worker import main, train

MakeRun = Callable[..., RunFolder]

WORKER = [sys.executable, "-m", "pointanno_models.engine.worker"]


def losses(run: RunFolder) -> list[tuple[str, int, float]]:
    return [(e["stage"], e["step"], e["loss"]) for e in run.events() if e["kind"] == "step"]


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_moving(run: RunFolder, before: int, process: subprocess.Popen[bytes]) -> bool:
    return len(losses(run)) != before or process.poll() is not None


def check_checkpoint(run: RunFolder) -> None:
    """Whatever the pointers name is complete and can be read."""
    for name in ("last", "best"):
        checkpoint = run.checkpoint(name)
        if checkpoint is not None:
            assert read_weights(checkpoint)
            assert read_weights(checkpoint, training=True)
            assert read_state(checkpoint)["step"] > 0


def test_killed_worker_is_lost_and_resumes_to_the_same_losses(make_run: MakeRun) -> None:
    whole, killed = make_run("whole", "train.checkpoint_every=2"), make_run("killed", "train.checkpoint_every=2")
    train(whole)
    # a longer sleep in each step of the first run gives the signal a moment to arrive in
    slow = killed.recipe_file.read_text()
    killed.recipe_file.write_text(slow.replace("seconds = 0.0", "seconds = 0.05"))
    process = subprocess.Popen([*WORKER, str(killed.path)])
    wait_until(lambda: len(losses(killed)) >= 5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert killed.status().state == "lost"
    check_checkpoint(killed)
    killed.recipe_file.write_text(slow)
    assert train(killed)["reason"] == "finished"
    assert losses(killed) == losses(whole)
    assert any(event["kind"] == "resume" and event["step"] >= 4 for event in killed.events())


@pytest.mark.slow
def test_sigkill_at_random_moments(make_run: MakeRun) -> None:
    overrides = ("train.checkpoint_every=1", "train.steps=40", "trouble.seconds=0.01")
    whole, killed = make_run("whole", *overrides), make_run("killed", *overrides)
    train(whole)
    rng = np.random.default_rng(0)
    for _ in range(8):
        before = len(losses(killed))
        process = subprocess.Popen([*WORKER, str(killed.path)])
        wait_until(functools.partial(is_moving, killed, before, process))
        time.sleep(float(rng.uniform(0, 0.4)))
        process.kill()
        process.wait()
        check_checkpoint(killed)
    train(killed)
    assert losses(killed) == losses(whole)


def test_started_by_the_window_stopped_and_resumed(toy_data: Any, tmp_path: Path) -> None:
    arguments = TrainArguments(
        data=toy_data.points, images=toy_data.images, system="toy_points", device="cpu",
        overrides=("trouble.seconds=0.05", "train.steps=400"),
    )  # fmt: skip
    process = start_training(arguments, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    assert run.status().state == "starting"
    wait_until(lambda: run.status().state == "running" and run.status().step >= 2)
    assert run.status().pid == process.pid
    assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
    assert os.getsid(process.pid) != os.getsid(0), "the worker must outlive the window"
    with pytest.raises(InputError, match="is training this run"):
        resume(run)
    run.request_stop()
    steps = run.status().step
    assert process.wait(20) == 0
    assert run.status().state == "stopped"
    assert run.status().step <= steps + 2
    assert run.checkpoint("last") is not None


@pytest.mark.slow
def test_resumed_by_the_window_and_ended_by_a_signal(make_run: MakeRun) -> None:
    run = make_run("run", "trouble.seconds=0.05", "train.steps=400")
    train(run, listener=lambda event: run.request_stop() if event["kind"] == "step" else None)
    steps = run.status().step
    process = resume(run)
    assert run.status().state == "starting"
    wait_until(lambda: run.status().state == "running" and run.status().step > steps)
    # a second worker is told so instead of waiting for the lock
    with pytest.raises(InputError, match="another process is training"):
        train(run)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(20) == 0
    assert run.status().state == "stopped"


def test_worker_ends_with_a_sentence_for_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    assert "no such run folder" in capsys.readouterr().err


@pytest.mark.slow
def test_samples_from_worker_processes_are_the_same(make_run: MakeRun) -> None:
    here, there = make_run("here", "train.steps=6"), make_run("there", "train.steps=6", "train.workers=2")
    train(here)
    train(there)
    assert losses(here) == losses(there)


@pytest.mark.slow
def test_two_processes_give_nearly_the_losses_of_one(make_run: MakeRun) -> None:
    settings = ("train.batch_size=4", "train.steps=3", 'network.stages=["first"]')
    one, two = make_run("one", *settings), make_run("two", *settings, devices=2)
    train(one)
    assert main([str(two.path)]) == 0
    assert two.status().state == "finished"
    # batch statistics and dropout differ between one and two processes, the first loss hardly
    assert losses(two)[0][2] == pytest.approx(losses(one)[0][2], rel=0.2)
