"""``pointanno stop``: ask a training to end with a checkpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit
from pointanno.errors import InputError


def stop_command(
    run: Path,
    *,
    wait: float = 0.0,
    force: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Ask a training to end after its current step, with a checkpoint to resume from.

    Example: `pointanno stop runs/2026-11-20_point_sup_small --wait 30`

    Parameters
    ----------
    run
        Run folder.
    wait
        Seconds to wait until it has ended; 0 returns at once.
    force
        Wait until it has ended: after 10 s without an answer (or twice the time of a step) the worker is told to
        terminate, 10 s later it is killed with everything it started; the run can be resumed from its last
        checkpoint.
    """
    from pointanno.runs import RunFolder
    from pointanno.runs.stopping import stop_and_wait

    folder = RunFolder(run)
    status = folder.status()
    if not status.is_active:
        emit(
            {"run": str(folder.path), "state": status.state},
            f"{folder.path}: not running ({status.state})",
            as_json=json,
        )
        return
    how = "asked"
    if force:
        how = stop_and_wait(folder)
    else:
        folder.request_stop()
    deadline = time.monotonic() + wait
    while folder.status().is_active and time.monotonic() < deadline:
        time.sleep(0.1)
    status = folder.status()
    if wait and status.is_active:
        raise InputError(
            f"{folder.path}: still running after {wait:g} s; it ends after its current step, look again later"
        )
    text = f"{folder.path}: {status.state} at step {status.step} of {status.steps}"
    if how == "killed":
        text += f" ({status.message})"
    emit(
        {"run": str(folder.path), "state": status.state, "step": status.step, "killed": how == "killed"},
        text,
        as_json=json,
    )
