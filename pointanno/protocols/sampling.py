"""Random points in a box: which pixels, and from which seed."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAMPLER = "distinct-1"
"""Name and version of `sample_points`, written beside the points that it drew."""


def point_seed(project_seed: int, image_uid: str, box_uid: str, resample: int) -> int:
    """Seed of the points of one box: 48 bits that depend on nothing but the arguments.

    Parameters
    ----------
    project_seed : setting of the project
    image_uid, box_uid : str
    resample : int
        0 for the first drawing, counted up each time the points are drawn anew.
    """
    text = f"{project_seed}:{image_uid}:{box_uid}:{resample}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "little")


def pixel_range(low: float, high: float, limit: int) -> tuple[int, int]:
    """First and one-past-last index of the pixels that uniform positions in [low, high) fall on, inside [0, limit).

    The rule is that of PointSup's script: a pixel is meant when the floor of a position names it.
    """
    return max(0, math.floor(low)), min(limit, math.ceil(high))


def sample_points(box: Sequence[float], n: int, image_size: tuple[int, int], *, seed: int) -> NDArray[np.int32]:
    """Distinct random pixels of a box.

    Positions are uniform in the box and rounded down, so a pixel that the box covers by half is drawn half as
    often; a pixel that was drawn before, or lies outside of the image, is drawn again.

    Parameters
    ----------
    box : (4,) float, XYXY, continuous
    n : int
        Number of points wanted.
    image_size : (height, width)
    seed : int

    Returns
    -------
    (min(n, M), 2) int32
        Pixel indices (x, y) in the order of drawing; M is the number of pixels that the box touches in the image.

    Raises
    ------
    ValueError
        If the box touches no pixel of the image.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    height, width = image_size
    left, right = pixel_range(x0, x1, width)
    top, bottom = pixel_range(y0, y1, height)
    if left >= right or top >= bottom:
        raise ValueError(f"box must touch the image of {width} x {height} pixels, but is {x0, y0, x1, y1}")
    total = (right - left) * (bottom - top)
    generator = np.random.default_rng(seed)
    if total <= 4 * n:
        return _weighted(generator, (x0, y0, x1, y1), (left, top, right, bottom), min(n, total))
    chosen: dict[tuple[int, int], None] = {}
    while len(chosen) < n:
        for u, v in generator.random((2 * n, 2)).tolist():
            x, y = math.floor(x0 + u * (x1 - x0)), math.floor(y0 + v * (y1 - y0))
            if left <= x < right and top <= y < bottom:
                chosen[x, y] = None
                if len(chosen) == n:
                    break
    return np.array(list(chosen), dtype=np.int32).reshape(-1, 2)


def _weighted(
    generator: np.random.Generator,
    box: tuple[float, float, float, float],
    pixels: tuple[int, int, int, int],
    count: int,
) -> NDArray[np.int32]:
    """The same draw without repetition for small boxes, where drawing again would take long to find the rest."""
    x0, y0, x1, y1 = box
    left, top, right, bottom = pixels
    columns, rows = np.arange(left, right), np.arange(top, bottom)
    share_x = np.minimum(columns + 1, x1) - np.maximum(columns, x0)
    share_y = np.minimum(rows + 1, y1) - np.maximum(rows, y0)
    # a sliver of a pixel may round to nothing; it can still be drawn, last
    weights = np.maximum((share_y[:, None] * share_x[None, :]).ravel(), 1e-12)
    order = generator.choice(weights.size, size=count, replace=False, p=weights / weights.sum())
    return np.stack([columns[order % columns.size], rows[order // columns.size]], axis=1).astype(np.int32)
