"""Speed against accuracy: answers beside known ones, or beside those of a second person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.project.agreement import BINARY, cohen_kappa
from pointanno.timing.statistics import LEVEL, RESAMPLES, SEED, UNKNOWN, Estimate, grouped, median_of, rate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.timing.items import Item
    from pointanno.timing.study import Study

REFERENCES = ("gold", "second")

BINS = 5
"""Groups of equally many answers, from fast to slow."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer and what it is compared with.

    Attributes
    ----------
    item : the answer
    expected : what is known, or what the other person said
    other : who said it, "" for what is known
    """

    item: Item
    expected: str
    other: str

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.item.value == self.expected


def judged(study: Study, against: str, *, answers: str = "first") -> list[Judged]:
    """Answers about copies of boxes, beside those about the box itself.

    Parameters
    ----------
    study : Study
    against : "gold" (known answers) or "second" (the first person's, of whom a second one was the judge)
    answers : "first" or "final", of the timed side; the other side is what stands in the end

    Returns
    -------
    list of Judged
        Only pairs in which both say object or background. For "second" the timed answers are the second person's,
        because that is whose copies they are, and those of the first person where these were timed as well.
    """
    standing = {
        (item.image_id, item.uid, item.point): item for item in study.items if item.kind == "point" and item.is_final
    }
    found: list[Judged] = []

    def add(item: Item, value: str | None, other: str) -> None:
        if item.value in BINARY and value in BINARY:
            found.append(Judged(item, str(value), other))

    of_first: dict[tuple[int | None, str, int | None], list[Item]] = {}
    timed = study.chosen("point", answers=answers)
    for item in timed:
        of_first.setdefault((item.image_id, item.uid, item.point), []).append(item)
    for (image_id, uid), copy in sorted(study.things.items(), key=lambda one: (str(one[0][0]), one[0][1])):
        original = None if copy.copy_of is None else study.things.get((image_id, copy.copy_of))
        if copy.copy_of is None or original is None or (original.layer == "gold") != (against == "gold"):
            continue
        for point in range(copy.points):
            before = standing.get((image_id, copy.copy_of, point))
            imported = original.answers[point] if point < len(original.answers) else None
            value, who = (imported, "") if before is None else (before.value, before.annotator)
            for item in of_first.get((image_id, uid, point), ()):
                add(item, value, who)
            after = standing.get((image_id, uid, point))
            if against == "second" and after is not None:
                for item in of_first.get((image_id, copy.copy_of, point), ()):
                    add(item, after.value, after.annotator)
    return found


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often one person agrees, and how fast.

    Attributes
    ----------
    annotator : pseudonym, "" for all
    share : of the answers that agree
    kappa : beyond chance
    median_ms : of the answers
    n : answers
    """

    annotator: str
    share: Estimate
    kappa: Estimate
    median_ms: Estimate
    n: int


def accuracies(pairs: Sequence[Judged]) -> list[Accuracy]:
    """Of everybody, and of all together at the end."""
    by_person: dict[str, list[Judged]] = {}
    for pair in sorted(pairs, key=lambda one: (one.item.annotator, one.item.seq)):
        by_person.setdefault(pair.item.annotator, []).append(pair)
    groups = [*by_person.items()] + ([("", list(pairs))] if len(by_person) > 1 else [])
    return [
        Accuracy(
            annotator,
            rate_of(sum(one.agrees for one in many), len(many)),
            kappa_of([(one.expected, one.item.value) for one in many]),
            median_of([one.item.raw_ms for one in many]),
            len(many),
        )
        for annotator, many in groups
    ]


def kappa_of(pairs: Sequence[tuple[str, str]]) -> Estimate:
    """Cohen's kappa with a bootstrap interval; samples in which it is not defined are left out."""
    value = cohen_kappa(pairs)
    if value is None:
        return UNKNOWN
    table = np.zeros((2, 2))
    for one, other in pairs:
        table[BINARY.index(one), BINARY.index(other)] += 1
    n = len(pairs)
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(n, (table / n).ravel(), RESAMPLES).reshape(-1, 2, 2) / n
    observed = counts[:, 0, 0] + counts[:, 1, 1]
    chance = (counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)
    drawn = drawn[np.isfinite(drawn)]
    if n < 2 or not len(drawn):
        return Estimate(value, math.nan, math.nan, n)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high), n)


def speed_accuracy(pairs: Sequence[Judged], bins: int = BINS) -> list[tuple[Estimate, Estimate]]:
    """Median time (ms) and share that agrees, of groups of equally many answers from fast to slow."""
    ordered = sorted(pairs, key=lambda one: (one.item.raw_ms, one.item.seq))
    found = []
    for part in np.array_split(np.arange(len(ordered)), min(bins, len(ordered)) or 1):
        many = [ordered[index] for index in part.tolist()]
        if many:
            hits = sum(one.agrees for one in many)
            found.append((median_of([one.item.raw_ms for one in many]), rate_of(hits, len(many))))
    return found


def unsure_rates(study: Study) -> list[tuple[str, Estimate]]:
    """How often everybody was unsure."""
    return [
        (str(annotator), rate_of(sum(one.value == "unsure" for one in many), len(many)))
        for (annotator,), many in grouped(study.chosen("point"), "annotator").items()
    ]
