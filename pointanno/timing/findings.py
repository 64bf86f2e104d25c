"""Everything that a report tells, as named tables: computed once, shown as a page, written as files."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from pointanno.timing.accuracy import REFERENCES as COMPARED_WITH
from pointanno.timing.accuracy import Judged, accuracies, judged, speed_accuracy, unsure_rates
from pointanno.timing.activity import IDLE_NS
from pointanno.timing.clock_facts import Precision, precision_of
from pointanno.timing.comparison import compare
from pointanno.timing.items import WARM_UP
from pointanno.timing.literature import REFERENCES, Reference
from pointanno.timing.log import read_log
from pointanno.timing.statistics import (
    forecast,
    grouped,
    loglog_slope,
    median_of,
    rate_of,
    sensitivity,
)
from pointanno.timing.study import Study, study_of
from pointanno.timing.tables import (
    PER_KIND,
    Row,
    class_name,
    correction_rows,
    estimate_row,
    exclusion_rows,
    item_rows,
    session_rows,
    time_rows,
    timeline_rows,
    total_rows,
)
from pointanno.timing.truth import TruthOfImage, hits, judged_by_truth, overlaps, read_truth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pointanno.project import Project
    from pointanno.timing.items import Item

COMPARED = ("object", "image", "point", "box", "click", "stroke")
"""Kinds by which conditions are compared."""

LOOKED_AGAIN = ("review", "second_look")
"""Ways of working that go over what was annotated before: they tell nothing of how long new pictures take."""

TRUTH = "truth"
"""What answers are compared with in the tables, beside "gold" and "second"."""

SIZED = ("box", "object", "stroke")


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader of a report may choose.

    Attributes
    ----------
    idle_s : seconds without input from which on it is idle
    warm_up : actions at the beginning of each session and condition that are left out
    answers : "first" or "final"
    trimmed : compare conditions without idle time
    with_names : the names behind the pseudonyms, where this copy of the project knows them
    references : published times, and the reader's own
    truth : file with the masks of the project's pictures, None without
    """

    idle_s: float = IDLE_NS / 1e9
    warm_up: int = WARM_UP
    answers: str = "first"
    trimmed: bool = False
    with_names: bool = False
    references: tuple[Reference, ...] = REFERENCES
    truth: Path | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report tells.

    Attributes
    ----------
    project : its name
    options : under which it was computed
    study : the timed journal
    precision : of its clocks
    tables : rows by name of the table
    """

    project: str
    options: Options
    study: Study
    precision: Precision
    tables: Mapping[str, list[Row]]

    @property
    def is_timed(self) -> bool:
        """Whether any session kept time."""
        return bool(self.study.times)


def find(project: Project, options: Options | None = None) -> Findings:
    """Compute everything from the journal of a project.

    Parameters
    ----------
    project : may be open elsewhere; nothing is written
    options : see `Options`
    """
    options = options or Options()
    study = study_of(read_log(project), idle_ns=round(options.idle_s * 1e9), warm_up=options.warm_up)
    classes = {category.id: category.name for category in project.categories()}
    truth = [] if options.truth is None else read_truth(project, options.truth)
    beside_truth = judged_by_truth(study, project, truth, answers=options.answers)
    tables = {
        "sessions": session_rows(study),
        "totals": total_rows(study),
        "counts": exclusion_rows(study),
        "times": time_rows(study, classes, answers=options.answers),
        "corrections": correction_rows(study),
        "throughput": throughput_rows(study),
        "object_parts": part_rows(study, classes, options),
        "size_slopes": size_rows(study, options),
        "agreement": agreement_rows(study, project, options, beside_truth),
        "truth": truth_rows(project, truth),
        "speed_accuracy": speed_rows(study, options, beside_truth),
        "conditions": condition_rows(study, options),
        "idle_sensitivity": [dict(row) for row in sensitivity(study)],
        "literature": literature_rows(study, options),
        "forecast": forecast_rows(study, project),
        "timeline": timeline_rows(study),
        "items": item_rows(study, classes),
    }
    if options.with_names:
        _name(tables, project.people())
    return Findings(project.path.stem, options, study, precision_of(study), tables)


def _name(tables: Mapping[str, list[Row]], names: Mapping[str, str]) -> None:
    """Put names in the place of pseudonyms."""
    for rows in tables.values():
        for row in rows:
            for column in ("annotator", "other"):
                if row.get(column) in names:
                    row[column] = names[row[column]]
            if row.get("by") == "annotator" and row["group"] in names:
                row["group"] = names[row["group"]]


def throughput_rows(study: Study) -> list[Row]:
    """What everybody did in an hour of work under each condition, by kind; what was taken back does not count."""
    rows = []
    for total in total_rows(study)[:-1]:
        work_s = total["work_s"]
        for kind in PER_KIND:
            done = sum(
                item.is_final
                and item.actions > 0
                and (item.kind, item.annotator, item.condition or "(none)")
                == (kind, total["annotator"], total["condition"])
                for item in study.items
            )
            if done:
                row = {"annotator": total["annotator"], "condition": total["condition"], "kind": kind, "done": done}
                rows.append({**row, "work_s": work_s, "per_hour": done / work_s * 3600 if work_s else None})
    return rows


def part_rows(study: Study, classes: Mapping[int, str], options: Options) -> list[Row]:
    """Mean seconds of an object by what they went into, for each class under each condition."""
    objects = [one for one in study.chosen("object", answers=options.answers) if one.condition not in LOOKED_AGAIN]
    several = len({item.condition for item in objects}) > 1
    rows = []
    for (category_id, condition), many in grouped(objects, "category_id", "condition").items():
        name = class_name(category_id, classes)
        label = f"{name}, {condition}" if several else name
        rows.append({"group": label, "class": name, "condition": condition, "n": len(many), **_parts(many)})
    return rows


def _parts(objects: Sequence[Item]) -> Row:
    trimmed = sum(item.time.trimmed for item in objects if item.time is not None)
    raw = sum(item.time.raw for item in objects if item.time is not None)
    scale = trimmed / raw / len(objects) / 1e9 if raw else 0.0  # idle time is taken off all parts alike
    found = {
        f"{name}_s": scale * sum(item.parts.get(part, 0) for item in objects for part in parts)
        for name, parts in (("box", ("box",)), ("points", ("points",)), ("drawing", ("clicks", "strokes")))
    }
    whole = trimmed / len(objects) / 1e9
    return {**found, "other_s": max(0.0, whole - sum(found.values())), "whole_s": whole}


def size_rows(study: Study, options: Options) -> list[Row]:
    """By which power of the box's size the time grows."""
    rows = []
    for kind in SIZED:
        items = [item for item in study.chosen(kind, answers=options.answers) if item.extent]
        for (condition,), many in grouped(items, "condition").items():
            found = loglog_slope([item.extent or 0.0 for item in many], [item.raw_ms for item in many])
            rows.append({"kind": kind, "condition": condition, "n": len(many), **estimate_row("slope", found)})
    return rows


