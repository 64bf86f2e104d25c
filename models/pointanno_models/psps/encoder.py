"""From feature maps of the backbone to the memory that all decoders read: neck and deformable encoder.

PSPS (ECCV 2022), arXiv:2210.13950, builds on Li et al., *Panoptic SegFormer* (CVPR 2022), arXiv:2109.03814, and that on
Zhu et al., *Deformable DETR* (ICLR 2021), arXiv:2010.04159. Shape letters as in `outputs.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pointanno_models.layers.deformable_attention import DeformableAttention
from pointanno_models.layers.positional_encoding import sine_positions
from pointanno_models.psps.outputs import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno_models.psps.recipe import NetworkSettings

_GROUPS = 32


class Neck(nn.Module):
    """Every level brought to d channels; one more level from the coarsest map, if wanted.

    Parameters
    ----------
    widths : of int
        Channels of the backbone's maps, finest first.
    channels : int
        d.
    has_extra_level : bool
        Adds a level of half the coarsest resolution, from the backbone's own map.
    """

    def __init__(self, widths: Sequence[int], channels: int, *, has_extra_level: bool) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(width, channels, 1) for width in widths]
        if has_extra_level:
            convolutions.append(nn.Conv2d(widths[-1], channels, 3, stride=2, padding=1))
        for convolution in convolutions:
            nn.init.xavier_uniform_(convolution.weight)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
        # at least two channels in a group: a map of one cell has no spread otherwise
        groups = math.gcd(_GROUPS, channels // 2)
        self.levels = nn.ModuleList(nn.Sequential(each, nn.GroupNorm(groups, channels)) for each in convolutions)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Maps of the backbone to maps (B, d, H_l, W_l), finest first."""
        sources = [*features, *([features[-1]] if len(self.levels) > len(features) else [])]
        return [level(source) for level, source in zip(self.levels, sources, strict=True)]


class EncoderLayer(nn.Module):
    """Deformable self-attention and a feed-forward network, each with its residual and a norm after it."""

    def __init__(self, settings: NetworkSettings, levels: int) -> None:
        super().__init__()
        channels = settings.channels
        self.attention = DeformableAttention(channels, heads=settings.heads, levels=levels, points=settings.points)
        self.attention_norm = nn.LayerNorm(channels)
        self.feed_forward = FeedForward(channels, settings.ffn_channels, settings.dropout)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(
        self, tokens: Tensor, positions: Tensor, references: Tensor, sizes: Sequence[tuple[int, int]], is_valid: Tensor
    ) -> Tensor:
        """(B, S, d) to (B, S, d)."""
        found = self.attention(tokens + positions, references, tokens, sizes, is_valid)
        tokens = self.attention_norm(tokens + self.dropout(found))
        changed: Tensor = self.feed_forward(tokens)
        return changed


class FeedForward(nn.Module):
    """Two linear layers with a residual and a norm after them."""

    def __init__(self, channels: int, hidden: int, dropout: float = 0.0, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, hidden), activation(), nn.Dropout(dropout), nn.Linear(hidden, channels)
        )
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(channels)
        for layer in (self.layers[0], self.layers[3]):
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., d) to (..., d)."""
        changed: Tensor = self.norm(tokens + self.dropout(self.layers(tokens)))
        return changed


class Encoder(nn.Module):
    """Cells of all levels look at each other.

    Parameters
    ----------
    settings : NetworkSettings
    strides : of int
        Pixels for a cell of each level, finest first.
    """

    def __init__(self, settings: NetworkSettings, strides: Sequence[int]) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.layers = nn.ModuleList(EncoderLayer(settings, len(strides)) for _ in range(settings.encoder_layers))
        self.level_positions = nn.Parameter(torch.empty(len(strides), settings.channels))
        nn.init.normal_(self.level_positions)

    def forward(self, maps: Sequence[Tensor], valid_sizes: Sequence[tuple[int, int]]) -> Memory:
        """The memory.

        Parameters
        ----------
        maps : of (B, d, H_l, W_l) float, finest first
        valid_sizes : B of (H_b, W_b)
            In pixels of the canvas.
        """
        sizes = [(int(level.shape[2]), int(level.shape[3])) for level in maps]
        device = maps[0].device
        masks = [
            valid_cells(valid_sizes, size, stride, device) for size, stride in zip(sizes, self.strides, strict=True)
        ]
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in maps], dim=1)
        positions = torch.cat(
            [
                sine_positions(mask, maps[0].shape[1]).flatten(2).transpose(1, 2).to(tokens.dtype) + learnt
                for mask, learnt in zip(masks, self.level_positions, strict=True)
            ],
            dim=1,
        )
        is_valid = torch.cat([mask.flatten(1) for mask in masks], dim=1)
        ratios = self._valid_ratios(valid_sizes, sizes, device)
        references = cell_centers(sizes, ratios)
        for layer in self.layers:
            tokens = layer(tokens, positions, references, sizes, is_valid)
        return Memory(tokens, positions, is_valid, tuple(sizes), ratios)

    def _valid_ratios(
        self, valid_sizes: Sequence[tuple[int, int]], sizes: Sequence[tuple[int, int]], device: torch.device
    ) -> Tensor:
        """(B, levels, 2), (x, y): valid extent as a share of the level's."""
        ratios = [
            [
                (min(1.0, width / (columns * stride)), min(1.0, height / (rows * stride)))
                for (rows, columns), stride in zip(sizes, self.strides, strict=True)
            ]
            for height, width in valid_sizes
        ]
        return torch.tensor(ratios, dtype=torch.float32, device=device)


def valid_cells(
    valid_sizes: Sequence[tuple[int, int]], size: tuple[int, int], stride: int, device: torch.device
) -> Tensor:
    """(B, H_l, W_l) bool: cells that have a valid pixel."""
    rows = torch.arange(size[0], device=device)
    columns = torch.arange(size[1], device=device)
    heights = torch.tensor([-(-height // stride) for height, _ in valid_sizes], device=device)
    widths = torch.tensor([-(-width // stride) for _, width in valid_sizes], device=device)
    return (rows < heights[:, None])[:, :, None] & (columns < widths[:, None])[:, None, :]


def cell_centers(sizes: Sequence[tuple[int, int]], valid_ratios: Tensor) -> Tensor:
    """Where each cell is on each level.

    Parameters
    ----------
    sizes : L of (H_l, W_l)
    valid_ratios : (B, L, 2) float

    Returns
    -------
    (B, S, L, 2) float
        (x, y) as shares of each padded level.
    """
    centers = []
    for (rows, columns), ratio in zip(sizes, valid_ratios.unbind(dim=1), strict=True):
        y = (torch.arange(rows, device=ratio.device) + 0.5) / rows
        x = (torch.arange(columns, device=ratio.device) + 0.5) / columns
        grid = torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)], dim=-1).flatten(0, 1)
        # as shares of what is valid: the same for all levels
        centers.append(grid / ratio[:, None])
    return torch.cat(centers, dim=1)[:, :, None] * valid_ratios[:, None]
