"""What a window shows of a report: words, and curves of few numbers, ready to be drawn.

    python -m pointanno.timing.digest PROJECT [--idle 10] [--warm-up 10] [--answers first] [--trimmed]

prints it as JSON. The window starts this as a process of its own: while somebody annotates nothing may take its time.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pointanno.errors import InputError
from pointanno.timing.findings import Findings, Options, find, main_times
from pointanno.timing.statistics import learning_curve
from pointanno.timing.words import KINDS_IN_WORDS, duration, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.timing.tables import Row

STEPS = 200
"""So many points of a curve at most."""

BINS = 40

PEOPLE = 6
"""So many people at most have a curve of their own."""

SESSIONS = 12
"""So many sessions are shown: the last ones."""

NICENESS = 5
"""The window that waits for this, and a training, come first."""


def digest(findings: Findings) -> dict[str, Any]:
    """The findings in words and curves.

    Returns
    -------
    dict
        `timed`, `numbers` (pairs of a number in words and what it is), tables as {"head", "rows"} of words (`times`,
        `corrections`, `flags`), sentences (`agreement`, `conditions`, `left`), `claim_ms`, and of the curves
        `answers`, `learning`, `sessions`.
    """
    t = findings.tables
    return {
        "project": findings.project,
        "timed": findings.is_timed,
        "claim_ms": findings.precision.claim_ms,
        "numbers": _numbers(findings),
        "times": _times(findings),
        "corrections": _corrections(t["corrections"]),
        "flags": _flags(t["counts"]),
        "agreement": _agreement(t["agreement"]),
        "conditions": _conditions(t["conditions"]),
        "left": _left(t["forecast"]),
        "answers": answers(findings),
        "learning": learning(findings),
        "sessions": sessions(t["sessions"], t["timeline"]),
    }


def _numbers(findings: Findings) -> list[tuple[str, str]]:
    if not findings.tables["totals"]:
        return []
    whole = findings.tables["totals"][-1]
    return [
        (duration(whole["work_s"]), "work"),
        (duration(whole["idle_s"]), f"idle (no input for {findings.options.idle_s:g} s)"),
        (duration(whole["elapsed_s"] - whole["raw_s"]), "excluded"),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {"head": list(head), "rows": [list(row) for row in rows]}


def _times(findings: Findings) -> dict[str, Any]:
    rows = [
        (
            f"{KINDS_IN_WORDS[row['kind']]}{', ' + row['group'] if row['by'] == 'condition' else ''}",
            str(row["n"]),
            _median(row),
        )
        for row in main_times(findings)
    ]
    return _table(("", "n", "median (95 %)"), rows)


def _median(row: Row) -> str:
    """The median with its interval, in as little room as there is in a dock."""
    digits = 2 if row["median_ms"] < 10_000 else 1
    text = f"{row['median_ms'] / 1000:.{digits}f} s"
    if row["median_ms_low"] is None:
        return text
    return f"{text} ({span(row, 'median_ms', 1000, digits).replace(' to ', '-')})"


def _corrections(rows: Sequence[Row]) -> dict[str, Any]:
    return _table(
        ("taken back", "who", "of", "share, 95 %"),
        [
            (KINDS_IN_WORDS[row["kind"]], row["annotator"], str(row["given"]), _share(row, "rate"))
            for row in rows
        ],
    )  # fmt: skip


def _share(row: Mapping[str, Any], name: str) -> str:
    if row.get(name) is None:
        return "-"
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    interval = "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * row[name]:.1f} %{interval}"


def _flags(rows: Sequence[Row]) -> dict[str, Any]:
    """How many items of each kind were left out or marked, and why; reasons that never occur are left out."""
    known = ("warm_up", "practice", "unseen", "suspended", "open", "only_seen", "fast", "late", "fallback", "preview")
    used = [name for name in known if any(row[name] for row in rows)]
    return _table(
        ("", "all", "counted", *(name.replace("_", " ") for name in used)),
        [
            (KINDS_IN_WORDS[row["kind"]], str(row["items"]), str(row["counted"]), *(str(row[name]) for name in used))
            for row in rows
            if row["kind"] in KINDS_IN_WORDS
        ],
    )


def _agreement(rows: Sequence[Row]) -> list[str]:
    """Kappa of answers and distances of clicks, a sentence each."""
    found = []
    for row in rows:
        against = AGAINST.get(row["against"])
        if against is None:
            continue
        if row.get("kappa") is not None:
            found.append(
                f"{row['annotator']} and {against}: kappa {row['kappa']:.2f}{_between(row, 'kappa')}, "
                f"{100 * row['share']:.1f} % of {row['answers']} answers agree"
            )
        elif row.get("distance_px") is not None:
            found.append(f"clicks and {against}: {row['distance_px']:.1f} px apart (median of {row['clicks']} pairs)")
    return found


AGAINST = {"gold": "known answers", "second": "the other opinion", "truth": "the ground truth"}


def _between(row: Row, name: str) -> str:
    """The interval in brackets, "" without one."""
    return "" if row[f"{name}_low"] is None else f" (95 %: {span(row, name)})"


def _conditions(rows: Sequence[Row]) -> list[str]:
    """How many times as long one condition takes as another, a sentence each."""
    return [
        f"{KINDS_IN_WORDS[row['kind']]}: {row['second']} takes {row['ratio']:.2f} times as long as "
        f"{row['first']}{_between(row, 'ratio')}"
        for row in rows
        if row["ratio"] is not None
    ]


def _left(rows: Sequence[Row]) -> list[str]:
    found = []
    for row in rows:
        how = f" by {row['condition']}" if row["condition"] else ""
        between = ""
        if row["seconds_low"] is not None:
            between = f", 95 % {duration(row['seconds_low'])} to {duration(row['seconds_high'])}"
        found.append(f"{row['left']} {row['what']}{how}: about {duration(row['seconds'])}{between}")
    return found


def answers(findings: Findings) -> dict[str, Any]:
    """Distribution of the answer times: shares and counts by answer.

    Returns
    -------
    dict
        `edges_s` of the bins; by answer `n`, `seconds` and `share` of the cumulated curve, `count` in each bin and
        `median_s` with its interval.
    """
    chosen = findings.study.chosen("point", answers=findings.options.answers)
    values = {one: np.sort([item.raw_ms / 1000 for item in chosen if item.value == one]) for one in _VALUES}
    every = np.concatenate(list(values.values()))
    if not len(every):
        return {"edges_s": [], "groups": {}}
    top = float(np.quantile(every, 0.99)) * 1.15 or 1.0
    edges = np.linspace(0, top, BINS + 1)
    medians = {row["group"]: row for row in findings.tables["times"] if (row["kind"], row["by"]) == ("point", "answer")}
    groups = {}
    for answer, ordered in values.items():
        if len(ordered):
            places = np.unique(np.linspace(0, len(ordered) - 1, min(STEPS, len(ordered))).round().astype(int))
            row = medians[answer]
            groups[answer] = {
                "n": len(ordered),
                "seconds": ordered[places].tolist(),
                "share": ((places + 1) / len(ordered)).tolist(),
                "count": np.histogram(ordered, edges)[0].tolist(),
                "median_s": [None if one is None else one / 1000 for one in _estimate(row, "median_ms")],
            }
    return {"edges_s": edges.tolist(), "groups": groups}


_VALUES = ("object", "background", "unsure")


def _estimate(row: Row, name: str) -> tuple[float | None, float | None, float | None]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def learned_items(findings: Findings) -> tuple[dict[str, list[Row]], str]:
    """Items of the kind of which there are most, by person, the warm-up included."""
    kinds = ("point", "click", "stroke", "box")
    rows = [
        row
        for row in findings.tables["items"]
        if row["kind"] in kinds and row["raw_ms"] is not None and row["first"]
    ]  # fmt: skip
    if not rows:
        return {}, "item"
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in kinds}
    kind = max(counts, key=lambda one: counts[one])
    people: dict[str, list[Row]] = {}
    for row in rows:
        if row["kind"] == kind:
            people.setdefault(row["annotator"], []).append(row)
    return people, {"point": "answer"}.get(kind, kind)


def learning(findings: Findings) -> dict[str, Any]:
    """Rolling medians over the course of the work, by person.

    Returns
    -------
    dict
        `what` the items are; by person `n`, `number` and `seconds` of the curve, `warm_up` (how many of the first
        items are left out) and `begins` (numbers of the items with which another session begins).
    """
    people, what = learned_items(findings)
    found = {}
    for name, rows in list(people.items())[:PEOPLE]:
        curve = learning_curve([row["raw_ms"] / 1000 for row in rows])
        places = np.unique(np.linspace(0, len(rows) - 1, min(STEPS, len(rows))).round().astype(int))
        begins = [n for n, (a, b) in enumerate(itertools.pairwise(rows), 2) if a["session"] != b["session"]]
        warm_up = next((n for n, row in enumerate(rows) if "warm_up" not in row["flags"].split()), len(rows))
        found[name] = {"n": len(rows), "number": (places + 1).tolist(), "seconds": curve[places].tolist(),
                       "warm_up": warm_up, "begins": begins}  # fmt: skip
    return {"what": what, "people": found}


def sessions(rows: Sequence[Row], timeline: Sequence[Row]) -> dict[str, Any]:
    """What the time of the last sessions went into.

    Returns
    -------
    dict
        `names`, the earliest first; `spans` of (place of the session, start, stop, state), minutes; `left_out` sessions
        before.
    """
    shown = rows[-SESSIONS:]
    place = {row["session"]: number for number, row in enumerate(shown)}
    spans = [
        [place[row["session"]], row["start_s"] / 60, row["stop_s"] / 60, row["state"]]
        for row in timeline
        if row["session"] in place
    ]
    return {
        "names": [f"{row['annotator']} {row['started_utc'][5:16]}" for row in shown],
        "spans": _joined(spans),
        "left_out": len(rows) - len(shown),
    }


def _joined(spans: Sequence[list[Any]]) -> list[list[Any]]:
    """Neighbours of one state as one stretch."""
    found: list[list[Any]] = []
    for one in spans:
        if found and found[-1][0] == one[0] and found[-1][3] == one[3] and math.isclose(found[-1][2], one[1]):
            found[-1][2] = one[2]
        else:
            found.append(list(one))
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Print the digest of a project; 2 with one sentence if there is none."""
    parser = argparse.ArgumentParser(prog="python -m pointanno.timing.digest", description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--idle", type=float, default=Options().idle_s)
    parser.add_argument("--warm-up", type=int, default=Options().warm_up)
    parser.add_argument("--answers", choices=("first", "final"), default="first")
    parser.add_argument("--trimmed", action="store_true")
    asked = parser.parse_args(words)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    from pointanno.project import Project

    try:
        with Project.open(asked.project, writable=False) as project:
            found = find(project, Options(asked.idle, asked.warm_up, asked.answers, asked.trimmed))
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(orjson.dumps(digest(found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
