"""Adaptive subdivision: a fine grid of values from few evaluations. Shapes: R instances, S a side, P points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def subdivide(logits_at: Callable[[Tensor], Tensor], grid: Tensor, steps: int) -> Tensor:
    """Values on a grid that is doubled again and again, computed anew only where they are least certain.

    Parameters
    ----------
    logits_at : function
        (R, P, 2) fractions of the instances' boxes to (R, P) logits.
    grid : (R, S * S, 2) float
        Centres of the first grid's cells, row by row.
    steps : int
        Doublings.

    Returns
    -------
    (R, S * 2 ** steps, S * 2 ** steps) float
        Each step computes S * S cells, those whose logit is nearest to zero; the others are interpolated.

    Notes
    -----
    Kirillov et al., *PointRend* (CVPR 2020), arXiv:1912.08193, section 3.1.
    """
    instances, points = grid.shape[:2]
    side = math.isqrt(points)
    logits = logits_at(grid).reshape(instances, 1, side, side)
    for _ in range(steps):
        side *= 2
        logits = functional.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)
        flat = logits.reshape(instances, side * side)
        cells = flat.detach().abs().topk(points, dim=1, largest=False, sorted=False).indices
        coords = torch.stack([cells % side, cells.div(side, rounding_mode="floor")], dim=-1)
        values = logits_at((coords.to(grid.dtype) + 0.5) / side)
        logits = flat.scatter(1, cells, values.to(flat.dtype)).reshape(instances, 1, side, side)
    return logits[:, 0]
