"""``pointanno new``: a project from a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pointanno.cli.console import Json, emit, note


def new_command(
    project: Path,
    *,
    images: Path,
    coco: Path | None = None,
    thing: Annotated[list[str] | None, Parameter(negative=())] = None,
    stuff: Annotated[list[str] | None, Parameter(negative=())] = None,
    points_per_box: int = 10,
    seed: int = 0,
    protocol: str | None = None,
    points_per_target: int | None = None,
    json: Json = False,
) -> None:
    """Make a project from a folder of pictures, which stay where they are.

    Example: `pointanno new cells --images pictures --thing cell --stuff background`

    Parameters
    ----------
    project
        The new folder; gets the suffix .pointanno if it is missing.
    images
        Folder of the pictures.
    coco
        COCO file whose images, classes and annotations the project begins with.
    thing
        Name of a class of countable objects; may be given several times.
    stuff
        Name of a class of regions; may be given several times.
    points_per_box
        Random points that are asked about in each box.
    seed
        Seed of the random points.
    protocol
        How all images are annotated: single_point, multi_point, box_points or mask. Without it the window asks.
    points_per_target
        Clicks on each target, for multi_point.
    json
        Print one JSON object.
    """
    from tqdm import tqdm

    from pointanno.dataset import Category
    from pointanno.errors import InputError
    from pointanno.project import Project
    from pointanno.protocols import make_protocol

    options = {} if points_per_target is None else {"points_per_target": points_per_target}
    if protocol is not None:
        make_protocol(protocol, options)  # a wrong name is said before anything is made
    elif options:
        raise InputError("--points-per-target: only the protocol multi_point has it. Add --protocol multi_point")
    named = [(name, True) for name in thing or ()] + [(name, False) for name in stuff or ()]
    categories = [Category(number, name, isthing) for number, (name, isthing) in enumerate(named, 1)]
    with tqdm(desc="images", unit="image", delay=1, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        made = Project.create(
            project,
            images=images,
            categories=categories,
            coco=coco,
            points_per_box=points_per_box,
            seed=seed,
            progress=progress,
        )
    with made:
        if protocol is not None:
            made.set_protocol("all", protocol, [image.id for image in made.images()], **options)
        for skipped in made.skipped:
            note(skipped)
        classes = [{"id": one.id, "name": one.name, "isthing": one.isthing} for one in made.categories()]
        result = {
            "project": str(made.path),
            "images": made.image_count(),
            "categories": classes,
            "skipped": made.skipped,
        }
    emit(
        result,
        f"{result['project']}: {result['images']} images, {len(classes)} classes. "
        f"Open it with `pointanno open {result['project']}`",
        as_json=json,
    )
