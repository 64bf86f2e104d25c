"""The curve of a training, from the lines of its run folder; pure functions."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

POINTS_DRAWN = 1500
"""More points than a plot has pixels are averaged in groups."""


Points = NDArray[np.float64]
"""(N, 2) float: step and value."""

NO_POINTS: Points = np.zeros((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What the plot shows; steps count through all stages.

    Attributes
    ----------
    steps, losses : (S,) float
    smoothed : (S,) float
        Moving average of the losses.
    val_steps, val_values : (V,) float
        The metric that decides about the best checkpoint.
    stages : tuple of (str, float)
        Name and first step of each stage.
    parts : mapping of str to (S, 2) float
        Each loss by its name, averaged like `smoothed`.
    metrics : mapping of str to (V, 2) float
        Each value of the validations by its name.
    metric : str
        Name of `val_values`.
    best : (float, float) or None
        Step and value of the best validation.
    """

    steps: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    val_steps: NDArray[np.float64]
    val_values: NDArray[np.float64]
    stages: tuple[tuple[str, float], ...] = ()
    parts: Mapping[str, Points] = field(default_factory=dict)
    metrics: Mapping[str, Points] = field(default_factory=dict)
    metric: str = ""
    best: tuple[float, float] | None = None


class Series:
    """Points that come one by one, as an array at any time."""

    def __init__(self) -> None:
        self._held = np.empty((256, 2))
        self._count = 0

    def append(self, step: float, value: float) -> None:
        """One more point."""
        if self._count == len(self._held):
            self._held = np.concatenate([self._held, np.empty_like(self._held)])
        self._held[self._count] = step, value
        self._count += 1

    @property
    def points(self) -> Points:
        """(N, 2) float; a view, not to be kept."""
        return self._held[: self._count]


class CurveBuilder:
    """Takes the lines of a run as they come, so that a long history costs nothing with each new line."""

    def __init__(self) -> None:
        self._offset, self._length, self._stage = 0.0, 0.0, ""
        self._starts: list[tuple[str, float]] = []
        self._losses, self._values = Series(), Series()
        self._parts: dict[str, Series] = {}
        self._metrics: dict[str, Series] = {}
        self._metric = ""

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take more events; void ones must have been left out."""
        for event in events:
            name, kind = event.get("stage"), event["kind"]
            if name is not None and name != self._stage and kind in ("stage", "step"):
                self._offset, self._length, self._stage = self._offset + self._length, 0.0, name
                self._starts.append((name, self._offset))
            if kind == "step" and event.get("loss") is not None:
                self._length = max(self._length, float(event["step"]))
                step = self._offset + float(event["step"])
                self._losses.append(step, float(event["loss"]))
                _append(self._parts, step, event.get("losses"))
            elif kind == "val" and event.get("value") is not None:
                step = self._offset + float(event.get("step", self._length))
                self._metric = str(event.get("metric", ""))
                self._values.append(step, float(event["value"]))
                _append(self._metrics, step, event.get("values"))

    def curve(self) -> Curve:
        """What came so far, decimated."""
        loss, val = thinned(self._losses.points, POINTS_DRAWN), self._values.points.copy()
        parts = {name: _smooth(thinned(series.points, POINTS_DRAWN)) for name, series in self._parts.items()}
        best = None if not len(val) else (float(val[val[:, 1].argmax(), 0]), float(val[:, 1].max()))
        return Curve(
            steps=loss[:, 0].copy(),
            losses=loss[:, 1].copy(),
            smoothed=moving_average(loss[:, 1]),
            val_steps=val[:, 0],
            val_values=val[:, 1],
            stages=tuple(self._starts),
            parts=parts,
            metrics={name: series.points.copy() for name, series in self._metrics.items()},
            metric=self._metric,
            best=best,
        )


def _append(series: dict[str, Series], step: float, values: Any) -> None:
    """Add named numbers to their series; what is no number is left out."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            if isinstance(value, (int, float)):
                if name not in series:
                    series[str(name)] = Series()
                series[str(name)].append(step, float(value))


def _smooth(points: Points) -> Points:
    return np.stack([points[:, 0], moving_average(points[:, 1])], axis=1)


def curve_of(events: Sequence[dict[str, Any]]) -> Curve:
    """Curve of a run.

    Parameters
    ----------
    events : sequence of dict
        As `RunFolder.events` returns them: void lines left out.
    """
    builder = CurveBuilder()
    builder.add(events)
    return builder.curve()


def write_csv(events: Iterable[dict[str, Any]], path: Path) -> int:
    """Write every step and validation as ``stage,step,time,name,value`` and return the number of rows.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("stage", "step", "time", "name", "value"))
        for event in events:
            if event["kind"] == "step":
                values = {"loss": event.get("loss"), **(event.get("losses") or {}), "lr": event.get("lr")}
            elif event["kind"] == "val":
                values = {f"val_{name}": value for name, value in (event.get("values") or {}).items()}
            else:
                continue
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    writer.writerow((event.get("stage", ""), event.get("step", ""), event["time"], name, repr(value)))
                    rows += 1
    return rows


def moving_average(values: NDArray[np.float64], decay: float = 0.96) -> NDArray[np.float64]:
    """Exponential average of (S,) values that begins at the first one without a bias."""
    if not len(values):
        return values
    kept = np.array([1 - decay]), np.array([1.0, -decay])
    averaged: NDArray[np.float64] = lfilter(*kept, values) / lfilter(*kept, np.ones_like(values))
    return averaged


def thinned(points: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most `most` points: means of equal groups, the last one perhaps smaller.

    Parameters
    ----------
    points : (N, 2) float
    most : int
    """
    if len(points) <= most:
        return points
    group = -(-len(points) // most)
    starts = np.arange(0, len(points), group)
    counts = np.diff([*starts, len(points)])
    means: NDArray[np.float64] = np.add.reduceat(points, starts, axis=0) / counts[:, None]
    return means


def duration(seconds: float | None) -> str:
    """Seconds in words: "45 s", "11 min", "2 h 05 min"; "" for None."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
