"""Smooth noise and convex outlines, the two things that scenes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import zoom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def smooth_noise(generator: np.random.Generator, shape: tuple[int, ...], cells: Sequence[int]) -> NDArray[np.float64]:
    """Noise without sharp edges, mean about 0.5.

    Parameters
    ----------
    generator
        Source of randomness.
    shape
        Of the result, one or two axes.
    cells
        Number of random values along each axis.

    Returns
    -------
    `shape` float in [0, 1]
    """
    grid = generator.random([count + 1 for count in cells])
    factors = [extent / count for extent, count in zip(shape, grid.shape, strict=True)]
    values: NDArray[np.float64] = zoom(grid, factors, order=3, mode="nearest", grid_mode=True)
    return np.clip(values[tuple(slice(extent) for extent in shape)], 0, 1)


def cloud_noise(generator: np.random.Generator, size: int, cells: int, octaves: int = 3) -> NDArray[np.float64]:
    """Noise with detail on several scales, each half as strong as the coarser one.

    Returns
    -------
    (size, size) float in [0, 1]
    """
    total = np.zeros((size, size))
    for octave in range(octaves):
        count = min(cells * 2**octave, size)
        total += smooth_noise(generator, (size, size), (count, count)) * 0.5**octave
    return total / sum(0.5**octave for octave in range(octaves))


def inside_convex(corners: Sequence[tuple[float, float]], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether positions lie inside a convex polygon.

    Parameters
    ----------
    corners
        (x, y), clockwise on the screen (y points down).
    x, y : broadcastable float
        Positions, continuous.
    """
    inside = np.ones(np.broadcast_shapes(x.shape, y.shape), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    return inside


def shade(base: Sequence[float], amount: NDArray[Any] | float) -> NDArray[np.float64]:
    """A colour made lighter or darker.

    Parameters
    ----------
    base : 3 floats from 0 to 255
    amount : (...) float
        Added to every channel.

    Returns
    -------
    (..., 3) float
    """
    return np.asarray(base, dtype=np.float64) + np.asarray(amount, dtype=np.float64)[..., None]
