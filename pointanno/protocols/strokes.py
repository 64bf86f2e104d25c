"""Pixels under a brush and inside of a polygon; a pixel counts if its centre does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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
    if len(path) == 0 or not radius > 0:
        raise ValueError(f"path must have a position and radius be positive, but got {len(path)} and {radius}")
    height, width = image_size
    mask = np.zeros((height, width), dtype=bool)
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
        mask[y0:y1, x0:x1] |= distance <= radius * radius
    return mask


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
    if len(corners) < 3:
        raise ValueError(f"corners must be at least 3, but are {len(corners)}")
    height, width = image_size
    points = np.asarray(corners, dtype=np.float64)
    mask = np.zeros((height, width), dtype=bool)
    y0, y1 = _clip(float(points[:, 1].min()), float(points[:, 1].max()), height)
    centres = np.arange(width) + 0.5
    following = np.roll(points, -1, axis=0)
    for row in range(y0, y1):
        y = row + 0.5
        crosses = (points[:, 1] <= y) != (following[:, 1] <= y)
        if not crosses.any():
            continue
        a, b = points[crosses], following[crosses]
        at = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        mask[row] = np.searchsorted(at, centres, side="right") % 2 == 1
    return mask


def _clip(low: float, high: float, limit: int) -> tuple[int, int]:
    """First and one-past-last pixel that may be touched."""
    return max(0, int(np.floor(low))), min(limit, int(np.ceil(high)) + 1)
