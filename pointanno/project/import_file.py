"""A file of any format into a project, for the command line and the window alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.dataset import Image, PointDataset
from pointanno.formats import find_format, read_onto
from pointanno.formats.registry import recognise

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.project.project import Project
    from pointanno.project.records import ImportReport


def import_file(
    project: Project, file: Path, format: str | None = None, *, layer: str = "main"
) -> tuple[ImportReport, tuple[str, ...]]:
    """Add the annotations of a file or folder, as one step; pictures and classes that it lacks are the project's.

    Parameters
    ----------
    project : open for writing
    file : of any format
    format : its name; found out from the content by default
    layer : "main", or "gold" for known answers that annotators do not see

    Returns
    -------
    report : what came in
    skipped : sentences about what did not

    Raises
    ------
    InputError
        If something does not fit; then nothing of the file was taken.
    """
    name = recognise(file) if format is None else format
    pictures = PointDataset(images=(), categories=())
    if name is not None and find_format(name).read_onto is not None:
        images = tuple(Image(one.id, one.file_name, one.height, one.width) for one in project.images())
        pictures = PointDataset(images=images, categories=tuple(project.categories()))
    dataset, skipped = read_onto(file, pictures, name)
    report = project.import_dataset(dataset, file=str(file), layer=layer)
    return report, (*skipped, *report.skipped)
