"""A picture as it is shown: its levels, finest first, and what the file says about it.

Small pictures are read at once. Of large ones nothing is read but what is looked at: Zarr, mapped and tiled TIFF give
windows, and the coarser levels that the file holds. `pointanno.images` reads the same pixels for training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.errors import InputError
from pointanno.images import PixelSource, is_tiff, locate, not_readable, read_image
from pointanno.picture_info import PictureInfo
from pointanno.tiff_planes import TiffPlane
from pointanno.zarr_planes import ZarrPlane, is_zarr, open_zarr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IN_MEMORY_BYTES = 96 * 2**20
"""Planes up to this are read whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Levels of one plane, finest first; a single array if it is in memory.

    Attributes
    ----------
    levels : arrays, `TiffPlane` or `ZarrPlane`
        (H, W) or (H, W, C), in the type of the file.
    info : PictureInfo
    """

    levels: tuple[PixelSource, ...]
    info: PictureInfo

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, C) of the finest level."""
        return self.levels[0].shape

    @property
    def nbytes(self) -> int:
        """Memory that it holds by itself."""
        return sum(level.nbytes for level in self.levels if isinstance(level, np.ndarray))

    def close(self) -> None:
        """Give files back; whoever still reads gets an error."""
        for level in self.levels:
            if isinstance(level, TiffPlane):
                level.close()


def open_picture(path: str | Path, plane: Mapping[str, int] | None = None) -> Picture:
    """A picture to be shown.

    Raises
    ------
    InputError
        As `pointanno.images.read_image`.
    """
    file, plane = locate(path, plane)
    try:
        if is_zarr(file):
            return _open_zarr(file, plane)
        if is_tiff(file):
            return _open_tiff(file, plane)
        array = read_image(file, plane)
        return Picture((array,), PictureInfo(is_color=array.ndim == 3))
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise not_readable(file, error) from error


def _open_zarr(folder: Path, plane: Mapping[str, int]) -> Picture:
    picture = open_zarr(folder)
    levels = tuple(ZarrPlane(picture, plane, level) for level in range(len(picture.levels)))
    if levels[0].nbytes <= IN_MEMORY_BYTES:
        return Picture((levels[0][:, :],), picture.info)
    return Picture(levels, picture.info)


def _open_tiff(file: Path, plane: Mapping[str, int]) -> Picture:
    finest = TiffPlane(file, plane)
    info = finest.info()
    if finest.nbytes <= IN_MEMORY_BYTES or not finest.is_windowed():
        finest.close()
        array = read_image(file, plane)
        channels = 1 if array.ndim == 2 else array.shape[2]
        if channels != finest.channels:  # read by another decoder, which makes colour of what it knows
            info = PictureInfo(channels > 1, (), info.pixel_size, info.origin, info.unit)
        return Picture((array,), info)
    levels: list[TiffPlane] = [finest]
    for number in range(1, finest.level_count):
        coarse = TiffPlane(file, plane, number)
        if coarse.is_windowed() and coarse.shape[2:] == finest.shape[2:]:
            levels.append(coarse)
        else:
            coarse.close()
    return Picture(tuple(levels), info)
