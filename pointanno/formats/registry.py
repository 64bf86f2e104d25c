"""All formats by name, and the reader that finds out which one a file has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.formats import coco_instances, coco_panoptic, coco_point, pointsup
from pointanno.formats.checks import check_structure, detect_kind
from pointanno.formats.json_file import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.dataset import PointDataset


@dataclass(frozen=True, slots=True)
class Format:
    """How a data set becomes a file and back."""

    name: str
    read: Callable[[Path], PointDataset]
    write: Callable[[PointDataset, Path], None]


FORMATS: dict[str, Format] = {
    "coco-point": Format("coco-point", coco_point.read, coco_point.write),
    "pointsup": Format("pointsup", pointsup.read, pointsup.write),
    "coco-instances": Format("coco-instances", coco_instances.read, coco_instances.write),
    "coco-panoptic": Format("coco-panoptic", coco_panoptic.read, coco_panoptic.write),
}
"""The formats that `import` and `export` know, the default first."""


def find_format(name: str) -> Format:
    """The format of that name.

    Raises
    ------
    InputError
        If there is none, with the known ones listed.
    """
    if name not in FORMATS:
        raise InputError(f"format {name!r} is not known; choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def read_dataset(path: str | Path, *, panoptic_folder: str | Path | None = None) -> PointDataset:
    """Data set of a file of any known format, recognised by its content.

    Masks are kept as compressed run-length codes, whatever they were.

    Parameters
    ----------
    path
        COCO-point, PointSup, COCO instances or COCO panoptic JSON.
    panoptic_folder
        Folder of the PNGs of a panoptic JSON; by default its name without the ending.

    Raises
    ------
    InputError
        One sentence for the first thing that is wrong.
    """
    path = Path(path)
    data = read_json(path)
    kind = detect_kind(data)
    if kind == "coco-panoptic":
        return coco_panoptic.read(path, panoptic_folder=panoptic_folder)
    if kind == "coco-point":
        return coco_point.dict_to_dataset(data, name=str(path))
    if kind == "pointsup":
        return pointsup.dict_to_dataset(data, name=str(path))
    if kind == "coco-instances":
        return coco_instances.dict_to_dataset(data, name=str(path))
    problem = next(check_structure(data))
    raise InputError(f"{path}: {problem.message}; name a COCO file with annotations")
