"""Thing queries look for objects: a class and a box each, refined from layer to layer.

PSPS (ECCV 2022), arXiv:2210.13950; the location decoder of Li et al., *Panoptic SegFormer* (CVPR 2022),
arXiv:2109.03814. Shape letters as in `outputs.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from pointanno_models.layers.deformable_attention import BOX, DeformableAttention
from pointanno_models.psps.encoder import FeedForward
from pointanno_models.psps.outputs import LocationOutputs

if TYPE_CHECKING:
    from pointanno_models.psps.outputs import Memory
    from pointanno_models.psps.recipe import NetworkSettings

RARE = -math.log(99)
"""Bias of a class head at the start: a probability of 0.01."""

_SMALL_BOX = -2.0
"""Bias of width and height in the first layer: 0.12 of the picture."""


class LocationLayer(nn.Module):
    """Self-attention, deformable attention to all levels, a feed-forward network; norms after each."""

    def __init__(self, settings: NetworkSettings, levels: int) -> None:
        super().__init__()
        channels, dropout = settings.channels, settings.dropout
        self.self_attention = nn.MultiheadAttention(channels, settings.heads, dropout=dropout, batch_first=True)
        self.self_norm = nn.LayerNorm(channels)
        self.attention = DeformableAttention(channels, heads=settings.heads, levels=levels, points=settings.points)
        self.attention_norm = nn.LayerNorm(channels)
        self.feed_forward = FeedForward(channels, settings.ffn_channels, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, positions: Tensor, references: Tensor, memory: Memory) -> Tensor:
        """(B, Q, d) to (B, Q, d)."""
        placed = queries + positions
        found, _ = self.self_attention(placed, placed, queries, need_weights=False)
        queries = self.self_norm(queries + self.dropout(found))
        seen = self.attention(queries + positions, references, memory.tokens, memory.sizes, memory.is_valid)
        queries = self.attention_norm(queries + self.dropout(seen))
        changed: Tensor = self.feed_forward(queries)
        return changed


class BoxHead(nn.Module):
    """Three linear layers; the last one says nothing at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels), nn.ReLU())
        self.output = nn.Linear(channels, BOX)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, states: Tensor) -> Tensor:
        """(..., d) to (..., 4): change of the box before its sigmoid."""
        change: Tensor = self.output(self.hidden(states))
        return change


class LocationDecoder(nn.Module):
    """Learnt queries become objects.

    Parameters
    ----------
    settings : NetworkSettings
    levels : int
        Of the memory.
    num_things : int
        C_th.
    """

    def __init__(self, settings: NetworkSettings, levels: int, num_things: int) -> None:
        super().__init__()
        channels, depth = settings.channels, settings.location_layers
        self.content = nn.Parameter(torch.empty(settings.queries, channels))
        self.position = nn.Parameter(torch.empty(settings.queries, channels))
        nn.init.normal_(self.content)
        nn.init.normal_(self.position)
        self.reference_points = nn.Linear(channels, 2)
        nn.init.xavier_uniform_(self.reference_points.weight)
        nn.init.zeros_(self.reference_points.bias)
        self.layers = nn.ModuleList(LocationLayer(settings, levels) for _ in range(depth))
        self.class_heads = nn.ModuleList(nn.Linear(channels, num_things) for _ in range(depth))
        self.box_heads = nn.ModuleList(BoxHead(channels) for _ in range(depth))
        for head in self.class_heads:
            nn.init.constant_(cast("nn.Linear", head).bias, RARE)
        nn.init.constant_(cast("BoxHead", self.box_heads[0]).output.bias[2:], _SMALL_BOX)

    def forward(self, memory: Memory) -> LocationOutputs:
        """Classes, boxes and states of all queries."""
        batch = len(memory.tokens)
        queries = self.content.expand(batch, -1, -1)
        positions = self.position.expand(batch, -1, -1)
        # before the sigmoid: (x, y) at first, then boxes
        reference: Tensor = self.reference_points(positions)
        logits, boxes = [], []
        for layer, class_head, box_head in zip(self.layers, self.class_heads, self.box_heads, strict=True):
            queries = layer(queries, positions, _on_levels(reference.sigmoid(), memory.valid_ratios), memory)
            change = box_head(queries)
            box = change + nn.functional.pad(reference, (0, BOX - reference.shape[-1]))
            logits.append(class_head(queries))
            boxes.append(box.sigmoid())
            reference = box.detach()
        return LocationOutputs(torch.stack(logits), torch.stack(boxes), queries)


def _on_levels(references: Tensor, valid_ratios: Tensor) -> Tensor:
    """(B, Q, 2 or 4), shares of the valid part, to (B, Q, L, 2 or 4), shares of each padded level."""
    ratios = valid_ratios[:, None]
    if references.shape[-1] == BOX:
        ratios = torch.cat([ratios, ratios], dim=-1)
    return references[:, :, None] * ratios
