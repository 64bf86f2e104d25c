"""All rows of a benchmark: those that others start from first, several at a time, each as if it were alone."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointanno.benchmark.children import Stop, Stopped
from pointanno.benchmark.machine import has_cuda, this_machine
from pointanno.benchmark.plan import read_plan, resolve_row
from pointanno.benchmark.row_job import RowJob
from pointanno.errors import InputError
from pointanno.runs.atomic import read_json, replace_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from pointanno.benchmark.plan import Plan, Row
    from pointanno.systems import SystemDescriptor

SMALL, GPU = "small", "gpu"
"""The schedule for a processor, and the longer one that is taken where CUDA is."""


@dataclass(frozen=True, slots=True)
class Options:
    """What ``pointanno benchmark`` is asked for."""

    system: str
    data: Path
    out: Path
    rows: tuple[str, ...] = ()
    """Rows to run, all if empty."""
    threads: int | None = None
    """Of each training; None shares the cores among the jobs."""
    jobs: int = 1
    """Rows at a time."""
    steps: int | None = None
    schedule: str | None = None
    """None is the one that the folder was begun with, else "gpu" where CUDA is, else "small"."""
    device: str = "auto"
    plan: Path | None = None

    def check(self) -> None:
        """Refuse what cannot work.

        Raises
        ------
        InputError
            Names the option.
        """
        for name, value in (("--jobs", self.jobs), ("--threads", self.threads), ("--steps", self.steps)):
            if value is not None and value < 1:
                raise InputError(f"{name} {value}: expected at least 1")
        if not self.data.is_dir():
            raise InputError(f"{self.data}: --data must be an existing folder with the data sets, but there is none")
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"{self.out}: --out must be a folder, but this is a file; name another one")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is when the command ends."""

    plan: Plan
    rows: tuple[Row, ...]
    """All of the plan, whether they were run or not."""
    failures: dict[str, str]
    """Sentences by row."""
    is_stopped: bool


def run_benchmark(options: Options, say: Callable[[str], None]) -> Outcome:
    """Run the rows that were asked for; finished ones are kept, interrupted ones go on.

    Parameters
    ----------
    options : Options
    say : function of a line
        Called from several threads.

    Raises
    ------
    InputError
        If an option, the plan, the pictures or an existing run do not fit; before anything is trained.
    """
    options.check()
    descriptor, plan = read_plan(options.system, options.plan)
    wanted = [plan.row(name).name for name in options.rows] or [row.name for row in plan.rows]
    if options.schedule is not None:
        plan.schedule(options.schedule)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = resolve_rows(options, descriptor, plan)
    jobs = _make_jobs(options, plan, rows, wanted, say)
    stop = next(iter(jobs.values())).stop
    with stopping_on_signals(stop):
        try:
            for job in jobs.values():
                job.row.make_scenes()
                job.check()
        except Stopped:
            return Outcome(plan, rows, {}, True)
        failures = run_all(jobs, set(wanted), options.jobs, stop)
    return Outcome(plan, rows, failures, stop.is_asked)


def resolve_rows(options: Options, descriptor: SystemDescriptor, plan: Plan) -> tuple[Row, ...]:
    """All rows of the plan under the schedule of the folder."""
    schedule = _schedule(options, plan)
    return tuple(
        resolve_row(
            plan, row, descriptor, schedule=schedule, steps=options.steps, data=options.data, out=options.out
        )
        for row in plan.rows
    )  # fmt: skip


def _schedule(options: Options, plan: Plan) -> str:
    """The schedule that was asked for, or the folder's, or the one for this machine; the folder remembers it.

    Raises
    ------
    InputError
        If the folder was begun with another one.
    """
    file = options.out / "benchmark.json"
    before = (read_json(file) or {}).get("schedule")
    if options.schedule is not None:
        plan.schedule(options.schedule)
        if before not in (None, options.schedule):
            raise InputError(
                f"--schedule {options.schedule}: {options.out} was begun with {before!r}; name another --out"
            )
        chosen = options.schedule
    elif before is not None:
        chosen = str(before)
        plan.schedule(chosen)
    else:
        is_gpu = GPU in plan.schedules and options.device.split(":")[0] in ("auto", "cuda") and has_cuda()
        chosen = GPU if is_gpu else SMALL
        plan.schedule(chosen)
    if before is None:
        replace_json(file, {"system": options.system.replace("-", "_"), "schedule": chosen})
    return chosen


def _make_jobs(
    options: Options, plan: Plan, rows: Sequence[Row], wanted: Sequence[str], say: Callable[[str], None]
) -> dict[str, RowJob]:
    """A job for each row that was asked for and for each that one of these starts from, in the plan's order."""
    needed = set(wanted)
    for row in reversed(plan.rows):  # whoever starts from another stands below it
        if row.name in needed and row.init is not None:
            needed.add(row.init)
    threads = options.threads or max(1, int(this_machine()["cores"]) // options.jobs)
    stop, order = Stop(), [row.name for row in rows if row.name in needed]

    def saying(name: str) -> Callable[[str], None]:
        width = max(len(other) for other in order)
        return lambda text: say(f"[{order.index(name) + 1}/{len(order)}] {name.ljust(width)}  {text}")

    return {
        row.name: RowJob(row, device=options.device, threads=threads, stop=stop, say=saying(row.name))
        for row in rows
        if row.name in needed
    }


def run_all(jobs: dict[str, RowJob], wanted: set[str], at_once: int, stop: Stop) -> dict[str, str]:
    """Run all jobs; sentences of those that failed. A failure does not end the others."""
    waiting, running = dict(jobs), dict[Future[Any], str]()
    done, failures = set[str](), dict[str, str]()
    broken: BaseException | None = None
    with ThreadPoolExecutor(at_once, thread_name_prefix="benchmark") as pool:
        while waiting or running:
            for name, job in list(waiting.items()):
                start = job.row.plan.init
                if start in failures:
                    failures[name] = f"it starts from {start}, which failed"
                    job.say(failures[name])
                    del waiting[name]
                elif len(running) < at_once and (start is None or start in done):
                    running[pool.submit(job.work if name in wanted else job.train_only)] = name
                    del waiting[name]
            if not running:
                continue  # whoever is left starts from one that failed
            finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                try:
                    future.result()
                    done.add(name)
                except Stopped:
                    waiting.clear()
                except InputError as error:
                    failures[name] = str(error)
                    jobs[name].say(f"failed: {error}")
                except BaseException as error:  # ours: the others are stopped, then it is reported
                    broken = broken or error
                    stop.is_asked = True
            if stop.is_asked:
                waiting.clear()
    if broken is not None:
        raise broken
    return failures


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, a cluster's notice and a closed terminal ask to stop; a second Ctrl-C kills the children."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.is_urgent = stop.is_asked and number == signal.SIGINT
        stop.is_asked = True

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
