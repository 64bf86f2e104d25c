"""All formats by name, and the reader that finds out which one a file has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.formats import (
    bestie_txt,
    coco_instances,
    coco_panoptic,
    coco_point,
    openimages_csv,
    points_csv,
    pointsup,
    psps_png,
)
from pointanno.formats.checks import check_structure, detect_kind
from pointanno.formats.csv_file import read_header
from pointanno.formats.folder import read_list
from pointanno.formats.json_file import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.dataset import PointDataset


def _everything(dataset: PointDataset) -> PointDataset:
    return dataset


def _no_warnings(dataset: PointDataset) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """How a data set becomes a file, or a folder of files, and back."""

    name: str
    read: Callable[[Path], PointDataset]
    write: Callable[[PointDataset, Path], None]
    read_onto: Callable[[Path, PointDataset], tuple[PointDataset, tuple[str, ...]]] | None = None
    """Reader that takes sizes and classes from a data set; also says what has no picture there."""
    narrow: Callable[[PointDataset], PointDataset] = _everything
    """The data set as the format keeps it."""
    keeps: str = ""
    """What it keeps, in words, where that is less than everything."""
    warnings: Callable[[PointDataset], tuple[str, ...]] = _no_warnings
    """What the readers of others make of a data set that `narrow` gave."""


FORMATS: dict[str, Format] = {
    "coco-point": Format("coco-point", coco_point.read, coco_point.write),
    "pointsup": Format("pointsup", pointsup.read, pointsup.write),
    "coco-instances": Format("coco-instances", coco_instances.read, coco_instances.write),
    "coco-panoptic": Format("coco-panoptic", coco_panoptic.read, coco_panoptic.write),
    "psps-png": Format(
        "psps-png",
        psps_png.read,
        psps_png.write,
        narrow=psps_png.narrow,
        keeps="points on objects and regions",
    ),
    "openimages-csv": Format(
        "openimages-csv",
        openimages_csv.read,
        openimages_csv.write,
        openimages_csv.read_onto,
        narrow=openimages_csv.narrow,
        keeps="answers at points",
    ),
    "bestie-txt": Format(
        "bestie-txt",
        bestie_txt.read,
        bestie_txt.write,
        bestie_txt.read_onto,
        narrow=bestie_txt.narrow,
        keeps="one point on each object",
        warnings=bestie_txt.warnings,
    ),
    "csv": Format(
        "csv",
        points_csv.read,
        points_csv.write,
        points_csv.read_onto,
        narrow=points_csv.narrow,
        keeps="points and boxes",
    ),
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


def recognise(path: str | Path) -> str | None:
    """Name of the format of a folder or a table, None for any other file."""
    path = Path(path)
    if path.is_dir():
        told = read_list(path).get("format")
        if told in FORMATS:
            return str(told)
        if (path / psps_png.JSON_NAME).exists():
            return "psps-png"
        return "bestie-txt" if next(path.glob("*.txt"), None) is not None else None
    if path.suffix.lower() not in (".csv", ".tsv") or not path.exists():
        return None
    return "openimages-csv" if set(openimages_csv.REQUIRED) <= set(read_header(path)) else "csv"


def read_onto(
    path: str | Path, pictures: PointDataset, format: str | None = None
) -> tuple[PointDataset, tuple[str, ...]]:
    """Data set of a file or folder, and sentences about what of it has no picture.

    Parameters
    ----------
    path
        File or folder of any known format.
    pictures
        Pictures and classes, for formats that do not hold them.
    format
        Name of the format; found out from the content by default.

    Raises
    ------
    InputError
        One sentence for the first thing that is wrong.
    """
    path = Path(path)
    name = recognise(path) if format is None else format
    if name is None:
        return read_dataset(path), ()
    chosen = find_format(name)
    return (chosen.read(path), ()) if chosen.read_onto is None else chosen.read_onto(path, pictures)


def read_dataset(path: str | Path, *, panoptic_folder: str | Path | None = None) -> PointDataset:
    """Data set of a file of any known format, recognised by its content.

    Masks are kept as compressed run-length codes, whatever they were.

    Parameters
    ----------
    path
        COCO-point, PointSup, COCO instances or COCO panoptic JSON; the table of points with sizes of the
        pictures; or a folder of PSPS.
    panoptic_folder
        Folder of the PNGs of a panoptic JSON; by default its name without the ending.

    Raises
    ------
    InputError
        One sentence for the first thing that is wrong.
    """
    path = Path(path)
    name = recognise(path)
    if name is not None:
        return FORMATS[name].read(path)
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
