"""Numbers about many items: medians, rates and slopes, each with the interval in which it is known."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from pointanno.timing.items import Item
    from pointanno.timing.study import Study

LEVEL = 0.95

RESAMPLES = 1999

MANY = 5000
"""From so many values on a bootstrap would only take time: its interval is known beforehand."""

SEED = 20260101
"""Of every bootstrap: the same items give the same interval, wherever it is computed."""

IDLE_SECONDS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120)
"""For which times without input the totals are told."""

WINDOW = 25
"""Items in the window of a learning curve."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes
    ----------
    value : nan without any data
    low, high : nan where the data do not suffice for an interval
    n : how many items it rests on
    """

    value: float
    low: float
    high: float
    n: int


UNKNOWN = Estimate(math.nan, math.nan, math.nan, 0)


def bootstrap(columns: Sequence[ArrayLike], statistic: Callable[..., Any]) -> Estimate:
    """A statistic of items that are drawn with replacement, with the percentile interval.

    Parameters
    ----------
    columns : one or several sequences of N numbers, drawn together
    statistic : of arrays (..., N), along the axis that it is told by the keyword `axis`

    Notes
    -----
    B. Efron, *Bootstrap methods: another look at the jackknife* (Annals of Statistics 1979); the percentile interval,
    because the distribution of a median has steps that the corrections of better ones stumble over.
    """
    from scipy import stats

    data = tuple(np.asarray(column, dtype=float) for column in columns)
    n = len(data[0])
    if not n:
        return UNKNOWN
    value = float(statistic(*data, axis=-1))
    if n < 2 or all(np.ptp(column) == 0 for column in data):
        return Estimate(value, math.nan, math.nan, n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # samples in which the statistic is not defined are left out below
        found = stats.bootstrap(
            data,
            statistic,
            paired=len(data) > 1,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=max(1, min(RESAMPLES, 2_000_000 // n)),
            confidence_level=LEVEL,
            method="percentile",
            random_state=np.random.default_rng(SEED),
        )
    drawn = found.bootstrap_distribution
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high), n)


def median_of(values: ArrayLike) -> Estimate:
    """The median; of many values with the interval that the bootstrap's tends to, that of the order statistics."""
    from scipy import stats

    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n < MANY:
        return bootstrap([ordered], np.median)
    rank = int(stats.binom.ppf((1 - LEVEL) / 2, n, 0.5))
    return Estimate(float(np.median(ordered)), float(ordered[rank]), float(ordered[n - 1 - rank]), n)


def mean_of(values: ArrayLike) -> Estimate:
    """The mean, of which totals are made; of many values with the interval of the normal law."""
    from scipy import stats

    data = np.asarray(values, dtype=float)
    if len(data) < MANY:
        return bootstrap([data], np.mean)
    reach = float(stats.norm.ppf((1 + LEVEL) / 2) * data.std() / math.sqrt(len(data)))
    return Estimate(float(data.mean()), float(data.mean()) - reach, float(data.mean()) + reach, len(data))


def rate_of(hits: int, n: int) -> Estimate:
    """A share of n independent items, with Wilson's interval."""
    from scipy import stats

    if not n:
        return UNKNOWN
    interval = stats.binomtest(hits, n).proportion_ci(confidence_level=LEVEL, method="wilson")
    return Estimate(hits / n, float(interval.low), float(interval.high), n)


def loglog_slope(sizes: ArrayLike, times: ArrayLike) -> Estimate:
    """By which power of the size the time grows: slope of the least-squares line through the logarithms.

    Pairs that are not positive are left out.
    """
    x, y = np.asarray(sizes, dtype=float), np.asarray(times, dtype=float)
    good = (x > 0) & (y > 0)
    x, y = np.log(x[good]), np.log(y[good])
    if len(x) < 3 or np.ptp(x) == 0:
        return UNKNOWN
    return bootstrap([x, y], _slope)


def _slope(x: NDArray[Any], y: NDArray[Any], *, axis: int) -> NDArray[Any]:
    x0 = x - x.mean(axis=axis, keepdims=True)
    y0 = y - y.mean(axis=axis, keepdims=True)
    spread = (x0**2).sum(axis=axis)
    return np.asarray((x0 * y0).sum(axis=axis) / np.where(spread == 0, np.nan, spread))


def learning_curve(times_ms: ArrayLike, window: int = WINDOW) -> NDArray[np.float64]:
    """Median of each item and the ones around it; the window is cut at both ends.

    Returns
    -------
    (N,) float, ms
    """
    values = np.asarray(times_ms, dtype=float)
    half = window // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])


def grouped(items: Iterable[Item], *names: str) -> dict[tuple[Any, ...], list[Item]]:
    """Items by some of their attributes, in the order of these."""
    found: dict[tuple[Any, ...], list[Item]] = {}
    for item in items:
        found.setdefault(tuple(getattr(item, name) for name in names), []).append(item)
    return dict(sorted(found.items(), key=lambda one: [(value is None, str(value)) for value in one[0]]))


def correction_rate(items: Sequence[Item]) -> Estimate:
    """Share of what was given, first or later, that was taken back.

    Parameters
    ----------
    items : of one kind, those that are superseded included
    """
    return rate_of(sum(not item.is_final for item in items), len(items))


def sensitivity(study: Study, seconds: Sequence[float] = IDLE_SECONDS) -> list[Mapping[str, float]]:
    """What all sessions together would count if another time without input were idle."""
    raw = sum(time.whole().raw for time in study.times.values())
    return [
        {
            "idle_after_s": float(limit),
            "work_s": sum(time.trimmed_at(round(limit * 1e9)) for time in study.times.values()) / 1e9,
            "raw_s": raw / 1e9,
        }
        for limit in seconds
    ]


def forecast(costs_s: ArrayLike, remaining: int) -> Estimate:
    """What the rest will take, if it is like what was done.

    The interval holds both what is not known about the mean and how much single items differ.

    Parameters
    ----------
    costs_s : seconds that each finished item took
    remaining : items that are left

    Returns
    -------
    Estimate
        Of seconds; `n` items done.
    """
    values = np.asarray(costs_s, dtype=float)
    n = len(values)
    if not n:
        return UNKNOWN
    total = float(values.mean() * remaining)
    if n < 2 or not remaining:
        return Estimate(total, math.nan if remaining else 0.0, math.nan if remaining else 0.0, n)
    rng = np.random.default_rng(SEED)
    totals = np.empty(RESAMPLES)
    for part in np.array_split(np.arange(RESAMPLES), max(1, RESAMPLES * n // 2_000_000)):
        drawn = values[rng.integers(0, n, (len(part), n))]
        chance = rng.standard_normal(len(part))
        totals[part] = remaining * drawn.mean(axis=1) + math.sqrt(remaining) * drawn.std(axis=1) * chance
    low, high = np.quantile(totals, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(total, float(max(low, 0)), float(high), n)
