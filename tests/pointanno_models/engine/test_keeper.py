from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from pointanno_models.engine.checkpoints import CheckpointFolder
from pointanno_models.engine.journal import Journal
from pointanno_models.engine.keeper import NEWEST, Keeper
from pointanno_models.engine.validation import Score


def make(metric: str) -> tuple[Keeper, Any]:
    checkpoints = MagicMock(spec=CheckpointFolder)
    checkpoints.write.return_value = "id"
    system = MagicMock(categories=())
    journal = MagicMock(spec=Journal)
    return Keeper(system, checkpoints, journal, metric=metric, seed=0, about={}), checkpoints


def names(checkpoints: Any) -> list[tuple[str, ...]]:
    return [call.args[0] for call in checkpoints.write.call_args_list]


def test_without_validation_the_newest_is_best() -> None:
    """A lower training loss on the way does not make an unfinished schedule better."""
    keeper, checkpoints = make(NEWEST)
    for step, loss in enumerate((2.0, 1.0, 5.0), start=1):
        keeper.smoothed.update(loss, decay=0.0)
        keeper.save(MagicMock(), "train", step, is_needed=False)
    assert names(checkpoints) == [("best", "last")] * 3
    assert keeper.best is None and keeper.saved_step == 3


def test_with_validation_only_scores_count() -> None:
    keeper, checkpoints = make("ap")
    keeper.smoothed.update(1.0)
    for step, value in enumerate((0.2, None, 0.1, 0.3), start=1):
        score = None if value is None else Score("ap", value, {"ap": value}, 1)
        keeper.save(MagicMock(), "train", step, is_needed=False, score=score)
    assert names(checkpoints) == [("best", "last"), ("last",), ("last",), ("best", "last")]
    assert keeper.best == 0.3


def test_a_checkpoint_that_was_not_written_is_not_the_best(tmp_path: Path) -> None:
    keeper, checkpoints = make(NEWEST)
    keeper.smoothed.update(1.0)
    checkpoints.write.side_effect = OSError(28, "No space left on device")
    checkpoints.folder = tmp_path
    keeper.save(MagicMock(), "train", 1, is_needed=False)
    assert keeper.best is None and keeper.saved_step == -1
