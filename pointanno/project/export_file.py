"""A project as a file that other tools load, for the command line and the window alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.formats import find_format
from pointanno.project.project import Project, with_names

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.dataset import PointDataset


@dataclass(frozen=True, slots=True)
class Exported:
    """What a written file holds, and in `notes` what it had no room for."""

    file: str
    format: str
    images: int
    boxes: int
    points: int
    targets: int
    clicks: int
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The counts, without the notes."""
        return {name: value for name, value in asdict(self).items() if name != "notes"}

    def sentence(self) -> str:
        """For a person."""
        return (
            f"{self.file}: {self.boxes} boxes with {self.points} points and {self.clicks} clicks "
            f"on {self.images} images ({self.format})"
        )


def export_project(
    path: Path, out: Path, format: str, *, events: bool = True, names: bool = True, people: bool = False
) -> Exported:
    """Write the current state of a project; possible while it is open elsewhere.

    Parameters
    ----------
    path : Path
        Project folder.
    out : Path
        The file; an existing one is replaced when the new one is complete.
    format : str
        Name of one of `pointanno.formats.FORMATS`.
    events
        With the journal, where the format has room for it.
    names
        With the pseudonyms of the annotators.
    people
        Also with the names behind the pseudonyms, where they were told.

    Raises
    ------
    InputError
        If the project or the format cannot be used, or if all of the annotations would be lost.
    """
    chosen = find_format(format)
    with Project.open(path, writable=False) as opened:
        if format == "coco-point" and not people:
            out.parent.mkdir(parents=True, exist_ok=True)
            counts = opened.write_coco_point(out, with_events=events, with_annotators=names)
            return Exported(
                str(out),
                format,
                images=counts["images"],
                boxes=counts["boxes"],
                points=counts["points"],
                targets=counts["targets"],
                clicks=counts["clicks"],
            )
        dataset = opened.dataset(with_events=events)
        known = opened.people()
    notes = _check(dataset, format, path)
    if not names:
        dataset = replace(dataset, annotators=())
    elif people:
        dataset = replace(dataset, annotators=tuple(with_names(dataset.annotators, known)))
    out.parent.mkdir(parents=True, exist_ok=True)
    chosen.write(dataset, out)
    return Exported(
        str(out),
        format,
        images=len(dataset.images),
        boxes=len(dataset.instances),
        points=sum(len(one.points) for one in dataset.instances),
        targets=len(dataset.targets),
        clicks=sum(len(one.points) for one in dataset.targets),
        notes=notes,
    )


def _check(dataset: PointDataset, format: str, path: Path) -> tuple[str, ...]:
    """What the format has no room for; an error if that is everything."""
    masks = sum(one.mask is not None for one in dataset.instances)
    if format == "coco-panoptic" and not masks and (dataset.instances or dataset.targets):
        raise InputError(
            f"{path}: coco-panoptic keeps masks only, and the project has none, so all of its boxes and clicks "
            "would be lost; export it as coco-point"
        )
    if format == "coco-instances" and masks < len(dataset.instances):
        without = len(dataset.instances) - masks
        return (f"{without} boxes have no mask; this format keeps neither their points nor clicks",)
    return ()
