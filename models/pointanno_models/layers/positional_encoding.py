"""Where a cell of a map is, as sines and cosines."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sine_positions(is_valid: Tensor, channels: int, *, temperature: float = 10000.0, offset: float = -0.5) -> Tensor:
    """Positions of the cells of padded maps.

    Parameters
    ----------
    is_valid : (B, H, W) bool
        The valid part lies in the upper left corner; it spans one turn in both directions, whatever its size.
    channels : int
        A multiple of 4: the first half tells the row, the second the column.
    temperature : float
        Ratio of the longest to the shortest wave.
    offset : float, in cells
        Added to the row and the column, which are counted from 1.

    Returns
    -------
    (B, channels, H, W) float32

    Raises
    ------
    ValueError
        If `channels` is no multiple of 4.

    Notes
    -----
    Carion et al., *End-to-End Object Detection with Transformers* (ECCV 2020), arXiv:2005.12872, as Zhu et al.,
    *Deformable DETR* (ICLR 2021), arXiv:2010.04159, use it: centres of cells instead of their far edges (`offset`).
    Differs: nothing.
    """
    if channels % 4:
        raise ValueError(f"channels must be a multiple of 4, but is {channels}")
    waves = channels // 4
    exponent = torch.arange(waves, dtype=torch.float32, device=is_valid.device) / waves
    frequencies = temperature**-exponent
    parts = []
    for axis in (1, 2):
        counted = is_valid.cumsum(axis, dtype=torch.float32)
        last = counted.amax(dim=axis, keepdim=True)
        angle = (counted + offset) / (last + 1e-6) * (2 * math.pi)
        angles = angle[..., None] * frequencies
        parts.append(torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(3))
    return torch.cat(parts, dim=-1).permute(0, 3, 1, 2)
