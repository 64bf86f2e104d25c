"""Bilinear resampling as two small matrices, one for rows and one for columns.

For what `functional.interpolate` cannot do: a stride that the last cell reaches beyond, gradients with the same bits
each time on a GPU, and sums over enlarged maps without the enlarged maps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pointanno_models.layers.dice import dice_from_sums, loss_dice


def linear_weights(count: int, source: int, step: float, like: Tensor) -> Tensor:
    """The matrix by which `source` values become `count` values, linear between the centres of cells.

    Parameters
    ----------
    count, source : int
        Both begin at the same border.
    step : float
        Extent of a cell of the result, in cells of the source.
    like : Tensor
        Gives device and precision.

    Returns
    -------
    (count, source) float
        Rows sum to 1. Beyond the centres of the outer cells their values are repeated.
    """
    centres = (torch.arange(count, device=like.device, dtype=torch.float64) + 0.5) * step - 0.5
    centres = centres.clamp(0, source - 1)
    cells = torch.arange(source, device=like.device, dtype=torch.float64)
    return (1 - (centres[:, None] - cells).abs()).clamp(min=0).to(like.dtype)


def cells_for(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Rows and columns of cells that hold (H, W) pixels; the last ones may hold fewer than `stride`."""
    return -(-size[0] // stride), -(-size[1] // stride)


def resample(maps: Tensor, size: tuple[int, int], step: tuple[float, float]) -> Tensor:
    """Maps on another grid that begins at the same corner.

    Parameters
    ----------
    maps : (..., H, W) float
    size : (h, w)
    step : (rows, columns)
        Extent of a cell of the result, in cells of the source.

    Returns
    -------
    (..., h, w) float
    """
    rows = linear_weights(size[0], maps.shape[-2], step[0], maps)
    columns = linear_weights(size[1], maps.shape[-1], step[1], maps)
    return rows @ maps @ columns.T


def loss_enlarged_dice(
    masks: Tensor, targets: Tensor, stride: int, is_counted: Tensor | None = None, *, smooth: float = 1e-3
) -> Tensor:
    """The Dice loss of coarse masks against fine ones, as if the coarse ones were enlarged.

    Parameters
    ----------
    masks : (L, N, h, w) float
        N masks of L layers, on the grid of the canvas; cells beyond the targets are not looked at.
    targets : (N, H, W) bool
        Without the padding.
    stride : int
        Pixels for one cell.
    is_counted : (H, W) bool, optional
        False where a pixel counts nothing; then the masks are enlarged in fact.
    smooth : float
        See `loss_dice`.

    Returns
    -------
    (L, N) float

    Raises
    ------
    ValueError
        If masks and targets differ in number, or the grid is too small for the targets.

    Notes
    -----
    Enlarging is linear: with matrices R for rows and C for columns, the sums over pixels are ``sum (R m C^T) t =
    sum m (R^T t C)`` and ``sum (R m C^T)^2 = sum m (R^T R m C^T C)``. The fine truth comes to the coarse grid once for
    all layers, and no fine map of the masks exists; with eighty masks of a picture that decides whether they fit.
    """
    layers, count = masks.shape[:2]
    size = (targets.shape[-2], targets.shape[-1])
    height, width = cells_for(size, stride)
    if len(targets) != count or masks.shape[-2] < height or masks.shape[-1] < width:
        raise ValueError(
            f"targets of shape {tuple(targets.shape)} at stride {stride} need {len(targets)} masks of at least "
            f"{height} x {width} cells, but masks have shape {tuple(masks.shape)}"
        )
    if count == 0:
        return masks.sum(dim=(2, 3))
    own = masks[..., :height, :width]
    rows, columns = linear_weights(size[0], height, 1 / stride, own), linear_weights(size[1], width, 1 / stride, own)
    if is_counted is not None:
        fine = (rows @ own @ columns.T).flatten(0, 1)
        return loss_dice(fine, targets.repeat(layers, 1, 1), is_counted, smooth=smooth).view(layers, count)
    truth = targets.to(own.dtype)
    overlap = (own * (rows.T @ truth @ columns)).sum(dim=(2, 3))
    squares = (own * ((rows.T @ rows) @ own @ (columns.T @ columns))).sum(dim=(2, 3))
    return dice_from_sums(overlap, squares, truth.sum(dim=(1, 2)), smooth=smooth)
