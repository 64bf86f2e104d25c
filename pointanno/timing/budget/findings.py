"""What trainings with several amounts and kinds of annotation say about the next hours: tables and sentences."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.timing.budget.costs import PLURALS, Counts, seconds_of
from pointanno.timing.budget.curve import DRAWS, FEWEST, SEED, Curve, estimate, fit_curve
from pointanno.timing.budget.ladder import HOUR
from pointanno.timing.statistics import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.timing.budget.costs import Cost
    from pointanno.timing.budget.kinds import Kind
    from pointanno.timing.statistics import Estimate
    from pointanno.timing.tables import Row


@dataclass(frozen=True, slots=True)
class Trained:
    """One finished training.

    Attributes
    ----------
    name : of its folder
    kind : what it learnt from
    hours : that its annotations cost
    quality : by the metric, a fraction
    samples : the same on samples of the pictures, the same samples for all trainings; empty if there are none
    counts : how many of each unit were annotated
    pictures : on which something was annotated
    seed : of the training
    steps : of all its stages
    """

    name: str
    kind: Kind
    hours: float
    quality: float
    counts: Mapping[str, int]
    pictures: int
    samples: Sequence[float] = ()
    seed: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What is told.

    Attributes
    ----------
    metric : "AP" or "PQ"
    trained : every training that counts
    curves : by kind; None where there are too few amounts
    costs : by unit that was used
    more : hours that are asked about
    spent : hours that are spent already, by kind with a curve
    notes : sentences about what the numbers are, and what was left out
    """

    metric: str
    trained: tuple[Trained, ...]
    curves: Mapping[Kind, Curve | None]
    costs: Mapping[str, Cost]
    more: float
    spent: Mapping[Kind, float]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """How it was made, by name, for the page."""
    next_pictures: str = ""
    """A sentence about which pictures to annotate next, if a prediction tells."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All kinds, those with a curve or not."""
        return tuple(self.curves)


def find(
    trained: Sequence[Trained],
    costs: Mapping[str, Cost],
    *,
    metric: str,
    more: float,
    spent: float | None = None,
    notes: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
) -> Findings:
    """Fit a curve for each kind.

    Parameters
    ----------
    spent : hours that are spent already; None is for each kind the largest amount that was trained
    """
    kinds = sorted({one.kind for one in trained}, key=lambda kind: (kind.supervision != "masks", kind))
    rng = np.random.default_rng(SEED)
    unit_draws = {unit: cost.draws(DRAWS, rng) for unit, cost in costs.items()}
    curves: dict[Kind, Curve | None] = {}
    begun: dict[Kind, float] = {}
    for kind in kinds:
        own = [one for one in trained if one.kind == kind]
        has_samples = all(len(one.samples) for one in own)
        curve = fit_curve(
            [one.hours for one in own],
            [one.quality for one in own],
            samples=[one.samples for one in own] if has_samples else None,
            scale=_scale(own, costs, unit_draws),
            # each kind has its own chance, whatever else is there; pictures and seconds are those of all
            seed=SEED + zlib.crc32(kind.name.encode()),
        )
        curves[kind] = curve
        if curve is not None:
            begun[kind] = curve.last if spent is None else min(max(spent, curve.first), curve.last)
    return Findings(metric.upper(), tuple(trained), curves, costs, more, begun, tuple(notes), facts or {})


