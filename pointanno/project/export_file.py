"""A project as a file that other tools load, for the command line and the window alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pointanno.dataset import ANSWERED
from pointanno.errors import InputError
from pointanno.formats import find_format
from pointanno.project.discretion import Discretion
from pointanno.project.outputs import check_output
from pointanno.project.project import Project, with_names
from pointanno.timing.exported import measured_times

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno.dataset import PointDataset
    from pointanno.formats import Format


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
    path: Path,
    out: Path,
    format: str,
    *,
    events: bool = True,
    names: bool = True,
    people: bool = False,
    times: bool = True,
    pseudonymise: bool = False,
) -> Exported:
    """Write the current state of a project; possible while it is open elsewhere.

    Parameters
    ----------
    path : Path
        Project folder.
    out : Path
        The file, or the folder of formats that write several; an existing one is replaced when the new one is
        complete, a folder only if nothing else lies in it.
    format : str
        Name of one of `pointanno.formats.FORMATS`.
    events
        With the journal, where the format has room for it.
    names
        With the pseudonyms of the annotators.
    people
        Also with the names behind the pseudonyms, where they were told.
    times
        With the times of answers, boxes and clicks, as the raw events of the project say; without them the journal
        stays out as well.
    pseudonymise
        Without whatever tells who worked, where and on which day: see `Discretion`.

    Raises
    ------
    InputError
        If names are asked for in a pseudonymised file, if the file to write belongs to a project, if the project or the
        format cannot be used, or if all of the annotations would be lost.
    """
    chosen = find_format(format)
    if pseudonymise and people:
        raise InputError("--people: a pseudonymised file holds no names. Leave out --people or --pseudonymise")
    check_output(out)
    discretion = Discretion(times, pseudonymise)
    with Project.open(path, writable=False) as opened:
        measured = measured_times(opened) if times else None
        if format == "coco-point" and not people:
            out.parent.mkdir(parents=True, exist_ok=True)
            counts = opened.write_coco_point(
                out, with_events=events, with_annotators=names, times=measured, discretion=discretion
            )
            return Exported(
                str(out),
                format,
                images=counts["images"],
                boxes=counts["boxes"],
                points=counts["points"],
                targets=counts["targets"],
                clicks=counts["clicks"],
            )
        dataset = opened.dataset(with_events=events, times=measured, discretion=discretion)
        known = opened.people()
    dataset, notes = _narrowed(dataset, chosen, path)
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


def _narrowed(dataset: PointDataset, chosen: Format, path: Path) -> tuple[PointDataset, tuple[str, ...]]:
    """The data set as the format keeps it, and what it has no room for; an error if that is everything."""
    masks = sum(one.mask is not None for one in dataset.instances)
    if not chosen.keeps:
        return dataset, _check_masks(dataset, chosen.name, path, masks)
    kept = chosen.narrow(dataset)
    if (dataset.instances or dataset.targets) and not (kept.instances or kept.targets):
        raise _nothing_left(path, chosen.name, chosen.keeps, "the project has none")
    notes = []
    before, after = _answers(dataset), _answers(kept)
    if after < before:
        notes.append(f"{before - after} of {before} answers are left out; {chosen.name} keeps {chosen.keeps}")
    if masks and not any(one.mask is not None for one in kept.instances):
        notes.append(f"{masks} masks are left out; {chosen.name} keeps {chosen.keeps}")
    boxes = len(dataset.instances) - len(kept.instances)
    if boxes:
        notes.append(f"{boxes} boxes are left out, not their points; {chosen.name} keeps {chosen.keeps}")
    return kept, (*notes, *chosen.warnings(kept))


def _answers(dataset: PointDataset) -> int:
    """Points that somebody answered with object or background."""
    points = [one.points for one in dataset.instances] + [one.points for one in dataset.targets]
    return sum(one.status.count(ANSWERED) for one in points)


def _nothing_left(path: Path, format: str, keeps: str, reason: str) -> InputError:
    return InputError(
        f"{path}: {format} keeps {keeps} only, and {reason}, so all of its boxes and clicks "
        "would be lost; export it as coco-point"
    )


def _check_masks(dataset: PointDataset, format: str, path: Path, masks: int) -> tuple[str, ...]:
    """What a format of masks has no room for."""
    if format == "coco-panoptic" and not masks and (dataset.instances or dataset.targets):
        raise _nothing_left(path, format, "masks", "the project has none")
    if format == "coco-instances" and masks < len(dataset.instances):
        without = len(dataset.instances) - masks
        return (f"{without} boxes have no mask; this format keeps neither their points nor clicks",)
    return ()
