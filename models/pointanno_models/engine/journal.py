"""What a worker says: ``events.jsonl``, ``metrics.csv``, ``log.txt``, and whoever listens in this process."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

from pointanno.runs.atomic import replace_file
from pointanno.runs.events import Event, EventWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pointanno.runs import RunFolder

    Listener = Callable[[Event], None]

_COLUMNS = ("stage", "step", "name", "value")


class Journal:
    """One line of `events.jsonl` for each thing that happens; silent on all ranks but the first."""

    def __init__(self, run: RunFolder, *, listener: Listener | None = None, is_silent: bool = False) -> None:
        self._run = run
        self._listener = listener
        self._is_silent = is_silent
        self._writer = None if is_silent else EventWriter(run.events_file)

    def emit(self, kind: str, **fields: Any) -> None:
        """Write an event and pass it on."""
        if self._writer is None:
            return
        event = self._writer.write(kind, **fields)
        if self._listener is not None:
            self._listener(event)

    def step(self, **fields: Any) -> None:
        """A training step: event and curve."""
        self.emit("step", **fields)
        self._curve(fields["stage"], fields["step"], {"loss": fields["loss"], **fields["losses"], "lr": fields["lr"]})

    def validation(self, **fields: Any) -> None:
        """A validation: event, curve and a line in the log."""
        self.emit("val", **fields)
        self._curve(fields["stage"], fields["step"], {f"val_{name}": v for name, v in fields["values"].items()})
        shown = ", ".join(f"{name} {value:.4f}" for name, value in fields["values"].items())
        self.log(f"validation at step {fields['step']}: {shown}")

    def warn(self, message: str, **fields: Any) -> None:
        """Something that the user should know, in a sentence."""
        self.emit("warn", message=message, **fields)
        self.log(f"warning: {message}")

    def log(self, text: str) -> None:
        """A line for people."""
        if not self._is_silent:
            self._append(self._run.log_file, f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def _curve(self, stage: str, step: int, values: Mapping[str, float | None]) -> None:
        if self._is_silent:
            return
        rows = io.StringIO()
        writer = csv.writer(rows)
        if not self._run.metrics_file.exists():
            writer.writerow(_COLUMNS)
        writer.writerows((stage, step, name, repr(value)) for name, value in values.items() if value is not None)
        self._append(self._run.metrics_file, rows.getvalue())

    def _append(self, path: Any, text: str) -> None:
        try:
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError:  # a full disk: the events complain already, and training goes on
            return

    def forget_curves_beyond(self, stages: Sequence[str], stage: str, step: int) -> None:
        """Drop the rows of steps that a resumed training will do again."""
        if self._is_silent or not self._run.metrics_file.exists():
            return
        here = (stages.index(stage), step)
        kept = io.StringIO()
        writer = csv.writer(kept)
        writer.writerow(_COLUMNS)
        with self._run.metrics_file.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.reader(file):
                # the last row may be torn, or be anything after a power failure
                if len(row) == len(_COLUMNS) and row[0] in stages and row[1].isdigit():
                    if (stages.index(row[0]), int(row[1])) <= here:
                        writer.writerow(row)
        replace_file(self._run.metrics_file, kept.getvalue().encode())
