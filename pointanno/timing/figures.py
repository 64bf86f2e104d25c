"""The figures of a study, as SVG that is the same wherever it is drawn."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.timing.statistics import WINDOW, learning_curve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from pointanno.timing.tables import Row

# Okabe and Ito's colours, which people with any kind of colour vision tell apart
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#8a8a8a",
)  # fmt: skip
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY)
DARK = "#555555"
MARKERS = "osD^vPX"
STATE_COLORS = {
    "work": GREEN, "idle": YELLOW, "pause": SKY, "break": SKY, "loading": GREY, "dialog": PURPLE, "window": ORANGE,
    "dock": "#f7c873", "stall": RED, "stopped": RED, "suspend": "#404040",
}  # fmt: skip
ANSWER_COLORS = {"object": GREEN, "background": RED, "unsure": GREY}

STYLE: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be called $x$
    "figure.constrained_layout.use": True,
}


@contextmanager
def _drawing(width: float = 7.2, height: float = 3.0, columns: int = 1, **more: Any) -> Iterator[tuple[Figure, Any]]:
    """A figure of its own, without any global state and without a window."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", STYLE], after_reset=True):  # whatever this computer's settings are
        figure = Figure(figsize=(width, height))
        yield figure, figure.subplots(1, columns, **more)


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element; `name` keeps the ids of several figures on one page apart."""
    from matplotlib import style

    out = io.StringIO()
    with style.context(["default", {**STYLE, "svg.hashsalt": name}], after_reset=True), warnings.catch_warnings():
        # letters that matplotlib's own font lacks stay text: the reader's browser has a font for them
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    return re.sub(r'(id="|url\(#|href="#)', rf"\1{name}-", svg)


def answer_times(rows: Sequence[Row], medians: Mapping[str, Row]) -> Figure:
    """Distribution of the answer times by answer: cumulated shares and a histogram.

    Parameters
    ----------
    rows : items of the kind "point" (`raw_ms`, `value`)
    medians : rows of the table of times by answer
    """
    with _drawing(columns=2) as (figure, (left, right)):
        values = np.array([row["raw_ms"] for row in rows]) / 1000
        top = float(np.quantile(values, 0.99)) * 1.15 or 1.0
        bins = np.linspace(0, top, 40)
        for answer, color in ANSWER_COLORS.items():
            part = np.sort([row["raw_ms"] / 1000 for row in rows if row["value"] == answer])
            if not len(part):
                continue
            found = medians.get(answer)
            label = (
                f"{answer} ({len(part)})"
                if found is None
                else f"{answer} ({len(part)}): {found['median_ms'] / 1000:.2f} s"
            )
            left.step(
                [0, *part, max(top, part[-1])],
                [0, *np.arange(1, len(part) + 1) / len(part), 1],
                where="post",
                color=color,
                label=label,
            )
            right.hist(part, bins, histtype="step", color=color, linewidth=1.5)
            if found is not None:
                left.axvline(found["median_ms"] / 1000, color=color, linewidth=0.8, linestyle=":")
        left.set(xlim=(0, top), ylim=(0, 1.02), xlabel="seconds", ylabel="share of answers")
        right.set(xlim=(0, top), xlabel="seconds", ylabel="answers")
        left.legend(loc="lower right", title="answer (n): median")
        return figure


def object_parts(rows: Sequence[Row]) -> Figure:
    """Mean seconds of an object by what they went into, stacked, for each group.

    Parameters
    ----------
    rows : `group`, `box_s`, `points_s`, `drawing_s`, `other_s`, `n`
    """
    with _drawing(height=1.1 + 0.32 * len(rows)) as (figure, axes):
        places = np.arange(len(rows))[::-1]
        left = np.zeros(len(rows))
        for name, color in (("box", BLUE), ("points", ORANGE), ("drawing", GREEN), ("other", GREY)):
            widths = np.array([row[f"{name}_s"] for row in rows])
            if widths.any():
                label = "clicks, strokes" if name == "drawing" else name
                axes.barh(places, widths, left=left, color=color, label=label, height=0.7)
            left = left + widths
        axes.set_yticks(places, [f"{row['group']} ({row['n']})" for row in rows])
        axes.set(xlabel="seconds an object (mean, without idle time)")
        axes.grid(axis="y", visible=False)
        if left.any():
            figure.legend(loc="outside upper center", ncols=4)
        return figure


def learning(groups: Mapping[str, Sequence[Row]], what: str) -> Figure:
    """Rolling median against the number of the item, warm-up shaded, sessions marked.

    Parameters
    ----------
    groups : items of one kind by annotator, in order (`raw_ms`, `session`, `flags`)
    what : their name
    """
    with _drawing() as (figure, axes):
        for index, (name, rows) in enumerate(groups.items()):
            color = CYCLE[index % len(CYCLE)]
            times = np.array([row["raw_ms"] for row in rows]) / 1000
            axes.plot(np.arange(1, len(times) + 1), times, ".", color=color, alpha=0.25, markersize=3)
            axes.plot(np.arange(1, len(times) + 1), learning_curve(times), color=color, label=f"{name} ({len(times)})")
            for number, (before, row) in enumerate(zip([None, *rows], rows, strict=False), 1):
                if before is not None and before["session"] != row["session"]:
                    axes.axvline(number - 0.5, color=color, linewidth=0.8, linestyle="--")
                if "warm_up" in row["flags"].split() and len(groups) <= 3:
                    axes.axvspan(number - 0.5, number + 0.5, color=color, alpha=0.12, linewidth=0)
        values = np.concatenate([[row["raw_ms"] for row in rows] for rows in groups.values()]) / 1000
        axes.set(xlabel=f"number of the {what}", ylabel=f"seconds (median of {WINDOW})")
        axes.set_ylim(0, float(np.quantile(values, 0.98)) * 1.1 or 1)
        axes.legend(loc="upper right")
        return figure


def against_size(groups: Mapping[str, Sequence[Row]], slopes: Mapping[str, float | None]) -> Figure:
    """Time against the size of the box, both logarithmic, with the fitted lines.

    Parameters
    ----------
    groups : rows by name (`extent` in pixels, `seconds`)
    slopes : of the lines, by the same names; None draws none
    """
    with _drawing(height=3.0 + 0.1 * len(groups)) as (figure, axes):
        for index, (name, rows) in enumerate(groups.items()):
            color, marker = CYCLE[index % len(CYCLE)], MARKERS[index % len(MARKERS)]
            x = np.array([row["extent"] for row in rows])
            y = np.array([row["seconds"] for row in rows])
            slope = slopes.get(name)
            label = f"{name} ({len(x)})" if slope is None else f"{name} ({len(x)}): slope {slope:.2f}"
            axes.scatter(x, y, s=9, alpha=0.5, color=color, marker=marker, linewidth=0, label=label)
            if slope is not None:
                ends = np.array([x.min(), x.max()])
                level = float(np.mean(np.log(y)) - slope * np.mean(np.log(x)))
                axes.plot(ends, np.exp(level) * ends**slope, color=color, linewidth=1.5)
        axes.set(
            xscale="log", yscale="log", xlabel="size of the box: square root of its area, pixels", ylabel="seconds"
        )
        _plain_ticks(axes.xaxis, axes.yaxis)
        # beside the points: within the axes it would lie upon some of them
        figure.legend(loc="outside upper center", ncols=2, markerscale=2)
        return figure


def _plain_ticks(*axes: Axis) -> None:
    """Numbers without powers of ten on logarithmic axes."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for axis in axes:
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def timeline(rows: Sequence[Row], names: Mapping[int, str]) -> Figure:
    """What each session's time went into, from left to right.

    Parameters
    ----------
    rows : `session`, `start_s`, `stop_s`, `state`
    names : of the sessions, in order
    """
    from matplotlib.patches import Patch

    with _drawing(height=1.3 + 0.28 * len(names)) as (figure, axes):
        places = {number: len(names) - index for index, number in enumerate(names)}
        states = [state for state in STATE_COLORS if any(row["state"] == state for row in rows)]
        for state in states:
            for number, place in places.items():
                spans = [
                    (row["start_s"] / 60, (row["stop_s"] - row["start_s"]) / 60)
                    for row in rows
                    if row["session"] == number and row["state"] == state
                ]
                axes.broken_barh(spans, (place - 0.35, 0.7), color=STATE_COLORS[state], linewidth=0)
        axes.set_yticks(list(places.values()), list(names.values()))
        axes.set(xlabel="minutes since the start of the session", ylim=(0.4, len(names) + 0.6))
        axes.grid(axis="y", visible=False)
        handles = [Patch(color=STATE_COLORS[state], label=state) for state in states]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(6, len(states)))
        return figure


