from __future__ import annotations

import pytest
import torch
from torch import nn

from pointanno_models.engine.ema import MovingAverage


def test_average_follows_by_hand() -> None:
    """From 0 towards 1 with the decays min(0.5, 1/10, 2/11): 0.9, then 0.9 + 9/11 * 0.1."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = MovingAverage(network, decay=0.5)
    followed = next(average.network.parameters())
    nn.init.ones_(network.weight)
    average.update(network, 0)
    assert followed.item() == pytest.approx(0.9)
    average.update(network, 1)
    assert followed.item() == pytest.approx(0.9 + 9 / 11 * 0.1)
    assert not followed.requires_grad


def test_long_trainings_use_the_decay_itself() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = MovingAverage(network, decay=0.5)
    followed = next(average.network.parameters())
    nn.init.ones_(network.weight)
    average.update(network, 10_000)
    assert followed.item() == pytest.approx(0.5)


def test_counters_are_copied() -> None:
    network = nn.BatchNorm1d(2)
    average = MovingAverage(network, decay=0.5)
    network(torch.randn(4, 2))
    average.update(network, 0)
    assert average.network.state_dict()["num_batches_tracked"] == 1
