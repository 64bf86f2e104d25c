"""The report: one page that opens without a network, and the tables and figures beside it on request."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from pointanno import __version__
from pointanno.atomic import replacing
from pointanno.timing import figures
from pointanno.timing.activity import REASONS
from pointanno.timing.clock_facts import KEYBOARD_MS, SCREEN_MS
from pointanno.timing.digest import learned_items
from pointanno.timing.findings import main_times
from pointanno.timing.items import FAST_MS, LEFT_OUT
from pointanno.timing.statistics import grouped
from pointanno.timing.tables import Row, to_csv, to_jsonl
from pointanno.timing.words import KINDS_IN_WORDS, duration, seconds, span

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from pointanno.timing.findings import Findings

WITHOUT_ZEROS = frozenset(
    [
        *(f"{reason}_s" for reason in REASONS),
        *LEFT_OUT,
        "fast",
        "fallback",
        "late",
        "preview",
        "without_time",
        "repeated",
    ]
)
"""Columns that are shown only if something stands in them."""

TEMPLATE = "study_report.html.jinja"

PER_PERSON = 12
"""So many people at most get a line of their own in a figure; the tables have all."""

SHOWN_ROWS = 400
"""So many rows of a table at most stand on the page; the files have all."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure of the page.

    Attributes
    ----------
    name : of its file and its ids
    title, caption : in words
    svg : the figure itself
    table : name of the table that it shows
    rows : what it shows
    """

    name: str
    title: str
    caption: str
    svg: str
    table: str
    rows: Sequence[Row]


_LEARNED = ("annotator", "session", "number", "raw_ms", "flags")


def draw(findings: Findings) -> list[Drawn]:
    """Every figure for which there is anything to see."""
    t = findings.tables
    drawn: list[Drawn] = []

    def add(name: str, title: str, caption: str, table: str, rows: Sequence[Row], make: Callable[[], Figure]) -> None:
        if rows:
            drawn.append(Drawn(name, title, caption, figures.to_svg(make(), name), table, rows))

    points = _items(findings, "point")
    medians = {row["group"]: row for row in t["times"] if (row["kind"], row["by"]) == ("point", "answer")}
    add(
        "answer_times",
        "Answer times",
        "Cumulated share and number of answers by the time from the question on the screen to the key, for each "
        "answer. Dotted: medians.",
        "times",
        [row for row in t["times"] if row["kind"] == "point"] if points else [],
        lambda: figures.answer_times(points, medians),
    )
    add(
        "object_parts",
        "Time of an object",
        "Mean seconds of a finished object, by class and condition: in drawing its box, in answering its points, in "
        "clicks and strokes, and the rest (corrections, waiting for the next question).",
        "object_parts",
        t["object_parts"],
        lambda: figures.object_parts(t["object_parts"]),
    )
    learned, what = _learned(findings)
    add(
        "learning",
        "Learning curve",
        f"Rolling median over the course of the work, by person. Shaded: warm-up, which statistics leave out. Dashed: "
        f"another session begins. Every dot is one {what}.",
        "items",
        [{name: row[name] for name in _LEARNED} for rows in learned.values() for row in rows],
        lambda: figures.learning(learned, what),
    )
    sized, slopes = _sized(findings)
    add(
        "box_size",
        "Time against size",
        "Seconds of a box or a mask, and of the whole object, against the size of its box. A slope of 0.5 means: "
        "twice as long for four times the size.",
        "size_slopes",
        t["size_slopes"] if sized else [],
        lambda: figures.against_size(sized, slopes),
    )
    names = {row["session"]: f"{row['annotator']}, {row['started_utc'][:16]}" for row in t["sessions"]}
    add(
        "timeline",
        "Sessions",
        "What the time of each session went into. Starts are in UTC.",
        "timeline",
        t["timeline"] if len(names) <= 60 else [],
        lambda: figures.timeline(t["timeline"], names),
    )
    by_reference = {
        {"gold": "known answers", "second": "second opinion", "truth": "ground truth"}[name]: [
            row for row in t["speed_accuracy"] if row["against"] == name
        ]
        for name in dict.fromkeys(row["against"] for row in t["speed_accuracy"])
    }
    add(
        "speed_accuracy",
        "Speed and accuracy",
        "Answers in groups of equally many from fast to slow: their median time, and the share that agrees.",
        "speed_accuracy",
        t["speed_accuracy"],
        lambda: figures.speed_accuracy(by_reference),
    )
    compared = [
        {**row, "label": f"{row['second']} : {row['first']} ({row['kind']})"}
        for row in t["conditions"]
        if row["ratio"] is not None
    ]
    add(
        "conditions",
        "Conditions compared",
        "How many times as long an item takes under one condition as under another.",
        "conditions",
        t["conditions"] if compared else [],
        lambda: figures.conditions(compared),
    )
    add(
        "literature",
        "Beside published times",
        "Medians of this project with their intervals (circles), and times that others have published (diamonds). "
        "They come from other pictures, tools and people: orders of magnitude, not a contest.",
        "literature",
        t["literature"],
        lambda: figures.against_literature(t["literature"]),
    )
    add(
        "idle_sensitivity",
        "What counts as idle",
        "Total working time of all sessions for other limits of idle time.",
        "idle_sensitivity",
        t["idle_sensitivity"] if findings.is_timed else [],
        lambda: figures.idle_sensitivity(t["idle_sensitivity"], findings.options.idle_s),
    )
    return drawn


def _items(findings: Findings, kind: str) -> list[Row]:
    """Rows of the items that statistics take in."""
    wanted = {item.event for item in findings.study.chosen(kind, answers=findings.options.answers)}
    return [row for row in findings.tables["items"] if row["kind"] == kind and row["event"] in wanted]


def _learned(findings: Findings) -> tuple[dict[str, list[Row]], str]:
    """What the learning curve shows: not more people than can be told apart."""
    people, what = learned_items(findings)
    return dict(list(people.items())[:PER_PERSON]), what


def _sized(findings: Findings) -> tuple[dict[str, list[Row]], dict[str, float | None]]:
    """Boxes, masks and objects with a size, by kind and condition, with the slopes of the table."""
    groups: dict[str, list[Row]] = {}
    slopes: dict[str, float | None] = {}
    for row in findings.tables["size_slopes"]:
        if row["kind"] == "stroke":
            continue  # of a mask of several strokes the object is what has a size
        items = findings.study.chosen(row["kind"], answers=findings.options.answers)
        for (condition,), many in grouped(items, "condition").items():
            found = [
                {"extent": item.extent, "seconds": item.raw_ms / 1000}
                for item in many
                if item.extent and item.raw_ms > 0
            ]
            if condition == row["condition"] and found:
                name = f"{row['kind']}, {condition}" if condition else row["kind"]
                groups[name], slopes[name] = found, row["slope"]
    return groups, slopes


def render(findings: Findings) -> str:
    """The page, with its figures, tables and definitions in it."""
    from jinja2 import Environment, StrictUndefined

    text = resources.files("pointanno.timing").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"seconds": seconds, "span": span, "duration": duration, "cell": cell, "columns": columns}
    return environment.from_string(text).render(
        f=findings,
        t=findings.tables,
        p=findings.precision,
        drawn=draw(findings),
        main_times=main_times(findings),
        kinds=KINDS_IN_WORDS,
        without_zeros=WITHOUT_ZEROS,
        version=__version__,
        keyboard=KEYBOARD_MS,
        screen_ms=SCREEN_MS,
        fast_ms=FAST_MS,
        references=findings.options.references,
        shown_rows=SHOWN_ROWS,
        whole=findings.tables["totals"][-1] if findings.tables["totals"] else None,
        claim_s=findings.precision.claim_ms / 1000,
    )


def write_report(findings: Findings, path: Path | None = None, *, files: Path | None = None) -> list[Path]:
    """Write the page, and the tables and figures into a folder, each if it is to be.

    Returns
    -------
    list of Path
        What was written, the page first.
    """
    written = [] if path is None else [_write(path, render(findings).encode())]
    if files is None:
        return written
    files.mkdir(parents=True, exist_ok=True)
    for name, rows in findings.tables.items():
        written.append(_write(files / f"{name}.csv", to_csv(rows)))
        written.append(_write(files / f"{name}.jsonl", to_jsonl(rows)))
    for one in draw(findings):
        written.append(_write(files / f"{one.name}.svg", standalone(one.svg).encode()))
    return written


def standalone(svg: str) -> str:
    """A figure as a file of its own."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}\n'


def _write(path: Path, data: bytes) -> Path:
    with replacing(path) as file:
        file.write(data)
    return path


def cell(row: Row, name: str) -> str:
    """A value of a table as it stands on the page, with its interval where it has one; the files hold all digits."""
    value, low, high = (row.get(one) for one in (name, f"{name}_low", f"{name}_high"))
    digits = 0 if name.endswith("_ms") or name == "per_hour" else 2 if name.endswith("_s") else 3
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    text = f"{value:.{digits}f}"
    return text if low is None or high is None else f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def columns(rows: Sequence[Row], without_zeros: Container[str] = ()) -> list[str]:
    """Names of the columns that the page shows: bounds stand beside their value, and what never occurs is left out."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    bounds = {f"{name}_{end}" for name in names for end in ("low", "high")}
    return [
        name
        for name in names
        if name not in bounds and (name not in without_zeros or any(row.get(name) for row in rows))
    ]
