"""The study as tables: plain rows, which the report shows and the files beside it hold.

Whatever number stands in the report stands in one of these tables; nothing is computed a second time.
"""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.timing.activity import NOTHING, REASONS, Split
from pointanno.timing.items import KINDS, LEFT_OUT
from pointanno.timing.statistics import Estimate, correction_rate, grouped, mean_of, median_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pointanno.timing.items import Item
    from pointanno.timing.log import SessionLog
    from pointanno.timing.study import Study

Row = dict[str, Any]

PER_KIND = ("point", "box", "click", "extreme", "stroke", "object", "image", "review")


def item_rows(study: Study, classes: Mapping[int, str]) -> list[Row]:
    """Every timed item, those that statistics leave out included."""
    return [_item_row(item, classes) for item in study.items]


def _item_row(item: Item, classes: Mapping[int, str]) -> Row:
    time = item.time
    row: Row = {
        "kind": item.kind,
        "session": item.session,
        "annotator": item.annotator,
        "condition": item.condition,
        "number": item.number,
        "image_id": item.image_id,
        "uid": item.uid,
        "point": item.point,
        "class": class_name(item.category_id, classes),
        "value": item.value,
        "layer": item.layer,
        "start_ms": None if item.start_ns is None else item.start_ns / 1e6,
        "stop_ms": None if item.stop_ns is None else item.stop_ns / 1e6,
        "elapsed_ms": None if time is None else time.elapsed / 1e6,
        "raw_ms": None if time is None else time.raw / 1e6,
        "trimmed_ms": None if time is None else time.trimmed / 1e6,
        "idle_ms": None if time is None else time.idle / 1e6,
    }
    for reason in REASONS:
        row[f"{reason}_ms"] = None if time is None else time.excluded.get(reason, 0) / 1e6
    return row | {
        "drag_ms": None if item.drag_ns is None else item.drag_ns / 1e6,
        "box_ms": item.parts.get("box", 0) / 1e6 if item.kind == "object" else None,
        "points_ms": item.parts.get("points", 0) / 1e6 if item.kind == "object" else None,
        "width": None if item.size is None else item.size[0],
        "height": None if item.size is None else item.size[1],
        "actions": item.actions,
        "flags": " ".join(sorted(item.flags)),
        "first": item.is_first,
        "final": item.is_final,
        "superseded_by": item.superseded_by,
        "event": item.event,
    }


def class_name(category_id: int | None, classes: Mapping[int, str]) -> str:
    """Name of a class, its number where it has none any more, "" for no class."""
    return "" if category_id is None else classes.get(category_id, f"class {category_id}")


def session_rows(study: Study) -> list[Row]:
    """What each session's time went into."""
    rows = []
    for session in study.log.sessions:
        time = study.times.get(session.number)
        if time is None:
            continue
        facts = session.facts
        row: Row = {
            "session": session.number,
            "annotator": session.annotator,
            "started_utc": _utc(session),
            "ended": "in order" if session.is_complete else "without an end",
            **split_row(time.whole()),
            "slept_s": time.slept_ns / 1e9,
            "inputs": sum(one.is_input for one in session.moments),
        }
        versions = {key: str(facts.get(key, "")) for key in ("app", "napari", "qt", "os", "layout")}
        rows.append(row | versions | {"screen_hz": facts.get("screen_hz"), "order_seed": facts.get("order_seed")})
    return rows


