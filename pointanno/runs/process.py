"""Which process works on a run, and whether it is still the same one."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from typing import TYPE_CHECKING, Any

import psutil

from pointanno.runs.atomic import read_json, replace_json

if TYPE_CHECKING:
    from pathlib import Path

_TOLERANCE_S = 2.0
"""Creation times of one process may differ by rounding; ids are not used again that fast."""


def write_worker_file(path: Path, pid: int) -> None:
    """Remember a process so that it can be told from a later one of the same id."""
    try:
        created: float | None = psutil.Process(pid).create_time()
    except psutil.Error:
        created = None
    replace_json(path, {"pid": pid, "created": created, "started": time.time(), "host": platform.node()})


def read_worker_file(path: Path) -> dict[str, Any] | None:
    """What `write_worker_file` wrote, None if nothing was."""
    return read_json(path)


def is_alive(worker: dict[str, Any]) -> bool | None:
    """True if the process runs, False if it ended; None if it is on another machine and cannot be seen."""
    if worker.get("host") != platform.node():
        return None
    try:
        process = psutil.Process(int(worker["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:  # ended; its parent has not asked yet
            return False
        created = worker.get("created")
        return created is None or abs(process.create_time() - float(created)) < _TOLERANCE_S
    except (psutil.Error, KeyError, ValueError):
        return False


def process_tree(worker: dict[str, Any]) -> list[psutil.Process]:
    """The worker and everything it started, itself first; empty if it is gone or on another machine."""
    if is_alive(worker) is not True:
        return []
    try:
        process = psutil.Process(int(worker["pid"]))
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def terminate(worker: dict[str, Any]) -> bool:
    """Send the worker the signal to end, which a healthy one takes as a wish to stop; False if it is gone."""
    tree = process_tree(worker)
    try:
        if tree:
            tree[0].terminate()
    except psutil.Error:
        return False
    return bool(tree)


def kill_tree(worker: dict[str, Any]) -> bool:
    """Kill the worker and everything it started; False if there was nothing to kill."""
    tree = process_tree(worker)
    for process in tree:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return bool(tree)


def lower_priority(amount: int = 10) -> None:
    """Give way to the window: ``nice`` on Unix, the class below normal on Windows."""
    if os.name == "nt":
        below_normal: int = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 16384)
        psutil.Process().nice(below_normal)
    else:
        os.nice(amount)
        _lower_session(amount)


def _lower_session(amount: int) -> None:
    """Give way between sessions too, if this process leads one of its own.

    Linux for desktops shares the processors between sessions first ("autogroup"), and ``nice`` decides only inside
    of one: a worker in a session of its own would get as much as the window with all its threads.
    """
    if os.getsid(0) != os.getpid():  # somebody's terminal
        return
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(str(amount))
