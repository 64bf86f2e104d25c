from __future__ import annotations

import numpy as np
import pytest

from napari_pointanno._models.curves import curve_of, duration, moving_average, thinned


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