def _utc(session: SessionLog) -> str:
    """Start of a session by the wall clock, to the second."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=session.started_utc_ns // 1000)
    return at.strftime("%Y-%m-%d %H:%M:%S")


def split_row(split: Split) -> Row:
    """A stretch of time in seconds, by what it went into."""
    return {
        "elapsed_s": split.elapsed / 1e9,
        **{f"{reason}_s": split.excluded.get(reason, 0) / 1e9 for reason in REASONS},
        "raw_s": split.raw / 1e9,
        "idle_s": split.idle / 1e9,
        "work_s": split.trimmed / 1e9,
    }


def total_rows(study: Study) -> list[Row]:
    """The time of everybody under each condition, and of all at the end."""
    who = {session.number: session.annotator for session in study.log.sessions}
    found: dict[tuple[str, str], Split] = {}
    for number, start, stop, condition in study.conditions:
        key = (who[number], condition)
        found[key] = found.get(key, NOTHING) + study.times[number].split(start, stop)
    rows = [
        {"annotator": annotator, "condition": condition or "(none)", **split_row(found[annotator, condition])}
        for annotator, condition in sorted(found)
    ]
    whole = NOTHING
    for split in found.values():
        whole = whole + split
    return [*rows, {"annotator": "all", "condition": "all", **split_row(whole)}] if study.times else []


def timeline_rows(study: Study) -> list[Row]:
    """What holds from when to when, seconds since the start of each session."""
    rows: list[Row] = []
    for number, time in study.times.items():
        for start, stop, state in time.timeline():
            begin, end = (start - time.start) / 1e9, (stop - time.start) / 1e9
            rows.append({"session": number, "start_s": begin, "stop_s": end, "state": state})
    return rows


def estimate_row(name: str, found: Estimate) -> Row:
    """An estimate as columns; what is not known is None."""
    values = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def time_rows(study: Study, classes: Mapping[int, str], *, answers: str = "first") -> list[Row]:
    """Median and mean of each kind of item: for all, for everybody, for each class, and for each condition."""
    rows: list[Row] = []
    for kind in PER_KIND:
        items = study.chosen(kind, answers=answers)
        if not items:
            continue
        rows.append(_times(kind, "all", "", items))
        for by, name in (("annotator", "annotator"), ("class", "category_id"), ("condition", "condition")):
            groups = grouped(items, name)
            for (value,), many in groups.items():
                label = class_name(value, classes) if by == "class" else str(value)
                if label:
                    rows.append(_times(kind, by, label, many))
        if kind == "point":
            rows += [_times(kind, "answer", str(value), many) for (value,), many in grouped(items, "value").items()]
    return rows


def _times(kind: str, by: str, label: str, items: Sequence[Item]) -> Row:
    raw = [item.raw_ms for item in items]
    trimmed = [item.trimmed_ms for item in items]
    return {
        "kind": kind,
        "by": by,
        "group": label,
        "n": len(items),
        **estimate_row("median_ms", median_of(raw)),
        **estimate_row("mean_ms", mean_of(raw)),
        **estimate_row("trimmed_median_ms", median_of(trimmed)),
    }


def correction_rows(study: Study) -> list[Row]:
    """How often each kind of item was taken back, by everybody."""
    rows = []
    for kind in ("point", "box", "click", "stroke"):
        items = [item for item in study.items if item.kind == kind]
        groups = list(grouped(items, "annotator").items())
        if len(groups) > 1:
            groups.append((("all",), items))
        for (annotator,), many in groups:
            taken = sum(not item.is_final for item in many)
            row = {"kind": kind, "annotator": annotator, "given": len(many), "taken_back": taken}
            rows.append({**row, **estimate_row("rate", correction_rate(many))})
    return rows


def exclusion_rows(study: Study) -> list[Row]:
    """How many items of each kind there are, and how many are left out of the statistics and why."""
    rows = []
    for kind in KINDS:
        items = [item for item in study.items if item.kind == kind]
        if not items:
            continue
        row: Row = {"kind": kind, "items": len(items), "counted": len(study.chosen(kind))}
        for flag in (*sorted(LEFT_OUT), "fast", "fallback", "late", "preview"):
            row[flag] = sum(flag in item.flags for item in items)
        row["without_time"] = sum(item.time is None for item in items)
        row["repeated"] = sum(not item.is_first for item in items)
        rows.append(row | {"superseded": sum(not item.is_final for item in items)})
    return rows


def to_csv(rows: Sequence[Row]) -> bytes:
    """A table with a line of names; empty where a value is not known, points as decimal marks."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def to_jsonl(rows: Iterable[Row]) -> bytes:
    """One JSON object a line."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
