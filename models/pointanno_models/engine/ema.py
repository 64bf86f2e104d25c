"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


class MovingAverage:
    """A second network that follows the trained one slowly; predictions and checkpoints use it.

    The decay grows with the steps, ``min(decay, (1 + step) / (10 + step))``, so that the random weights
    of the beginning are forgotten in short trainings too.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Follow the network after its step number `step` (counted from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages: list[Tensor] = []
        values: list[Tensor] = []
        followed = self.network.state_dict()
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                averages.append(followed[name])
                values.append(value)
            else:  # counters are copied
                followed[name].copy_(value)
        torch._foreach_lerp_(averages, values, 1 - decay)
