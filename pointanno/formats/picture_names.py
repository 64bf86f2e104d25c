"""Short names of pictures, for formats that call a picture by its name without the ending, and the way back."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pointanno.planes import picture_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.dataset import Image

_MANY = 20


def short_names(images: Sequence[Image]) -> dict[int, str]:
    """Name of each picture without its ending, by image id; with it where two would be called alike.

    Folders stay in the name, always relative and never upwards, so that it can name a file in a folder.
    """
    full = {image.id: _relative(picture_name(image)) for image in images}
    stems = {image_id: _without_suffix(name) for image_id, name in full.items()}
    count = Counter(stem.casefold() for stem in stems.values())
    whole = Counter(name.casefold() for name in full.values())
    names = {}
    for image_id, stem in stems.items():
        others = whole[stem.casefold()] - (full[image_id].casefold() == stem.casefold())
        names[image_id] = stem if count[stem.casefold()] == 1 and not others else full[image_id]
    return names


class PictureFinder:
    """Finds pictures by their whole name, their short name, or either without the folders.

    Parameters
    ----------
    images : the pictures that may be meant
    """

    def __init__(self, images: Sequence[Image]) -> None:
        self._exact: dict[str, Image] = {}
        self._bare: dict[str, Image | None] = {}
        for image in images:
            self._exact[_relative(picture_name(image))] = image
        short = short_names(images)
        for image in images:
            self._exact.setdefault(short[image.id], image)
        for image in images:
            name = PurePosixPath(_relative(picture_name(image)))
            for bare in {name.name, _without_suffix(name.name), _without_suffix(str(name))}:
                self._bare[bare] = None if bare in self._bare else image

    def find(self, name: str) -> Image | None:
        """The picture that a name means; None if there is none, or if it may be more than one."""
        wanted = _relative(name)
        found = self._exact.get(wanted) or self._bare.get(wanted)
        return found or self._bare.get(PurePosixPath(wanted).name)


def _relative(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..") and not part.endswith(":"))


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix and path.stem.strip(".") else name


def left_out(names: Sequence[str]) -> tuple[str, ...]:
    """Sentences about pictures of a file that are not among those known: one each, or one for all if they are many."""
    if len(names) <= _MANY:
        return tuple(f"{name}: the project has no image of this name; its annotations are left out" for name in names)
    return (
        f"{len(names)} images of the file, such as {', '.join(names[:3])}, are not in the project; "
        "their annotations are left out",
    )