def agreement_rows(study: Study, project: Project, options: Options, beside_truth: Sequence[Judged] = ()) -> list[Row]:
    """How far answers and clicks agree with known ones, with a second person's, and with the ground truth."""
    rows: list[Row] = []
    for against in COMPARED_WITH:
        rows += _agreement_of(against, judged(study, against, answers=options.answers))
        distances, alone = _click_distances(project, against)
        if distances or alone:
            row = {"against": against, "annotator": "all", "clicks": len(distances), "clicks_alone": alone}
            rows.append(row | estimate_row("distance_px", median_of(distances)))
    rows += _agreement_of(TRUTH, beside_truth)
    for annotator, rate in unsure_rates(study):
        rows.append({"against": "(unsure)", "annotator": annotator, "answers": rate.n, **estimate_row("share", rate)})
    return rows


def _agreement_of(against: str, pairs: Sequence[Judged]) -> list[Row]:
    return [
        {
            "against": against,
            "annotator": one.annotator or "all",
            "answers": one.n,
            **estimate_row("share", one.share),
            **estimate_row("kappa", one.kappa),
            **estimate_row("median_ms", one.median_ms),
        }
        for one in accuracies(pairs)
    ]


def truth_rows(project: Project, truth: Sequence[TruthOfImage]) -> list[Row]:
    """Clicks, boxes and masks beside the ground truth, of everybody and of all."""
    rows: list[Row] = []
    clicks = hits(project, truth)
    drawn = overlaps(project, truth)
    for annotator in _with_all({one.annotator for one in clicks}):
        mine = [one for one in clicks if annotator in (one.annotator, "all")]
        far = [one.distance for one in mine if one.distance]
        row: Row = {"what": "click", "annotator": annotator, "n": len(mine), "matched": len(mine)}
        row["matched"] = sum(one.distance is not None for one in mine)
        row |= estimate_row("on_class", rate_of(sum(one.distance == 0 for one in mine), len(mine)))
        rows.append(row | estimate_row("distance_of_others_px", median_of(far)))
    for what in ("box", "mask"):
        these = [one for one in drawn if one.what == what]
        for annotator in _with_all({one.annotator for one in these}):
            mine_drawn = [one for one in these if annotator in (one.annotator, "all")]
            known = [one.iou for one in mine_drawn if one.iou is not None]
            row = {"what": what, "annotator": annotator, "n": len(mine_drawn), "matched": len(known)}
            rows.append(row | estimate_row("iou", median_of(known)))
    return rows


