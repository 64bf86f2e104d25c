"""Queries become masks: what a query attends to is where its mask is.

PSPS (ECCV 2022), arXiv:2210.13950; the mask decoder of Li et al., *Panoptic SegFormer* (CVPR 2022), arXiv:2109.03814.
The network has three independent stacks: things, stuff, and the semantic one of training.
Shape letters as in `outputs.py`; M heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from pointanno_models.psps.encoder import FeedForward
from pointanno_models.psps.outputs import MaskOutputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno_models.psps.outputs import Memory
    from pointanno_models.psps.recipe import NetworkSettings

MASK_LEVELS = 3
"""Finest levels of the memory that masks are made of."""

_LEAK = 0.01


class LevelFusion(nn.Module):
    """Attention of all heads on all levels as one mask on the grid.

    Notes
    -----
    For each level a 1 x 1 convolution over the heads and a ReLU, then bilinear to the grid, then one 1 x 1
    convolution over the maps of all levels. The last one is linear as the interpolation is, so it is applied to each
    level first and one map instead of M is enlarged: the same numbers. The activation at the end is the recipe's:
    published is ReLU, under which a mask that is nowhere positive never learns again.
    """

    def __init__(self, heads: int, levels: int, activation: str) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.Linear(heads, heads) for _ in range(levels))
        self.fuse = nn.Linear(heads * levels, 1)
        self.activation = activation
        for layer in (*self.levels, self.fuse):
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, attention: Tensor, sizes: Sequence[tuple[int, int]], is_valid_cell: Tensor) -> Tensor:
        """The masks.

        Parameters
        ----------
        attention : (B, M, Q, S) float
            Before the softmax, 0 in the padding.
        sizes : of (H_l, W_l)
        is_valid_cell : (B, h, w) bool

        Returns
        -------
        (B, Q, h, w) float
        """
        batch, heads, queries, _ = attention.shape
        weights = self.fuse.weight[0].split(heads)
        fused = self.fuse.bias.view(1, 1, 1, 1)
        for part, size, layer, weight in zip(
            attention.split([rows * columns for rows, columns in sizes], dim=3),
            sizes,
            self.levels,
            weights,
            strict=True,
        ):
            mix = cast("nn.Linear", layer)
            mixed = torch.einsum("bmqs,nm->bnqs", part, mix.weight) + mix.bias[:, None, None]
            single = torch.einsum("bnqs,n->bqs", mixed.relu(), weight).view(batch, queries, *size)
            if size != sizes[0]:
                single = functional.interpolate(single, size=sizes[0], mode="bilinear", align_corners=False)
            fused = fused + single
        return self._activate(fused) * is_valid_cell[:, None]

    def _activate(self, fused: Tensor) -> Tensor:
        if self.activation == "sigmoid":
            return fused.sigmoid()
        if self.activation == "leaky" and self.training:
            return functional.leaky_relu(fused, _LEAK)
        return fused.relu()


class MaskLayer(nn.Module):
    """Self-attention among the queries where wanted, cross-attention that gives the mask, a feed-forward network.

    Parameters
    ----------
    settings : NetworkSettings
    levels : int
    has_self_attention : bool
    gives_states : bool
        False for a layer after which nobody reads the queries: it has what its masks need.
    """

    def __init__(
        self, settings: NetworkSettings, levels: int, *, has_self_attention: bool, gives_states: bool = True
    ) -> None:
        super().__init__()
        channels = settings.channels
        self.heads = settings.heads
        self.self_attention = (
            nn.MultiheadAttention(channels, settings.heads, batch_first=True) if has_self_attention else None
        )
        self.self_norm = nn.LayerNorm(channels) if has_self_attention else None
        self.query, self.key = _projection(channels), _projection(channels)
        self.gives_states = gives_states
        if gives_states:
            self.value, self.output = _projection(channels), _projection(channels)
            self.norm = nn.LayerNorm(channels)
            self.feed_forward = FeedForward(channels, settings.ffn_channels, activation=nn.GELU)
        self.fusion = LevelFusion(settings.heads, levels, settings.mask_activation)

    def forward(
        self,
        queries: Tensor,
        tokens: Tensor,
        is_valid: Tensor,
        sizes: Sequence[tuple[int, int]],
        is_valid_cell: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """(B, Q, d) to (B, Q, d) and masks (B, Q, h, w)."""
        if self.self_attention is not None and self.self_norm is not None:
            found, _ = self.self_attention(queries, queries, queries, need_weights=False)
            queries = self.self_norm(queries + found)
        query, key = self._by_head(self.query(queries)), self._by_head(self.key(tokens))
        attention = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
        is_padding = ~is_valid[:, None, None]
        masks = self.fusion(attention.masked_fill(is_padding, 0.0), sizes, is_valid_cell)
        if not self.gives_states:
            return queries, masks
        value = self._by_head(self.value(tokens))
        attended = attention.masked_fill(is_padding, -torch.inf).softmax(dim=-1) @ value
        queries = self.norm(queries + self.output(attended.transpose(1, 2).flatten(2)))
        changed: Tensor = self.feed_forward(queries)
        return changed, masks

    def _by_head(self, tokens: Tensor) -> Tensor:
        """(B, n, d) to (B, M, n, d / M)."""
        apart: Tensor = tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return apart


def _projection(channels: int) -> nn.Linear:
    """A linear layer with Xavier weights and no bias at the start."""
    layer = nn.Linear(channels, channels)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class MaskStack(nn.Module):
    """Layers of one kind; every layer's masks are learnt.

    Parameters
    ----------
    settings : NetworkSettings
    depth, levels : int
    has_self_attention : bool
    gives_states : bool
        Whether anybody reads the queries after the last layer.
    """

    def __init__(
        self, settings: NetworkSettings, depth: int, levels: int, *, has_self_attention: bool, gives_states: bool
    ) -> None:
        super().__init__()
        self.mask_levels = min(levels, MASK_LEVELS)
        self.layers = nn.ModuleList(
            MaskLayer(
                settings,
                self.mask_levels,
                has_self_attention=has_self_attention,
                gives_states=gives_states or number < depth - 1,
            )
            for number in range(depth)
        )

    def forward(self, memory: Memory, queries: Tensor, position: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """Masks of the queries.

        Parameters
        ----------
        memory : Memory
        queries : (B, Q, d) float
        position : (Q, d) float or None
            Added before each layer.

        Returns
        -------
        (L, B, Q, h, w) float, L of (B, Q, d) float
            Masks and states of each layer.
        """
        sizes = memory.sizes[: self.mask_levels]
        cells = sum(rows * columns for rows, columns in sizes)
        tokens, is_valid, is_valid_cell = memory.tokens[:, :cells], memory.is_valid[:, :cells], memory.is_valid_cell
        masks, states = [], []
        for layer in self.layers:
            if position is not None:
                queries = queries + position
            queries, mask = layer(queries, tokens, is_valid, sizes, is_valid_cell)
            masks.append(mask)
            states.append(queries)
        return torch.stack(masks), states


class ClassStack(nn.Module):
    """A stack with one learnt query for each class, which also says whether the class is in the picture.

    Parameters
    ----------
    settings : NetworkSettings
    depth, levels : int
    num_classes : int
    class_bias : float or None
        Of the class heads at the start; None leaves them as torch makes them.
    """

    def __init__(
        self, settings: NetworkSettings, depth: int, levels: int, num_classes: int, *, class_bias: float | None
    ) -> None:
        super().__init__()
        self.content = nn.Parameter(torch.empty(num_classes, settings.channels))
        self.position = nn.Parameter(torch.empty(num_classes, settings.channels))
        nn.init.normal_(self.content)
        nn.init.normal_(self.position)
        self.stack = MaskStack(settings, depth, levels, has_self_attention=True, gives_states=True)
        self.class_heads = nn.ModuleList(nn.Linear(settings.channels, 1) for _ in range(depth))
        if class_bias is not None:
            for head in self.class_heads:
                nn.init.constant_(cast("nn.Linear", head).bias, class_bias)

    def forward(self, memory: Memory) -> MaskOutputs:
        """Masks and presence of all classes."""
        queries = self.content.expand(len(memory.tokens), -1, -1)
        masks, states = self.stack(memory, queries, self.position)
        logits = [head(state)[..., 0] for head, state in zip(self.class_heads, states, strict=True)]
        return MaskOutputs(masks, torch.stack(logits))
