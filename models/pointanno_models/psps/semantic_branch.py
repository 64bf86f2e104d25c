"""What training needs beside the panoptic network: class probabilities of pixels, and an embedding that parts objects.

PSPS (ECCV 2022), arXiv:2210.13950: semantic head and manifold projector. The label generator reads both; a panoptic
prediction needs neither. Shape letters as in `outputs.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from pointanno_models.psps.mask_decoder import MASK_LEVELS, ClassStack
from pointanno_models.psps.outputs import SemanticOutputs

if TYPE_CHECKING:
    from pointanno_models.psps.outputs import Memory
    from pointanno_models.psps.recipe import NetworkSettings


class SemanticBranch(nn.Module):
    """A stack with a query for each class, and its masks as class scores of pixels.

    Notes
    -----
    ``Z_k = (w m_k + b) sigmoid(s_k)`` for layer k, with one w and one b for each class, shared over layers. In the
    paper a linear layer projects after the product; the authors' code, followed here, projects before it.
    """

    def __init__(self, settings: NetworkSettings, levels: int, num_classes: int) -> None:
        super().__init__()
        self.classes = ClassStack(settings, settings.semantic_layers, levels, num_classes, class_bias=None)
        self.scale = nn.Parameter(torch.ones(num_classes))
        self.shift = nn.Parameter(torch.zeros(num_classes))

    def forward(self, memory: Memory) -> SemanticOutputs:
        """Class scores and presence, of each layer."""
        found = self.classes(memory)
        scores = self.scale[:, None, None] * found.masks + self.shift[:, None, None]
        return SemanticOutputs(scores * found.class_logits[..., None, None].sigmoid(), found.class_logits)


class ManifoldProjector(nn.Module):
    """The embedding F of the grid's cells; it learns from the encoder and does not teach it."""

    def __init__(self, settings: NetworkSettings, levels: int) -> None:
        super().__init__()
        self.mask_levels = min(levels, MASK_LEVELS)
        self.layers = nn.Sequential(
            nn.Conv2d(settings.channels, settings.channels, 1),
            nn.ReLU(),
            nn.Conv2d(settings.channels, settings.embedding_channels, 1),
        )

    def forward(self, memory: Memory) -> Tensor:
        """(B, embedding channels, h, w) float of length 1 over its channels."""
        placed = (memory.tokens + memory.positions).detach()
        total: Tensor | None = None
        start = 0
        for rows, columns in memory.sizes[: self.mask_levels]:
            level = placed[:, start : start + rows * columns].transpose(1, 2).unflatten(2, (rows, columns))
            start += rows * columns
            if (rows, columns) != memory.grid_size:
                level = functional.interpolate(level, size=memory.grid_size, mode="bilinear", align_corners=False)
            total = level if total is None else total + level
        return functional.normalize(self.layers(total), dim=1)
