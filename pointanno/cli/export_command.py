"""``pointanno export``: a project as a file that other tools load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note


def export_command(
    project: Path,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    format: Annotated[str, Parameter(name=["--format", "-f"])] = "coco-point",
    events: bool = True,
    names: bool = True,
    people: Annotated[bool, Parameter(negative=())] = False,
    times: bool = True,
    pseudonymise: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Write the current state of a project to a file; possible while the project is open elsewhere.

    Example: `pointanno export cells.pointanno -o points.json`

    Parameters
    ----------
    project
        Project folder.
    out
        The file to write; an existing one is replaced when the new one is complete. psps-png and bestie-txt
        write a folder, which must be new, empty or an earlier export.
    format
        coco-point, pointsup, coco-instances, coco-panoptic, psps-png, openimages-csv, bestie-txt or csv.
    events
        With the journal, where the format has room for it.
    names
        With the pseudonyms of the annotators.
    people
        Also with the names behind the pseudonyms, where they were told; they are left out otherwise.
    times
        With the times of answers, boxes and clicks in whole milliseconds; without them also without the journal.
    pseudonymise
        Annotators are numbered, and nothing tells who worked, on which machine or on which day: no names, no typed
        words, no calendar, no folders.
    json
        Print one JSON object.
    """
    from pointanno.project.export_file import export_project

    exported = export_project(
        project, out, format, events=events, names=names, people=people, times=times, pseudonymise=pseudonymise
    )
    for sentence in exported.notes:
        note(sentence)
    emit(exported.as_dict(), exported.sentence(), as_json=json)
