"""Squares around clicks: where the class is known. No gradients.

PSPS (ECCV 2022), arXiv:2210.13950; the original grows one-pixel masks by max-pooling and resizes them. Here squares
are drawn around coordinates, in the resized picture: a click can neither multiply nor vanish.

Shapes: P clicks of a picture, C classes, H W its pixels, h w cells of a grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

UNLABELLED = -1
"""In maps of class labels: nothing is known of the place."""

_SHARE = 0.03
"""Side of a square as a share of a picture's shorter side, in pixels of small pictures."""


def square_side(size: tuple[int, int], side: int = 0) -> int:
    """Side of the squares in pixels, an odd number.

    Parameters
    ----------
    size : (height, width)
    side : int
        As the recipe has it; 0 stands for one pixel more than an even number nearest to 3 % of the shorter side, at
        least 3: 5 in a picture of 128 pixels.
    """
    if side:
        return side
    return max(3, 2 * round(_SHARE * min(size) / 2) + 1)


def click_pixels(click_coords: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(P,) rows and (P,) columns of the pixels that hold the clicks, inside the picture.

    Parameters
    ----------
    click_coords : (P, 2) float, (x, y), continuous
    size : (H, W)
    """
    columns, rows = click_coords.floor().long().unbind(dim=-1)
    return rows.clamp(0, size[0] - 1), columns.clamp(0, size[1] - 1)


def click_cells(click_coords: Tensor, size: tuple[int, int], cells: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(P,) rows and (P,) columns of the cells that hold the clicks, where h x w cells cover a picture of H x W.

    Parameters
    ----------
    click_coords : (P, 2) float, (x, y), continuous
    size : (H, W)
    cells : (h, w)
    """
    scale = click_coords.new_tensor([cells[1] / size[1], cells[0] / size[0]])
    return click_pixels(click_coords * scale, cells)


def _square_pixels(click_coords: Tensor, size: tuple[int, int], side: int) -> tuple[Tensor, Tensor]:
    """(P, side * side) rows and columns; what would lie outside of the picture is moved to its border.

    The square reaches the border then, so no pixel is added to it.
    """
    rows, columns = click_pixels(click_coords, size)
    reach = torch.arange(side, device=rows.device) - side // 2
    down, right = (part.flatten() for part in torch.meshgrid(reach, reach, indexing="ij"))
    return (rows[:, None] + down).clamp(0, size[0] - 1), (columns[:, None] + right).clamp(0, size[1] - 1)


@torch.no_grad()
def square_masks(click_coords: Tensor, layers: Tensor, count: int, size: tuple[int, int], side: int) -> Tensor:
    """Squares around clicks, each in the layer of its class; where two classes overlap both are set.

    Parameters
    ----------
    click_coords : (P, 2) float, (x, y), continuous
    layers : (P,) int64, 0..count-1
    count : int
    size : (H, W)
    side : int, odd

    Returns
    -------
    (count, H, W) bool
    """
    masks = torch.zeros((count, *size), dtype=torch.bool, device=click_coords.device)
    rows, columns = _square_pixels(click_coords, size, side)
    masks[layers[:, None], rows, columns] = True
    return masks


@torch.no_grad()
def square_labels(click_coords: Tensor, click_labels: Tensor, size: tuple[int, int], side: int) -> Tensor:
    """The class of each pixel that lies in a square; where squares overlap, the nearest click decides.

    Parameters
    ----------
    click_coords : (P, 2) float, (x, y), continuous
    click_labels : (P,) int64
    size : (H, W)
    side : int, odd

    Returns
    -------
    (H, W) int64
        `UNLABELLED` elsewhere. Of two clicks at the same distance the first counts.

    Notes
    -----
    Original: `get_point_semantic_targets`. Differs: there the lowest class wins an overlap.
    """
    clicks = len(click_coords)
    height, width = size
    rows, columns = _square_pixels(click_coords, size, side)
    across = columns + 0.5 - click_coords[:, :1]
    down = rows + 0.5 - click_coords[:, 1:]
    distance = (across**2 + down**2).flatten()
    place = (rows * width + columns).flatten()
    nearest = distance.new_full((height * width,), torch.inf).scatter_reduce(0, place, distance, "amin")
    order = torch.arange(clicks, device=place.device)[:, None].expand(rows.shape).flatten()
    order = torch.where(distance == nearest[place], order, clicks)
    first = torch.full_like(nearest, clicks, dtype=torch.long).scatter_reduce(0, place, order, "amin")
    known = torch.cat([click_labels, click_labels.new_full((1,), UNLABELLED)])
    return known[first].view(height, width)


@torch.no_grad()
def cell_labels(
    click_coords: Tensor, click_labels: Tensor, size: tuple[int, int], *, grid: tuple[int, int], stride: int, side: int
) -> Tensor:
    """The classes of `square_labels` on the grid of the masks: what the partial cross-entropy compares.

    Parameters
    ----------
    click_coords : (P, 2) float, (x, y), continuous, inside the valid part
    click_labels : (P,) int64
    size : (H_b, W_b)
        Valid part of the canvas.
    grid : (h, w)
        Cells of the whole canvas.
    stride : int
        Pixels for one cell.
    side : int, odd

    Returns
    -------
    (h, w) int64
        A cell has the label of the pixel at its centre. The cell of a click always has the click's: squares smaller
        than a cell would vanish otherwise.
    """
    labels = square_labels(click_coords, click_labels, size, side)
    rows, columns = (
        (torch.arange(-(-extent // stride), device=labels.device) * stride + stride // 2).clamp(max=extent - 1)
        for extent in size
    )
    cells = labels[rows[:, None], columns]
    own = square_labels(click_coords / stride, click_labels, (len(rows), len(columns)), 1)
    full = labels.new_full(grid, UNLABELLED)
    full[: len(rows), : len(columns)] = torch.where(own == UNLABELLED, cells, own)
    return full
