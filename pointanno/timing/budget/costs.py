"""What annotations cost: seconds measured in a project, given by the reader, or published, each with its source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.errors import InputError
from pointanno.timing.literature import REFERENCES, Reference
from pointanno.timing.statistics import MANY, Estimate, mean_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.dataset import PointDataset
    from pointanno.timing.study import Study

UNITS = ("box", "point", "click", "mask")
"""What is paid for: a box, an answer about a point, a click, a mask."""

FEWEST = 10
"""Own items of a unit from which on their mean is taken instead of a published time."""

_CLICK = Reference(
    "click",
    "first click of a class in a picture, PASCAL VOC (further ones of the class: 0.9 s)",
    2.4,
    "Bearman et al., What's the Point (ECCV 2016), arXiv:1506.02106",
)


def _published(kind: str, label: str) -> Reference:
    return next(one for one in REFERENCES if one.kind == kind and one.label.startswith(label))


LITERATURE: Mapping[str, Reference] = {
    "box": _published("box", "box by extreme clicking"),
    "point": _published("point", "answer about a point"),
    "click": _CLICK,
    "mask": _published("object", "polygon"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one unit.

    Attributes
    ----------
    unit : of `UNITS`
    seconds : mean, with the interval in which it is known; a published or given time has none
    source : where it comes from
    is_measured : in this project
    times : (N,) float, the measured seconds; empty if it was not measured
    """

    unit: str
    seconds: Estimate
    source: str
    is_measured: bool
    times: tuple[float, ...] = ()
    is_given: bool = False
    """By the reader."""

    def draws(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(count,) float: means of as many items drawn with replacement; the value itself if it was not measured."""
        values = np.asarray(self.times)
        n = len(values)
        if n < 2:
            return np.full(count, self.seconds.value)
        if n >= MANY:
            spread = float(values.std()) / math.sqrt(n)
            return np.maximum(rng.normal(self.seconds.value, spread, count), 0.0)
        return np.array([values[rng.integers(0, n, n)].mean() for _ in range(count)])


def costs_of(study: Study | None = None, given: Mapping[str, float] | None = None) -> dict[str, Cost]:
    """Seconds of every unit: given ones, else measured ones, else published ones.

    Parameters
    ----------
    study : the timed journal of a project; items count as in the report (first answers, without warm-up), without
        idle time
    given : by unit, what the reader says
    """
    found = {}
    for unit in UNITS:
        if given and unit in given:
            found[unit] = Cost(unit, _exactly(given[unit]), "given by --seconds", False, is_given=True)
            continue
        times = [] if study is None else _measured(study, unit)
        if len(times) >= FEWEST:
            source = f"mean of {len(times)} {_WORDS[unit]} of this project, without idle time"
            found[unit] = Cost(unit, mean_of(times), source, True, tuple(times))
        else:
            reference = LITERATURE[unit]
            few = f"; only {len(times)} measured here" if times else ""
            source = f"{reference.label}: {reference.source}{few}"
            found[unit] = Cost(unit, _exactly(reference.seconds), source, False)
    return found


PLURALS = {"box": "boxes", "point": "points", "click": "clicks", "mask": "masks"}
"""Names of columns with numbers of each unit."""

_WORDS = {**PLURALS, "point": "answers"}


def _exactly(seconds: float) -> Estimate:
    return Estimate(seconds, math.nan, math.nan, 0)


def _measured(study: Study, unit: str) -> list[float]:
    """Seconds of the own items of a unit; of a mask all that belongs to it, since it may take several strokes."""
    if unit == "mask":
        items = [item for item in study.chosen("object") if item.parts.get("strokes")]
    else:
        items = study.chosen(unit)
    looked_again = ("review", "second_look")
    return [item.trimmed_ms / 1000 for item in items if item.condition not in looked_again]


def parse_seconds(texts: Sequence[str]) -> dict[str, float]:
    """Seconds by unit, from "UNIT=SECONDS".

    Raises
    ------
    InputError
        If one of them is none.
    """
    found = {}
    for text in texts:
        unit, _, number = text.partition("=")
        try:
            seconds = float(number)
        except ValueError:
            seconds = math.nan
        if unit not in UNITS or not 0 < seconds < math.inf:
            raise InputError(
                f"--seconds {text!r}: expected UNIT=SECONDS such as mask=41.5, with one of {', '.join(UNITS)}"
            )
        found[unit] = seconds
    return found


Counts = dict[str, int]
"""How many of each unit."""


def counts_by_picture(dataset: PointDataset, *, masks: bool) -> dict[int, Counts]:
    """What was done in each picture, as far as a person did it; padded points cost nothing.

    Parameters
    ----------
    dataset : annotations
    masks : masks are what is learnt from; else boxes, points and clicks
    """
    found: dict[int, Counts] = {image.id: {} for image in dataset.images}

    def add(image_id: int, unit: str, count: int) -> None:
        if count:
            found[image_id][unit] = found[image_id].get(unit, 0) + count

    for instance in dataset.instances:
        if masks:
            add(instance.image_id, "mask", int(instance.mask is not None))
        else:
            add(instance.image_id, "box", 1)
            add(instance.image_id, "point", sum(status in ("ok", "unsure") for status in instance.points.status))
    if not masks:
        for target in dataset.targets:
            add(target.image_id, "click", sum(status in ("ok", "unsure") for status in target.points.status))
    return found


def seconds_of(counts: Mapping[str, int], costs: Mapping[str, Cost]) -> float:
    """Seconds of so many units."""
    return sum(count * costs[unit].seconds.value for unit, count in counts.items())


def cost_rows(costs: Mapping[str, Cost], units: Sequence[str] = UNITS) -> list[dict[str, object]]:
    """Costs as a table."""
    rows = []
    for unit in UNITS:
        if unit in units:
            cost = costs[unit]
            low, high = cost.seconds.low, cost.seconds.high
            rows.append(
                {
                    "unit": unit,
                    "seconds": cost.seconds.value,
                    "seconds_low": low if math.isfinite(low) else None,
                    "seconds_high": high if math.isfinite(high) else None,
                    "measured_here": cost.is_measured,
                    "source": cost.source,
                }
            )
    return rows
