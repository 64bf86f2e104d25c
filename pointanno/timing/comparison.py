"""Two conditions against each other: by which factor one takes longer, for these people or for people in general.

A cell is what one person did on one picture under one condition: the mean logarithm of its times. People differ in
pace, pictures in difficulty, and people differ in what a condition does for them; all three are drawn at random, and
so is what is left. The factor is the generalised least-squares estimate, its variance that of restricted maximum
likelihood. Balanced designs give what a paired t test gives: over pictures if there is one person, over people if
there are several.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.timing.statistics import LEVEL, UNKNOWN, Estimate, bootstrap, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pointanno.timing.items import Item

SMALLEST_CROWD = 3
"""From so many people on, something can be said about people in general."""

MANY_PICTURES = 1500
"""From so many on, what a picture does to a single person is left out of the model: it would take too long."""

LEAST = -14.0
"""Logarithm of a share of the variance that counts as none."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one condition takes in comparison with another one.

    Attributes
    ----------
    kind : of the items that are compared
    first, second : conditions
    ratio : time under the second one as a multiple of that under the first one
    difference_s : mean difference in seconds, second minus first, of pictures done under both; `n` of them
    annotators : how many people worked under both
    pictures : how many were done under both
    items : of both conditions
    scope : "people" (the interval is for people in general) or "these people"
    """

    kind: str
    first: str
    second: str
    ratio: Estimate
    difference_s: Estimate
    annotators: int
    pictures: int
    items: int
    scope: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person did on one picture under one condition."""

    annotator: str
    picture: int | None
    condition: str
    log_s: float
    seconds: float


def cells_of(items: Iterable[Item], *, trimmed: bool = False) -> list[Cell]:
    """Means of all items of a person on a picture under a condition; items without a positive time are left out."""
    found = []
    timed = [item for item in items if (item.trimmed_ms if trimmed else item.raw_ms) > 0]
    for (annotator, picture, condition), many in grouped(timed, "annotator", "image_id", "condition").items():
        seconds = np.array([(item.trimmed_ms if trimmed else item.raw_ms) / 1000 for item in many])
        found.append(Cell(annotator, picture, condition, float(np.log(seconds).mean()), float(seconds.mean())))
    return found


def compare(items: Sequence[Item], first: str, second: str, *, trimmed: bool = False) -> Comparison:
    """Compare two conditions by the items of one kind.

    Parameters
    ----------
    items : of one kind, as statistics take them in
    first, second : conditions
    trimmed : without idle time
    """
    items = [item for item in items if item.condition in (first, second)]
    cells = cells_of(items, trimmed=trimmed)
    kind = items[0].kind if items else ""
    by_picture: dict[int | None, dict[str, list[float]]] = {}
    for cell in cells:
        by_picture.setdefault(cell.picture, {}).setdefault(cell.condition, []).append(cell.seconds)
    pairs = [(np.mean(one[first]), np.mean(one[second])) for one in by_picture.values() if len(one) == 2]
    differences = [float(after - before) for before, after in pairs]
    ratio, scope = log_ratio(cells, first, second)
    return Comparison(
        kind=kind,
        first=first,
        second=second,
        ratio=Estimate(math.exp(ratio.value), math.exp(ratio.low), math.exp(ratio.high), ratio.n),
        difference_s=bootstrap([differences], np.mean),
        annotators=_in_both(cells, first, second, "annotator"),
        pictures=_in_both(cells, first, second, "picture"),
        items=len(items),
        scope=scope,
    )


def _in_both(cells: Sequence[Cell], first: str, second: str, name: str) -> int:
    seen = [{getattr(cell, name) for cell in cells if cell.condition == one} for one in (first, second)]
    return len(seen[0] & seen[1])


def log_ratio(cells: Sequence[Cell], first: str, second: str) -> tuple[Estimate, str]:
    """Logarithm of the factor, and for whom its interval holds.

    Notes
    -----
    D. A. Harville, *Maximum likelihood approaches to variance component estimation and to related problems* (Journal
    of the American Statistical Association 1977): restricted likelihood. The interval takes Student's t; its degrees
    of freedom are the people minus one where these are drawn from people in general, else what is left of the cells
    after people and pictures. With fewer than six people it is wider than it would have to be; degrees of freedom
    after Satterthwaite made it too narrow in simulated studies.
    """
    cells = [cell for cell in cells if cell.condition in (first, second)]
    n = len(cells)
    is_second = np.array([cell.condition == second for cell in cells], dtype=float)
    if n < 2 or not 0 < is_second.sum() < n:
        return UNKNOWN, "these people"
    y = np.array([cell.log_s for cell in cells])
    people = _codes([cell.annotator for cell in cells])
    pictures = _codes([str(cell.picture) for cell in cells])
    crowd = int(sum(np.ptp(is_second[people == one]) > 0 for one in range(people.max() + 1)))
    scope = "people" if crowd >= SMALLEST_CROWD else "these people"
    groups = [people, pictures] if crowd else [pictures]  # else people and conditions cannot be told apart
    if (
        crowd and pictures.max() < MANY_PICTURES
    ):  # what a picture does to a person; beyond that only what it does to everybody
        groups.append(people * (pictures.max() + 1) + pictures)
    left = n - _rank(people, pictures) - 1
    if left < 1:  # no picture was done twice
        groups, left = [people] if crowd else [], n - int(people.max()) - 1 - (crowd > 0)
    if scope == "people":
        groups.append(people * 2 + is_second.astype(np.int64))
    value, error = _restricted_fit(y, np.stack([np.ones(n), is_second], axis=1), groups)
    freedom = crowd - 1 if scope == "people" else left
    if freedom < 1 or not math.isfinite(error):
        return Estimate(value, math.nan, math.nan, n), scope
    from scipy import stats

    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Estimate(value, value - reach, value + reach, n), scope


