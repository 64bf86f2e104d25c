"""Levels of a picture that is larger than memory: arrays in shape only, read where napari looks.

napari draws a multiscale layer from the level that fits the zoom, and of it only what the canvas shows. Where a file
holds no such levels they are thinned out from the next finer one, and the coarsest, from which the whole picture is
drawn, is kept in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno.images import PixelSource

TILE = 512
TILE_BYTES = 96 * 2**20
"""Decoded tiles that are kept while one picture is shown."""

OVERVIEW_BYTES = 24 * 2**20
"""The coarsest level is at most this large."""

OVERVIEW_SIDE = 2048

Render = Callable[["NDArray[Any]"], "NDArray[Any]"]


class Tiles:
    """A source of windows that keeps the tiles it decoded last, so that panning decodes only what is new."""

    def __init__(self, source: PixelSource, limit_bytes: int = TILE_BYTES) -> None:
        self._source = source
        self._limit = limit_bytes
        self._tiles: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()
        self.shape, self.dtype = source.shape, source.dtype

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Pixels of a window."""
        (top, bottom), (left, right) = _bounds(window, self.shape)
        out = np.empty((max(bottom - top, 0), max(right - left, 0), *self.shape[2:]), dtype=self.dtype)
        if not out.size:
            return out
        for row in range(top // TILE, -(-bottom // TILE)):
            for column in range(left // TILE, -(-right // TILE)):
                tile = self._tile(row, column)
                y, x = row * TILE, column * TILE
                y0, y1 = max(top, y), min(bottom, y + tile.shape[0])
                x0, x1 = max(left, x), min(right, x + tile.shape[1])
                out[y0 - top : y1 - top, x0 - left : x1 - left] = tile[y0 - y : y1 - y, x0 - x : x1 - x]
        return out

    def _tile(self, row: int, column: int) -> NDArray[Any]:
        with self._lock:
            tile = self._tiles.get((row, column))
            if tile is not None:
                self._tiles.move_to_end((row, column))
                return tile
        y, x = row * TILE, column * TILE
        tile = np.asarray(self._source[y : y + TILE, x : x + TILE])
        with self._lock:
            if (row, column) not in self._tiles:
                self._held += tile.nbytes
            self._tiles[row, column] = tile
            while self._held > self._limit and len(self._tiles) > 1:
                self._held -= self._tiles.popitem(last=False)[1].nbytes
        return tile


class ThinnedOut:
    """Every k-th pixel of a source, the middle one of each k x k; reads band by band."""

    def __init__(self, source: PixelSource, step: int) -> None:
        self._source = source
        self.step = step
        self.shape = (max(source.shape[0] // step, 1), max(source.shape[1] // step, 1), *source.shape[2:])
        self.dtype = source.dtype

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Pixels of a window."""
        (top, bottom), (left, right) = _bounds(window, self.shape)
        out = np.empty((max(bottom - top, 0), max(right - left, 0), *self.shape[2:]), dtype=self.dtype)
        if out.size:
            for row in range(top, bottom, self._band):
                out[row - top : row - top + self._band] = self._part(
                    (row, min(row + self._band, bottom)), (left, right)
                )
        return out

    @property
    def _band(self) -> int:
        """Rows that are read together."""
        return max(TILE // self.step, 1)

    def read_band(self, out: NDArray[Any], row: int) -> int:
        """Fill rows of an array of the whole level from one row on; the row after the last one that is filled."""
        end = min(row + self._band, self.shape[0])
        out[row:end] = self._part((row, end), (0, self.shape[1]))
        return end

    def _part(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        step, middle = self.step, self.step // 2
        window = tuple(
            slice(min(low * step + middle, side - 1), min((high - 1) * step + middle, side - 1) + 1)
            for (low, high), side in zip((rows, columns), self._source.shape, strict=False)
        )
        return np.asarray(self._source[window[0], window[1]])[::step, ::step]


class Overview:
    """The coarsest level, in memory; filled at once or band by band by a thread."""

    def __init__(self, source: PixelSource) -> None:
        step = overview_step(source)
        self._thinned = ThinnedOut(source, step)
        self.shape, self.dtype = self._thinned.shape, self._thinned.dtype
        self.array = np.zeros(self.shape, dtype=self.dtype)
        self._next_row = 0
        self._stop = threading.Event()

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Pixels of a window; zero where nothing was read yet."""
        return np.asarray(self.array[window])

    @property
    def progress(self) -> float:
        """How much is read, 0 to 1."""
        return self._next_row / self.shape[0]

    @property
    def complete(self) -> bool:
        """Whether all is read."""
        return self._next_row >= self.shape[0]

    def fill(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Read the source, at least one band, until the end, `stop`, or `goes_on` says no; the next call goes on."""
        while not self.complete and not self._stop.is_set():
            self._next_row = self._thinned.read_band(self.array, self._next_row)
            if not goes_on():
                return

    def stop(self) -> None:
        """Have `fill` end soon."""
        self._stop.set()

    @property
    def step(self) -> int:
        """Pixels of the source from one to the next."""
        return self._thinned.step


def overview_step(source: PixelSource) -> int:
    """How far a source must be thinned out to be an overview: a power of two."""
    depth = int(np.prod(source.shape[2:], dtype=np.int64)) * source.dtype.itemsize
    step = 1
    while (
        max(source.shape[:2]) // step > OVERVIEW_SIDE
        or (source.shape[0] // step) * (source.shape[1] // step) * depth > OVERVIEW_BYTES
    ) and min(source.shape[:2]) // step > 1:
        step *= 2
    return step


class LazyLevel:
    """What napari takes for an array: a level whose windows are read and rendered when it asks.

    Parameters
    ----------
    source : PixelSource
    render : callable
        Values to what is drawn.
    rgb : bool
        Whether that has three bytes for each pixel.
    """

    def __init__(self, source: PixelSource, render: Render, *, rgb: bool) -> None:
        self._source = source
        self._render = render
        size = (int(source.shape[0]), int(source.shape[1]))
        self.shape: tuple[int, ...] = (*size, 3) if rgb else size
        self.dtype = np.dtype(np.uint8) if rgb else np.dtype(source.dtype)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """What is drawn of a window."""
        keys = key if isinstance(key, tuple) else (key,)
        keys = (*keys, *(slice(None),) * (2 - len(keys)))
        spans = [_span(part, side) for part, side in zip(keys[:2], self.shape, strict=False)]
        drawn = self._render(np.asarray(self._source[spans[0][0], spans[1][0]]))
        return np.asarray(drawn[tuple(rest for _, rest in spans) + keys[2:]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The whole level: only ever asked of coarse ones."""
        return np.asarray(self[:, :], dtype=dtype)


def _bounds(window: tuple[slice, slice], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """(first, one after the last) of rows and columns."""
    return [part.indices(side)[:2] for part, side in zip(window, shape, strict=False)]


def _span(part: Any, side: int) -> tuple[slice, Any]:
    """What to read for an index of an axis, and what to take of it."""
    if isinstance(part, slice):
        start, stop, step = part.indices(side)
        return (slice(start, stop), slice(None, None, step)) if step > 0 else (slice(0, side), part)
    index = int(part) % side
    return slice(index, index + 1), 0
