"""Which process works on a run, and whether it is still the same one."""

from __future__ import annotations

import os
import platform
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
    replace_json(path, {"pid": pid, "created": created, "host": platform.node()})


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


def lower_priority(amount: int = 10) -> None:
    """Give way to the window: ``nice`` on Unix, the class below normal on Windows."""
    if os.name == "nt":
        below_normal: int = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 16384)
        psutil.Process().nice(below_normal)
    else:
        os.nice(amount)
