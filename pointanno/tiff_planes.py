"""One plane of a TIFF, whole or window by window, so that a plane may be larger than memory.

Channels (axis C of the file, or samples of a pixel) stay together as the last axis; every other axis (time,
depth, unnamed pages) is a place in a stack, of which one plane is read: the first unless another is named.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.picture_info import PictureInfo, info_of_tiff
from pointanno.tiff_tones import Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ORIENTATION_TAG = 274
TURNED_ORIENTATIONS = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height."""

_UNNAMED_AXES = "QI"
_JPEG_KINDS = frozenset({6, 7, 34892, 33007})  # compressions whose segments share tables


class TiffPlane:
    """A plane as an object that is sliced like an array, ``plane[top:bottom, left:right]``, and reads only that.

    Parameters
    ----------
    path : path
    plane : mapping from axis to index, optional
        As in ``{"t": 0, "z": 4}``; axes that are not named are at 0.
    level : int
        Of a pyramid that the file holds; 0 is the finest.

    Attributes
    ----------
    shape : (H, W) or (H, W, C)
        As a person sees the picture, its orientation applied.
    dtype : numpy dtype
        Of the pixels that are returned: bool becomes uint8.
    is_color : bool
        Whether the channels are red, green, blue (and alpha), not measurements.
    stack : dict from axis to length
        The axes that are no channels, empty for a single plane.

    Raises
    ------
    InputError
        If the file has no such plane.
    """

    def __init__(self, path: Path, plane: Mapping[str, int] | None = None, level: int = 0) -> None:
        import tifffile

        self.path = path
        self._file = tifffile.TiffFile(path)
        # whoever keeps many planes may forget them without closing each
        self._finalizer = weakref.finalize(self, self._file.close)
        try:
            self._levels = self._file.series[0].levels
            self._series = self._levels[level]
            extent = dict(zip(self._series.axes, (int(n) for n in self._series.shape), strict=True))
            self.stack = {axis.lower(): length for axis, length in extent.items() if axis not in "YXSC"}
            self._place = _checked_place(path, self.stack, plane or {})
            self.orientation = _orientation(self._file)
            self._tone = Tone.of_page(self._series.keyframe, extent, own_values=self._file.is_imagej)
            self.channels = self._tone.channels(extent.get("C", 1) * extent.get("S", 1))
            height, width = extent["Y"], extent["X"]
            if self.orientation in TURNED_ORIENTATIONS:
                height, width = width, height
            self.shape: tuple[int, ...] = (height, width) if self.channels == 1 else (height, width, self.channels)
            stored = np.dtype(self._series.dtype)
            self._is_bool = stored == np.bool_
            self.dtype = np.dtype(np.uint8) if self._is_bool else self._tone.dtype(stored.newbyteorder("="))
            if stored.kind not in "buif":
                raise InputError(
                    f"{path}: the pixels are {stored.name} values, which are no picture; save their magnitude or one "
                    "part of them as numbers"
                )
            self.has_alpha = _has_alpha(self._series.keyframe)
            self.is_color = self._tone.is_color
        except BaseException:
            self.close()
            raise

    @property
    def ndim(self) -> int:
        """2, or 3 with channels."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory of the whole plane."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def level_count(self) -> int:
        """How many levels the file holds of the picture."""
        return len(self._levels)

    def info(self) -> PictureInfo:
        """Physical size and channels, as far as the file tells them."""
        turned = self.orientation in TURNED_ORIENTATIONS
        return info_of_tiff(self._file, is_color=self.is_color, channels=self.channels, turned=turned)

    def close(self) -> None:
        """Give the file back."""
        self._finalizer()

    def __enter__(self) -> TiffPlane:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def is_windowed(self) -> bool:
        """Whether a small window costs less than the whole plane."""
        if self.orientation != 1:
            return False
        if self._series.dataoffset is not None:
            return True
        key = self._series.keyframe
        if key.shaped[1] != 1 or any(page is None for page in self._pages()):
            return False
        height, width = _segment_size(key)
        if height * width * 4 > key.shaped[2] * key.shaped[3]:
            return False
        try:
            self._decode(self._pages()[0], 0)
        except (ValueError, NotImplementedError):  # compressed in a way that only Pillow knows, if anyone
            return False
        return True

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        """Pixels of a window, (h, w) or (h, w, C); decodes no more of the file than it must."""
        rows, columns = (part.indices(side)[:2] for part, side in zip(window, self.shape, strict=False))
        if self.orientation != 1:
            return self.read()[slice(*rows), slice(*columns)]
        if self._series.dataoffset is not None:
            return self._finish(self._mapped(rows, columns))
        parts = [self._page_window(page, rows, columns) for page in self._pages()]
        return self._finish(parts[0] if "C" not in self._series.axes else self._join(parts))

    def read(self) -> NDArray[Any]:
        """All pixels, upright.

        Raises
        ------
        ValueError
            If the compression is not known; the message names imagecodecs then.
        """
        pages = self._pages()
        if any(page is None for page in pages):
            array, axes = self._series.asarray(), self._series.axes
            place: list[int | slice] = [slice(None) if axis in "YXSC" else self._place[axis.lower()] for axis in axes]
            stored = _channels_last(array[tuple(place)], "".join(axis for axis in axes if axis in "YXSC"))
        else:
            axes = self._series.keyframe.axes
            parts = [_channels_last(_first(page.asarray(), axes), _plane_axes(axes)) for page in pages]
            stored = parts[0] if "C" not in self._leading() else self._join(parts)
        return np.ascontiguousarray(turn_upright(self._finish(stored), self.orientation))

    def _leading(self) -> str:
        """Axes of the series that count pages."""
        axes: str = self._series.axes
        return axes[: len(axes) - len(self._series.keyframe.axes)]

    def _pages(self) -> list[Any]:
        """The pages that hold this plane: one, or one for each channel."""
        leading = self._leading()
        if leading + self._series.keyframe.axes != self._series.axes or len(self._series.pages) < np.prod(
            self._series.shape[: len(leading)], dtype=np.int64
        ):
            return [None]
        numbers = np.arange(np.prod(self._series.shape[: len(leading)], dtype=np.int64))
        numbers = numbers.reshape(self._series.shape[: len(leading)])
        place: list[int | slice] = [slice(None) if axis == "C" else self._place[axis.lower()] for axis in leading]
        return [self._series.pages[number] for number in np.ravel(numbers[tuple(place)]).tolist()]

    def _mapped(self, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """A window of pixels that lie in the file as they are."""
        series = self._series
        mapped = np.memmap(
            series.keyframe.parent.filehandle.path,
            dtype=np.dtype(series.dtype).newbyteorder(self._file.byteorder),
            mode="r",
            offset=int(series.dataoffset or 0),
            shape=series.shape,
        )
        cut = {"Y": slice(*rows), "X": slice(*columns)}
        place: list[int | slice] = [
            cut.get(axis, slice(None)) if axis in "YXSC" else self._place[axis.lower()] for axis in series.axes
        ]
        window = np.array(mapped[tuple(place)])  # a copy: nobody else keeps the file open
        return _channels_last(window, "".join(axis for axis in series.axes if axis in "YXSC"))

    def _page_window(self, page: Any, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """A window of one page, (h, w) or (h, w, S), from the strips or tiles that it touches."""
        key = page.keyframe
        separate, _, height, width, together = key.shaped
        length, breadth = _segment_size(key)
        across, down = -(-width // breadth), -(-height // length)
        window = np.full((separate, rows[1] - rows[0], columns[1] - columns[0], together), key.nodata, dtype=key.dtype)
        for sample in range(separate):
            for row in range(rows[0] // length, -(-rows[1] // length)):
                for column in range(columns[0] // breadth, -(-columns[1] // breadth)):
                    segment = self._decode(page, (sample * down + row) * across + column)
                    if segment is None:
                        continue
                    top, left = row * length, column * breadth
                    y0, y1 = max(rows[0], top), min(rows[1], top + segment.shape[0])
                    x0, x1 = max(columns[0], left), min(columns[1], left + segment.shape[1])
                    if y0 < y1 and x0 < x1:
                        window[sample, y0 - rows[0] : y1 - rows[0], x0 - columns[0] : x1 - columns[0]] = segment[
                            y0 - top : y1 - top, x0 - left : x1 - left
                        ]
        return window.transpose(1, 2, 0, 3).reshape(*window.shape[1:3], -1)

    def _decode(self, page: Any, number: int) -> NDArray[Any] | None:
        """A strip or tile as (h, w, S), None if it was never written."""
        key = page.keyframe
        if number >= len(page.dataoffsets) or not page.databytecounts[number]:
            return None
        handle = page.parent.filehandle
        handle.seek(page.dataoffsets[number])
        tables = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader} if key.compression in _JPEG_KINDS else {}
        segment = key.decode(handle.read(page.databytecounts[number]), number, **tables)[0]
        return None if segment is None else segment[0]

    def _join(self, parts: list[NDArray[Any]]) -> NDArray[Any]:
        """Channels that are pages of their own, and samples within them, as one list of channels."""
        together = np.stack([part if part.ndim == 3 else part[..., None] for part in parts], axis=2)
        return together.reshape(*together.shape[:2], -1)

    def _finish(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Native byte order, no channel axis for one channel, bool as 0 and 255."""
        if stored.ndim == 3 and stored.shape[2] == 1:
            stored = stored[..., 0]
        if self._is_bool:
            stored = stored.astype(np.uint8) * 255
        return np.asarray(self._tone(stored).astype(self.dtype, copy=False))


