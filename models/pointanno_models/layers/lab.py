"""CIELAB on tensors: distances between colours as people see them."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""From linear RGB with the primaries of ITU-R BT.709."""

_WHITE = (0.95047, 1.0, 1.08883)
"""Daylight D65, as the observer of 2 degrees sees it."""


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """CIELAB values of sRGB colours.

    Parameters
    ----------
    rgb : (..., 3, H, W) float in [0, 1]

    Returns
    -------
    (..., 3, H, W) float
        L in 0..100, a and b within about 128 of zero.

    Raises
    ------
    ValueError
        If there are not three channels.
    """
    if rgb.shape[-3] != 3:
        raise ValueError(f"rgb must have 3 channels, (..., 3, H, W), but has shape {tuple(rgb.shape)}")
    linear = torch.where(rgb > 0.04045, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    to_xyz = rgb.new_tensor(_TO_XYZ) / rgb.new_tensor(_WHITE)[:, None]
    xyz = torch.einsum("ij,...jhw->...ihw", to_xyz, linear)
    # below the knee the cube root is replaced by its tangent
    root = torch.where(xyz > 0.008856, xyz.clamp(min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = root.unbind(dim=-3)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-3)
