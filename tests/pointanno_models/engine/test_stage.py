from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pointanno.errors import InputError
from pointanno_models.engine.batches import BatchPlan, BatchSource
from pointanno_models.engine.journal import Journal
from pointanno_models.engine.stage import StageTrainer
from pointanno_models.engine.system import Schedule

SCHEDULE = Schedule(
    steps=300, batch_size=4, gradient_clip=None, ema_decay=None, precision="32-true",
    validate_every=0, checkpoint_every=0, workers=0,
)  # fmt: skip


class Line:
    """One weight that learns the mean of its samples; `spoil` changes the loss."""

    def __init__(self, spoil: Callable[[Tensor], Tensor] = lambda loss: loss) -> None:
        self.spoil = spoil

    def sample(self, index: int, rng: Any) -> Tensor:
        return torch.tensor(float(index))

    def collate(self, samples: list[Tensor]) -> Tensor:
        return torch.stack(samples)

    def training_step(self, network: nn.Module, batch: Tensor) -> dict[str, Tensor]:
        error = network(torch.ones(len(batch), 1))[:, 0] - batch
        return {"loss_square": self.spoil(error.square().mean())}


class Mute(Journal):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str, **fields: Any) -> None:
        self.warnings.append(message)


def make(system: Any, schedule: Schedule = SCHEDULE, parts: int = 1) -> tuple[StageTrainer, BatchSource, Mute]:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    plan = BatchPlan(seed=0, stage_index=0, count=4, batch_size=4, parts=parts)
    source = BatchSource(system, plan, start=0, steps=300, workers=0)
    journal = Mute()
    fabric = Fabric(accelerator="cpu", devices=1)
    trainer = StageTrainer(fabric, system, network, optimizer, scheduler, schedule, source, journal)
    return trainer, source, journal


def weight(trainer: StageTrainer) -> float:
    return next(trainer.network.parameters()).item()


@pytest.mark.parametrize("parts", [1, 2, 4, 3])
def test_step_by_hand(parts: int) -> None:
    """All of 0, 1, 2, 3 are in the batch: the loss is 14/4, the gradient -2 * 1.5, the new weight 0.1 * 3."""
    trainer, source, _ = make(Line(), parts=parts)
    result = trainer.train_step(0, source.batch(0))
    assert result.loss == pytest.approx(3.5) and result.losses == {"loss_square": pytest.approx(3.5)}
    assert weight(trainer) == pytest.approx(0.3)


def test_gradient_is_clipped() -> None:
    """The gradient of norm 3 is cut to 1."""
    from dataclasses import replace

    trainer, source, _ = make(Line(), replace(SCHEDULE, gradient_clip=1.0))
    trainer.train_step(0, source.batch(0))
    assert weight(trainer) == pytest.approx(0.1)


def test_loss_that_is_not_finite_leaves_the_weights() -> None:
    trainer, source, journal = make(Line(lambda loss: loss * float("inf")))
    for step in range(12):
        assert trainer.train_step(step, source.batch(step)).is_skipped
    assert weight(trainer) == 0 and trainer.skipped == 12
    assert [text.split(":")[0] for text in journal.warnings] == [
        "the loss of step 1 was not finite", "the loss of step 10 was not finite",
    ]  # fmt: skip
    with pytest.raises(InputError, match="100 steps in a row"):
        for step in range(12, 200):
            trainer.train_step(step, source.batch(step))


def test_gradient_that_is_not_finite_leaves_the_weights() -> None:
    from dataclasses import replace

    # the loss is 0, its gradient infinite
    trainer, source, _ = make(Line(lambda loss: (loss * 0).sqrt()), replace(SCHEDULE, gradient_clip=1.0))
    assert trainer.train_step(0, source.batch(0)).is_skipped
    assert weight(trainer) == 0


def test_not_even_one_picture_fits() -> None:
    def full(loss: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("planted")

    trainer, source, journal = make(Line(full))
    with pytest.raises(InputError, match="even with one picture at a time"):
        trainer.train_step(0, source.batch(0))
    assert len(journal.warnings) == 2 and source.plan.parts == 4
