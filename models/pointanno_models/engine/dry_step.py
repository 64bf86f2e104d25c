"""A rehearsal: some real steps on the real data and device, in a folder that is removed afterwards.

``python -m pointanno_models.engine.dry_step`` reads ``{"arguments": {...}, "nice": 10}`` from standard input and
prints the outcome as one JSON object, or ``{"error": sentence}``.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psutil

from pointanno.errors import InputError
from pointanno.runs.arguments import TrainArguments
from pointanno.runs.creation import create_run
from pointanno.runs.process import lower_priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.runs.events import Event
    from pointanno.runs.folder import RunFolder

_WARM_UP = 1
"""The first step imports, compiles and reserves memory; it is not measured."""

_MOST_MEASURED, _MEASURED_S = 5, 10.0
"""Steps that are measured: at least one, no more once so many seconds are over."""


@dataclass(frozen=True, slots=True)
class DryStep:
    """What the rehearsal says about a training."""

    device: str
    device_name: str
    threads: int
    stage: str
    """The stage whose steps were made."""
    pictures: int
    batch_size: int
    first_step_s: float
    """Seconds of the first step, which imports and reserves."""
    seconds_a_step: float
    """Median of the steps after it, loading of the pictures included."""
    measured: int
    steps: int
    """Of all training stages together."""
    estimated_s: float
    """Steps times seconds; validations and stages that do other work come on top."""
    memory: int
    """Most main memory of the process, bytes."""
    memory_total: int
    gpu_memory: int | None
    """Most memory that torch reserved on the GPU, bytes; None on the CPU."""
    gpu_memory_total: int | None
    checkpoint_bytes: int
    """Size of one checkpoint on the disk."""
    warnings: tuple[str, ...] = ()

    def sentence(self) -> str:
        """For a person."""
        memory = f"{self.memory / 2**30:.1f} GB of memory"
        if self.gpu_memory is not None and self.gpu_memory_total is not None:
            memory += f", {self.gpu_memory / 2**30:.1f} of {self.gpu_memory_total / 2**30:.0f} GB on the GPU"
        return (
            f"{self.seconds_a_step:.2f} s a step of {self.batch_size} pictures on {self.device_name}, {memory}; "
            f"{self.steps:,} steps take about {_duration(self.estimated_s)}"
        )


class _Rehearsal:
    """Stands in for `Control`: lets the first step and some measured ones happen, then asks to stop."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.times: list[float] = []

    def wait_while_paused(self, on_pause: Callable[[], None]) -> bool:
        """Called by the loop before each step."""
        self.times.append(self._clock())
        return False

    @property
    def took(self) -> list[float]:
        """Seconds of each step that was made."""
        return [later - earlier for earlier, later in itertools.pairwise(self.times)]

    @property
    def is_stop_asked(self) -> bool:
        """Enough was measured."""
        measured = self.took[_WARM_UP:]
        return len(measured) >= _MOST_MEASURED or (bool(measured) and sum(measured) >= _MEASURED_S)


def dry_step(arguments: TrainArguments) -> DryStep:
    """Make some steps of a training and remove every trace.

    Raises
    ------
    InputError
        If the training cannot work: what it would have said, said now.
    """
    # a validation would be most of the time of a rehearsal, and its files are checked before
    arguments = replace(arguments.absolute(), val=None, val_images=None, devices=1)
    with tempfile.TemporaryDirectory(prefix="pointanno-dry-run-") as folder:
        return _rehearse(create_run(arguments, Path(folder) / "run"))


def _rehearse(run: RunFolder) -> DryStep:
    import torch

    from pointanno_models.engine.fit import Fit
    from pointanno_models.engine.journal import Journal

    events: list[Event] = []
    control: Any = _Rehearsal()
    lengths = _stage_lengths(run)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        outcome = Fit(run, Journal(run, listener=events.append), control).run()
    except torch.OutOfMemoryError as error:
        raise InputError(
            "the GPU memory is full; lower the picture or crop size with --set, or use --device cpu"
        ) from error
    told = {event["kind"]: event for event in events}
    stage = told.get("stage", {})
    environment = run.environment()
    took = control.took[_WARM_UP:] or control.took or _told_s(told.get("step"), int(stage.get("batch_size", 0)))
    seconds = statistics.median(took) if took else 0.0
    is_cuda = str(environment["device"]).startswith("cuda")
    checkpoint = run.checkpoint("last")
    return DryStep(
        device=str(environment["device"]),
        device_name=str(environment["device_name"]),
        threads=int(environment["threads"]),
        stage=outcome.stage,
        pictures=int(stage.get("images", 0)),
        batch_size=int(stage.get("batch_size", 0)),
        first_step_s=round(control.took[0], 3) if control.took else 0.0,
        seconds_a_step=round(seconds, 4),
        measured=max(0, len(control.took) - _WARM_UP),
        steps=sum(lengths.values()),
        estimated_s=round(sum(lengths.values()) * seconds, 1),
        memory=peak_memory(),
        memory_total=psutil.virtual_memory().total,
        gpu_memory=torch.cuda.max_memory_reserved() if is_cuda else None,
        gpu_memory_total=torch.cuda.get_device_properties(0).total_memory if is_cuda else None,
        checkpoint_bytes=sum(file.stat().st_size for file in checkpoint.iterdir()) if checkpoint else 0,
        warnings=tuple(str(event["message"]) for event in events if event["kind"] == "warn"),
    )


def _told_s(step: Event | None, batch_size: int) -> list[float]:
    """Seconds of the only step of a training that has no more, as the loop tells them."""
    return [] if step is None else [batch_size / step["images_per_second"]]


def _stage_lengths(run: RunFolder) -> dict[str, int]:
    """Steps of each stage, 0 for a stage that does other work.

    Raises
    ------
    InputError
        If the first stage is no training: it would have to be done in full before a step can be made.
    """
    from pointanno.formats import read_dataset
    from pointanno.systems import load_system

    implementation = load_system(str(run.environment()["system"])).load()
    system = implementation(run.recipe(), read_dataset(run.data_file).categories, recipe_file=str(run.recipe_file))
    wanted = run.arguments().steps
    lengths = {stage: system.schedule(stage).steps for stage in system.stages()}
    if wanted is not None:
        lengths = {stage: wanted if steps else 0 for stage, steps in lengths.items()}
    first = next(iter(lengths))
    if lengths[first] == 0:
        raise InputError(
            f"the first stage of this recipe ({first}) is no training, so no step can be tried before it is done; "
            "try a recipe that begins with training"
        )
    return lengths


def peak_memory() -> int:
    """Most main memory that this process held so far, in bytes."""
    if os.name == "nt":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def main() -> int:
    """Rehearse what standard input asks for; exit code 0, or 2 with the sentence of what prevents it."""
    asked = orjson.loads(sys.stdin.buffer.read())
    if asked.get("nice"):
        lower_priority(int(asked["nice"]))
    # libraries print to standard output now and then: keep the pipe for the outcome, send the rest to stderr
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    code = 0
    try:
        tried = dry_step(TrainArguments.from_dict(asked["arguments"]))
        outcome = {**asdict(tried), "sentence": tried.sentence()}
    except InputError as error:
        outcome, code = {"error": str(error)}, 2
    answers.write(orjson.dumps(outcome) + b"\n")
    answers.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
