"""Which pictures a new project gets: headers are read, pixels are not."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.images import file_of, find_images, find_planes, is_there, read_size
from pointanno.planes import picture_name
from pointanno.project.schema import IMAGE_STATE
from pointanno.zarr_planes import is_zarr

if TYPE_CHECKING:
    from pointanno.project.store import AnyRow

HASHED_BYTES = 256 * 2**20
"""Pictures are hashed at creation while they are smaller than this together; more would take minutes."""

Progress = Callable[[int, int], None]
"""Called with how many of how many pictures are done; what it raises stops the work."""


@dataclass(slots=True)
class Scan:
    """Rows for the table `images`, and a sentence for each picture that was left out.

    `folder` is where the file names begin: the folder that was looked at, or the one around a Zarr folder.
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def image_uid(file_name: str) -> str:
    """Uid of an image: the same in every copy of a project, because random points are seeded from it."""
    return hashlib.sha256(file_name.encode()).hexdigest()[:32]


def scan_images(folder: Path, listed: Sequence[Image] | None = None, progress: Progress | None = None) -> Scan:
    """Look at the pictures of a folder; the planes of a stack are pictures of their own.

    Parameters
    ----------
    folder : where they lie, or a Zarr folder
    listed : images of a COCO file; then exactly these are looked for, and keep their ids
    progress : told about every picture

    Raises
    ------
    InputError
        If the folder is missing or not one picture can be used.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: the folder of the images is missing. Check the path")
    scan = Scan(folder.parent if is_zarr(folder) and listed is None else folder)
    if listed is None:
        wanted = _all_planes(scan.folder, [folder] if scan.folder is not folder else find_images(folder))
    else:
        wanted = [replace(image, file_name=picture_name(image)) for image in listed]
    folder, hashed, seen = scan.folder, 0, set()
    file, size, digest = Path(), None, None
    for done, image in enumerate(wanted, 1):
        if progress is not None:
            progress(done, len(wanted))
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
            if file_of(path) != file:  # not another plane of the same file
                file = file_of(path)
                size = file.stat().st_size if file.is_file() else None
                hashed += size or 0
                digest = None if size is None or hashed > HASHED_BYTES else _sha256(file)
        except (InputError, OSError) as error:
            scan.skipped.append(str(error))
            continue
        scan.rows.append(
            {
                **{"id": image.id, "position": len(scan.rows), "uid": image_uid(image.file_name)},
                **{"file_name": image.file_name, "height": height, "width": width},
                **{"bytes": size, "sha256": digest or image.sha256},  # of a Zarr folder neither
                "extra": orjson.dumps(dict(image.extra)).decode() if image.extra else None,
                **IMAGE_STATE,
            }
        )
    if not scan.rows:
        raise InputError(f"{folder}: none of the {len(wanted)} pictures can be used; the first: {scan.skipped[0]}")
    return scan


def _all_planes(folder: Path, paths: Sequence[Path]) -> list[Image]:
    """Every picture of some files; one that cannot be looked into stands for itself, until its size is asked for."""
    wanted: list[Image] = []
    for path in paths:
        planes: list[tuple[Path, dict[str, int]]] = [(path, {})]
        with contextlib.suppress(InputError, OSError):
            planes = list(find_planes(path))
        for one, plane in planes:
            extra = {"pointanno": {"plane": plane}} if plane else {}
            name = one.relative_to(folder).as_posix()
            wanted.append(Image(id=len(wanted) + 1, file_name=name, height=0, width=0, extra=extra))
    return wanted


def relative_folder(images: Path, project: Path) -> str:
    """Path from the project to its images; absolute where there is no way, as between drives."""
    try:
        return Path(os.path.relpath(images.resolve(), project.resolve())).as_posix()
    except ValueError:
        return images.resolve().as_posix()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_again(folder: Path, rows: Sequence[AnyRow], progress: Progress | None = None) -> list[str]:
    """One sentence for each image of a project that is missing in a folder, or is another one there.

    Parameters
    ----------
    folder : where the images are now
    rows : of `images`
    progress : told about every picture

    Raises
    ------
    InputError
        If there is no such folder or none of the images is in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Name the folder that holds the images now")
    problems, there = [], 0
    for done, row in enumerate(rows, 1):
        if progress is not None:
            progress(done, len(rows))
        path = folder / row["file_name"]
        if not is_there(path):
            problems.append(f"{path}: the picture is missing; its annotations are kept")
            continue
        there += 1
        if row["bytes"] is not None and file_of(path).stat().st_size != row["bytes"]:
            problems.append(f"{path}: the picture has another size in bytes than before. Check that it is the same")
    if there == 0:
        raise InputError(
            f"{folder}: none of the {len(rows)} images of the project is in this folder, expected for example "
            f"{rows[0]['file_name']}. Name the folder that holds them"
        )
    return problems
