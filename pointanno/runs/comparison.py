"""What differs between runs, in what they were told and in what came out."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pointanno.runs.events import Event
    from pointanno.runs.folder import RunFolder

Value = str | float | int | bool | None

_ARGUMENTS = ("supervision", "seed", "steps", "device", "devices", "threads", "init", "weights", "val", "val_limit")
_DATA = ("sha256", "boxes", "clicks", "images")
_HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison."""

    group: str
    """ "recipe", "run", "data", "versions" or "result"."""
    name: str
    values: tuple[Value, ...]
    """One for each run; None where a run does not have it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs side by side."""

    names: tuple[str, ...]
    differences: tuple[Row, ...]
    """What they were told differently."""
    results: tuple[Row, ...]
    """What came out: state, length, loss, every metric."""


def compare_runs(runs: Sequence[RunFolder]) -> Comparison:
    """Settings that differ, and all results.

    Raises
    ------
    InputError
        If there are fewer than two runs, or a run folder is damaged.
    """
    if len(runs) < 2:
        raise InputError(f"a comparison needs at least two runs, but got {len(runs)}; name more run folders")
    told = [_told(run) for run in runs]
    keys = list(dict.fromkeys(key for one in told for key in one))
    rows = [Row(group, name, tuple(one.get((group, name)) for one in told)) for group, name in keys]
    differences = tuple(row for row in rows if len({repr(value) for value in row.values}) > 1)
    results = [_result(run) for run in runs]
    names = list(dict.fromkeys(name for one in results for name in one))
    return Comparison(
        names=tuple(run.name for run in runs),
        differences=differences,
        results=tuple(Row("result", name, tuple(one.get(name) for one in results)) for name in names),
    )


def _told(run: RunFolder) -> dict[tuple[str, str], Value]:
    """Everything that decided about a run, by group and name."""
    environment, told = run.environment(), {}
    arguments = {"system": environment.get("system"), **environment["arguments"]}
    for name in ("system", *_ARGUMENTS):
        told["run", name] = _plain(arguments.get(name))
    data = environment.get("data") or {}
    for name in _DATA:
        value = data.get(name)
        told["data", name] = value[:_HASH_LENGTH] if name == "sha256" and isinstance(value, str) else _plain(value)
    for name, value in _flat(run.recipe()):
        told["recipe", name] = _plain(value)
    for name, value in (environment.get("versions") or {}).items():
        told["versions", str(name)] = _plain(value)
    return told


def _result(run: RunFolder) -> dict[str, Value]:
    """What came out of a run."""
    events, status = run.events(), run.status()
    validations = [event for event in events if event["kind"] == "val"]
    found: dict[str, Value] = {
        "state": status.state,
        "steps": f"{status.step:,}/{status.steps:,}" if status.steps else None,
        "loss": final_loss(events),
    }
    if status.best is not None:
        found[f"best {status.metric}"] = status.best
    if validations:
        values = validations[-1].get("values") or {}
        found |= {f"last {name}": value for name, value in values.items() if isinstance(value, (int, float))}
    found["images/s"] = _median(event.get("images_per_second") for event in events if event["kind"] == "step")
    found["seconds"] = _trained_s(events)
    return found


def final_loss(events: Sequence[Event]) -> float | None:
    """Mean of the last twentieth of the losses, at least of 10 steps where there are so many."""
    losses = [float(e["loss"]) for e in events if e["kind"] == "step" and e.get("loss") is not None]
    if not losses:
        return None
    return statistics.fmean(losses[-max(10, len(losses) // 20) :])


def _trained_s(events: Sequence[Event]) -> float | None:
    """Seconds of work, over all starts of the run."""
    seconds, begun, last = 0.0, None, None
    for event in events:
        if event["kind"] == "hello":
            if begun is not None and last is not None:
                seconds += last - begun
            begun = event["time"]
        last = event["time"]
    return None if begun is None or last is None else round(seconds + last - begun, 1)


def _median(values: Any) -> float | None:
    known = [float(value) for value in values if isinstance(value, (int, float))]
    return statistics.median(known) if known else None


def _flat(table: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


def _plain(value: Any) -> Value:
    """Numbers and words as they are, anything else in words."""
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