def speed_accuracy(groups: Mapping[str, Sequence[Row]]) -> Figure:
    """Share of answers that agree against their median time, in groups from fast to slow.

    Parameters
    ----------
    groups : rows by what is compared with (`median_ms`, `share` with their bounds)
    """
    with _drawing() as (figure, axes):
        for index, (name, rows) in enumerate(groups.items()):
            x = np.array([row["median_ms"] for row in rows]) / 1000
            y = np.array([row["share"] for row in rows])
            bounds = np.array([[row["share_low"], row["share_high"]] for row in rows], dtype=float).T
            color = CYCLE[index % len(CYCLE)]
            axes.errorbar(x, y, np.abs(bounds - y), marker=MARKERS[index], color=color, capsize=3, label=name)
        axes.set(xlabel="median seconds of the group", ylabel="share that agrees", ylim=(None, 1.02))
        axes.legend(loc="lower right")
        return figure


def against_literature(rows: Sequence[Row]) -> Figure:
    """Own medians beside published times, on a logarithmic axis.

    Parameters
    ----------
    rows : `label`, `seconds`, `low`, `high` (None where published), `is_own`
    """
    with _drawing(height=0.9 + 0.3 * len(rows)) as (figure, axes):
        for place, row in zip(range(len(rows), 0, -1), rows, strict=True):
            color = BLUE if row["is_own"] else DARK
            label = f"{row['seconds']:.2f} s" if row["is_own"] else f"{row['seconds']:g} s"
            axes.plot(row["seconds"], place, marker="o" if row["is_own"] else "D", color=color, markersize=6)
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=color, linewidth=2)
            axes.annotate(
                label,
                (row["seconds"], place),
                xytext=(8, 4),
                textcoords="offset points",
                color=color,
            )
        axes.set_yticks(range(len(rows), 0, -1), [row["label"] for row in rows])
        axes.set(xscale="log", xlabel="seconds", ylim=(0.4, len(rows) + 0.6))
        axes.margins(x=0.15)
        _plain_ticks(axes.xaxis)
        return figure