def _with_all(names: set[str]) -> list[str]:
    """In order, and all together where there are several."""
    return [*sorted(names), "all"] if len(names) > 1 else sorted(names)


def _click_distances(project: Project, against: str) -> tuple[list[float], int]:
    """Pixels between clicks that mean the same object, and how many have no partner."""
    from pointanno.project.agreement import MATCH_RADIUS, pair_clicks

    distances: list[float] = []
    alone = 0
    for image in project.images():
        other = project.annotations(image.id, layer=against)
        if other.clicks and (against == "gold" or image.second_pass == "done"):
            found, single = pair_clicks(project.annotations(image.id).clicks, other.clicks, MATCH_RADIUS)
            distances += found
            alone += single
    return distances, alone


def speed_rows(study: Study, options: Options, beside_truth: Sequence[Judged] = ()) -> list[Row]:
    """Groups of equally many answers from fast to slow, and how many of each agree."""
    rows = []
    compared = [(against, judged(study, against, answers=options.answers)) for against in COMPARED_WITH]
    for against, pairs in (*compared, (TRUTH, beside_truth)):
        for time, share in speed_accuracy(pairs):
            row = {"against": against, "n": share.n, **estimate_row("median_ms", time)}
            rows.append(row | estimate_row("share", share))
    return rows


def condition_rows(study: Study, options: Options) -> list[Row]:
    """Every pair of conditions, by every kind of item that both have."""
    rows = []
    for kind in COMPARED:
        items = [one for one in study.chosen(kind, answers=options.answers) if one.condition not in LOOKED_AGAIN]
        names = [str(name) for (name,) in grouped(items, "condition") if name]
        for first, second in combinations(names, 2):
            found = compare(items, first, second, trimmed=options.trimmed)
            rows.append(
                {
                    "kind": kind,
                    "first": first,
                    "second": second,
                    "items": found.items,
                    "annotators": found.annotators,
                    "pictures": found.pictures,
                    **estimate_row("ratio", found.ratio),
                    **estimate_row("difference_s", found.difference_s),
                    "interval_for": found.scope,
                }
            )
    return rows


