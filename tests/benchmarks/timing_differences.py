"""Reported against true durations: what was done at the window, what the study core tells of it, and a table."""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pointanno.timing.intervals import Intervals
from pointanno.timing.items import Item
from pointanno.timing.study import Study

MS = 1_000_000

SITUATIONS = ("quiet", "redraw", "stopped", "stopped before")

SLOWEST_MS = 200
"""The witness tells of a frame at most so long after the screen showed it."""


@dataclass(frozen=True)
class Action:
    """An input that ends something.

    Attributes
    ----------
    kind : "point", "click", "box" or "undo"
    situation : of `SITUATIONS`, or "held"
    at_ns : when the key or the press of the button was sent; of a box when the release was
    since_ns : from when on the truth counts; of an answer what the witness says of its question
    press_ns : of a box, when the press was sent
    """

    kind: str
    situation: str
    at_ns: int
    since_ns: int
    press_ns: int = 0


@dataclass
class Record:
    """Everything that is known from outside."""

    actions: list[Action] = field(default_factory=list)
    stops: list[tuple[int, int]] = field(default_factory=list)
    """When the window stood still for sure, after the last input that was sent meanwhile."""
    all_stops: list[tuple[int, int]] = field(default_factory=list)
    """The same from its beginning."""
    end_ns: int = 0
    """When the action before ended."""


@dataclass(frozen=True)
class Difference:
    """A reported duration or instant beside the true one."""

    kind: str
    situation: str
    ms: float | None
    flags: frozenset[str]
    seq: int = 0
    """Of the event in the journal."""


def differences(study: Study, record: Record) -> tuple[list[Difference], int, int]:
    """Reported minus true, of everything that was done; how many stalls nobody made, and their milliseconds.

    Raises
    ------
    SystemExit
        If the journal has other items than were made.
    """
    (number,) = study.times
    standing, stood = Intervals.of(record.stops), Intervals.of(record.all_stops)
    stalls = Intervals.of(
        pair
        for reason in ("stall", "stopped")
        if reason in study.times[number].excluded
        for pair in study.times[number].excluded[reason].pairs()
        if not (Intervals.of([pair]) & stood).length
    )
    left_out = standing | stalls
    found: list[Difference] = []
    for kind in ("point", "click", "box"):
        items = sorted((one for one in study.items if one.kind == kind), key=lambda one: one.seq)
        actions = [one for one in record.actions if one.kind == kind]
        if len(items) != len(actions):
            raise SystemExit(f"{len(actions)} {kind} actions were made, {len(items)} are in the journal")
        for item, action in zip(items, actions, strict=True):
            found += _of_item(item, action, left_out)
    return found, len(stalls.starts), round(stalls.length / MS)


def _of_item(item: Item, action: Action, left_out: Intervals) -> Iterable[Difference]:
    truth = action.at_ns - action.since_ns - left_out.within(action.since_ns, action.at_ns)
    reported = None if item.time is None else (item.time.raw - truth) / MS
    yield Difference(item.kind, action.situation, reported, item.flags, item.seq)
    if item.drag_ns is not None:
        drag = (item.drag_ns - (action.at_ns - action.press_ns)) / MS
        yield Difference("drag", action.situation, drag, item.flags, item.seq)
    assert item.stop_ns is not None
    yield Difference("moment", action.situation, (item.stop_ns - action.at_ns) / MS, item.flags, item.seq)


def seen(told_ns: int, changes_ns: list[int]) -> int:
    """When the screen showed a frame, of which the witness told at an instant; that instant if the screen is silent."""
    place = bisect.bisect_right(changes_ns, told_ns + MS)
    return changes_ns[place - 1] if place and told_ns - changes_ns[place - 1] < SLOWEST_MS * MS else told_ns


def displays(study: Study, record: Record) -> list[Difference]:
    """Each `point_shown` that was answered beside the change of the screen."""
    shown = {
        (str(one.event.payload["uid"]), one.event.payload["point"], one.t): one.event
        for session in study.log.sessions
        for one in session.moments
        if one.event.kind == "point_shown"
    }
    items = sorted((one for one in study.items if one.kind == "point"), key=lambda one: one.seq)
    found = []
    for item, action in zip(items, (one for one in record.actions if one.kind == "point"), strict=True):
        if item.start_ns is not None:
            event = shown[item.uid, item.point, item.start_ns]
            flags = frozenset() if event.payload["swapped"] else frozenset({"fallback"})
            ms = (item.start_ns - action.since_ns) / MS
            found.append(Difference("display", action.situation, ms, flags, event.seq))
    return found


def rows(found: list[Difference]) -> list[dict[str, Any]]:
    """Median, 95th percentile and largest of the absolute differences, by kind and situation."""
    made = []
    situations = ("all", *SITUATIONS, "held")
    for kind in ("point", "click", "box", "drag", "moment", "display", "every duration"):
        durations = ("point", "click", "box", "drag")
        of_kind = [one for one in found if one.kind == kind or (kind == "every duration" and one.kind in durations)]
        for situation in situations:
            chosen = [one for one in of_kind if situation in ("all", one.situation)]
            values = sorted(abs(one.ms) for one in chosen if one.ms is not None)
            if not chosen:
                continue
            made.append({
                "kind": kind, "situation": situation, "n": len(chosen),
                "median_ms": statistics.median(values) if values else None,
                "p95_ms": values[min(len(values) - 1, round(0.95 * (len(values) - 1)))] if values else None,
                "worst_ms": values[-1] if values else None,
                "late": sum("late" in one.flags for one in chosen),
                "fallback": sum("fallback" in one.flags for one in chosen),
                "without_time": sum(one.ms is None for one in chosen),
            })  # fmt: skip
    return made


def table(made: list[dict[str, Any]]) -> str:
    """Markdown."""
    head = ["kind", "situation", "n", "median", "p95", "worst", "late", "fallback", "no time"]
    lines = [head, ["---"] * len(head)]
    for row in made:
        times = [f"{row[key]:.2f} ms" if row[key] is not None else "-" for key in ("median_ms", "p95_ms", "worst_ms")]
        counts = [str(row[key]) for key in ("late", "fallback", "without_time")]
        lines.append([row["kind"], row["situation"], str(row["n"]), *times, *counts])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
