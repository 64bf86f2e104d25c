"""Starting workers that outlive whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.runs.arguments import TrainArguments
from pointanno.runs.creation import create_run
from pointanno.runs.folder import RunFolder
from pointanno.runs.process import write_worker_file

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.runs.warm import WarmWorker

WORKER = "pointanno_models.engine.worker"
"""By name: the core does not import the engine."""

NICE = 10

_STARTED: list[subprocess.Popen[bytes]] = []
"""Keeps the handles: Python warns when one is collected while its process lives, which is intended here."""


def start_training(
    arguments: TrainArguments | list[str], run: Path, *, warm: WarmWorker | None = None
) -> subprocess.Popen[bytes]:
    """Create a run folder and start a worker on it, detached and with low priority.

    Parameters
    ----------
    arguments : TrainArguments or list of str
        The options, or the words of ``pointanno train`` (without ``--run``).
    run : path
        The folder to create.
    warm : WarmWorker, optional
        If it has a worker that waits, this is used; the first step comes some seconds earlier then.

    Returns
    -------
    Popen
        The worker; it survives this process. Watch it by `RunFolder`, not by the handle.

    Raises
    ------
    InputError
        If the options cannot work; nothing is left behind.
    """
    if not isinstance(arguments, TrainArguments):
        arguments = _parse(arguments)
    return start_worker(create_run(arguments, run), warm=warm)


def resume(run: RunFolder | Path, *, warm: WarmWorker | None = None) -> subprocess.Popen[bytes]:
    """Start a worker that goes on from the last checkpoint.

    Raises
    ------
    InputError
        If the run is active or finished.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    check_resumable(folder)
    folder.clear_control()
    return start_worker(folder, warm=warm)


def check_resumable(run: RunFolder) -> None:
    """Refuse to resume what runs or is complete.

    Raises
    ------
    InputError
        With what to do instead.
    """
    status = run.status()
    if status.is_active:
        raise InputError(f"{run.path}: process {status.pid} is training this run; stop it first (`pointanno stop`)")
    if status.state == "finished":
        raise InputError(
            f"{run.path}: the run is finished ({status.step} of {status.steps} steps); to train on, start a new "
            f"run with `--init {run.path}`"
        )


def _parse(words: list[str]) -> TrainArguments:
    from pointanno.cli.train_command import arguments_from_words

    return arguments_from_words(words)


def start_worker(run: RunFolder, *, warm: WarmWorker | None = None) -> subprocess.Popen[bytes]:
    """Start a worker on a run folder, or turn one that waits to it; its output goes to ``log.txt``."""
    process = None
    if warm is not None and run.arguments().devices == 1:  # several devices are torchrun's business
        process = warm.give(run)
    if process is None:
        with run.log_file.open("ab") as log:
            process = worker_process([str(run.path)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    write_worker_file(run.worker_file, process.pid)
    _STARTED.append(process)
    return process


def worker_process(words: list[str], *, stdin: int, stdout: int | IO[bytes], stderr: int) -> subprocess.Popen[bytes]:
    """A worker that a closed terminal or window does not end, with low priority."""
    command = [sys.executable, "-m", WORKER, *words, "--nice", str(NICE)]
    detached: dict[str, object]
    if os.name == "nt":
        # CREATE_NEW_PROCESS_GROUP and CREATE_NO_WINDOW: no console that could close it
        detached = {"creationflags": 0x00000200 | 0x08000000}
    else:
        detached = {"start_new_session": True}
    # threads that wait for one another sleep instead of spinning: beside a window, and at low priority, spinning
    # costs more than half of the speed
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    process = subprocess.Popen(
        command, stdin=stdin, stdout=stdout, stderr=stderr, close_fds=True, env=environment, **detached
    )  # type: ignore[call-overload]
    assert isinstance(process, subprocess.Popen)
    return process
