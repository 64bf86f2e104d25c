"""When a network is worth keeping: the best score, and the checkpoints that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno_models.engine.checkpoints import categories_to_list
from pointanno_models.engine.progress import SmoothedLoss

if TYPE_CHECKING:
    from torch import nn

    from pointanno_models.engine.checkpoints import CheckpointFolder
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.stage import StageTrainer
    from pointanno_models.engine.system import System
    from pointanno_models.engine.validation import Score


NEWEST = "newest"
"""The metric without validation: a training loss says little about which checkpoint is better, and schedules are
made for their end, so the newest checkpoint counts as the best."""


class Keeper:
    """Writes checkpoints and remembers what is the best of a stage.

    Parameters
    ----------
    checkpoints : CheckpointFolder or None
        None on all devices but the first, which write nothing.
    metric : str
        Decides which checkpoint is the best: a score of validations, or `NEWEST` without any.
    about : dict
        Goes into each checkpoint: the name of the system, the supervision.
    """

    def __init__(
        self,
        system: System,
        checkpoints: CheckpointFolder | None,
        journal: Journal,
        *,
        metric: str,
        seed: int,
        about: dict[str, Any],
    ) -> None:
        self._system = system
        self._checkpoints = checkpoints
        self._journal = journal
        self._metric = metric
        self._seed = seed
        self._about = about
        self.begin_stage(None, 0)

    def begin_stage(self, state: dict[str, Any] | None, start: int) -> None:
        """Fresh numbers, or those of the checkpoint that is resumed."""
        self.saved_step = -1 if state is None else start
        self.smoothed = SmoothedLoss() if state is None else SmoothedLoss(*state["smoothed"])
        self.best: float | None = None if state is None else state["best"]
        self.validated_step = 0 if state is None else int(state["validated_step"])

    @property
    def _is_validated(self) -> bool:
        return self._metric != NEWEST

    def save(
        self, trainer: StageTrainer, stage: str, step: int, *, is_needed: bool, score: Score | None = None
    ) -> None:
        """Write a checkpoint; `saved_step` tells whether that worked.

        Raises
        ------
        InputError
            If it could not be written and the training ends here (`is_needed`).
        """
        value = None if score is None else score.value
        is_better = value is not None and (self.best is None or value > self.best)
        is_best = is_better or not self._is_validated
        best = value if is_best else self.best
        state = {
            "stage": stage,
            "step": step,
            "seed": self._seed,
            "trainer": trainer.state(),
            "smoothed": (self.smoothed.total, self.smoothed.weight),
            "best": best,
            "validated_step": self.validated_step,
        }
        is_written = self._write(
            # the best one first: killed in between, the resumed training comes here again and repeats both
            ("best", "last") if is_best else ("last",),
            trainer.predicting_network,
            None if trainer.average is None else trainer.network,
            state,
            value=value,
            is_needed=is_needed,
        )
        if is_written:
            self.best, self.saved_step = best, step

    def save_work(self, network: nn.Module, trained: nn.Module | None, stage: str, step: int, *, is_done: bool) -> None:
        """Write the checkpoint of a work stage: the network it works with, and the one that is trained on later.

        The best checkpoint stays that of the latest training stage.

        Raises
        ------
        InputError
            If it could not be written.
        """
        state = {"stage": stage, "step": step, "seed": self._seed, "is_done": is_done}
        self._write(("last",), network, trained, state, value=None, is_needed=True)

    def _write(
        self,
        names: tuple[str, ...],
        network: nn.Module,
        trained: nn.Module | None,
        state: dict[str, Any],
        *,
        value: float | None,
        is_needed: bool,
    ) -> bool:
        """Write weights, state and what they are; False if that failed but may."""
        if self._checkpoints is None:
            return True
        stage, step = state["stage"], state["step"]
        meta = {
            **self._about,
            "stage": stage,
            "step": step,
            "metric": self._metric,
            "value": value,
            "categories": categories_to_list(self._system.categories),
        }
        try:
            identity = self._checkpoints.write(
                names,
                weights=network.state_dict(),
                training_weights=None if trained is None else trained.state_dict(),
                state=state,
                meta=meta,
            )
        except OSError as error:
            has_older = (self._checkpoints.folder / "last.json").is_file()
            older = "the previous one stays" if has_older else "there is no earlier one"
            sentence = (
                f"{self._checkpoints.folder}: the checkpoint of step {step} could not be written "
                f"({error.strerror or error}); {older}; free some space"
            )
            if is_needed:
                raise InputError(f"{sentence} and resume the run") from error
            self._journal.warn(sentence)
            return False
        self._journal.emit(
            "checkpoint", stage=stage, step=step, id=identity, best="best" in names, metric=self._metric, value=value
        )
        return True
