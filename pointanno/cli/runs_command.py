"""``pointanno runs``: the runs of a folder and what they are doing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pointanno.cli.console import Json, emit


def runs_command(folder: Path = Path("runs"), *, json: Json = False) -> None:
    """List training runs with their state, progress, loss and best score.

    Example: `pointanno runs street.pointanno/runs`

    Parameters
    ----------
    folder
        Folder that holds run folders, or one run folder.
    """
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
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    emit({"runs": records}, "\n".join(lines), as_json=json)
