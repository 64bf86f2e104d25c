"""Values of feature maps at points. Shapes: R instances of a batch, P points, C channels, K categories."""

from __future__ import annotations

import torch
from torch import Tensor

from pointanno_models.layers.grid_sample import grid_sample


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
    sampled = grid_sample(features, grid.to(features.dtype))
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


def regular_grid(side: int, like: Tensor) -> Tensor:
    """(1, side * side, 2) centres of the cells of a unit square, row by row, on the device of `like`."""
    centres = (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)[None]


def point_sample_in_boxes(features: Tensor, boxes: list[Tensor], point_coords: Tensor, stride: int) -> Tensor:
    """Bilinear values of pictures' feature maps at points that are given relative to boxes.

    Parameters
    ----------
    features : (B, C, H, W) float
    boxes : B of (R_b, 4) float
        XYXY, in pixels of the input.
    point_coords : (R, P, 2) float
        Relative to the boxes, those of the first picture first.
    stride : int
        Pixels of the input for one cell of the map.

    Returns
    -------
    (R, C, P) float32
        Places need that precision: in half of it they are off by pixels.
    """
    channels, height, width = features.shape[1:]
    instances, points = point_coords.shape[:2]
    if instances == 0 or points == 0:
        # connected to the graph: a step without instances still gives every weight a gradient
        return features.sum() * 0 + features.new_zeros((instances, channels, points))
    all_boxes = torch.cat(boxes)[:, None]
    absolute = all_boxes[..., :2] + point_coords * (all_boxes[..., 2:] - all_boxes[..., :2])
    grid = 2 * absolute / absolute.new_tensor([width * stride, height * stride]) - 1
    sampled = [
        grid_sample(features[image : image + 1], part[None].to(features.dtype))[0]
        for image, part in enumerate(grid.split([len(box) for box in boxes]))
        if len(part)
    ]
    return torch.cat(sampled, dim=1).transpose(0, 1)


def mask_sample_in_boxes(masks: Tensor, index: Tensor, boxes: Tensor, point_coords: Tensor) -> Tensor:
    """Bilinear values of masks at points that are given relative to boxes: soft labels.

    Parameters
    ----------
    masks : (N, H, W) uint8
    index : (R,) int64
        The mask of each box.
    boxes : (R, 4) float, XYXY, in pixels of the masks
    point_coords : (R, P, 2) float
        Relative to the boxes.

    Returns
    -------
    (R, P) float in [0, 1]
        Beyond the picture there is no mask. Only the four pixels around each point are read: large pictures with
        many instances cost nothing.
    """
    height, width = masks.shape[1:]
    origin = boxes[:, None, :2]
    # pixel i has its centre at i + 0.5
    position = origin + point_coords * (boxes[:, None, 2:] - origin) - 0.5
    first = position.floor()
    fraction = position - first
    values = torch.zeros_like(position[..., 0])
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = first[..., 0].long() + dx, first[..., 1].long() + dy
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            pixel = masks[index[:, None], y.clamp(0, height - 1), x.clamp(0, width - 1)]
            share_x = fraction[..., 0] if dx else 1 - fraction[..., 0]
            share_y = fraction[..., 1] if dy else 1 - fraction[..., 1]
            values = values + share_x * share_y * (inside * pixel)
    return values
