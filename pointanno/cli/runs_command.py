"""``pointanno runs``: the runs of a folder, what they are doing, and what differs between them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.runs.comparison import Comparison, Value


def runs_command(
    folder: Path = Path("runs"),
    *,
    compare: Annotated[list[Path] | None, Parameter(negative=(), consume_multiple=True)] = None,
    json: Json = False,
) -> None:
    """List training runs with their state, progress, loss and best score, or compare some of them.

    Example: `pointanno runs street.pointanno/runs`, `pointanno runs --compare runs/first runs/second`

    Parameters
    ----------
    folder
        Folder that holds run folders, or one run folder.
    compare
        Run folders (or names of runs in the folder) to put side by side: the settings that differ, and all results.
    """
    if compare:
        _compare(folder, compare, as_json=json)
        return
    from pointanno.runs import list_runs

    rows, records = [], []
    for run in list_runs(folder):
        status = run.status()
        records.append({"name": run.name, "path": str(run.path), **asdict(status)})
        loss = "" if status.loss is None else f"{status.loss:.3f}"
        best = "" if status.best is None else f"{status.metric} {status.best:.3f}"
        progress = f"{status.stage} {status.step}/{status.steps}" if status.steps else ""
        rows.append((run.name, status.state, progress, loss, best, status.message))
    if not rows:
        emit({"runs": []}, f"no runs in {folder}", as_json=json)
        return
    table = [("run", "state", "progress", "loss", "best", "message"), *rows]
    emit({"runs": records}, _table(table), as_json=json)


def _compare(folder: Path, chosen: list[Path], *, as_json: bool) -> None:
    from pointanno.runs import RunFolder, compare_runs

    runs = [RunFolder(path if path.is_dir() or not (folder / path).is_dir() else folder / path) for path in chosen]
    compared = compare_runs(runs)
    emit({"paths": [str(run.path) for run in runs], **asdict(compared)}, _comparison_text(compared), as_json=as_json)


def _comparison_text(compared: Comparison) -> str:
    """Two tables: told differently, came out."""
    head = ("", "", *compared.names)
    told = [(row.group, row.name, *map(_word, row.values)) for row in compared.differences]
    came = [("", row.name, *map(_word, row.values)) for row in compared.results]
    if not told:
        told = [("", "nothing differs", *("" for _ in compared.names))]
    whole = [head, *told, tuple("" for _ in head), *came]
    return _table(whole)


def _word(value: Value) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
