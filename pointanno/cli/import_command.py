"""``pointanno import``: annotations of a file into a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note


def import_command(
    project: Path,
    file: Path,
    *,
    format: Annotated[str | None, Parameter(name=["--format", "-f"])] = None,
    gold: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Add the annotations of a file to the images of the same name; one step, which undo takes back.

    Boxes without points get random ones, to be asked about in the window.

    Example: `pointanno import cells.pointanno boxes.json`

    Parameters
    ----------
    project
        Project folder.
    file
        COCO-point, PointSup, COCO instances or COCO panoptic JSON, a table of points or of Open Images, or a
        folder of PSPS or BESTIE.
    format
        Name of the format; found out from the content by default.
    gold
        As known answers: hidden while annotating, asked again, and compared with what people say.
    json
        Print one JSON object.
    """
    from pointanno.project import Project
    from pointanno.project.import_file import import_file

    with Project.open(project) as opened:
        report, skipped = import_file(opened, file, format, layer="gold" if gold else "main")
    for sentence in skipped:
        note(sentence)
    result = {
        "project": str(opened.path),
        "file": str(file),
        "images": report.images,
        "boxes": report.boxes,
        "clicks": report.clicks,
        "categories": report.categories,
        "skipped": list(skipped),
    }
    emit(
        result,
        f"{opened.path}: {report.boxes} boxes and {report.clicks} clicks on {report.images} images, "
        f"{report.categories} new classes",
        as_json=json,
    )
