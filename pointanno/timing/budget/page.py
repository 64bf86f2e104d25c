"""The planner's page, and the tables and figures beside it."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import orjson

from pointanno import __version__
from pointanno.atomic import replacing
from pointanno.timing.budget.costs import cost_rows
from pointanno.timing.budget.curve import FEWEST, NOISE, REACH
from pointanno.timing.budget.figure import NAME, as_png, as_svg
from pointanno.timing.budget.findings import as_json, curve_rows, level_rows, sentences, training_rows, worth_rows
from pointanno.timing.report import TEMPLATE as STUDY
from pointanno.timing.report import standalone
from pointanno.timing.tables import to_csv

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.timing.budget.findings import Findings
    from pointanno.timing.tables import Row

TEMPLATE = "budget_page.html.jinja"

_POINTS = ("quality", "gain", "reached", "behind")
"""Columns that are told in points of a hundred."""


def render(findings: Findings, title: str, command: str = "") -> str:
    """The page with its figure and tables in it; it opens without a network.

    Parameters
    ----------
    title : what it is about, after "Annotation budget of"
    command : that makes it again
    """
    from jinja2 import Environment, StrictUndefined

    text = resources.files("pointanno.timing.budget").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"cell": cell, "columns": columns}
    sources = cost_rows(findings.costs, list(findings.costs))
    return environment.from_string(text).render(
        f=findings,
        title=title,
        command=command,
        style=_style(),
        svg=as_svg(findings),
        answer=sentences(findings),
        seconds=[{name: value for name, value in row.items() if name != "source"} for row in sources],
        sources=sources,
        trainings=training_rows(findings),
        worth=worth_rows(findings),
        levels=level_rows(findings),
        curves=curve_rows(findings),
        has_samples=all(len(one.samples) for one in findings.trained),
        fewest=FEWEST,
        reach=REACH,
        noise=NOISE,
        version=__version__,
    )


def _style() -> str:
    """The style sheet of the study's report, so that both pages look alike."""
    text = resources.files("pointanno.timing").joinpath(STUDY).read_text(encoding="utf-8")
    found = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    return found.group(1) if found else ""


def cell(row: Row, name: str) -> str:
    """A value of a table as it stands on the page, with its interval; the files hold all digits."""
    value, low, high = (row.get(one) for one in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    scale, digits = (100, 1) if name in _POINTS else (1, 2)
    text = f"{scale * value:.{digits}f}" if name in _POINTS or name == "seconds" else f"{value:.3g}"
    return text if low is None or high is None else f"{text} ({scale * low:.{digits}f} to {scale * high:.{digits}f})"


def columns(rows: list[Row]) -> list[str]:
    """Names of the columns that the page shows: bounds stand beside their value."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    bounds = {f"{name}_{end}" for name in names for end in ("low", "high")}
    return [name for name in names if name not in bounds]


def write_page(findings: Findings, path: Path, *, title: str, command: str = "") -> Path:
    """Write the page."""
    return _write(path, render(findings, title, command).encode())


def write_files(findings: Findings, folder: Path) -> list[Path]:
    """Write ``table.json``, ``table.csv`` (trainings), ``curves.csv``, ``worth.csv`` and the figure as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder / "table.json", orjson.dumps(as_json(findings), option=orjson.OPT_INDENT_2) + b"\n"),
        _write(folder / "table.csv", to_csv(training_rows(findings))),
        _write(folder / "curves.csv", to_csv(curve_rows(findings))),
        _write(folder / "worth.csv", to_csv(worth_rows(findings))),
        _write(folder / f"{NAME}.svg", standalone(as_svg(findings)).encode()),
        _write(folder / f"{NAME}.png", as_png(findings)),
    ]


def _write(path: Path, data: bytes) -> Path:
    with replacing(path) as file:
        file.write(data)
    return path
