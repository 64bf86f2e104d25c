"""One row from the points to its result; every part is kept when it is there and goes on where it was interrupted."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from pointanno.benchmark.children import Stop, Stopped, run_child
from pointanno.benchmark.machine import this_machine
from pointanno.benchmark.matching import check_run
from pointanno.benchmark.pictures import draw_pictures
from pointanno.benchmark.results import is_finished, make_result, read_result, result_file
from pointanno.errors import InputError
from pointanno.runs import RunFolder
from pointanno.runs.atomic import read_json, replace_json
from pointanno.runs.process import read_worker_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pointanno.benchmark.plan import Row
    from pointanno.runs import RunStatus

CHECKPOINT = "last"
"""The end of the training is measured: choosing a better moment would need the pictures that are measured on."""

_REPORT_S = 30.0
"""Between two lines about the progress of a training."""


@dataclass
class RowJob:
    """The work on one row."""

    row: Row
    device: str
    threads: int
    stop: Stop
    say: Callable[[str], None]
    """Tells a person about a change of state."""
    _reported: float = field(default=0.0, init=False)

    @property
    def log(self) -> Path:
        """What the child processes said."""
        return self.row.folder / "log.txt"

    def check(self) -> None:
        """Refuse absent pictures, and a run that is another training than the row's.

        Raises
        ------
        InputError
            Names what is wrong; nothing was overwritten.
        """
        self.row.check_data()
        if self.has_run() and read_result(self.row) is None:
            self.simulate()
            check_run(RunFolder(self.row.run), self.row)

    def has_run(self) -> bool:
        """Whether the run folder was created completely."""
        return (self.row.run / "environment.json").is_file()

    def train_only(self) -> None:
        """Train, as far as that has not been done: for a row that others start from."""
        if read_result(self.row) is None:
            with self.alone():
                self.simulate()
                self.train()

    def work(self) -> dict[str, Any]:
        """Do everything that is missing and return the result.

        Raises
        ------
        InputError
            If a command fails.
        Stopped
            If the benchmark is to stop; what was done is kept.
        """
        before = read_result(self.row)
        if before is not None:
            self.say("finished before, kept")
            return before
        with self.alone():
            self.simulate()
            self.train()
            result = self.measure()
            replace_json(result_file(self.row), result)
        value = self.row.metric.main_value(result)
        self.say(f"finished, {self.row.metric.name.upper()} {'-' if value is None else f'{value:.3f}'}")
        return result

    def alone(self) -> AbstractContextManager[Any]:
        """Held while the row is worked on, so that two benchmarks can share a folder."""
        self.row.folder.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(self.row.folder / "row.lock").acquire(timeout=0)
        except Timeout:
            raise InputError(
                f"{self.row.folder}: another benchmark works on this row; wait for it, or leave the row out with --row"
            ) from None

    def simulate(self) -> None:
        """Draw the points anew: they are a function of truth and seed, and take seconds."""
        self.row.folder.mkdir(parents=True, exist_ok=True)
        if self.row.plan.supervision == "points":
            run_child(self.row.simulate_words(), self.log, self.stop)

    def train(self) -> None:
        """Train to the end: start, go on, or follow whoever is at it."""
        run = self.row.run
        words = self.row.train_words()
        if self.has_run():
            folder = RunFolder(run)
            check_run(folder, self.row)
            self._follow(folder)
            if is_finished(folder):
                self.say("trained before, kept")
                self._remember_machine(is_working=False)
                return
            status = folder.status()
            self.say(f"training goes on at step {status.step}{self._of(status)}")
            words = ["train", "--resume", "--run", str(run)]
        else:
            _remove_unfinished_creation(run)
            self.say("training begins")
        words += ["--threads", str(self.threads), "--device", self.device]
        self._remember_machine(is_working=True)
        self._reported = time.monotonic()
        try:
            run_child(words, self.log, self.stop, on_stop=self._ask_to_stop(), on_wait=self._report)
        except InputError:
            # a process that an earlier, killed benchmark left behind may have begun in the same moment
            if not self._is_done_by_another():
                raise
        if not is_finished(RunFolder(run)):
            if self.stop.is_asked:
                status = RunFolder(run).status()
                self.say(f"stopped at step {status.step}{self._of(status)}")
                raise Stopped
            raise InputError(f"{run}: somebody stopped this training before its end; the same command goes on with it")

    def _is_done_by_another(self) -> bool:
        """Whether somebody else trains the run, or has; waits for whoever is at it."""
        if not self.has_run():
            return False
        folder = RunFolder(self.row.run)
        if not folder.status().is_active:
            return is_finished(folder)
        self._follow(folder)
        return True

    def _follow(self, folder: RunFolder) -> None:
        """Wait for a worker that an earlier, killed benchmark left behind."""
        if not folder.status().is_active:
            return
        self.say(f"process {folder.status().pid} is training already; waiting for it")
        asked = False
        while folder.status().is_active:
            self._report(folder)
            if self.stop.is_asked and not asked:
                asked = True
                folder.request_stop()
            time.sleep(0.5)
        if asked:
            raise Stopped

    def _ask_to_stop(self) -> Callable[[], None] | None:
        """How a training is asked to end after its step; None terminates, which means that wherever signals exist."""
        if os.name != "nt":
            return None

        def ask() -> None:
            if self.has_run():
                RunFolder(self.row.run).request_stop()

        return ask

    def _report(self, folder: RunFolder | None = None) -> None:
        """A line about the progress, now and then."""
        now = time.monotonic()
        if now - self._reported < _REPORT_S or not self.has_run():
            return
        self._reported = now
        status = (folder or RunFolder(self.row.run)).status()
        if status.state != "running":
            return
        left = "" if status.eta_s is None else f", {in_words(status.eta_s)} left"
        self.say(f"training, {status.stage} step {status.step}{self._of(status)}{left}")

    @staticmethod
    def _of(status: RunStatus) -> str:
        return f" of {status.steps}" if status.steps else ""

    def _remember_machine(self, *, is_working: bool) -> None:
        """Add this machine to those that trained the row, if it did."""
        file = self.row.folder / "machines.json"
        before: list[dict[str, Any]] = (read_json(file) or {}).get("machines", [])
        here = this_machine()
        if not is_working:
            # somebody else trained it, maybe elsewhere; the worker's host is what there is to tell
            worker = read_worker_file(RunFolder(self.row.run).worker_file) or {}
            if before or worker.get("host") != here["host"]:
                return
        if here not in before:
            replace_json(file, {"machines": [*before, here]})

    def machines(self) -> list[dict[str, Any]]:
        """Those that trained the row, as far as that is known."""
        found: list[dict[str, Any]] = (read_json(self.row.folder / "machines.json") or {}).get("machines", [])
        return found

    def measure(self) -> dict[str, Any]:
        """Predict, evaluate, draw."""
        row, folder = self.row, self.row.folder
        predictions = folder / "pred.json"
        self.say("predicting")
        words = ["predict", str(row.run), "--images", str(row.val_images), "--gt", str(row.val_truth)]
        words += ["-o", str(predictions), "--checkpoint", CHECKPOINT]
        words += ["--threads", str(self.threads), "--device", self.device]
        predicted = run_child(words, self.log, self.stop)
        self.say("evaluating")
        scores = row.metric.evaluate(row.val_truth, predictions, lambda words: run_child(words, self.log, self.stop))
        draw_pictures(row, predictions)
        return make_result(row, RunFolder(row.run), machines=self.machines(), predicted=predicted, scores=scores)


def in_words(seconds: float) -> str:
    """A duration as a person says it: "40 s", "12 min", "1 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _remove_unfinished_creation(run: Path) -> None:
    """Remove what a killed process wrote before the folder became a run; anything else is left alone.

    Raises
    ------
    InputError
        If the folder holds something that the creation of a run does not write.
    """
    if not run.exists():
        return
    known = {"recipe.toml", "data.json", "data", "checkpoints", "preview"}
    others = [] if run.is_dir() else [run]
    if run.is_dir():
        # temporary files of atomic writes begin with a dot
        others = [path for path in run.iterdir() if path.name not in known and not path.name.startswith(".")]
        others += [path for name in ("checkpoints", "preview") for path in (run / name).glob("*")]
    if others:
        raise InputError(
            f"{run}: this is not a run folder (environment.json is missing), but {others[0].name} is in it; move it "
            "away, or name another --out"
        )
    shutil.rmtree(run)