def idle_sensitivity(rows: Sequence[Row], used_s: float) -> Figure:
    """The total as it would be with another limit for idle time.

    Parameters
    ----------
    rows : `idle_after_s`, `work_s`, `raw_s`
    used_s : the limit of this report
    """
    with _drawing(height=2.6) as (figure, axes):
        limits = [row["idle_after_s"] for row in rows]
        axes.plot(limits, [row["work_s"] / 60 for row in rows], marker="o", color=BLUE, markersize=4, label="trimmed")
        axes.axhline(rows[0]["raw_s"] / 60, color=GREY, linestyle="--", label="raw (nothing is idle)")
        axes.axvline(used_s, color=RED, linewidth=0.8, label=f"used here: {used_s:g} s")
        axes.set(
            xscale="log",
            xlabel="seconds without input from which on it is idle",
            ylabel="minutes in all",
            ylim=(0, None),
        )
        _plain_ticks(axes.xaxis)
        axes.legend(loc="lower right")
        return figure


def conditions(rows: Sequence[Row]) -> Figure:
    """By which factor conditions take longer than others, with intervals.

    Parameters
    ----------
    rows : `label`, `ratio`, `ratio_low`, `ratio_high`
    """
    with _drawing(height=0.9 + 0.34 * len(rows)) as (figure, axes):
        axes.axvline(1, color=GREY, linewidth=1)
        for place, row in zip(range(len(rows), 0, -1), rows, strict=True):
            axes.plot(row["ratio"], place, marker="o", color=BLUE)
            if row["ratio_low"] is not None:
                axes.plot([row["ratio_low"], row["ratio_high"]], [place, place], color=BLUE, linewidth=2)
        axes.set_yticks(range(len(rows), 0, -1), [row["label"] for row in rows])
        axes.set(xscale="log", xlabel="times as long (1: no difference)", ylim=(0.4, len(rows) + 0.6))
        _plain_ticks(axes.xaxis)
        return figure
