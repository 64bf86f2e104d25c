"""Quality against hours of annotation: a falling power law, with what is not known about it.

The curve is ``q(h) = a - b (h + c)^-d`` with b, c >= 0, d > 0 and a <= 1: it never falls, and it flattens.
Power laws of this form describe how errors fall with more data: Hestness et al., *Deep Learning Scaling is Predictable,
Empirically* (2017), arXiv:1712.00409, section 2; ours is fitted to quality instead of error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.timing.statistics import LEVEL, UNKNOWN, Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DRAWS = 1000

SEED = 20260103
"""Of all draws: the same points give the same curve, wherever it is fitted."""

FEWEST = 3
"""So many different amounts of annotation a curve needs."""

REACH = 2.0
"""A curve is told up to so many times the hours of its last point, never beyond."""

NOISE, NOISE_DF = 0.01, 1
"""What is believed beforehand about trainings that differ in nothing but chance: their quality scatters by about one
point, and that counts as much as one measured difference."""

_OFFSETS = np.array([0.0, 0.02, 0.1, 0.3, 1.0])
"""c, as shares of the hours of the last point."""
_POWERS = np.geomspace(0.05, 3.0, 14)
"""d; the smallest is next to a logarithm, the largest next to a plateau."""
_TRIES = 32
"""Candidates for each draw, of which the first that is a curve is taken."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Draws of a curve, all equally likely.

    Attributes
    ----------
    low, high : (B,) float
        Quality at the first and the last point.
    offset, power : (B,) float
        c in hours, and d.
    scale : (B,) float
        True hours of an hour of the points: what is not known about the cost of an annotation.
    first, last : hours of the first and the last point
    points : how many different amounts of annotation
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    offset: NDArray[np.float64]
    power: NDArray[np.float64]
    scale: NDArray[np.float64]
    first: float
    last: float
    points: int

    @property
    def reach(self) -> float:
        """Hours up to which the curve is told."""
        return REACH * self.last

    def draws(self, hours: float) -> NDArray[np.float64]:
        """Quality after so many hours, (B,).

        Raises
        ------
        ValueError
            If the hours are before the first point or beyond the reach.
        """
        if not self.first * (1 - 1e-9) <= hours <= self.reach * (1 + 1e-9):
            raise ValueError(f"hours must be from {self.first:g} to {self.reach:g}, but are {hours:g}")
        share = _rise(hours / self.scale, self.offset, self.power, self.first, self.last)
        return np.minimum(self.low + (self.high - self.low) * share, 1.0)

    def at(self, hours: float) -> Estimate:
        """Quality after so many hours, with its interval."""
        return estimate(self.draws(hours), self.points)

    def gain_draws(self, start: float, more: float) -> NDArray[np.float64]:
        """What more hours add, (B,)."""
        return self.draws(start + more) - self.draws(start)


