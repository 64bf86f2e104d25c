"""The embedding tells targets apart: each click is like the mean of its own pseudo-mask and unlike the others'.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.4, eq. (9) and (10). Shapes: B pictures, D channels of the embedding, N
targets of a picture, P its clicks, h w cells of the grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from pointanno_models.layers.bilinear import cells_for
from pointanno_models.layers.shared_batch import denominators
from pointanno_models.psps.click_squares import click_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

TEMPERATURE = 0.07


def contrast(queries: Tensor, references: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of each click over the references of all targets, eq. (10).

    Parameters
    ----------
    queries : (P, D) float
        The embedding at the clicks.
    references : (N, D) float
        The mean embedding of each target, not of length 1 again.
    wanted : (P,) int64
        The target of each click.

    Returns
    -------
    () float
        Mean over clicks. Zero, and still connected to the graph, for fewer than two targets or without clicks.
    """
    if len(queries) == 0 or len(references) < 2:
        return queries.sum() * 0 + references.sum() * 0
    return functional.cross_entropy(queries @ references.T / TEMPERATURE, wanted)


def mean_embeddings(embedding: Tensor, cell_weights: Tensor) -> Tensor:
    """The embedding's mean over each mask, eq. (9).

    Parameters
    ----------
    embedding : (D, h, w) float
    cell_weights : (N, h, w) float
        Share of each cell in the mask; no gradient flows to it.

    Returns
    -------
    (N, D) float
        0 for an empty mask.
    """
    weights = cell_weights.detach().flatten(1).to(embedding.dtype)
    total = weights.sum(dim=1, keepdim=True)
    return weights @ embedding.flatten(1).T / total.clamp(min=1e-6)


def masks_on_grid(masks: Tensor, grid: tuple[int, int], stride: int) -> Tensor:
    """Masks of the valid part, bilinear on the grid of the canvas.

    Parameters
    ----------
    masks : (N, H_b, W_b) bool
    grid : (h, w)
    stride : int
        Pixels for one cell.

    Returns
    -------
    (N, h, w) float
        0 in the padding.
    """
    height, width = cells_for((masks.shape[-2], masks.shape[-1]), stride)
    full = torch.zeros((len(masks), *grid), device=masks.device)
    # a cell's value is the mean of the pixels around its centre, two in each direction, or one for an odd stride
    rows, columns = (
        [
            (torch.arange(cells, device=masks.device) * stride + middle).clamp(max=extent - 1)
            for middle in ((stride - 1) // 2, stride // 2)
        ]
        for cells, extent in ((height, masks.shape[-2]), (width, masks.shape[-1]))
    )
    corners = [masks[:, row[:, None], column].float() for row in rows for column in columns]
    full[:, :height, :width] = torch.stack(corners).mean(dim=0)
    return full


def loss_metric(
    embedding: Tensor,
    masks: Sequence[Tensor],
    click_coords: Sequence[Tensor],
    click_targets: Sequence[Tensor],
    *,
    stride: int,
) -> Tensor:
    """The contrast of all pictures: mean over the clicks of a picture, then over pictures.

    Parameters
    ----------
    embedding : (B, D, h, w) float
        Of length 1 over its channels.
    masks : B of (N, H_b, W_b) bool
        Pseudo-masks of the targets, things and stuff; an empty one takes its target out.
    click_coords : B of (P, 2) float, (x, y), continuous
    click_targets : B of (P,) int64
        Index of each click's target in the masks.
    stride : int
        Pixels for one cell of the embedding.

    Returns
    -------
    () float
        Pictures with fewer than two targets take no part; 0 if none does.

    Notes
    -----
    The gradient flows through the clicks' embedding and through the references; masks are constants.
    Original: `wsup_panformer_head.py`, `loss_metric`. Differs: only targets of the picture are compared, as in the
    paper (there all stuff classes are, absent ones with a reference of 0).
    """
    total = embedding.sum() * 0
    pictures = 0
    grid = (embedding.shape[-2], embedding.shape[-1])
    for values, given, coords, targets in zip(embedding, masks, click_coords, click_targets, strict=True):
        weights = masks_on_grid(given, grid, stride).to(values.device)
        is_there = weights.flatten(1).sum(dim=1) > 0
        kept = is_there[targets]
        place = is_there.cumsum(0) - 1
        rows, columns = click_pixels(coords[kept] / stride, grid)
        queries = values[:, rows, columns].T
        if len(queries) == 0 or int(is_there.sum()) < 2:
            continue
        references = mean_embeddings(values, weights[is_there])
        total = total + contrast(queries, references, place[targets[kept]])
        pictures += 1
    return total / denominators(total.detach().new_tensor([float(pictures)]))[0]
