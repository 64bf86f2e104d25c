"""Bilinear sampling whose gradient has the same bits each time, where torch is asked for that.

On GPUs the gradient of `functional.grid_sample` adds up in any order, and torch refuses it under
`use_deterministic_algorithms`. Gathering the four neighbours does the same with repeatable operations; it takes
more memory, so it is used only then.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def grid_sample(features: Tensor, grid: Tensor) -> Tensor:
    """Bilinear values of maps at places; beyond a map there are zeros.

    Parameters
    ----------
    features : (R, C, H, W) float
    grid : (R, A, B, 2) float
        (x, y) from -1, the left or upper border of the map, to 1.

    Returns
    -------
    (R, C, A, B) float
    """
    if torch.are_deterministic_algorithms_enabled() and features.is_cuda:
        return sample_by_gathering(features, grid)
    return functional.grid_sample(features, grid, mode="bilinear", align_corners=False)


def sample_by_gathering(features: Tensor, grid: Tensor) -> Tensor:
    """As `grid_sample`, without its kernel."""
    instances, channels, height, width = features.shape
    rows, columns = grid.shape[1:3]
    place = (grid.reshape(instances, -1, 2) + 1) / 2 * grid.new_tensor([width, height]) - 0.5
    first = place.floor()
    share = place - first
    flat = features.flatten(2)
    sampled = flat.new_zeros((instances, channels, rows * columns))
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = first[..., 0] + dx, first[..., 1] + dy
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            index = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).long()
            weight = (share[..., 0] if dx else 1 - share[..., 0]) * (share[..., 1] if dy else 1 - share[..., 1])
            neighbour = flat.gather(2, index[:, None].expand(-1, channels, -1))
            sampled = sampled + neighbour * (weight * inside)[:, None]
    return sampled.reshape(instances, channels, rows, columns)
