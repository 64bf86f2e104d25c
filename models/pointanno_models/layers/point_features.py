"""Values of feature maps at points. Shapes: R instances of a batch, P points, C channels, K categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def point_sample(features: Tensor, point_coords: Tensor) -> Tensor:
    """Bilinear values of maps at points.

    The map covers the unit square, so the centre of the first of S cells lies at 0.5 / S. Beyond the centres
    of the outer cells the value fades towards zero, which is the behaviour of the original.

    Parameters
    ----------
    features : (R, C, H, W) float
    point_coords : (R, P, 2) float
        (x, y) relative to the map, 0..1.

    Returns
    -------
    (R, C, P) float

    Notes
    -----
    Kirillov et al., *PointRend* (CVPR 2020), arXiv:1912.08193.
    Original: detectron2 `projects/PointRend/point_rend/point_features.py`, `point_sample`. Differs: nothing.
    """
    if point_coords.shape[0] == 0 or point_coords.shape[1] == 0:
        return features.new_zeros(point_coords.shape[0], features.shape[1], point_coords.shape[1])
    grid = (2 * point_coords - 1).unsqueeze(2)
    sampled = functional.grid_sample(features, grid.to(features.dtype), mode="bilinear", align_corners=False)
    return sampled.squeeze(3)


def point_coords_relative_to_boxes(point_coords: Tensor, boxes: Tensor) -> Tensor:
    """Continuous coordinates as fractions of boxes.

    Parameters
    ----------
    point_coords : (R, P, 2) float, continuous (x, y) of the picture
    boxes : (R, 4) float, XYXY, continuous, width and height > 0

    Returns
    -------
    (R, P, 2) float
        Inside the closed interval [0, 1] exactly for points inside the box.
    """
    origin = boxes[:, None, :2]
    return (point_coords - origin) / (boxes[:, None, 2:] - origin)
