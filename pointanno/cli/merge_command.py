"""``pointanno merge``: copies of a project joined into one."""

from __future__ import annotations

from pathlib import Path

from pointanno.cli.console import Json, emit, note

_SHOWN = 20
"""Conflicts that a person is shown; ``--json`` has all."""


def merge_command(project: Path, *others: Path, json: Json = False) -> None:
    """Join copies of a project on which several people worked; no event of any copy is lost.

    Events are put in the order in which they happened. Of two changes of the same thing the later one holds; what no
    longer fits, such as an answer about a box that the other copy deleted, stays in the journal without effect. Both
    are listed. Images are matched by their relative path, else by their content. Joining twice changes nothing. What
    the project was before lies in its backups.

    Example: `pointanno merge cells.pointanno from_anna.pointanno from_ben.pointanno`

    Parameters
    ----------
    project
        The project that takes everything in.
    others
        Copies of it, which are only read.
    json
        Print one JSON object.
    """
    from pointanno.errors import InputError
    from pointanno.project.merging import merge_projects

    if not others:
        raise InputError("merge: expected the project and at least one copy of it. Name the copies behind the project")
    report = merge_projects(project, others)
    for conflict in report.conflicts[:_SHOWN]:
        note(conflict["sentence"])
    if len(report.conflicts) > _SHOWN:
        note(f"and {len(report.conflicts) - _SHOWN} more; --json lists all")
    result = {
        "project": str(report.project),
        "events": report.events,
        "images": report.images,
        "annotators": list(report.annotators),
        "conflicts": list(report.conflicts),
    }
    done = f"{report.events} new events, {report.images} new images, {len(report.conflicts)} conflicts"
    emit(result, f"{report.project}: {done if report.events or report.images else 'nothing new'}", as_json=json)
