"""Names of the planes of a stack: ``embryo#t=0,z=4.tif`` is the plane t = 0, z = 4 of the file ``embryo.tif``.

A data set and a project know a picture by its file name, so every plane of a stack has a name of its own. The place
stands before the suffix: the kind of the file is still told by its end, and names without suffix differ.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pointanno.dataset import Image

_NAMED = re.compile(r"(?P<stem>[^/\\]+)#(?P<place>[a-z]\w*=\d+(?:,[a-z]\w*=\d+)*)(?P<suffix>(?:\.[^.#/\\]*)?)")


def name_plane(file_name: str, plane: Mapping[str, int]) -> str:
    """The name of a plane of a file; without axes the name of the file itself."""
    if not plane:
        return file_name
    folder, _, name = file_name.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    place = ",".join(f"{axis}={plane[axis]}" for axis in sorted(plane))
    return f"{folder}/{stem}#{place}{dot}{suffix}" if folder else f"{stem}#{place}{dot}{suffix}"


def picture_name(image: Image) -> str:
    """The name of a picture of a data set, whether it tells the plane or `pointanno.plane` stands beside it."""
    own = image.extra.get("pointanno")
    plane = own.get("plane") if isinstance(own, dict) else None
    name = image.file_name.rpartition("/")[2]
    if not isinstance(plane, dict) or not plane or _NAMED.fullmatch(name):
        return image.file_name
    return name_plane(image.file_name, plane)


def split_plane(path: Path) -> tuple[Path, dict[str, int]]:
    """The file that a path means, and the plane of it that the name says.

    A file that really has such a name is meant itself.
    """
    found = _NAMED.fullmatch(path.name) if "#" in path.name else None
    if found is None or path.exists():
        return path, {}
    place = (part.split("=") for part in found["place"].split(","))
    return path.with_name(found["stem"] + found["suffix"]), {axis: int(index) for axis, index in place}


def places(stack: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Every plane of a stack in order, the last axis fastest; one without axes for a single plane."""
    for place in product(*(range(length) for length in stack.values())):
        yield dict(zip(stack, place, strict=True))
