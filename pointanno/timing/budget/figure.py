"""The figure of the planner: quality against hours of annotation, for each kind, with what is not known."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from pointanno.timing.budget.findings import curve_rows, training_rows
from pointanno.timing.figures import CYCLE, MARKERS, STYLE, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pointanno.timing.budget.findings import Findings

NAME = "quality_by_hours"

_LOGARITHMIC = 6.0
"""From this ratio of the most to the fewest hours on the axis is logarithmic."""


def draw(findings: Findings) -> Figure:
    """Trainings as points with the interval of the pictures, curves as lines with a band, dashed beyond the points."""
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    with style.context(["default", STYLE], after_reset=True):
        figure = Figure(figsize=(7.2, 4.2))
        axes = figure.subplots()
        trained, curves = training_rows(findings), curve_rows(findings)
        for number, kind in enumerate(findings.kinds):
            color, marker = CYCLE[number % len(CYCLE)], MARKERS[number % len(MARKERS)]
            own = [row for row in trained if row["kind"] == kind.name]
            hours = np.array([row["hours"] for row in own])
            quality = 100 * np.array([row["quality"] for row in own])
            if all(row["quality_low"] is not None for row in own):
                ends = 100 * np.array([[row["quality_low"], row["quality_high"]] for row in own], dtype=float).T
                axes.errorbar(
                    hours, quality, np.abs(ends - quality), fmt="none", color=color, alpha=0.55, linewidth=1, capsize=2
                )
            label = f"{kind.title} ({len(own)} training{'' if len(own) == 1 else 's'})"
            axes.plot(hours, quality, marker, color=color, markersize=5, label=label)
            for beyond in (False, True):
                line = [row for row in curves if row["kind"] == kind.name and row["beyond"] == beyond]
                if beyond and line:
                    line = [[row for row in curves if row["kind"] == kind.name and not row["beyond"]][-1], *line]
                if not line:
                    continue
                x = [row["hours"] for row in line]
                axes.plot(
                    x, [100 * row["quality"] for row in line], color=color, linestyle="--" if beyond else "-",
                    linewidth=1.5,
                )  # fmt: skip
                low, high = ([100 * row[f"quality_{end}"] for row in line] for end in ("low", "high"))
                axes.fill_between(x, low, high, color=color, alpha=0.08 if beyond else 0.16, linewidth=0)
        every = [row["hours"] for row in trained]
        if min(every) > 0 and max(every) / min(every) > _LOGARITHMIC:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(
            xlabel=f"hours of annotation\n{_costs(findings)}", ylabel=f"{findings.metric} (of 100)", ylim=(0, None)
        )
        axes.legend(loc="lower right")
        return figure


def _costs(findings: Findings) -> str:
    """What an hour is made of, in one line below the axis."""
    told = [f"{cost.seconds.value:.3g} s a {unit}" for unit, cost in findings.costs.items()]
    measured = sum(cost.is_measured for cost in findings.costs.values())
    if any(cost.is_given for cost in findings.costs.values()):
        source = "some of them given by hand"
    else:
        source = "measured here" if measured == len(told) else "published" if not measured else "partly measured here"
    return f"({', '.join(told)}; {source})"


def as_svg(findings: Findings) -> str:
    """The figure as an SVG element."""
    return to_svg(draw(findings), NAME)


def as_png(findings: Findings) -> bytes:
    """The figure as a picture of 1,080 pixels width."""
    from matplotlib import style

    out = io.BytesIO()
    with style.context(["default", STYLE], after_reset=True):
        draw(findings).savefig(out, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return out.getvalue()
