"""The steps of one stage, with everything between them: stop, pause, validation, checkpoints, telling."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from pointanno_models.engine.progress import Speed

if TYPE_CHECKING:
    import numpy as np
    from lightning_fabric import Fabric
    from numpy.typing import NDArray

    from pointanno.runs.folder import RunFolder
    from pointanno_models.engine.batches import BatchSource
    from pointanno_models.engine.control import Control
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.keeper import Keeper
    from pointanno_models.engine.stage import StageTrainer
    from pointanno_models.engine.system import Schedule, System
    from pointanno_models.engine.validation import Score, TrainingPoints, Validation

_MOST_STEP_LINES = 10_000
"""Lines of kind `step` in a stage; longer stages tell every n-th step."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training, or a stage of it, ended."""

    reason: str
    """"finished" or "stopped"."""
    stage: str
    step: int
    steps: int
    best: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class StageLoop:
    """One stage from a step to its end."""

    run_folder: RunFolder
    fabric: Fabric
    system: System
    trainer: StageTrainer
    source: BatchSource
    keeper: Keeper
    validation: Validation | TrainingPoints | None
    journal: Journal
    control: Control
    stage: str
    schedule: Schedule

    def run(self, start: int) -> Outcome:
        """Steps `start` to the end of the schedule, or until a stop is asked for."""
        trainer, keeper, steps = self.trainer, self.keeper, self.schedule.steps
        speed = Speed(self.schedule.batch_size, steps)
        step = start
        if self._is_validation_due(start) and keeper.validated_step < start:  # a stop came in between
            self._validate_and_save(start)
        trainer.network.train()
        speed.pause()
        while step < steps:
            if self.control.wait_while_paused(lambda: self.journal.log("paused")):
                speed.pause(is_repeated=False)
            if trainer.any_rank(self.control.is_stop_asked):
                break
            self._step(step, speed)
            step += 1
            if self._is_validation_due(step):
                self._validate_and_save(step)
                trainer.network.train()
                speed.pause()
            elif step % max(1, self.schedule.checkpoint_every) == 0 or step == steps:
                keeper.save(trainer, self.stage, step, is_needed=step == steps)
                speed.pause()
        if keeper.saved_step != step:
            keeper.save(trainer, self.stage, step, is_needed=True)
        is_validated = self.validation is None or not self.validation.is_needed or keeper.validated_step >= step
        is_finished = step == steps and is_validated
        reason = "finished" if is_finished else "stopped"
        return Outcome(reason, self.stage, step, steps, keeper.best, keeper.smoothed.value)

    def _step(self, step: int, speed: Speed) -> None:
        """One step and what is told about it."""
        steps = self.schedule.steps
        before = time.perf_counter()
        parts = self.source.batch(step)
        waited = time.perf_counter() - before
        result = self.trainer.train_step(step, parts)
        step += 1
        images_per_second, eta_s = speed.tick(step)
        spread_s = speed.eta_spread_s
        if result.is_skipped:
            return
        self.keeper.smoothed.update(result.loss)
        if step % max(1, steps // _MOST_STEP_LINES) and step not in (1, steps):
            return
        is_cuda = self.fabric.device.type == "cuda"
        self.journal.step(
            stage=self.stage,
            step=step,
            steps=steps,
            loss=result.loss,
            losses=result.losses,
            lr=self.trainer.learning_rate,
            images_per_second=round(images_per_second, 3),
            eta_s=round(eta_s, 1),
            eta_spread_s=None if spread_s is None else round(spread_s, 1),
            gpu_memory=torch.cuda.max_memory_allocated(self.fabric.device) if is_cuda else None,
            data_wait_s=round(waited, 4),
        )

    def _is_validation_due(self, step: int) -> bool:
        every = self.schedule.validate_every
        return (
            self.validation is not None
            and step > 0
            and (step == self.schedule.steps or (every > 0 and step % every == 0))
        )

    def _validate_and_save(self, step: int) -> None:
        """Validate on the first device and write a checkpoint."""
        score = self._validate(step) if self.fabric.is_global_zero else None
        # without a stop there is nothing that could be told
        is_missing = self.fabric.is_global_zero and score is None and self.control.is_stop_asked
        is_done = not self.trainer.any_rank(is_missing)
        if is_done:
            self.keeper.validated_step = step
        is_needed = step == self.schedule.steps or not is_done
        self.keeper.save(self.trainer, self.stage, step, is_needed=is_needed, score=score)

    def _validate(self, step: int) -> Score | None:
        """The score, None if a stop was asked for before its end."""
        assert self.validation is not None
        network = self.trainer.predicting_network.eval()
        began = time.perf_counter()
        score = self.validation(
            self.system,
            network,
            is_stop_asked=lambda: self.control.is_stop_asked,
            on_sample=lambda number, name, picture: self._keep_sample(step, number, name, picture),
        )
        if score is not None:
            self.journal.validation(
                stage=self.stage,
                step=step,
                metric=score.metric,
                value=score.value,
                values=dict(score.values),
                per_class={name: dict(values) for name, values in score.per_class.items()},
                point_accuracy=score.point_accuracy,
                is_held_out=score.is_held_out,
                pictures=score.pictures,
                seconds=round(time.perf_counter() - began, 2),
            )
        return score

    def _keep_sample(self, step: int, number: int, file_name: str, picture: NDArray[np.uint8]) -> None:
        """Write a drawn prediction; the next validation reuses the name, so the folder does not grow."""
        from PIL import Image

        path = self.run_folder.preview_folder / f"sample_{number}.png"
        try:
            Image.fromarray(picture).save(path)
        except OSError:  # a full disk costs the picture, not the training
            return
        self.journal.emit("sample", stage=self.stage, step=step, file_name=file_name, path=f"preview/{path.name}")
