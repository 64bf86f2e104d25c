"""Pixels under a brush and inside of a polygon; a pixel counts if its centre does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pointanno.formats.rle import rle_union
from pointanno.mask_patches import MaskPatch, patch_to_rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pointanno.formats.rle import RLE

_PIECE = 2**20
"""Pixels of the box of a piece of a stroke; a long diagonal one would need the memory of the whole picture."""


def brush_rle(path: Sequence[tuple[float, float]], radius: float, image_size: tuple[int, int]) -> RLE:
    """Run-length code of `brush_mask`, in the memory of the part that the brush touched."""
    _check_brush(path, radius)
    pieces = [_brushed(piece, radius, image_size) for piece in _pieces(path, radius)]
    codes = [patch_to_rle(piece, image_size) for piece in pieces]
    return codes[0] if len(codes) == 1 else rle_union(codes)


def brush_mask(path: Sequence[tuple[float, float]], radius: float, image_size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centres lie within `radius` of a path.

    Parameters
    ----------
    path : (x, y), continuous
        One position is a dab.
    radius : float > 0, pixels
    image_size : (height, width)

    Returns
    -------
    (H, W) bool

    Raises
    ------
    ValueError
        If the path is empty or the radius not positive.
    """
    _check_brush(path, radius)
    return _whole(_brushed(path, radius, image_size), image_size)


def polygon_rle(corners: Sequence[tuple[float, float]], image_size: tuple[int, int]) -> RLE:
    """Run-length code of `polygon_mask`, in the memory of the polygon's box."""
    return patch_to_rle(_polygon(corners, image_size), image_size)


def polygon_mask(corners: Sequence[tuple[float, float]], image_size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centres lie inside of a polygon (even-odd rule).

    Parameters
    ----------
    corners : at least three (x, y), continuous
    image_size : (height, width)

    Returns
    -------
    (H, W) bool

    Raises
    ------
    ValueError
        With fewer than three corners.
    """
    return _whole(_polygon(corners, image_size), image_size)


def _check_brush(path: Sequence[tuple[float, float]], radius: float) -> None:
    if len(path) == 0 or not radius > 0:
        raise ValueError(f"path must have a position and radius be positive, but got {len(path)} and {radius}")


def _pieces(path: Sequence[tuple[float, float]], radius: float) -> list[list[tuple[float, float]]]:
    """The path in parts, each of which ends where the next begins and lies in a box of moderate size."""
    pieces: list[list[tuple[float, float]]] = []
    piece = [path[0]]
    low_x = high_x = path[0][0]
    low_y = high_y = path[0][1]
    for x, y in path[1:]:
        low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
        if len(piece) > 1 and (high_x - low_x + 2 * radius) * (high_y - low_y + 2 * radius) > _PIECE:
            pieces.append(piece)
            last = piece[-1]
            piece = [last]
            low_x, high_x, low_y, high_y = min(last[0], x), max(last[0], x), min(last[1], y), max(last[1], y)
        piece.append((x, y))
    return [*pieces, piece]


def _brushed(path: Sequence[tuple[float, float]], radius: float, image_size: tuple[int, int]) -> MaskPatch:
    """What the brush covers, cut to a box around it."""
    height, width = image_size
    xs, ys = [x for x, _ in path], [y for _, y in path]
    left, right = _clip(min(xs) - radius, max(xs) + radius, width)
    top, bottom = _clip(min(ys) - radius, max(ys) + radius, height)
    mask = np.zeros((max(0, bottom - top), max(0, right - left)), dtype=np.uint8)
    if not mask.size:
        return MaskPatch((0, 0), np.zeros((0, 0), np.uint8))
    points = [*path, path[-1]] if len(path) == 1 else list(path)
    for (ax, ay), (bx, by) in pairwise(points):
        x0, x1 = _clip(min(ax, bx) - radius, max(ax, bx) + radius, width)
        y0, y1 = _clip(min(ay, by) - radius, max(ay, by) + radius, height)
        if x0 >= x1 or y0 >= y1:
            continue
        x, y = np.arange(x0, x1) + 0.5, (np.arange(y0, y1) + 0.5)[:, None]
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        # nearest position on the segment, from 0 (its start) to 1
        along = 0.0 if length == 0 else np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1)
        distance = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
        mask[y0 - top : y1 - top, x0 - left : x1 - left] |= distance <= radius * radius
    return MaskPatch((top, left), mask)


def _polygon(corners: Sequence[tuple[float, float]], image_size: tuple[int, int]) -> MaskPatch:
    """The inside of a polygon, cut to a box around it."""
    if len(corners) < 3:
        raise ValueError(f"corners must be at least 3, but are {len(corners)}")
    height, width = image_size
    points = np.asarray(corners, dtype=np.float64)
    x0, x1 = _clip(float(points[:, 0].min()), float(points[:, 0].max()), width)
    y0, y1 = _clip(float(points[:, 1].min()), float(points[:, 1].max()), height)
    mask = np.zeros((max(0, y1 - y0), max(0, x1 - x0)), dtype=np.uint8)
    if not mask.size:
        return MaskPatch((0, 0), np.zeros((0, 0), np.uint8))
    centres = np.arange(x0, x1) + 0.5
    following = np.roll(points, -1, axis=0)
    for row in range(y0, y1):
        y = row + 0.5
        crosses = (points[:, 1] <= y) != (following[:, 1] <= y)
        if not crosses.any():
            continue
        a, b = points[crosses], following[crosses]
        at = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        mask[row - y0] = np.searchsorted(at, centres, side="right") % 2 == 1
    return MaskPatch((y0, x0), mask)


def _whole(mask: MaskPatch, image_size: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask in the size of the image, (H, W) bool."""
    (top, left), (h, w) = mask.origin, mask.patch.shape
    whole = np.zeros(image_size, dtype=bool)
    whole[top : top + h, left : left + w] = mask.patch != 0
    return whole


def _clip(low: float, high: float, limit: int) -> tuple[int, int]:
    """First and one-past-last pixel that may be touched."""
    return max(0, int(np.floor(low))), min(limit, int(np.ceil(high)) + 1)
