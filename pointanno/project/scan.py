"""Which pictures a new project gets: headers are read, pixels are not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.images import find_images, read_size
from pointanno.project.schema import IMAGE_STATE

if TYPE_CHECKING:
    from pointanno.project.store import AnyRow

HASHED_BYTES = 256 * 2**20
"""Pictures are hashed at creation while they are smaller than this together; more would take minutes."""

Progress = Callable[[int, int], None]
"""Called with how many of how many pictures are done."""


@dataclass(slots=True)
class Scan:
    """Rows for the table `images`, and a sentence for each picture that was left out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def image_uid(file_name: str) -> str:
    """Uid of an image: the same in every copy of a project, because random points are seeded from it."""
    return hashlib.sha256(file_name.encode()).hexdigest()[:32]


def scan_images(folder: Path, listed: Sequence[Image] | None = None, progress: Progress | None = None) -> Scan:
    """Look at the pictures of a folder.

    Parameters
    ----------
    folder : where they lie
    listed : images of a COCO file; then exactly these are looked for, and keep their ids
    progress : told about every picture

    Raises
    ------
    InputError
        If the folder is missing or not one picture can be used.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: the folder of the images is missing. Check the path")
    if listed is None:
        names = [path.relative_to(folder).as_posix() for path in find_images(folder)]
        wanted = [Image(id=number, file_name=name, height=0, width=0) for number, name in enumerate(names, 1)]
    else:
        wanted = list(listed)
    scan, hashed, seen = Scan(), 0, set()
    for done, image in enumerate(wanted, 1):
        path = folder / image.file_name
        try:
            if image.file_name in seen:
                raise InputError(f"{image.file_name}: listed twice; only the first entry is used")
            seen.add(image.file_name)
            height, width = read_size(path)
            if listed is not None and (height, width) != (image.height, image.width):
                raise InputError(
                    f"{path}: the file lists it as {image.width} wide and {image.height} high, but the picture is "
                    f"{width} wide and {height} high. Correct the entry or the picture"
                )
            size = path.stat().st_size
        except (InputError, OSError) as error:
            scan.skipped.append(str(error))
            continue
        hashed += size
        scan.rows.append(
            {
                **{"id": image.id, "position": len(scan.rows), "uid": image_uid(image.file_name)},
                **{"file_name": image.file_name, "height": height, "width": width, "bytes": size},
                "sha256": _sha256(path) if hashed <= HASHED_BYTES else image.sha256,
                "extra": orjson.dumps(dict(image.extra)).decode() if image.extra else None,
                **IMAGE_STATE,
            }
        )
        if progress is not None:
            progress(done, len(wanted))
    if not scan.rows:
        raise InputError(f"{folder}: none of the {len(wanted)} pictures can be used; the first: {scan.skipped[0]}")
    return scan


def relative_folder(images: Path, project: Path) -> str:
    """Path from the project to its images; absolute where there is no way, as between drives."""
    try:
        return Path(os.path.relpath(images.resolve(), project.resolve())).as_posix()
    except ValueError:
        return images.resolve().as_posix()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_again(folder: Path, rows: Sequence[AnyRow]) -> list[str]:
    """One sentence for each image of a project that is missing in a folder, or is another one there.

    Raises
    ------
    InputError
        If there is no such folder or none of the images is in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Name the folder that holds the images now")
    problems, there = [], 0
    for row in rows:
        path = folder / row["file_name"]
        if not path.is_file():
            problems.append(f"{path}: the picture is missing; its annotations are kept")
            continue
        there += 1
        if row["bytes"] is not None and path.stat().st_size != row["bytes"]:
            problems.append(f"{path}: the picture has another size in bytes than before. Check that it is the same")
    if there == 0:
        raise InputError(
            f"{folder}: none of the {len(rows)} images of the project is in this folder, expected for example "
            f"{rows[0]['file_name']}. Name the folder that holds them"
        )
    return problems
