"""The coarse grid on which paths are searched: resampling, clicks as cells, and gated probabilities (PSPS 6.1, 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]
    Points = Sequence[ArrayLike]

#: Side of the square that a click burns into the probabilities, pixels of the network's input (PSPS 4).
CLICK_SQUARE = 17


def grid_stride(image_size: tuple[int, int]) -> int:
    """Pixels per cell that suit an image: 4 up to 256 pixels, 8 up to 512, else 16 (longer side, PSPS 10)."""
    longer = max(image_size)
    return 4 if longer <= 256 else 8 if longer <= 512 else 16


def grid_size(image_size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Rows and columns of the grid of an image: (height, width) divided by the stride, rounded down, at least 1."""
    return max(1, image_size[0] // stride), max(1, image_size[1] // stride)


def points_to_cells(point_coords: ArrayLike, stride: int, size: tuple[int, int]) -> NDArray[np.int32]:
    """Cells of the grid that clicks fall into.

    Parameters
    ----------
    point_coords : (n, 2) int
        Pixel indices (x, y).
    stride : int
        Pixels per cell.
    size : (rows, columns) of the grid

    Returns
    -------
    (n, 2) int32
        (x, y) of the cells, clipped into the grid: the last cells may be wider than the stride.
    """
    coords = np.asarray(point_coords, dtype=np.int64).reshape(-1, 2) // stride
    limit = np.array([size[1] - 1, size[0] - 1])
    return np.clip(coords, 0, limit).astype(np.int32)


def resize_bilinear(source: NDArray[Any], size: tuple[int, int], scale: tuple[float, float] | None = None) -> Floats:
    """Array resampled by plain bilinear interpolation: corners not aligned, no smoothing before.

    Equals ``torch.nn.functional.interpolate(mode="bilinear", align_corners=False)``.

    Parameters
    ----------
    source : (..., H, W)
    size : (h, w) of the result
    scale : (rows, columns), optional
        Source cells per cell of the result; by default the ratio of the sizes.

    Returns
    -------
    (..., h, w) float32
    """
    source = np.asarray(source)
    height, width = source.shape[-2:]
    down, across = (height / size[0], width / size[1]) if scale is None else scale
    y0, y1, wy = _taps(size[0], height, down)
    x0, x1, wx = _taps(size[1], width, across)
    # only what is needed becomes float: the source may be a large picture of bytes
    four = [source[..., rows[:, None], columns].astype(np.float32) for rows in (y0, y1) for columns in (x0, x1)]
    wy = wy[:, None]
    one = np.float32(1)
    upper = four[0] * (one - wx) + four[1] * wx
    lower = four[2] * (one - wx) + four[3] * wx
    resized: Floats = upper * (one - wy) + lower * wy
    return resized


def _taps(count: int, limit: int, scale: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each of `count` cells the two source cells below and above its centre, and the weight of the second."""
    position = np.maximum(
        (np.arange(count, dtype=np.float32) + np.float32(0.5)) * np.float32(scale) - np.float32(0.5), 0
    )
    first = np.minimum(position.astype(np.int64), limit - 1)
    second = np.minimum(first + 1, limit - 1)
    weight = np.clip(position - first.astype(np.float32), 0, 1).astype(np.float32)
    return first, second, weight


def gate_probabilities(
    probabilities: Floats, point_coords: Points, classes: ArrayLike, *, square: int = CLICK_SQUARE
) -> Floats:
    """Class probabilities that know the clicks: absent classes are 0, around clicks the class has 1 (PSPS 6.2).

    Not normalised again: the paper's formulas take them as they are.

    Parameters
    ----------
    probabilities : (C, H, W) float
        Softmax over the classes, in [0, 1].
    point_coords : one (n_k, 2) int array of pixel indices (x, y) for each target, things and stuff
    classes : (K,) int
        Contiguous class index of each target. A class is present if one of its targets has a click.
    square : int
        Side of the square that a click burns in, pixels, odd; 0 for none.

    Returns
    -------
    (C, H, W) float32
        A new array.
    """
    classes = np.asarray(classes, dtype=np.int64)
    gated = np.zeros(np.shape(probabilities), dtype=np.float32)
    for index in present_classes(point_coords, classes):
        gated[index] = probabilities[index]
    half = square // 2
    for coords, index in zip(point_coords, classes, strict=True):
        for x, y in np.asarray(coords, dtype=np.int64).reshape(-1, 2) if square else ():
            gated[index, max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = 1
    return gated


def present_classes(point_coords: Points, classes: ArrayLike) -> NDArray[np.int64]:
    """Sorted indices of the classes whose targets have a click."""
    has_click = [len(np.asarray(coords).reshape(-1, 2)) > 0 for coords in point_coords]
    present: NDArray[np.int64] = np.unique(np.asarray(classes, dtype=np.int64)[np.array(has_click, dtype=bool)])
    return present
