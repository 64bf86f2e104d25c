"""One training step after the other: losses, gradients, their accidents (not finite, out of memory), EMA."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch

from pointanno.errors import InputError
from pointanno_models.engine.batches import torch_seed
from pointanno_models.engine.ema import MovingAverage

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno_models.engine.batches import BatchSource, Parts
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.system import Schedule, System

_MOST_SKIPPED = 100
"""Steps in a row without a finite loss before a training gives up."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """Losses of a step; `is_skipped` if they were not finite and the weights stayed."""

    loss: float
    losses: dict[str, float]
    is_skipped: bool = False


class StageTrainer:
    """Network, optimiser and average of one stage on one device."""

    def __init__(
        self,
        fabric: Fabric,
        system: System,
        network: nn.Module,
        optimizer: Optimizer,
        scheduler: LRScheduler,
        schedule: Schedule,
        source: BatchSource,
        journal: Journal,
    ) -> None:
        self.network = network
        self._fabric = fabric
        self._system = system
        self._schedule = schedule
        self._source = source
        self._journal = journal
        self._raw_optimizer = optimizer
        self._scheduler = scheduler
        self._wrapped, self._optimizer = fabric.setup(network, optimizer)
        decay = schedule.ema_decay
        self.average = None if decay is None else MovingAverage(network, decay)
        self.skipped = 0
        self._skipped_in_a_row = 0

    @property
    def predicting_network(self) -> nn.Module:
        """The network that checkpoints and predictions use."""
        return self.network if self.average is None else self.average.network

    @property
    def learning_rate(self) -> float:
        """Of the first group of weights."""
        return float(self._raw_optimizer.param_groups[0]["lr"])

    def state(self) -> dict[str, Any]:
        """All but the weights."""
        return {
            "optimizer": self._raw_optimizer.state_dict(),
            "scheduler": self._scheduler.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
            "skipped": self.skipped,
            "parts": self._source.plan.parts,
        }

    def load_state(self, state: dict[str, Any], step: int) -> None:
        """Inverse of `state`; the weights are loaded by the caller."""
        self._raw_optimizer.load_state_dict(state["optimizer"])
        self._scheduler.load_state_dict(state["scheduler"])
        if state["precision"]:
            self._fabric.strategy.precision.load_state_dict(state["precision"])
        self.skipped = int(state["skipped"])
        if state["parts"] != self._source.plan.parts:
            self._source.divide(int(state["parts"]), step)

    def train_step(self, step: int, parts: Parts) -> StepResult:
        """Do the step with the number `step` (counted from 0); on a full GPU with smaller micro-batches."""
        while True:
            try:
                result = self._attempt(step, parts)
                break
            except torch.OutOfMemoryError as error:
                # outside of the handler the traceback, and with it the activations, are gone
                reason = error
            self._make_room(reason)
            parts = self._smaller_parts(step)
        self._step_schedule()
        if self.average is not None and not result.is_skipped:
            self.average.update(self.network, step)
        self._note_skipped(step, result)
        return result

    def _step_schedule(self) -> None:
        """The schedule counts all steps, those that were left out as well."""
        with warnings.catch_warnings():
            # if the first one was left out, torch suspects that the order of calls is wrong
            warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
            self._scheduler.step()

    def _attempt(self, step: int, parts: Parts) -> StepResult:
        """Gradients of all micro-batches, then one change of the weights."""
        torch.manual_seed(torch_seed(self._source.plan, step))
        self._optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for index, (batch, share) in enumerate(parts):
            # both passes inside: DDP decides in the forward pass whether the backward one is exchanged
            with self._unsynced(index < len(parts) - 1):
                losses = self._system.training_step(self._wrapped, self._fabric.to_device(batch))
                total: Tensor = sum(losses.values(), start=torch.zeros((), device=self._fabric.device)) * share
                for name, value in losses.items():
                    sums[name] = sums.get(name, torch.zeros_like(value.detach())) + value.detach() * share
                if self.any_rank(not bool(torch.isfinite(total))):
                    self._optimizer.zero_grad(set_to_none=True)
                    return StepResult(loss=float("nan"), losses={}, is_skipped=True)
                self._fabric.backward(total)
        if self._schedule.gradient_clip is not None:
            norm = self._fabric.clip_gradients(
                self._wrapped, self._optimizer, max_norm=self._schedule.gradient_clip, error_if_nonfinite=False
            )
            # with 16-mixed the scaler skips such a step itself and lowers its scale
            if isinstance(norm, torch.Tensor) and self._schedule.precision != "16-mixed" and not torch.isfinite(norm):
                self._optimizer.zero_grad(set_to_none=True)
                return StepResult(loss=float("nan"), losses={}, is_skipped=True)
        self._optimizer.step()
        told = torch.stack(list(sums.values()))
        if self._fabric.world_size > 1:
            told = cast("Tensor", self._fabric.all_reduce(told, reduce_op="mean"))
        values = dict(zip(sums, told.tolist(), strict=True))
        return StepResult(loss=sum(values.values()), losses=values)

    def any_rank(self, flag: bool) -> bool:
        """Whether the flag is set on any device; all must go the same way."""
        if self._fabric.world_size == 1:
            return flag
        mine = torch.tensor(float(flag), device=self._fabric.device)
        raised: Any = self._fabric.all_reduce(mine, reduce_op="sum")
        return bool(raised > 0)

    def _unsynced(self, enabled: bool) -> contextlib.AbstractContextManager[Any]:
        """Leave out the exchange of gradients between devices until the last micro-batch."""
        if self._fabric.world_size == 1:
            return contextlib.nullcontext()
        return self._fabric.no_backward_sync(self._wrapped, enabled=enabled)

    def _make_room(self, reason: BaseException) -> None:
        if self._fabric.world_size > 1:
            raise InputError(
                "the GPU memory is full; with several devices the batch cannot be divided on the way: lower the "
                "batch size or the picture size with --set and start again with --init"
            ) from reason
        if self._source.plan.parts >= self._source.plan.local_size:
            raise InputError(
                "the GPU memory is full even with one picture at a time; lower the picture or crop size with --set, "
                "or use --device cpu"
            ) from reason
        self._optimizer.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _smaller_parts(self, step: int) -> Parts:
        """Halve the micro-batches from this step on."""
        self._source.divide(min(2 * self._source.plan.parts, self._source.plan.local_size), step)
        pictures = -(-self._source.plan.local_size // self._source.plan.parts)
        self._journal.warn(
            f"the GPU memory was full at step {step + 1}: from now on at most {pictures} pictures at a time, with the "
            "gradients of a step added up"
        )
        return self._source.batch(step)

    def _note_skipped(self, step: int, result: StepResult) -> None:
        """Count steps without a finite loss; warn at the 1st, 10th, 100th."""
        if not result.is_skipped:
            self._skipped_in_a_row = 0
            return
        self.skipped += 1
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row >= _MOST_SKIPPED:
            raise InputError(
                f"the loss was not finite in {_MOST_SKIPPED} steps in a row (up to step {step + 1}); lower the "
                "learning rate with --set, and start from an earlier run with --init"
            )
        if self.skipped in (1, 10, 100, 1000):
            what_to_try = "; lower train.learning_rate, or take train.precision=32-true, by --set in a new run"
            self._journal.warn(
                f"the loss of step {step + 1} was not finite: the step was left out ({self.skipped} so far)"
                + (what_to_try if self.skipped > 1 else ""),
                skipped=self.skipped,
            )
