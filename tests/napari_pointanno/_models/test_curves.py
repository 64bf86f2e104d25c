from __future__ import annotations

import numpy as np
import pytest

from napari_pointanno._models.curves import (
    POINTS_DRAWN,
    CurveBuilder,
    Series,
    curve_of,
    duration,
    moving_average,
    thinned,
)


def test_steps_count_through_the_stages() -> None:
    curve = curve_of(
        [
            {"kind": "hello"},
            {"kind": "stage", "stage": "one", "step": 0},
            {"kind": "step", "stage": "one", "step": 1, "loss": 4.0},
            {"kind": "step", "stage": "one", "step": 2, "loss": 2.0},
            {"kind": "val", "stage": "one", "step": 2, "value": 0.5},
            {"kind": "stage", "stage": "two", "step": 0},
            {"kind": "step", "stage": "two", "step": 1, "loss": 1.0},
        ]
    )
    assert curve.steps.tolist() == [1, 2, 3]
    assert curve.losses.tolist() == [4, 2, 1]
    assert (curve.val_steps.tolist(), curve.val_values.tolist()) == ([2], [0.5])
    assert curve.stages == (("one", 0), ("two", 2))


def test_no_events_no_curve() -> None:
    assert len(curve_of([]).steps) == 0


def test_thinning_keeps_the_mean() -> None:
    """Five points in groups of three: means of (0, 1, 2) and (3, 4)."""
    points = np.stack([np.arange(5.0), np.arange(5.0) * 2], axis=1)
    assert thinned(points, 2).tolist() == [[1, 2], [3.5, 7]]
    assert thinned(points, 5) is points


def test_durations() -> None:
    assert [duration(s) for s in (None, 45, 660, 7500)] == ["", "45 s", "11 min", "2 h 05 min"]


def test_moving_average_begins_without_a_bias_and_follows() -> None:
    """At decay 0.5: 4, then (0.5 * 2 + 0.25 * 4) / 0.75 = 2.667."""
    averaged = moving_average(np.array([4.0, 2.0]), decay=0.5)
    assert averaged.tolist() == pytest.approx([4.0, 8 / 3])
    assert moving_average(np.full(50, 3.0)).tolist() == pytest.approx([3.0] * 50)
    assert len(moving_average(np.zeros(0))) == 0


def test_each_loss_and_each_metric_by_name() -> None:
    curve = curve_of(
        [
            {"kind": "step", "stage": "one", "step": 1, "loss": 3.0, "losses": {"mask": 1.0, "box": 2.0}},
            {"kind": "step", "stage": "one", "step": 2, "loss": 1.0, "losses": {"mask": 1.0}},
            {"kind": "val", "stage": "one", "step": 1, "metric": "pq", "value": 0.4, "values": {"pq": 0.4, "sq": None}},
            {"kind": "val", "stage": "one", "step": 2, "metric": "pq", "value": 0.3, "values": {"pq": 0.3, "sq": 0.8}},
        ]
    )
    assert {name: points[:, 0].tolist() for name, points in curve.parts.items()} == {"mask": [1, 2], "box": [1]}
    assert curve.metrics["sq"].tolist() == [[2, 0.8]]
    assert curve.metric == "pq" and curve.best == (1, 0.4)


def test_lines_that_come_one_by_one_give_the_same() -> None:
    rng = np.random.default_rng(0)
    events = [
        {"kind": "step", "stage": "one", "step": n, "loss": float(value), "losses": {"mask": float(value) / 2}}
        for n, value in enumerate(rng.random(2000), 1)
    ]
    builder = CurveBuilder()
    for event in events:
        builder.add([event])
    once, step_by_step = curve_of(events), builder.curve()
    assert np.array_equal(once.smoothed, step_by_step.smoothed)
    assert np.array_equal(once.parts["mask"], step_by_step.parts["mask"])
    assert len(once.steps) <= POINTS_DRAWN
    assert once.losses.mean() == pytest.approx(np.mean([event["loss"] for event in events]), rel=1e-9)


def test_a_series_grows() -> None:
    series = Series()
    for n in range(1000):
        series.append(n, -n)
    assert series.points.tolist() == [[n, -n] for n in range(1000)]