def _scale(
    own: Sequence[Trained], costs: Mapping[str, Cost], draws: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """By which factor the hours of a kind may be wrong, since its seconds are means of some measured items."""
    counts: Counts = {}
    for one in own:
        for unit, count in one.counts.items():
            counts[unit] = counts.get(unit, 0) + count
    total = seconds_of(counts, costs)
    if not total:
        return np.ones(DRAWS)
    drawn = np.sum([count * draws[unit] for unit, count in counts.items()], axis=0)
    return np.asarray(drawn / total)


def hours_of(counts: Mapping[str, int], costs: Mapping[str, Cost]) -> float:
    """Hours of so many units."""
    return seconds_of(counts, costs) / HOUR


def training_rows(findings: Findings) -> list[Row]:
    """Every training, with the interval that samples of the pictures leave."""
    rows: list[Row] = []
    for one in sorted(findings.trained, key=lambda one: (findings.kinds.index(one.kind), one.hours, one.seed)):
        low, high = _interval(one.samples)
        units = {PLURALS[unit]: count for unit, count in one.counts.items()}
        row: Row = {"training": one.name, "kind": one.kind.name, "hours": one.hours, "quality": one.quality}
        rows.append(
            {
                **row,
                "quality_low": low,
                "quality_high": high,
                "pictures": one.pictures,
                **{name: units.get(name, 0) for name in _unit_names(findings)},
                "seed": one.seed,
                "steps": one.steps,
            }
        )
    return rows


def _unit_names(findings: Findings) -> list[str]:
    return list(dict.fromkeys(PLURALS[unit] for one in findings.trained for unit in one.counts))


def _interval(samples: Sequence[float]) -> tuple[float | None, float | None]:
    known = np.asarray(samples, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return None, None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def curve_rows(findings: Findings, count: int = 25) -> list[Row]:
    """The curves at hours evenly spaced by ratio, up to their reach."""
    rows: list[Row] = []
    for kind, curve in findings.curves.items():
        if curve is None:
            continue
        inside = np.geomspace(curve.first, curve.last, count)
        beyond = np.geomspace(curve.last, curve.reach, count // 4)[1:]
        for hours in [*inside.tolist(), *beyond.tolist()]:
            found = curve.at(min(max(hours, curve.first), curve.reach))
            row = {"kind": kind.name, "hours": hours, "beyond": hours > curve.last * (1 + 1e-9)}
            rows.append({**row, **_columns("quality", found)})
    return rows


def _columns(name: str, found: Estimate) -> Row:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def worth_rows(findings: Findings) -> list[Row]:
    """What more hours of each kind add, and where they lead; the kind that leads highest first."""
    told: dict[Kind, tuple[Curve, float, float]] = {}
    for kind, curve in findings.curves.items():
        if curve is not None:
            start = findings.spent[kind]
            told[kind] = (curve, start, min(findings.more, curve.reach - start))
    reached = {kind: curve.draws(start + more) for kind, (curve, start, more) in told.items()}
    order = sorted(reached, key=lambda kind: -float(np.median(reached[kind])))
    rows: list[Row] = []
    for kind in order:
        curve, start, more = told[kind]
        row: Row = {"kind": kind.name, "spent_h": start, "more_h": more}
        row |= _columns("gain", estimate(curve.gain_draws(start, more), 0))
        row |= _columns("reached", estimate(reached[kind], 0))
        row |= _behind(estimate(reached[order[0]] - reached[kind], 0) if kind != order[0] else None)
        row["is_extrapolated"] = start + more > curve.last * (1 + 1e-9)
        row["is_cut"] = more < findings.more * (1 - 1e-9)
        rows.append(row)
    return rows


def _behind(found: Estimate | None) -> Row:
    if found is None:
        return {"behind": None, "behind_low": None, "behind_high": None}
    return _columns("behind", found)


def level_rows(findings: Findings) -> list[Row]:
    """Quality of each kind for the same hours, wherever the trainings of all of them reach, and how far apart."""
    curves = {kind: curve for kind, curve in findings.curves.items() if curve is not None}
    if len(curves) < 2:
        return []
    first, last = max(curve.first for curve in curves.values()), min(curve.last for curve in curves.values())
    if first > last:
        return []
    rows: list[Row] = []
    for hours in np.unique(np.geomspace(first, last, 4)).tolist():
        hours = min(max(hours, first), last)
        draws = {kind: curve.draws(hours) for kind, curve in curves.items()}
        order = sorted(draws, key=lambda kind: -float(np.median(draws[kind])))
        for kind in order:
            behind = estimate(draws[order[0]] - draws[kind], 0) if kind != order[0] else None
            row = {"hours": hours, "kind": kind.name, **_columns("quality", estimate(draws[kind], 0))}
            rows.append(row | _behind(behind))
    return rows


def sentences(findings: Findings) -> list[str]:
    """The answer in words: what the hours are worth, which kind leads highest, and what cannot be told."""
    titles = {kind.name: kind.title for kind in findings.kinds}
    rows = worth_rows(findings)
    said = [_gain_in_words(row, titles[row["kind"]], findings) for row in rows]
    if len(rows) > 1:
        said.append(_best_in_words(rows, titles, findings.metric))
    levels = level_rows(findings)
    if levels:
        hours = levels[-1]["hours"]
        said.append(_level_in_words([row for row in levels if row["hours"] == hours], titles, findings.metric))
    for kind, curve in findings.curves.items():
        if curve is None:
            amounts = len({round(one.hours, 9) for one in findings.trained if one.kind == kind})
            said.append(
                f"{_upper(kind.title)}: {amounts} amount{'' if amounts == 1 else 's'} of annotation "
                f"{'has' if amounts == 1 else 'have'} been trained, and a curve needs {FEWEST}, so nothing can be "
                "told of more hours; its trainings are shown as points."
            )
    return [*said, findings.next_pictures] if findings.next_pictures else said


def _gain_in_words(row: Row, title: str, findings: Findings) -> str:
    text = (
        f"{in_hours(row['more_h'], 'more')} of {title}, after {in_hours(row['spent_h'])}, "
        f"{'is' if row['more_h'] == 1 else 'are'} worth about {signed(row['gain'])} {findings.metric} "
        f"(95 %: {signed(row['gain_low'])} to {signed(row['gain_high'])})"
    )
    if row["is_cut"]:
        text += f"; nothing is told beyond {in_hours(row['spent_h'] + row['more_h'])}, twice what was trained"
    elif row["is_extrapolated"]:
        text += "; that is beyond what was trained"
    return text + "."


def _best_in_words(rows: Sequence[Row], titles: Mapping[str, str], metric: str) -> str:
    if any(row["is_cut"] for row in rows):
        return "The hours that can be told of are cut, so which kind leads higher is not told."
    best, second = rows[0], rows[1]
    reached = ", ".join(f"{titles[row['kind']]} at {points(row['reached'])} {metric}" for row in rows)
    between = f"95 %: {signed(second['behind_low'])} to {signed(second['behind_high'])}"
    if second["behind_low"] <= 0:
        level = [titles[row["kind"]] for row in rows if row["behind_low"] is None or row["behind_low"] <= 0]
        return (
            f"After these hours: {reached}. {_upper(' and '.join(level))} cannot be told apart by these trainings "
            f"(difference {signed(second['behind'])}, {between})."
        )
    text = f"After these hours: {reached}; {titles[best['kind']]} is ahead by {points(second['behind'])} ({between})."
    quickest = max(rows, key=lambda row: float(row["gain"]))
    if quickest is not best:
        text = f"{text[:-1]}, though {titles[quickest['kind']]} gains more from where it stands."
    return text


def _level_in_words(rows: Sequence[Row], titles: Mapping[str, str], metric: str) -> str:
    reached = ", ".join(f"{titles[row['kind']]} {points(row['quality'])}" for row in rows)
    text = f"With {in_hours(rows[0]['hours'])} in all the {metric} is about: {reached}"
    second = rows[1]
    between = f"{signed(second['behind_low'])} to {signed(second['behind_high'])}"
    if second["behind_low"] > 0:
        return f"{text}; {titles[rows[0]['kind']]} is ahead by {points(second['behind'])} (95 %: {between})."
    return f"{text}; the first two cannot be told apart (difference {between})."


def in_hours(hours: float, word: str = "") -> str:
    """Hours as a person says them: "2 more hours", "0.5 h", "77 h"."""
    text = f"{hours:.3g}"
    return f"{text} {word} hour{'' if text == '1' else 's'}" if word else f"{text} h"


def points(quality: float) -> str:
    """A fraction in points of a hundred, as papers write AP."""
    return f"{100 * quality:.1f}"


def signed(quality: float) -> str:
    """A difference in points, with its sign."""
    return f"{100 * quality:+.1f}" if abs(100 * quality) >= 0.05 else "0.0"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def as_json(findings: Findings) -> dict[str, Any]:
    """Everything for machines; fractions and hours."""
    from pointanno.timing.budget.costs import cost_rows

    return {
        "metric": findings.metric.lower(),
        "answer": sentences(findings),
        "worth": worth_rows(findings),
        "levels": level_rows(findings),
        "trainings": training_rows(findings),
        "curves": curve_rows(findings),
        "seconds": cost_rows(findings.costs, list(findings.costs)),
        "notes": list(findings.notes),
        "facts": dict(findings.facts),
        "more_h": findings.more if math.isfinite(findings.more) else None,
    }
