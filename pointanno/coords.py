"""The only place that knows half-pixels and axis order.

Three frames occur in this project:

``index``
    Integer pixel indices ``(x, y)`` = (column, row), 0-based. What COCO-point JSON stores.
``continuous``
    Float ``(x, y)`` as in COCO boxes and polygons: pixel ``i`` spans ``[i, i + 1)`` and the centre of the
    top-left pixel is ``(0.5, 0.5)``. What networks and boxes use.
``napari``
    Float ``(row, column)`` in the data coordinates of a layer: the centre of the top-left pixel is ``(0, 0)``.

Nothing else in the project adds one half or swaps axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def index_to_continuous(point_coords: ArrayLike) -> NDArray[np.float64]:
    """Continuous positions of the centres of pixels.

    Parameters
    ----------
    point_coords : (..., 2) int
        Pixel indices (x, y).

    Returns
    -------
    (..., 2) float64
        ``point_coords + 0.5``.
    """
    return np.asarray(point_coords, dtype=np.float64) + 0.5


def continuous_to_index(point_coords: ArrayLike) -> NDArray[np.int64]:
    """Indices of the pixels that contain continuous positions.

    Parameters
    ----------
    point_coords : (..., 2) float, continuous (x, y)

    Returns
    -------
    (..., 2) int64
    """
    return np.floor(np.asarray(point_coords, dtype=np.float64)).astype(np.int64)


def napari_to_index(positions: ArrayLike) -> NDArray[np.int64]:
    """Pixel indices under positions of a napari layer.

    Rounds half up, never half to even, so that a position on the edge between two pixels belongs to the
    right or lower one wherever it lies.

    Parameters
    ----------
    positions : (..., 2) float
        (row, column), pixel centres at integers.

    Returns
    -------
    (..., 2) int64
        (x, y).
    """
    return np.floor(np.asarray(positions, dtype=np.float64)[..., ::-1] + 0.5).astype(np.int64)


def napari_to_continuous(positions: ArrayLike) -> NDArray[np.float64]:
    """Continuous positions of a napari layer's: (..., 2) float (row, column) to (..., 2) float64 (x, y)."""
    return np.asarray(positions, dtype=np.float64)[..., ::-1] + 0.5


def index_to_napari(point_coords: ArrayLike) -> NDArray[np.float64]:
    """Layer positions of pixel centres: (..., 2) int (x, y) to (..., 2) float64 (row, column)."""
    return np.ascontiguousarray(np.asarray(point_coords, dtype=np.float64)[..., ::-1])


def napari_corners_to_box(corners: ArrayLike, image_size: tuple[int, int]) -> NDArray[np.float64]:
    """Box spanned by two or more corners that were drawn in napari, clipped to the image.

    Parameters
    ----------
    corners : (M, 2) float, M >= 2
        (row, column), pixel centres at integers.
    image_size : (height, width)

    Returns
    -------
    (4,) float64
        XYXY, continuous. Width or height is 0 where the drawn box lies outside the image.
    """
    continuous = np.asarray(corners, dtype=np.float64)[:, ::-1] + 0.5
    height, width = image_size
    limit = np.array([width, height], dtype=np.float64)
    low = np.clip(continuous.min(axis=0), 0, limit)
    high = np.clip(continuous.max(axis=0), 0, limit)
    return np.concatenate([low, high])


def box_to_napari_corners(box: ArrayLike) -> NDArray[np.float64]:
    """The four corners of a box as a napari rectangle.

    Parameters
    ----------
    box : (4,) float, XYXY, continuous

    Returns
    -------
    (4, 2) float64
        (row, column), clockwise from the top left.
    """
    x0, y0, x1, y1 = np.asarray(box, dtype=np.float64) - 0.5
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]], dtype=np.float64)


def xywh_to_xyxy(boxes: ArrayLike) -> NDArray[np.float64]:
    """COCO boxes as XYXY: (..., 4) to (..., 4) float64."""
    boxes = np.asarray(boxes, dtype=np.float64)
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: ArrayLike) -> NDArray[np.float64]:
    """XYXY boxes as COCO writes them: (..., 4) to (..., 4) float64."""
    boxes = np.asarray(boxes, dtype=np.float64)
    return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def normalize_to_boxes(point_coords: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
    """Box-relative coordinates; inside the box both lie in the closed interval [0, 1].

    Parameters
    ----------
    point_coords : (..., P, 2) float, continuous (x, y)
    boxes : (..., 4) float, XYXY, continuous, width and height > 0

    Returns
    -------
    (..., P, 2) float64
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    origin, size = boxes[..., None, :2], boxes[..., None, 2:] - boxes[..., None, :2]
    relative: NDArray[np.float64] = (np.asarray(point_coords, dtype=np.float64) - origin) / size
    return relative
