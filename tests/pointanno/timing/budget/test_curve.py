"""Learning curves: known ones are found again inside their interval, and nothing is told that cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

from pointanno.timing.budget.curve import DRAWS, estimate, fit_curve

HOURS = np.array([3.0, 9.0, 27.0, 77.0])


def _power(hours: np.ndarray) -> np.ndarray:
    return 0.62 - 0.5 * (hours + 0.5) ** -0.6


def test_known_curves_lie_in_their_interval() -> None:
    """Of 40 noisy ladders of two seeds at least 36 hold the truth (95 % of 40 is 38), for the level and the gain."""
    rng = np.random.default_rng(5)
    hours = np.repeat(HOURS, 2)
    hits = np.zeros(3)
    widths = []
    for trial in range(40):
        curve = fit_curve(hours, _power(hours) + rng.normal(0, 0.012, 8), seed=trial)
        assert curve is not None
        for place, asked in enumerate((9.0, 50.0)):
            found = curve.at(asked)
            hits[place] += found.low <= _power(np.array(asked)) <= found.high
        gain = estimate(curve.gain_draws(9.0, 18.0), 0)
        hits[2] += gain.low <= _power(np.array(27.0)) - _power(np.array(9.0)) <= gain.high
        widths.append(gain.high - gain.low)
    assert (hits >= 36).all(), hits
    assert np.mean(widths) < 0.05  # of a gain of 0.06: the interval tells something


def test_without_noise_the_curve_is_met() -> None:
    curve = fit_curve(HOURS, _power(HOURS))
    assert curve is not None
    for hours in (3.0, 15.0, 77.0):
        assert curve.at(hours).value == pytest.approx(float(_power(np.array(hours))), abs=0.01)


def test_a_curve_never_falls_and_stays_below_one() -> None:
    curve = fit_curve(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.42, 0.47]))
    assert curve is not None
    levels = np.array([curve.draws(hours) for hours in (1.0, 1.5, 2.0, 4.0, 8.0)])
    assert (np.diff(levels, axis=0) >= -1e-9).all() and (levels <= 1).all() and (levels >= 0).all()
    steep = fit_curve(np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.6, 0.98]))
    assert steep is not None and (steep.draws(8.0) <= 1).all()


def test_a_curve_needs_three_amounts() -> None:
    assert fit_curve([1.0, 1.0, 5.0, 5.0], [0.1, 0.12, 0.3, 0.31]) is None
    assert fit_curve([2.0], [0.3]) is None


def test_nothing_is_told_beyond_twice_the_hours() -> None:
    curve = fit_curve(HOURS, _power(HOURS))
    assert curve is not None and curve.reach == 154.0
    curve.draws(154.0)
    for hours in (155.0, 2.0):
        with pytest.raises(ValueError, match="hours must be from 3 to 154"):
            curve.draws(hours)


def test_more_noise_gives_a_wider_interval() -> None:
    rng = np.random.default_rng(1)
    hours = np.repeat(HOURS, 3)
    noise = rng.normal(0, 1, 12)
    widths = []
    for size in (0.002, 0.03):
        curve = fit_curve(hours, _power(hours) + size * noise)
        assert curve is not None
        found = curve.at(20.0)
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_pictures_that_move_all_trainings_alike_change_levels_but_not_gains() -> None:
    rng = np.random.default_rng(2)
    together = rng.normal(0, 0.03, 200)
    quality = _power(HOURS)
    with_pictures = fit_curve(HOURS, quality, samples=quality[:, None] + together)
    without = fit_curve(HOURS, quality)
    assert with_pictures is not None and without is not None
    level, plain = with_pictures.at(20.0), without.at(20.0)
    assert level.high - level.low > 0.08 > plain.high - plain.low
    gain = estimate(with_pictures.gain_draws(9.0, 10.0), 0)
    assert gain.high - gain.low < 0.05


def test_an_uncertain_cost_widens_the_curve() -> None:
    scale = np.random.default_rng(3).lognormal(0, 0.5, DRAWS)
    sure, unsure = fit_curve(HOURS, _power(HOURS)), fit_curve(HOURS, _power(HOURS), scale=scale)
    assert sure is not None and unsure is not None
    narrow, wide = sure.at(9.0), unsure.at(9.0)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_the_same_points_give_the_same_curve() -> None:
    first, second = (fit_curve(HOURS, _power(HOURS)) for _ in range(2))
    assert first is not None and second is not None
    assert np.array_equal(first.draws(40.0), second.draws(40.0))


def test_samples_without_a_value_are_left_out() -> None:
    samples = np.repeat(_power(HOURS)[:, None], 10, axis=1)
    samples[1, 3] = np.nan
    curve = fit_curve(HOURS, _power(HOURS), samples=samples)
    assert curve is not None and np.isfinite(curve.draws(20.0)).all()
    nothing = fit_curve(HOURS, _power(HOURS), samples=np.full((4, 5), np.nan))
    assert nothing is not None and np.isfinite(nothing.draws(20.0)).all()
