from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pointanno_models.engine.batches import BatchPlan, BatchSource, picture_index, sample_generator, torch_seed

PLAN = BatchPlan(seed=3, stage_index=1, count=5, batch_size=4)


class Recorder:
    """A system whose samples tell which picture and which draw they are."""

    def sample(self, index: int, rng: np.random.Generator) -> tuple[int, float]:
        return index, float(rng.random())

    def collate(self, samples: list[tuple[int, float]]) -> list[tuple[int, float]]:
        return samples


def source(plan: BatchPlan, start: int = 0) -> BatchSource:
    system: Any = Recorder()
    return BatchSource(system, plan, start=start, steps=10, workers=0)


def test_every_epoch_shows_each_picture_once_in_another_order() -> None:
    drawn = [picture_index(PLAN, step, position) for step in range(5) for position in range(4)]
    epochs = np.array(drawn).reshape(4, 5)
    assert (np.sort(epochs, axis=1) == np.arange(5)).all()
    assert len({tuple(epoch) for epoch in epochs.tolist()}) > 1


def test_a_step_does_not_depend_on_what_came_before() -> None:
    first, later = source(PLAN), source(PLAN, start=7)
    batches = [first.batch(step) for step in range(10)]
    assert later.batch(7) == batches[7]


def test_devices_share_the_batch_of_one() -> None:
    [(whole, _)] = source(PLAN).batch(2)
    halves = [source(replace(PLAN, rank=rank, world_size=2)).batch(2)[0][0] for rank in (0, 1)]
    assert halves[0] + halves[1] == whole


def test_micro_batches_are_the_batch_divided() -> None:
    whole = source(PLAN)
    [(samples, share)] = whole.batch(2)
    assert share == 1
    whole.divide(3, 2)
    parts = whole.batch(2)
    assert [len(part) for part, _ in parts] == [2, 1, 1]
    assert [sample for part, _ in parts for sample in part] == samples
    assert sum(share for _, share in parts) == pytest.approx(1)


class Careless:
    """A system that draws from the libraries' own generators."""

    def sample(self, index: int, rng: np.random.Generator) -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    def collate(self, samples: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
        return samples


def test_careless_samples_follow_from_the_seed_too() -> None:
    system: Any = Careless()
    one = BatchSource(system, PLAN, start=0, steps=10, workers=0)
    [(first, _)] = one.batch(3)
    one.batch(4)
    [(again, _)] = BatchSource(system, PLAN, start=3, steps=10, workers=0).batch(3)
    assert first == again and len(set(first)) == PLAN.batch_size
    [(half, _)] = BatchSource(system, replace(PLAN, rank=1, world_size=2), start=3, steps=10, workers=0).batch(3)
    assert half == first[2:]


def test_seeds_differ_where_they_must() -> None:
    plans = [PLAN, replace(PLAN, seed=4), replace(PLAN, stage_index=0)]
    assert len({torch_seed(plan, step) for plan in plans for step in range(50)}) == 150
    assert torch_seed(replace(PLAN, rank=1, world_size=2), 3) == torch_seed(PLAN, 3), "devices draw alike"
    assert all(0 <= torch_seed(PLAN, step) < 2**63 for step in range(50))
    draws = {float(sample_generator(PLAN, step, position).random()) for step in range(20) for position in range(4)}
    assert len(draws) == 80
