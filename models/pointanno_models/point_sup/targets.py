"""Which of the annotated points a training step sees (paper, "Point-based data augmentation")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.dataset import IGNORED

if TYPE_CHECKING:
    from numpy.typing import NDArray


def subsample_points(
    point_coords: NDArray[np.float32], point_labels: NDArray[np.int8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Draw half of each instance's usable points, without replacement.

    Parameters
    ----------
    point_coords : (N, P, 2) float32
    point_labels : (N, P) int8
        Points labelled -1 are never drawn.
    rng : numpy generator

    Returns
    -------
    (N, S, 2) float32, (N, S) int8
        S = max(1, P // 2). An instance with V usable points gets max(1, V // 2) of them, one without any none;
        the rest is labelled -1.

    Notes
    -----
    Original: detectron2 `projects/PointSup/point_sup/detection_utils.py`. Differs: half of the points instead of
    the constant 5, and ignored points are not drawn, so no slot is wasted on them.
    """
    instances, points = point_labels.shape
    if points == 0:
        return point_coords, point_labels
    slots = max(1, points // 2)
    usable = point_labels != IGNORED
    # a random key for each point, the unusable ones last: the first slots are a draw without replacement
    order = np.argsort(np.where(usable, rng.random((instances, points)), 2.0), axis=1)[:, :slots]
    coords = np.take_along_axis(point_coords, order[..., None], axis=1)
    labels = np.take_along_axis(point_labels, order, axis=1)
    count = usable.sum(axis=1)
    drawn = np.where(count > 0, np.maximum(1, count // 2), 0)
    labels = np.where(np.arange(slots)[None] < drawn[:, None], labels, np.int8(IGNORED)).astype(np.int8)
    return coords, labels