def _rank(people: NDArray[np.int64], pictures: NDArray[np.int64]) -> int:
    """How many independent levels of people and pictures there are: one less for each part that hangs together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = int(people.max()) + int(pictures.max()) + 2
    links = coo_array((np.ones(len(people)), (people, pictures + people.max() + 1)), shape=(nodes, nodes))
    return nodes - int(connected_components(links, directed=False)[0])


def _codes(names: Sequence[str]) -> NDArray[np.int64]:
    """Numbers from 0 for names, in the order of the names."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


def _components(groups: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Groupings in which some, but not all, cells share a group, each once: others cannot be told apart."""
    found: dict[bytes, NDArray[np.int64]] = {}
    for one in groups:
        codes = np.unique(one, return_inverse=True)[1].astype(np.int64)
        if 0 < codes.max() < len(codes) - 1:
            found.setdefault(codes.tobytes(), codes)
    return list(found.values())


def _restricted_fit(
    y: NDArray[np.float64], X: NDArray[np.float64], groups: Sequence[NDArray[np.int64]]
) -> tuple[float, float]:
    """Estimate and standard error of the last coefficient of X, with a random effect for each of the groupings.

    The covariance of N cells is never formed. With Z the indicators of all groups, scaled by their standard deviations,
    it is I + ZZ', whose inverse and determinant follow from I + Z'Z; and of that the part of the finest grouping is
    diagonal, so only the groups of the others are solved for.
    """
    from scipy import linalg, optimize

    n, p = X.shape
    if n <= p:
        return float(np.linalg.lstsq(X, y, rcond=None)[0][-1]), math.nan
    groups = _components(groups)
    middle = y.mean()
    A = np.column_stack([X, y - middle])
    AA = A.T @ A
    groups = sorted(groups, key=lambda one: int(one.max()), reverse=True)
    finest = groups[0] if groups else np.zeros(0, np.int64)
    counts = np.bincount(finest).astype(float)
    Z1A = np.stack([np.bincount(finest, column) for column in A.T], axis=1) if groups else np.zeros((0, p + 1))
    rest = [np.equal.outer(one, np.arange(one.max() + 1)).astype(float) for one in groups[1:]]
    Z2 = np.hstack([np.zeros((n, 0)), *rest])
    Z12 = (
        np.stack([np.bincount(finest, column) for column in Z2.T], axis=1)
        if Z2.shape[1]
        else np.zeros((len(counts), 0))
    )
    Z22, Z2A = Z2.T @ Z2, Z2.T @ A
    owner = np.repeat(np.arange(len(rest)), [one.shape[1] for one in rest]).astype(np.int64)

    def solve(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        spread = np.exp(np.asarray(logs) / 2)
        first = spread[0] if len(spread) else 0.0
        others = spread[1:][owner]
        diagonal = 1 + first**2 * counts
        M12 = first * Z12 * others
        schur = np.eye(len(others)) + others[:, None] * Z22 * others - M12.T @ (M12 / diagonal[:, None])
        lower = linalg.cholesky(schur, lower=True) if len(others) else np.zeros((0, 0))
        u1, u2 = first * Z1A, others[:, None] * Z2A
        reduced = u2 - M12.T @ (u1 / diagonal[:, None])
        half = linalg.solve_triangular(lower, reduced, lower=True) if len(others) else reduced
        G = AA - u1.T @ (u1 / diagonal[:, None]) - half.T @ half
        information, cross = G[:p, :p], G[:p, p]
        coefficients = np.linalg.solve(information, cross)
        variance = max(float(G[p, p] - coefficients @ cross) / (n - p), 1e-300)
        deviance = (n - p) * math.log(variance) + float(np.log(diagonal).sum())
        deviance += 2 * float(np.log(np.diag(lower)).sum()) + float(np.linalg.slogdet(information)[1])
        return deviance, coefficients, variance * np.linalg.inv(information)

    best = np.zeros(len(groups))
    if groups:
        found = optimize.minimize(
            lambda logs: solve(logs)[0], best, method="L-BFGS-B", bounds=[(LEAST, 10.0)] * len(best)
        )
        best = np.asarray(found.x)
    _, coefficients, covariance = solve(best)
    return float(coefficients[-1]), math.sqrt(max(float(covariance[-1, -1]), 0.0))
