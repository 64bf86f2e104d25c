"""Pictures of different sizes as one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_DIVISOR = 32
"""Stride of the coarsest level: sizes that it divides keep the levels aligned."""


def pad_images(images: Sequence[Tensor]) -> tuple[Tensor, list[tuple[int, int]]]:
    """Stack pictures, padded with zeros at the right and at the bottom.

    Parameters
    ----------
    images : B of (C, H_b, W_b) float

    Returns
    -------
    (B, C, H, W) float
        H and W are the largest sides, rounded up to a multiple of 32.
    B of (height, width)
        Sizes before padding.
    """
    sizes = [(int(image.shape[1]), int(image.shape[2])) for image in images]
    height = -(-max(size[0] for size in sizes) // _DIVISOR) * _DIVISOR
    width = -(-max(size[1] for size in sizes) // _DIVISOR) * _DIVISOR
    batch = torch.zeros((len(images), images[0].shape[0], height, width), dtype=images[0].dtype)
    for row, image in zip(batch, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    return batch, sizes
