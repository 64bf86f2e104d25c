"""Where a picture has edges, on the device: the twin of ``pointanno.assignment.boundary_map``."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.layers.lab import rgb_to_lab

_INVISIBLE = 1e-3
"""Strength of an edge between colours 0.01 apart, a hundred times below what one sees. Rounding stays below it: in a
picture of one colour it must not be blown up."""


@torch.no_grad()
def edge_map(rgb: Tensor) -> Tensor:
    """Strength of the picture's edges: mean of the squared Sobel responses of L, a and b, over its maximum.

    Parameters
    ----------
    rgb : (3, h, w) float in [0, 1]

    Returns
    -------
    (h, w) float in [0, 1]
        Almost 0 for a picture of one colour. Beyond the frame its outermost pixels are repeated, so it is no edge.

    Notes
    -----
    PSPS (ECCV 2022), arXiv:2210.13950, eq. (6). Differs: the paper has absolute values; the authors' code, which this
    follows, squares them, but pads with black and so makes the frame an edge.
    """
    height, width = rgb.shape[-2:]
    lab = functional.pad(rgb_to_lab(rgb)[None], (1, 1, 1, 1), "replicate")[0]
    across = lab[..., 2:] - lab[..., :-2]
    across = across[:, :height] + 2 * across[:, 1 : height + 1] + across[:, 2:]
    down = lab[:, 2:] - lab[:, :-2]
    down = down[..., :width] + 2 * down[..., 1 : width + 1] + down[..., 2:]
    strength = (across**2 + down**2).sum(dim=0) / 6
    return strength / strength.max().clamp(min=_INVISIBLE)
