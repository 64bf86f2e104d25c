"""``pointanno export``: a project as a file that other tools load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
    json: Json = False,
) -> None:
    """Write the current state of a project to a file; possible while the project is open elsewhere.

    Example: `pointanno export cells.pointanno -o points.json`

    Parameters
    ----------
    project
        Project folder.
    out
        The file to write; an existing one is replaced when the new one is complete.
    format
        coco-point, pointsup, coco-instances or coco-panoptic.
    events
        With the journal, where the format has room for it.
    names
        With the pseudonyms of the annotators.
    people
        Also with the names behind the pseudonyms, where they were told; they are left out otherwise.
    json
        Print one JSON object.
    """
    from dataclasses import replace

    from pointanno.errors import InputError
    from pointanno.formats import find_format
    from pointanno.project import Project
    from pointanno.project.project import with_names

    chosen = find_format(format)
    with Project.open(project, writable=False) as opened:
        if format == "coco-point" and not people:
            out.parent.mkdir(parents=True, exist_ok=True)
            counts = opened.write_coco_point(out, with_events=events, with_annotators=names)
            _report({"file": str(out), "format": format, **counts}, json)
            return
        dataset = opened.dataset(with_events=events)
        known = opened.people()
    masks = sum(one.mask is not None for one in dataset.instances)
    if format == "coco-panoptic" and not masks and (dataset.instances or dataset.targets):
        raise InputError(
            f"{project}: coco-panoptic keeps masks only, and the project has none, so all of its boxes and clicks "
            "would be lost; export it as coco-point"
        )
    if format == "coco-instances" and masks < len(dataset.instances):
        note(f"{len(dataset.instances) - masks} boxes have no mask; this format keeps neither their points nor clicks")
    if not names:
        dataset = replace(dataset, annotators=())
    elif people:
        dataset = replace(dataset, annotators=tuple(with_names(dataset.annotators, known)))
    out.parent.mkdir(parents=True, exist_ok=True)
    chosen.write(dataset, out)
    result = {
        "file": str(out),
        "format": format,
        "images": len(dataset.images),
        "boxes": len(dataset.instances),
        "points": sum(len(one.points) for one in dataset.instances),
        "targets": len(dataset.targets),
        "clicks": sum(len(one.points) for one in dataset.targets),
    }
    _report(result, json)


def _report(result: dict[str, Any], as_json: bool) -> None:
    """Say what the file holds."""
    emit(
        result,
        f"{result['file']}: {result['boxes']} boxes with {result['points']} points and {result['clicks']} clicks "
        f"on {result['images']} images ({result['format']})",
        as_json=as_json,
    )
