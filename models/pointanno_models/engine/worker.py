"""The process that trains: ``python -m pointanno_models.engine.worker RUN`` does what the run folder says.

With ``--wait`` instead of a run it imports everything, says ``ready`` on standard output, and waits for a line
``{"run": FOLDER}`` on standard input; when its input closes before, it ends. From that line on it is a worker like
any other: it holds none of the pipes any more, so whoever started it may end.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from filelock import FileLock, Timeout

from pointanno.errors import InputError
from pointanno.runs.folder import RunFolder
from pointanno.runs.process import lower_priority, write_worker_file
from pointanno.runs.ranks import this_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.runs.events import Event


def train(run: RunFolder, *, listener: Callable[[Event], None] | None = None) -> dict[str, Any]:
    """Train in this process, from the last checkpoint if there is one.

    Parameters
    ----------
    run : RunFolder
    listener : function of an event, optional
        Called with everything that is written to ``events.jsonl``.

    Returns
    -------
    dict
        `reason` ("finished" or "stopped"), `stage`, `step`, `steps`, `best`, `loss`, `seconds`.

    Raises
    ------
    InputError
        If something outside of the program prevents it; also told as an event of kind `error`.
    """
    # imported here, after a priority was set: torch takes seconds
    from pointanno_models.engine import devices
    from pointanno_models.engine.control import Control
    from pointanno_models.engine.journal import Journal

    is_first = devices.global_rank() == 0
    lock = FileLock(run.path / "worker.lock")
    if is_first:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"{run.path}: another process is training this run; stop it first (`pointanno stop`)"
            ) from None
    try:
        if is_first:
            write_worker_file(run.worker_file, os.getpid())
        journal = Journal(run, listener=listener, is_silent=not is_first)
        with Control(run) as control:
            return _train(run, journal, control, is_first=is_first)
    finally:
        lock.release()


def _train(run: RunFolder, journal: Any, control: Any, *, is_first: bool) -> dict[str, Any]:
    """Train and turn every end into an event."""
    import torch

    from pointanno_models.engine import devices
    from pointanno_models.engine.fit import Fit

    began = time.perf_counter()
    try:
        outcome = asdict(Fit(run, journal, control).run())
        devices.part()
    except InputError as error:
        journal.emit("error", message=str(error), input=True)
        journal.log(f"error: {error}")
        raise
    except torch.OutOfMemoryError as error:
        sentence = "the GPU memory is full; lower the picture or crop size with --set, or use --device cpu"
        journal.emit("error", message=sentence, input=True)
        journal.log(f"error: {sentence}")
        raise InputError(sentence) from error
    except BaseException as error:
        if operation := devices.unrepeatable_operation(error):
            sentence = (
                f"--deterministic: {operation} has no repeatable form on this device; train without the option, or on "
                "--device cpu, where all operations are repeatable with --threads 1"
            )
            journal.emit("error", message=sentence, input=True)
            journal.log(f"error: {sentence}")
            raise InputError(sentence) from error
        what = (
            "interrupted by the keyboard"
            if isinstance(error, KeyboardInterrupt)
            else f"{type(error).__name__}: {error}"
        )
        journal.emit("error", message=f"{what}; the details are in {run.log_file}", input=False)
        journal.log("".join(traceback.format_exception(error)))
        raise
    outcome["seconds"] = round(time.perf_counter() - began, 2)
    if is_first and outcome["reason"] == "stopped":
        run.clear_control()
    journal.emit("end", **outcome)
    journal.log(f"{outcome['reason']} at step {outcome['step']} of {outcome['steps']}")
    return outcome


def train_on_several(run: RunFolder, devices: int) -> int:
    """Train on several devices of this machine under torchrun and return its exit code.

    A signal becomes a request to stop: torchrun itself would kill its processes half a minute later.
    """
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(devices)),
        *("-m", "pointanno_models.engine.worker", str(run.path)),
    ]
    # a session of its own, so that Ctrl-C in the terminal reaches this process only
    process = subprocess.Popen(command, stdout=sys.stderr, start_new_session=os.name != "nt")
    before = {
        number: signal.signal(number, lambda *_: run.request_stop()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_run() -> Path | None:
    """Import what a training needs, then wait to be told a run folder; None if the input closed instead.

    Afterwards standard input is empty and everything printed goes to the run's log.
    """
    _import_all()
    with contextlib.suppress(OSError):  # whoever started it may have given it a run already, and ended
        os.write(sys.stdout.fileno(), b"ready\n")
    line = sys.stdin.buffer.readline()
    try:
        run = Path(orjson.loads(line)["run"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    log = os.open(run / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    os.close(log)
    return run


def _import_all() -> None:
    """Everything that a first step would import; no numbers are drawn and no accelerator is touched."""
    import torch

    from pointanno.systems import available_systems, load_system

    importlib.import_module("pointanno_models.engine.fit")
    for name in available_systems():
        try:
            load_system(name).load()
        except (InputError, ImportError) as error:  # the run that needs it will say so
            print(f"{name}: {error}", file=sys.stderr)
    # the first optimiser imports torch's compiler, which takes longer than torch itself
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])


def main(arguments: list[str] | None = None) -> int:
    """Train a run folder; exit code 0 done or stopped, 2 bad input, 1 an error of ours."""
    parser = argparse.ArgumentParser(prog="pointanno_models.engine.worker", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("run", type=Path, nargs="?")
    what.add_argument("--wait", action="store_true", help="import everything and wait for a run on standard input")
    parser.add_argument("--nice", type=int, default=0, help="give way to other processes (10 for the window)")
    options = parser.parse_args(arguments)
    if options.nice:
        lower_priority(options.nice)
    path = options.run
    if options.wait:
        try:
            path = wait_for_run()
        except KeyboardInterrupt:
            return 130
        if path is None:
            return 0
    try:
        run = RunFolder(path)
        devices = run.arguments().devices
        if devices > 1 and not this_process().launcher:
            return 0 if train_on_several(run, devices) == 0 else 2
        train(run)
    except InputError as error:
        print(f"pointanno: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
