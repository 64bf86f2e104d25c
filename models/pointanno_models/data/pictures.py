"""Pictures as network input: read once, kept as they are on disk, normalised where a window is cut out."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.images import open_image
from pointanno.tiff_planes import TiffPlane
from pointanno_models.data.levels import RGB, Levels, measure_levels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.images import PixelSource

    Key = tuple[Path, tuple[tuple[str, int], ...]]

_MOST_OPEN = 64
"""Large pictures stay on disk; so many of their files are open at once."""


class NormalizedPicture:
    """A picture whose windows come as network input; sliced like an (H, W, C) float32 array."""

    def __init__(self, source: PixelSource, levels: Levels) -> None:
        self._source = source
        self._levels = levels

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, channels of the network)."""
        return self._source.shape[0], self._source.shape[1], self._levels.channels

    @property
    def levels(self) -> Levels:
        """How its values are mapped."""
        return self._levels

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[np.float32]:
        """(h, w, C) float32 of a window, with the statistics of the whole picture."""
        return self._levels(self._source[window])


class PictureCache:
    """Pictures in the type of their files, the least recently used dropped beyond a limit of memory.

    Parameters
    ----------
    limit_bytes : int
        A single picture may be larger; large TIFF stays on disk and costs an open file.
    channels, how : as of `measure_levels`
    """

    def __init__(self, limit_bytes: int, *, channels: int = RGB, how: str = "image") -> None:
        self._limit = limit_bytes
        self._channels = channels
        self._how = how
        self._forget()

    def __call__(self, path: Path, plane: Mapping[str, int] | None = None) -> NormalizedPicture:
        """The picture of a file.

        Raises
        ------
        InputError
            If it cannot be read, or has other channels than the network.
        """
        key = (path, tuple(sorted((plane or {}).items())))
        source = self._sources.get(key)
        if source is None:
            source = open_image(path, plane)
            self._sources[key] = source
            self._held += self._cost(source)
            while self._held > self._limit and len(self._sources) > 1:
                dropped = self._sources.popitem(last=False)[1]
                self._held -= self._cost(dropped)
                if isinstance(dropped, TiffPlane):
                    dropped.close()
        else:
            self._sources.move_to_end(key)
        levels = self._levels.get(key)
        if levels is None:
            try:
                levels = measure_levels(source, self._how, self._channels)
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
            self._levels[key] = levels
        return NormalizedPicture(source, levels)

    def _cost(self, source: PixelSource) -> int:
        return source.nbytes if isinstance(source, np.ndarray) else self._limit // _MOST_OPEN

    def _forget(self) -> None:
        self._held = 0
        self._sources: OrderedDict[Key, PixelSource] = OrderedDict()
        self._levels: dict[Key, Levels] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without the pictures: a process that prepares samples reads its own."""
        return {"_limit": self._limit, "_channels": self._channels, "_how": self._how}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()
