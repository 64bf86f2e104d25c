"""Attention that looks at a few learnt places of several feature maps instead of at all their cells.

Shape letters: B pictures, Q queries, S cells of all levels together, d channels, heads M, levels L, points P.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pointanno_models.layers.grid_sample import grid_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

BOX = 4
"""Length of a reference that is a box; one of length 2 is a point."""


def sample_levels(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of what lies at places of several maps.

    Parameters
    ----------
    value : (B, S, M, c) float
        Cells of all levels, one level after the other, each row by row.
    sizes : L of (H_l, W_l)
    locations : (B, Q, M, L, P, 2) float
        (x, y) as shares of the width and the height of the level: 0 and 1 are the borders of the map, beyond which
        there are zeros; values between centres of cells are bilinear.
    weights : (B, Q, M, L, P) float

    Returns
    -------
    (B, Q, M * c) float
        The heads one after the other.

    Notes
    -----
    Zhu et al., *Deformable DETR* (ICLR 2021), arXiv:2010.04159, section 4.1, eq. (3).
    """
    batch, _, heads, width = value.shape
    queries = locations.shape[1]
    total: Tensor | None = None
    start = 0
    for level, (rows, columns) in enumerate(sizes):
        cells = value[:, start : start + rows * columns]
        start += rows * columns
        maps = cells.permute(0, 2, 3, 1).reshape(batch * heads, width, rows, columns)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        weight = weights[:, :, :, level].transpose(1, 2).flatten(0, 1)
        found = (grid_sample(maps, grid) * weight[:, None]).sum(dim=-1)
        total = found if total is None else total + found
    assert total is not None, "there is at least one level"
    return total.reshape(batch, heads * width, queries).transpose(1, 2)


class DeformableAttention(nn.Module):
    """Multi-scale deformable attention.

    Parameters
    ----------
    channels : int
        A multiple of `heads`.
    heads, levels, points : int
        `points` is for each head and level.

    Raises
    ------
    ValueError
        If `channels` cannot be shared by the heads.
    """

    def __init__(self, channels: int, *, heads: int, levels: int, points: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"channels must be a multiple of heads ({heads}), but is {channels}")
        self.heads, self.levels, self.points = heads, levels, points
        self.sampling_offsets = nn.Linear(channels, heads * levels * points * 2)
        self.attention_weights = nn.Linear(channels, heads * levels * points)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)
        self._initialise()

    def _initialise(self) -> None:
        """Heads look in different directions, points ever farther; all count alike."""
        nn.init.zeros_(self.sampling_offsets.weight)
        turn = torch.arange(self.heads, dtype=torch.float32) * (2 * math.pi / self.heads)
        direction = torch.stack([turn.cos(), turn.sin()], dim=-1)
        direction = direction / direction.abs().amax(dim=-1, keepdim=True)
        reach = torch.arange(1, self.points + 1, dtype=torch.float32)
        offsets = direction[:, None, None] * reach[:, None]
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(offsets.expand(-1, self.levels, -1, -1).flatten())
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for layer in (self.value, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        queries: Tensor,
        references: Tensor,
        memory: Tensor,
        sizes: Sequence[tuple[int, int]],
        is_valid: Tensor,
    ) -> Tensor:
        """What each query finds around its reference.

        Parameters
        ----------
        queries : (B, Q, d) float
            With their positions.
        references : (B, Q, L, 2) or (B, Q, L, 4) float
            (x, y), or (cx, cy, w, h), as shares of each padded level. Around a point, offsets are cells of the level;
            around a box, half of its side is `points` steps.
        memory : (B, S, d) float
        sizes : L of (H_l, W_l)
        is_valid : (B, S) bool
            Padding is seen as zeros.

        Returns
        -------
        (B, Q, d) float

        Raises
        ------
        ValueError
            If references are neither points nor boxes, or `memory` has another number of cells than `sizes`.
        """
        cells = sum(rows * columns for rows, columns in sizes)
        if memory.shape[1] != cells or len(sizes) != self.levels:
            raise ValueError(
                f"memory must have {self.levels} levels with {cells} cells, but got {len(sizes)} with {memory.shape[1]}"
            )
        if references.shape[-1] not in (2, BOX):
            raise ValueError(f"references must be points (2) or boxes (4), but have {references.shape[-1]} numbers")
        batch, count, channels = queries.shape
        value = self.value(memory) * is_valid[..., None]
        shape = (batch, count, self.heads, self.levels, self.points)
        offsets = self.sampling_offsets(queries).reshape(*shape, 2)
        weights = self.attention_weights(queries).reshape(*shape[:3], -1).softmax(dim=-1).reshape(shape)
        centers = references[:, :, None, :, None, :2]
        if references.shape[-1] == BOX:
            step = references[:, :, None, :, None, 2:] * (0.5 / self.points)
        else:
            sides = [[1 / columns, 1 / rows] for rows, columns in sizes]
            step = queries.new_tensor(sides)[:, None]
        found = sample_levels(
            value.reshape(batch, cells, self.heads, channels // self.heads), sizes, centers + offsets * step, weights
        )
        attended: Tensor = self.output(found)
        return attended
