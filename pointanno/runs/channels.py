"""How many channels a network takes when the recipe leaves it to the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.images import read_channels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pointanno.dataset import Image

_MOST = 16
"""Pictures whose headers are looked at; a sample of another one that differs is refused during the training."""


def resolve_channels(recipe: Mapping[str, Any], pictures: Iterable[Image], images: Path) -> dict[str, Any]:
    """The recipe with ``data.channels = 0`` replaced by what the first pictures have.

    Parameters
    ----------
    recipe : mapping
        A recipe without that setting, or with another value, is returned as it is.
    images : Path
        Folder that the file names are relative to.

    Raises
    ------
    InputError
        If a picture is missing or no picture, or the pictures differ.
    """
    data = recipe.get("data")
    if not isinstance(data, dict) or data.get("channels") != 0:
        return dict(recipe)
    first: tuple[str, int] | None = None
    for _, picture in zip(range(_MOST), pictures, strict=False):
        count = read_channels(images / picture.file_name)
        if first is None:
            first = picture.file_name, count
        elif count != first[1]:
            raise InputError(
                f"--set data.channels=0: {first[0]} has {first[1]} channels, but {picture.file_name} has {count}; give "
                "pictures of one kind, or data.channels=3, which takes any picture as red, green and blue"
            )
    if first is None:
        raise InputError("--set data.channels=0: the data set has no pictures whose channels could be counted")
    return {**recipe, "data": {**data, "channels": first[1]}}
