"""A stage without steps: the system works once with the network, and its results are files."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from pointanno_models.engine.loop import Outcome
from pointanno_models.engine.system import StageContext

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from pointanno.dataset import PointDataset
    from pointanno_models.engine.control import Control
    from pointanno_models.engine.journal import Journal
    from pointanno_models.engine.keeper import Keeper
    from pointanno_models.engine.system import System

_BETWEEN_LINES_S = 0.2
"""Lines of kind `step` come at most this often."""


@dataclass(slots=True)
class _Progress:
    """Tells how far the work is, as lines of kind `step` without a loss."""

    journal: Journal
    control: Control
    stage: str
    done: int = 0
    total: int = 0
    _first: tuple[float, int] | None = None
    _told: float = field(default=float("-inf"))

    def __call__(self, done: int, total: int) -> None:
        self.control.wait_while_paused(lambda: self.journal.log("paused"))
        now = time.perf_counter()
        # what an earlier attempt did says nothing about the speed
        began, before = self._first = self._first or (now, done)
        self.done, self.total = done, total
        if done < total and now - self._told < _BETWEEN_LINES_S:
            return
        self._told = now
        speed = (done - before) / max(now - began, 1e-9)
        self.journal.emit(
            "step",
            stage=self.stage,
            step=done,
            steps=total,
            loss=None,
            losses={},
            images_per_second=round(speed, 3),
            eta_s=round((total - done) / speed, 1) if speed > 0 else None,
            eta_spread_s=None,
            gpu_memory=torch.cuda.max_memory_allocated() if torch.cuda.is_initialized() else None,
        )


@dataclass(frozen=True, slots=True)
class WorkStage:
    """One work stage of a run.

    Attributes
    ----------
    network : nn.Module
        For the work, on its device.
    trained : nn.Module or None
        The network that a later stage may go on training, None if it is the same.
    """

    system: System
    network: nn.Module
    trained: nn.Module | None
    keeper: Keeper
    journal: Journal
    control: Control
    stage: str
    index: int
    count: int

    def run(self, dataset: PointDataset, images: Path, folder: Path, *, device: str, seed: int) -> Outcome:
        """Work to the end, or until a stop is asked for, and write a checkpoint."""
        folder.mkdir(parents=True, exist_ok=True)
        for remains in folder.glob(".*.part"):  # of a worker that was killed while it wrote (`pointanno.atomic`)
            remains.unlink(missing_ok=True)
        self.journal.emit("stage", stage=self.stage, index=self.index, step=0, steps=self.count, images=self.count)
        self.journal.log(f"stage {self.stage}: {self.count} pictures")
        progress = _Progress(self.journal, self.control, self.stage, total=self.count)
        context = StageContext(
            folder=folder,
            dataset=dataset,
            images=images,
            device=device,
            seed=seed,
            is_stop_asked=lambda: self.control.is_stop_asked,
            progress=progress,
            warn=self.journal.warn,
        )
        torch.manual_seed(seed)
        self.network.eval()
        with torch.no_grad():
            self.system.work(self.stage, self.network, context)
        is_done = progress.done >= progress.total or not self.control.is_stop_asked
        if is_done:
            self.keeper.save_work(self.network, self.trained, self.stage, progress.total, is_done=True)
        reason = "finished" if is_done else "stopped"
        return Outcome(reason, self.stage, progress.done, progress.total, None, None)
