"""``pointanno protocol``: how the images of a project are annotated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit


def protocol_command(
    project: Path,
    *,
    set_name: Annotated[str | None, Parameter(name="--set")] = None,
    images: str | None = None,
    protocol: str | None = None,
    points_per_target: int | None = None,
    points_per_box: int | None = None,
    draw: str | None = None,
    order: str | None = None,
    exclusive: bool | None = None,
    json: Json = False,
) -> None:
    """Say by which protocol images are annotated, or list the image sets of a project.

    Images belong to one set at most; those that are named here leave the set where they were. The window opens each
    image in the way of annotating that its set asks for.

    Example: `pointanno protocol cells.pointanno --set few --images 'a_*.png' --protocol mask`

    Parameters
    ----------
    project
        The project; without --protocol its sets are listed.
    set_name
        Name of the image set; "all images" by default.
    images
        Pattern of the file names that belong to the set from now on, such as 'night/*.png'. Without it a new set takes
        all images, and one that exists keeps its own.
    protocol
        single_point, multi_point, box_points or mask.
    points_per_target
        Clicks on each object and region, for multi_point.
    points_per_box
        Random points in each box, for box_points.
    draw
        How boxes come about, for box_points: drag, extreme (four extreme points) or none (those of a file).
    order
        Order in which boxes are asked about, for box_points: image, class or shuffled.
    exclusive
        Whether a pixel belongs to one object at most, for mask.
    json
        Print one JSON object.
    """
    from fnmatch import fnmatchcase

    from pointanno.errors import InputError
    from pointanno.project import Project

    given = {
        "points_per_target": points_per_target,
        "points_per_box": points_per_box,
        "draw": draw,
        "order": order,
        "exclusive": exclusive,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if protocol is None and (set_name is not None or images is not None or options):
        raise InputError("--protocol: expected single_point, multi_point, box_points or mask. Add it")
    with Project.open(project, writable=protocol is not None) as opened:
        if protocol is not None:
            name = set_name or "all images"
            ids = None
            if images is not None:
                ids = [image.id for image in opened.images() if fnmatchcase(image.file_name, images)]
                if not ids:
                    raise InputError(f"--images: no image of {opened.path} is called {images!r}. Correct the pattern")
            elif name not in {one.name for one in opened.image_sets()}:
                ids = opened.image_ids()
            opened.set_protocol(name, protocol, ids, **options)
        sets = [
            {"name": one.name, "protocol": one.protocol, "options": dict(one.options), "images": one.images}
            for one in opened.image_sets()
        ]
        result = {"project": str(opened.path), "images": opened.image_count(), "sets": sets}
    lines = [
        f"{one['name']}: {one['protocol']}"
        + "".join(f", {name} {value}" for name, value in dict(one["options"]).items())  # type: ignore[call-overload]
        + f" ({one['images']} images)"
        for one in sets
    ]
    emit(result, "\n".join(lines) or f"{result['project']}: no image set, the window asks", as_json=json)