def estimate(draws: NDArray[np.float64], n: int) -> Estimate:
    """Median and interval of draws."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return UNKNOWN
    low, value, high = np.quantile(known, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high), n)


def fit_curve(
    hours: ArrayLike,
    quality: ArrayLike,
    *,
    samples: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    seed: int = SEED,
) -> Curve | None:
    """The curve through trainings with different amounts of one kind of annotation.

    Parameters
    ----------
    hours : (N,) float
        Of each training; several may have the same.
    quality : (N,) float
        Measured quality, a fraction.
    samples : (N, S) float, optional
        The same measured on samples of the pictures, the same samples for all trainings; without them the interval
        holds chance of the trainings only, not of the pictures that they were measured on.
    scale : (DRAWS,) float, optional
        Factors by which the hours may be wrong, around 1.
    seed : of the draws

    Returns
    -------
    Curve or None
        None with fewer than three different hours.

    Notes
    -----
    Each draw takes the qualities of one sample of the pictures, and then one curve from its posterior distribution:
    offset and power from a grid on which all are believed equally beforehand, the qualities at the first and the last
    point from the normal distribution that they have given these, the chance of a training from a scaled inverse
    chi-square. Draws that fall, or rise beyond 1, are thrown away.
    """
    x, y = np.asarray(hours, dtype=float), np.asarray(quality, dtype=float)
    amounts = np.unique(np.round(x, 9))
    if len(amounts) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    values = _sampled(y, None if samples is None else np.asarray(samples, dtype=float))
    offset, power = (grid.ravel() for grid in np.meshgrid(_OFFSETS * amounts[-1], _POWERS, indexing="ij"))
    share = _rise(x[None], offset[:, None], power[:, None], amounts[0], amounts[-1])
    design = np.stack([1 - share, share], axis=-1)  # (G, N, 2): qualities at the first and the last point
    inverse = np.linalg.inv(design.transpose(0, 2, 1) @ design)
    best = np.einsum("gij,gnj,bn->bgi", inverse, design, values)
    left = values[:, None] - np.einsum("gni,bgi->bgn", design, best)
    squares = NOISE_DF * NOISE**2 + (left**2).sum(axis=-1)  # (B, G)
    freedom = NOISE_DF + len(x) - 2
    likely = 0.5 * np.linalg.slogdet(inverse)[1] - 0.5 * freedom * np.log(squares)
    odds = np.exp(likely - likely.max(axis=1, keepdims=True))
    steps = np.cumsum(odds, axis=1)
    pick = rng.random((len(values), _TRIES)) * steps[:, -1:]
    cell = np.minimum((steps[:, None] < pick[..., None]).sum(axis=-1), len(offset) - 1)
    row = np.arange(len(values))[:, None]
    noise = np.sqrt(squares[row, cell] / rng.chisquare(freedom, cell.shape))
    chance = np.einsum("btij,btj->bti", np.linalg.cholesky(inverse)[cell], rng.standard_normal((*cell.shape, 2)))
    ends = best[row, cell] + noise[..., None] * chance
    return _first_possible(ends, offset[cell], power[cell], values, amounts, _scales(scale))


def _sampled(y: NDArray[np.float64], samples: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Qualities for each draw, (B, N): those of a sample, moved so that their mean is what was measured."""
    if samples is None:
        return np.broadcast_to(y, (DRAWS, len(y))).copy()
    kept = samples[:, np.isfinite(samples).all(axis=0)]
    if not kept.shape[1]:
        return np.broadcast_to(y, (DRAWS, len(y))).copy()
    moved = kept - kept.mean(axis=1, keepdims=True) + y[:, None]
    return np.asarray(moved.T[np.arange(DRAWS) % kept.shape[1]])


def _scales(scale: ArrayLike | None) -> NDArray[np.float64]:
    return np.ones(DRAWS) if scale is None else np.asarray(scale, dtype=float)


def _rise(hours: ArrayLike, offset: ArrayLike, power: ArrayLike, first: float, last: float) -> NDArray[np.float64]:
    """Share of the way from the quality at `first` to that at `last`."""
    x, c, d = np.asarray(hours, dtype=float), np.asarray(offset), np.asarray(power)
    top, bottom = (first + c) ** -d, (last + c) ** -d
    # a cost that is overestimated may put an hour before the first point; the curve goes on there
    return np.asarray((top - (np.maximum(x, 1e-3 * first) + c) ** -d) / (top - bottom))


def _first_possible(
    ends: NDArray[np.float64],
    offset: NDArray[np.float64],
    power: NDArray[np.float64],
    values: NDArray[np.float64],
    amounts: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> Curve:
    """The first candidate of each draw that never falls and stays below 1; a level line where there is none."""
    first, last = float(amounts[0]), float(amounts[-1])
    low, high = ends[..., 0], ends[..., 1]
    top, bottom = (first + offset) ** -power, (last + offset) ** -power
    limit = low + (high - low) * top / (top - bottom)
    possible = (low >= 0) & (high >= low) & (limit <= 1)
    chosen = possible.argmax(axis=1)
    row = np.arange(len(ends))
    level = np.clip(values.mean(axis=1), 0, 1)
    is_found = possible.any(axis=1)
    return Curve(
        low=np.where(is_found, low[row, chosen], level),
        high=np.where(is_found, high[row, chosen], level),
        offset=offset[row, chosen],
        power=power[row, chosen],
        scale=scale,
        first=first,
        last=last,
        points=len(amounts),
    )
