"""Which of the annotated points a training step sees (paper, "Point-based data augmentation"), and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from pointanno.dataset import IGNORED
from pointanno_models.layers.point_features import point_coords_relative_to_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


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


def answered_points(
    proposals: list[Tensor], targets: list[dict[str, Tensor]], matched: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """What points teach: the answers of each proposal's instance, for a mask branch that is asked at points.

    Parameters
    ----------
    proposals : B of (R_b, 4) float, XYXY
    targets : B of dict
        `point_coords` (N, P, 2) continuous, `point_labels` (N, P).
    matched : B of (R_b,) int64
        Index of each proposal's instance.

    Returns
    -------
    (R, P, 2) float, (R, P) float in {0, 1}, (R, P) float in {0, 1}
        Places relative to the proposals, answers, weights. Points outside of the proposal's closed box and points
        labelled -1 have weight 0 and, so that what is computed there is harmless, the box's centre as their place.
    """
    pairs = list(zip(targets, matched, strict=True))
    coords = torch.cat([target["point_coords"][index] for target, index in pairs])
    labels = torch.cat([target["point_labels"][index] for target, index in pairs])
    places = point_coords_relative_to_boxes(coords, torch.cat(proposals))
    counts = ((places >= 0) & (places <= 1)).all(dim=-1) & (labels >= 0)
    places = torch.where(counts[..., None], places, 0.5)
    return places, labels.clamp(min=0).to(places.dtype), counts.to(places.dtype)