def turn_upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an orientation tag (1 to 8, TIFF 6.0)."""
    if orientation in TURNED_ORIENTATIONS:
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _checked_place(path: Path, stack: Mapping[str, int], plane: Mapping[str, int]) -> dict[str, int]:
    """Index along every axis of the stack."""
    place = dict.fromkeys(stack, 0)
    for name, index in plane.items():
        axis = name.lower()
        if axis not in stack and len(stack) == 1 and next(iter(stack)).upper() in _UNNAMED_AXES:
            axis = next(iter(stack))  # pages without a name: whatever the data set calls them
        length = stack.get(axis, 1)
        if not 0 <= index < length:
            has = ", ".join(f"{key}: {value}" for key, value in stack.items()) or "a single plane"
            raise InputError(
                f"{path}: there is no plane {name} = {index}; the file has {has}. Correct pointanno.plane of this "
                "image in the data set"
            )
        if axis in place:
            place[axis] = int(index)
    return place


def _orientation(file: Any) -> int:
    """Orientation tag of the first page, 1 if it has none."""
    tag = file.pages[0].tags.get(ORIENTATION_TAG)
    return int(tag.value) if tag is not None else 1


def _has_alpha(page: Any) -> bool:
    """Whether the last sample of a colour page says how opaque it is."""
    extra: Sequence[int] = getattr(page, "extrasamples", ())
    return page.samplesperpixel == 4 and [int(kind) for kind in extra] in ([1], [2])


def _segment_size(page: Any) -> tuple[int, int]:
    """(height, width) of the strips or tiles of a page."""
    if page.is_tiled:
        return int(page.tilelength), int(page.tilewidth)
    return max(1, min(int(page.rowsperstrip), int(page.shaped[2]))), int(page.shaped[3])


def _plane_axes(axes: str) -> str:
    return "".join(axis for axis in axes if axis in "YXSC")


def _first(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """The first of everything that is neither place nor channel."""
    return array[tuple(slice(None) if axis in "YXSC" else 0 for axis in axes)]


def _channels_last(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """(H, W) or (H, W, channels x samples)."""
    ordered: NDArray[Any] = array.transpose([axes.index(axis) for axis in "YXCS" if axis in axes])
    return ordered.reshape(*ordered.shape[:2], -1) if ordered.ndim == 4 else ordered
