"""The point loss, which takes the place of Mask R-CNN's mask loss.

Cheng, Parkhi, Kirillov, *Pointly-Supervised Instance Segmentation* (CVPR 2022), arXiv:2104.06404, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.layers.point_features import point_coords_relative_to_boxes, point_sample
from pointanno_models.segmenters.mask_rcnn import select_class


def loss_mask_point(
    mask_logits: Tensor, proposals: list[Tensor], targets: list[dict[str, Tensor]], matched: list[Tensor]
) -> Tensor:
    """Binary cross-entropy of bilinear mask values at the annotated points.

    Parameters
    ----------
    mask_logits : (R, K + 1, M, M) float
    proposals : B of (R_b, 4) float
        Positive proposals, XYXY. Points are placed relative to these, not to the annotated boxes.
    targets : B of dict
        `labels` (N,), `point_coords` (N, P, 2) continuous, `point_labels` (N, P).
    matched : B of (R_b,) int64
        Index of each proposal's instance.

    Returns
    -------
    () float
        Zero, and still connected to the graph, if R or P is 0.

    Notes
    -----
    Points outside of the proposal's closed box, and points labelled -1, count nothing, but the sum is divided by
    all R x P of them: the more points are ignored, the smaller the loss.
    Original: detectron2 `projects/PointSup/point_sup/mask_head.py`, `roi_mask_point_loss`. Differs: nothing.
    """
    if mask_logits.shape[0] == 0:
        return mask_logits.sum() * 0
    pairs = list(zip(targets, matched, strict=True))
    labels = torch.cat([target["labels"][index] for target, index in pairs])
    coords = torch.cat([target["point_coords"][index] for target, index in pairs])
    point_labels = torch.cat([target["point_labels"][index] for target, index in pairs])
    relative = point_coords_relative_to_boxes(coords, torch.cat(proposals))
    return point_cross_entropy(select_class(mask_logits, labels), relative, point_labels)


def point_cross_entropy(mask_logits: Tensor, point_coords: Tensor, point_labels: Tensor) -> Tensor:
    """The loss of `loss_mask_point` for logits of the right class and box-relative points.

    Parameters
    ----------
    mask_logits : (R, M, M) float
    point_coords : (R, P, 2) float
        Relative to the box; outside of [0, 1] they are ignored.
    point_labels : (R, P) int
        1 object, 0 background, -1 ignored.

    Returns
    -------
    () float
    """
    if point_labels.numel() == 0:
        return mask_logits.sum() * 0
    logits = point_sample(mask_logits[:, None].float(), point_coords)[:, 0]
    inside = ((point_coords >= 0) & (point_coords <= 1)).all(dim=-1)
    weight = (inside & (point_labels >= 0)).to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, point_labels.clamp(min=0).to(logits.dtype), weight)
