"""The curve of a training, from the lines of its run folder; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

POINTS_DRAWN = 1500
"""More points than a plot has pixels are averaged in groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What the plot shows; steps count through all stages.

    Attributes
    ----------
    steps, losses : (S,) float
    smoothed : (S,) float
        Moving average of the losses.
    val_steps, val_values : (V,) float
    stages : tuple of (str, float)
        Name and first step of each stage.
    """

    steps: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    val_steps: NDArray[np.float64]
    val_values: NDArray[np.float64]
    stages: tuple[tuple[str, float], ...] = ()


def curve_of(events: Sequence[dict[str, Any]]) -> Curve:
    """Curve of a run.

    Parameters
    ----------
    events : sequence of dict
        As `RunFolder.events` returns them: void lines left out.
    """
    offset, length = 0.0, 0.0
    stage = ""
    starts: list[tuple[str, float]] = []
    steps: list[tuple[float, float]] = []
    values: list[tuple[float, float]] = []
    for event in events:
        name = event.get("stage")
        if name is not None and name != stage and event["kind"] in ("stage", "step"):
            offset, length, stage = offset + length, 0.0, name
            starts.append((name, offset))
        if event["kind"] == "step" and event.get("loss") is not None:
            length = max(length, float(event["step"]))
            steps.append((offset + float(event["step"]), float(event["loss"])))
        elif event["kind"] == "val" and event.get("value") is not None:
            values.append((offset + float(event.get("step", length)), float(event["value"])))
    loss = thinned(np.array(steps, dtype=np.float64).reshape(-1, 2), POINTS_DRAWN)
    val = np.array(values, dtype=np.float64).reshape(-1, 2)
    return Curve(loss[:, 0], loss[:, 1], moving_average(loss[:, 1]), val[:, 0], val[:, 1], tuple(starts))


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
