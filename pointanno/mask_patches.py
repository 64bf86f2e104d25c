"""Masks of objects in very large pictures: run-length codes to and from small patches, never a whole-picture array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_mask

from pointanno.formats.rle import counts_to_rle, rle_to_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pointanno.formats.rle import RLE

_SMALL = 2**20  # pixels of a picture that pycocotools decodes faster than runs are sorted out here


@dataclass(frozen=True, slots=True, eq=False)
class MaskPatch:
    """A mask cut to its tight box: the whole-picture mask is 0 outside of ``origin + patch.shape``."""

    origin: tuple[int, int]
    """(row, column) of the patch's top-left pixel."""
    patch: NDArray[np.uint8]
    """(h, w), 1 on the object; (0, 0) of an empty mask."""


def rle_to_patch(rle: Mapping[str, Any]) -> MaskPatch:
    """The patch of a compressed code; takes memory for the columns of the object only."""
    height, width = (int(side) for side in rle["size"])
    if height * width <= _SMALL:
        counts = rle["counts"]
        code = {"size": [height, width], "counts": counts.encode("ascii") if isinstance(counts, str) else counts}
        x, y, w, h = (int(value) for value in coco_mask.toBbox(code))
        return MaskPatch((y, x), np.ascontiguousarray(coco_mask.decode(code)[y : y + h, x : x + w]))
    edges = np.cumsum(rle_to_counts(rle))
    starts, stops = edges[0::2], edges[1::2]
    starts = starts[: len(stops)]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return MaskPatch((0, 0), np.zeros((0, 0), np.uint8))
    first, last = int(starts[0]) // height, (int(stops[-1]) - 1) // height
    change = np.zeros((last - first + 1) * height + 1, np.int8)
    np.add.at(change, starts - first * height, 1)
    np.add.at(change, stops - first * height, -1)
    columns = np.cumsum(change[:-1], dtype=np.int8).reshape(-1, height)
    rows = np.flatnonzero(columns.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return MaskPatch((top, first), np.ascontiguousarray(columns[:, top:bottom].T).view(np.uint8))


def rle_in_window(rle: Mapping[str, Any], window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """The part of a mask that lies in a window; takes memory for the window only.

    Parameters
    ----------
    rle : compressed code
    window : (top, left, bottom, right), pixels, the last two exclusive
        Must lie in the image.

    Returns
    -------
    (bottom - top, right - left) bool
    """
    height = int(rle["size"][0])
    top, left, bottom, right = window
    edges = np.cumsum(rle_to_counts(rle))
    starts, stops = edges[0::2], edges[1::2]
    low, high = left * height, right * height
    starts, stops = (np.clip(ends, low, high) - low for ends in (starts[: len(stops)], stops))
    inside = stops > starts
    starts, stops = starts[inside], stops[inside]
    # a run that goes on in the next column is one run for each of its columns
    first, last = starts // height, (stops - 1) // height
    pieces = last - first + 1
    run = np.repeat(np.arange(len(starts)), pieces)
    column = first[run] + np.arange(len(run)) - (np.cumsum(pieces) - pieces)[run]
    begin = np.where(column == first[run], starts[run] - column * height, 0)
    end = np.where(column == last[run], stops[run] - column * height, height)
    begin, end = (np.clip(rows, top, bottom) - top for rows in (begin, end))
    change = np.zeros((right - left, bottom - top + 1), np.int8)
    np.add.at(change, (column, begin), 1)
    np.add.at(change, (column, end), -1)
    return np.cumsum(change[:, :-1], axis=1, dtype=np.int8).T.view(np.bool_)


def patch_to_rle(mask: MaskPatch, image_size: tuple[int, int]) -> RLE:
    """Compressed code of a patch that lies inside a picture of (height, width)."""
    height, width = image_size
    (top, left), (h, w) = mask.origin, mask.patch.shape
    if top < 0 or left < 0 or top + h > height or left + w > width:
        raise ValueError(f"a patch of {w} x {h} at {mask.origin} does not lie in a picture of {width} x {height}")
    bordered = np.zeros((w, h + 2), np.int8)
    bordered[:, 1:-1] = mask.patch.T != 0
    change = np.diff(bordered, axis=1)
    column, row = np.nonzero(change > 0)
    starts = (left + column) * height + top + row
    column, row = np.nonzero(change < 0)
    stops = (left + column) * height + top + row
    # of an object as high as the picture one column's end is the next one's start
    apart = np.ones(len(starts) + 1, bool)
    apart[1:-1] = starts[1:] != stops[:-1]
    edges = np.stack([starts[apart[:-1]], stops[apart[1:]]], axis=1).ravel()
    counts = np.diff(edges, prepend=0, append=height * width)
    return counts_to_rle(counts[:-1] if counts[-1] == 0 and len(counts) > 1 else counts, image_size)
