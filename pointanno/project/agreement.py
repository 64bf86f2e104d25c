"""How far two people agree: kappa of their answers, distance of their clicks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pointanno.project.records import Click, ImageAnnotations

MATCH_RADIUS = 20.0
"""Pixels within which two clicks of one class mean the same object."""

BINARY = ("object", "background")
"""Answers that are compared; who was unsure neither agrees nor disagrees."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two people say about the same items.

    Attributes
    ----------
    answers : int
        Points that both answered object or background.
    same : int
        Those with the same answer.
    kappa : float or None
        Cohen's kappa of these answers; None without any, or if both always said the same one thing.
    clicks : int
        Pairs of clicks that mean the same object.
    median_distance : float or None
        Pixels between the clicks of a pair.
    unmatched : int
        Clicks that the other side has no partner for.
    """

    answers: int
    same: int
    kappa: float | None
    clicks: int
    median_distance: float | None
    unmatched: int

    @property
    def share(self) -> float | None:
        """Share of the answers that are the same, None without any."""
        return self.same / self.answers if self.answers else None


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Agreement beyond chance: (p_o - p_e) / (1 - p_e).

    Parameters
    ----------
    pairs : answers of the first and the second person

    Returns
    -------
    float or None
        None if there are no pairs, or chance alone gives full agreement.

    Notes
    -----
    J. Cohen, *A coefficient of agreement for nominal scales* (Educational and Psychological Measurement 1960).
    """
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(one == other for one, other in pairs) / total
    firsts, seconds = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(firsts[value] * seconds[value] for value in firsts) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def pair_boxes(
    main: ImageAnnotations, second: ImageAnnotations, gold: ImageAnnotations | None = None
) -> list[tuple[str, str]]:
    """Answers about the same points: of boxes and their copies.

    Parameters
    ----------
    main, second : layers of an image
    gold : known answers; given, copies of its boxes are compared with it, and no others
    """
    originals = {box.uid: box for box in (main if gold is None else gold).boxes}
    pairs: list[tuple[str, str]] = []
    for copy in (*second.boxes, *main.boxes):
        original = originals.get(copy.copy_of or "")
        if original is None:
            continue
        for one, other in zip(original.answers, copy.answers, strict=False):
            if one in BINARY and other in BINARY:
                pairs.append((str(one), str(other)))
    return pairs


@dataclass(frozen=True, slots=True)
class ClickMatch:
    """Clicks of two people on one image.

    Attributes
    ----------
    distances : of the pairs that mean the same object, in pixels
    only_first, only_second : clicks without a partner
    """

    distances: tuple[float, ...]
    only_first: tuple[Click, ...]
    only_second: tuple[Click, ...]


def match_clicks(firsts: Iterable[Click], seconds: Iterable[Click], radius: float) -> ClickMatch:
    """Pair the clicks that mean the same object.

    Clicks of one class are paired such that the sum of their distances is smallest; pairs farther apart than
    `radius` are none.
    """
    from scipy.optimize import linear_sum_assignment

    one_of: dict[int, list[Click]] = {}
    other_of: dict[int, list[Click]] = {}
    for groups, clicks in ((one_of, firsts), (other_of, seconds)):
        for click in clicks:
            groups.setdefault(click.category_id, []).append(click)
    distances: list[float] = []
    only_first: list[Click] = []
    only_second: list[Click] = []
    for category_id in sorted({*one_of, *other_of}):
        ours, theirs = one_of.get(category_id, []), other_of.get(category_id, [])
        matrix = np.array([[math.hypot(a.x - b.x, a.y - b.y) for b in theirs] for a in ours]).reshape(
            len(ours), len(theirs)
        )
        # beyond the radius all are equally wrong: they must not pull good pairs apart
        rows, columns = linear_sum_assignment(np.minimum(matrix, 2 * radius))
        near = [(row, column) for row, column in zip(rows, columns, strict=True) if matrix[row, column] <= radius]
        distances += [float(matrix[pair]) for pair in near]
        taken, given = {row for row, _ in near}, {column for _, column in near}
        only_first += [click for row, click in enumerate(ours) if row not in taken]
        only_second += [click for column, click in enumerate(theirs) if column not in given]
    return ClickMatch(tuple(distances), tuple(only_first), tuple(only_second))


def pair_clicks(firsts: Iterable[Click], seconds: Iterable[Click], radius: float) -> tuple[list[float], int]:
    """Distances of clicks that mean the same object, and how many have no partner; see `match_clicks`."""
    match = match_clicks(firsts, seconds, radius)
    return list(match.distances), len(match.only_first) + len(match.only_second)


def agreement_of(pairs: Sequence[tuple[str, str]], distances: Sequence[float], unmatched: int) -> Agreement:
    """The summary of all pairs of a project."""
    return Agreement(
        answers=len(pairs),
        same=sum(one == other for one, other in pairs),
        kappa=cohen_kappa(pairs),
        clicks=len(distances),
        median_distance=float(np.median(distances)) if distances else None,
        unmatched=unmatched,
    )
