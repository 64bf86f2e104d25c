"""Which pictures a step sees, and with which random numbers: a pure function of seed, stage and step.

Hence a training that is resumed, repeated, or spread over processes or devices sees the same samples.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pointanno_models.engine.system import System

_PERMUTATION, _TORCH, _NETWORK, _GLOBAL = 1, 2, 3, 4
"""Keep the streams of random numbers apart: order of pictures, torch's generator, new weights, libraries' own."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What identifies the samples of a stage.

    Attributes
    ----------
    count : int
        Training pictures.
    batch_size : int
        Pictures of a step over all devices; a multiple of `world_size`.
    parts : int
        Into how many micro-batches the pictures of one device are divided.
    """

    seed: int
    stage_index: int
    count: int
    batch_size: int
    rank: int = 0
    world_size: int = 1
    parts: int = 1

    @property
    def local_size(self) -> int:
        """Pictures of a step on one device."""
        return self.batch_size // self.world_size

    def positions(self) -> range:
        """Positions in the global batch that are this device's."""
        return range(self.rank * self.local_size, (self.rank + 1) * self.local_size)


@lru_cache(maxsize=4)
def _permutation(seed: int, stage_index: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, stage_index, epoch, 0, _PERMUTATION)).permutation(count)


def picture_index(plan: BatchPlan, step: int, position: int) -> int:
    """Index of the picture at a position of the global batch of a step (counted from 0)."""
    epoch, place = divmod(step * plan.batch_size + position, plan.count)
    return int(_permutation(plan.seed, plan.stage_index, epoch, plan.count)[place])


def sample_generator(plan: BatchPlan, step: int, position: int) -> np.random.Generator:
    """The generator that `System.sample` receives."""
    return np.random.default_rng((plan.seed, plan.stage_index, step, position))


def torch_seed(plan: BatchPlan, step: int) -> int:
    """Seed of torch's global generator for a step.

    The same on all devices: a network that draws for its part of the batch draws for the whole of it, and takes its
    own (`pointanno_models.layers.shared_batch`), so that the number of devices changes nothing.
    """
    words = np.random.SeedSequence((plan.seed, plan.stage_index, step, 0, _TORCH)).generate_state(2)
    return int(words[0]) << 31 | int(words[1]) >> 1


def _seed_libraries(plan: BatchPlan, step: int, position: int) -> None:
    """Seed the generators that a library may use beside the one it is given, in this process or in a worker."""
    words = np.random.SeedSequence((plan.seed, plan.stage_index, step, position, _GLOBAL)).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed(int(words[2]))


def network_seed(seed: int, stage_index: int) -> int:
    """Seed of the weights that a stage starts with: the training's own for the first one."""
    if stage_index == 0:
        return seed
    words = np.random.SeedSequence((seed, stage_index, _NETWORK)).generate_state(2)
    return int(words[0]) << 31 | int(words[1]) >> 1


Parts = list[tuple[Any, float]]
"""Micro-batches with their share of the step's pictures."""


def assemble(system: System, plan: BatchPlan, step: int) -> Parts:
    """The micro-batches of one step on one device."""
    samples = []
    for position in plan.positions():
        _seed_libraries(plan, step, position)
        samples.append(system.sample(picture_index(plan, step, position), sample_generator(plan, step, position)))
    groups = np.array_split(np.arange(len(samples)), plan.parts)
    return [
        (system.collate([samples[i] for i in group.tolist()]), len(group) / len(samples))
        for group in groups
        if len(group)
    ]


class _Steps(Dataset[Parts]):
    """Steps as items, so that worker processes prepare whole batches."""

    def __init__(self, system: System, plan: BatchPlan) -> None:
        self._system = system
        self._plan = plan

    def __getitem__(self, step: int) -> Parts:
        return assemble(self._system, self._plan, step)


class BatchSource:
    """Batches in the order of steps, prepared here or in `workers` processes."""

    def __init__(
        self, system: System, plan: BatchPlan, *, start: int, steps: int, workers: int, pin_memory: bool = False
    ) -> None:
        self._system = system
        self.plan = plan
        self._steps = steps
        self._workers = workers
        self._pin_memory = pin_memory
        self._iterator: Iterator[Parts] | None = None
        self._restart(start)

    def _restart(self, start: int) -> None:
        self._next = start
        if self._workers > 0:
            loader = DataLoader(
                _Steps(self._system, self.plan),
                batch_size=None,
                sampler=range(start, self._steps),
                num_workers=self._workers,
                # fork is not safe with threads (torch has some), and spawn behaves the same everywhere
                multiprocessing_context="spawn",
                pin_memory=self._pin_memory,
            )
            self._iterator = iter(loader)

    def divide(self, parts: int, step: int) -> None:
        """Go on from a step with smaller micro-batches."""
        self.plan = replace(self.plan, parts=parts)
        self._restart(step)

    def batch(self, step: int) -> Parts:
        """The micro-batches of a step; steps are asked for in order."""
        if self._iterator is None:
            return assemble(self._system, self.plan, step)
        if step != self._next:
            self._restart(step)
        self._next = step + 1
        return next(self._iterator)

    def close(self) -> None:
        """End the worker processes."""
        self._iterator = None
