"""Neighbours of the same colour have the same class: what spreads a click's class over its region.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.2, eq. (2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from pointanno_models.layers.color_affinity import Offset, color_affinity, disagreement_of_alike, half_window
from pointanno_models.layers.lab import rgb_to_lab

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ColorPairs:
    """Which neighbouring cells look alike; computed once a step, for all layers.

    Attributes
    ----------
    affinity : (B, K, h, w) bool
    offsets : K of (rows, columns)
    """

    affinity: Tensor
    offsets: tuple[Offset, ...]


@torch.no_grad()
def find_color_pairs(
    rgb: Tensor, is_valid_cell: Tensor, *, stride: int, window: int = 5, dilation: int = 2, threshold: float = 0.3
) -> ColorPairs:
    """Neighbours on the grid of the masks whose colours are less than 2.408 apart in CIELAB.

    Parameters
    ----------
    rgb : (B, 3, H, W) float in [0, 1]
    is_valid_cell : (B, h, w) bool
        False in the padding.
    stride : int
        Pixels for one cell.
    window, dilation : int
        Neighbours along a side, and cells between them.
    threshold : float in (0, 1]
        Least ``exp(-distance / 2)``.

    Notes
    -----
    Original: `wsup_panformer_head.py`, `loss_sem_color`. Differs: neighbours beyond the picture and in the padding
    are no pairs (there they are black, and sure of every class).
    """
    height, width = is_valid_cell.shape[-2:]
    # a canvas that is no multiple of the stride ends within a cell: its border is repeated to the end of that
    canvas = functional.pad(rgb, (0, width * stride - rgb.shape[-1], 0, height * stride - rgb.shape[-2]), "replicate")
    cells = functional.interpolate(canvas, size=(height, width), mode="bilinear", align_corners=False)
    offsets = half_window(window, dilation)
    return ColorPairs(color_affinity(rgb_to_lab(cells), is_valid_cell, offsets, threshold=threshold), offsets)


def loss_sem_color(log_probs: Tensor, pairs: ColorPairs) -> Tensor:
    """Mean disagreement of cells that look alike, averaged over pictures, summed over layers.

    Parameters
    ----------
    log_probs : (L, B, C, h, w) float
        After `log_softmax` over C.
    pairs : ColorPairs

    Returns
    -------
    () float

    Notes
    -----
    Eq. (2): ``-log sum_c P_ic P_jc``, for each picture the mean over its pairs.
    Original: `wsup_panformer_head.py`, `loss_sem_color`. Differs: see `find_color_pairs`.
    """
    layers = [disagreement_of_alike(layer, pairs.affinity, pairs.offsets).mean() for layer in log_probs]
    return torch.stack(layers).sum()