def literature_rows(study: Study, options: Options) -> list[Row]:
    """Own medians, and what others have published for the same kind of item."""
    rows: list[Row] = []
    for kind in dict.fromkeys(reference.kind for reference in options.references):
        items = study.chosen(kind, answers=options.answers)
        if kind != "point":
            items = [one for one in items if one.condition not in LOOKED_AGAIN]
        if not items:
            continue
        for (condition,), many in grouped(items, "condition").items():
            found = median_of([item.raw_ms / 1000 for item in many])
            label = f"{kind}, here" + (f" ({condition})" if condition else "")
            own = estimate_row("seconds", found)
            rows.append(
                {"kind": kind, "label": label, **_low_high(own), "source": f"{len(many)} items of this project"}
            )
        rows += [
            {"kind": kind, "label": f"{kind}: {one.label}", "seconds": one.seconds, "low": None, "high": None,
             "is_own": False, "source": one.source}
            for one in options.references if one.kind == kind
        ]  # fmt: skip
    return rows


def _low_high(row: Row) -> Row:
    return {"seconds": row["seconds"], "low": row["seconds_low"], "high": row["seconds_high"], "is_own": True}


def forecast_rows(study: Study, project: Project) -> list[Row]:
    """What is left, and what it will take if it is done in one of the ways in which the rest was done."""
    images = {image.id: image for image in project.images()}
    visited = [item for item in study.items if item.kind == "image" and item.actions and item.time is not None]
    finished = [item for item in visited if item.image_id in images and images[item.image_id].state == "complete"]
    left = sum(image.state in ("unlabelled", "in_progress") for image in images.values())
    rows = []
    for what, items, remaining in (
        ("images that are not complete", finished or visited, left),
        ("boxes with open points", _asked_objects(study), len(project.open_boxes())),
    ):
        for (condition,), many in grouped(items, "condition").items():
            if remaining and condition not in LOOKED_AGAIN:
                found = forecast([item.trimmed_ms / 1000 for item in many], remaining)
                row = {"what": what, "condition": condition, "left": remaining, "from": len(many)}
                rows.append(row | estimate_row("seconds", found))
    return rows


def _asked_objects(study: Study) -> list[Item]:
    return [item for item in study.chosen("object") if item.parts.get("points")]


def as_json(findings: Findings) -> dict[str, Any]:
    """The findings without the long tables, for machines."""
    p = findings.precision
    delivery = None if p.delivery_ms is None else dict(zip(("median", "p95", "worst"), p.delivery_ms, strict=True))
    return {
        "project": findings.project,
        "options": {
            name: getattr(findings.options, name) for name in Options.__slots__ if name not in ("references", "truth")
        }
        | {"truth": None if findings.options.truth is None else str(findings.options.truth)},
        "precision": {
            "clock_resolution_ns": p.resolution_ns,
            "screen_hz": p.refresh_hz,
            "delivery_delay_ms": delivery,
            "inputs_with_stamp": p.delivered,
            "inputs_late": p.late,
            "shown_without_frame_swap": p.fallbacks,
            "no_claim_below_ms": p.claim_ms,
        },
        "main_times": main_times(findings),
        "tables": {name: rows for name, rows in findings.tables.items() if name not in ("items", "timeline")},
    }


def main_times(findings: Findings) -> list[Row]:
    """The rows of the table of times that tell most: of each kind, by condition where there are several."""
    rows = findings.tables["times"]
    found: list[Row] = []
    for kind in ("point", "box", "click", "stroke", "object", "image"):
        by_condition = [row for row in rows if (row["kind"], row["by"]) == (kind, "condition")]
        if kind in ("object", "image"):
            by_condition = [row for row in by_condition if row["group"] not in LOOKED_AGAIN]
        whole = [row for row in rows if (row["kind"], row["by"]) == (kind, "all")]
        found += by_condition or whole
    return found
