"""``pointanno open``: the window on a project."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from pointanno.cli.console import Json, emit, note
from pointanno.errors import InputError

_WINDOW = "napari_pointanno.application"
"""Named as text: the core does not depend on the window."""


def open_command(
    project: Path, *, images: Path | None = None, annotator: str | None = None, window: bool = True, json: Json = False
) -> None:
    """Open a project in napari.

    Example: `pointanno open cells.pointanno`

    Parameters
    ----------
    project
        Project folder.
    images
        Where the pictures are now, if their folder was moved.
    annotator
        Who annotates at this computer from now on: a pseudonym (anon-...), or a name, which gets one. The name stays
        in this copy of the project and is left out of exports unless somebody asks for it.
    window
        Without it the project is only checked, and what it holds is told.
    json
        Print one JSON object.
    """
    from pointanno.project import Project

    # checked before the window starts, so that what is wrong is said here and at once
    with Project.open(project, writable=images is not None or annotator is not None) as opened:
        if images is not None:
            opened.relocate(images)
        if annotator is not None:
            pseudonym = opened.annotator_called(annotator)
            opened.remember_annotator(pseudonym)
            note(f"recorded as {pseudonym}: what is done, and how long each answer takes")
        for sentence in (opened.recovered, *opened.skipped):
            if sentence:
                note(sentence)
        shown = opened.images()
        result = {
            "project": str(opened.path),
            "images": len(shown),
            "classes": len(opened.categories()),
            "clicks": sum(one.clicks for one in shown),
            "boxes": sum(one.boxes for one in shown),
            "answers": sum(one.answers for one in shown),
            "recovered": opened.recovered,
            "skipped": opened.skipped,
        }
        path = opened.path
    text = (
        f"{path}: {result['images']} images, {result['classes']} classes, {result['clicks']} clicks, "
        f"{result['boxes']} boxes, {result['answers']} answers"
    )
    emit(result, text, as_json=json)
    if window:
        if importlib.util.find_spec("napari") is None:
            raise InputError(
                "napari is not installed, so there is no window. Install it with `pip install napari[pyside6]`"
            )
        importlib.import_module(_WINDOW).run(path)
