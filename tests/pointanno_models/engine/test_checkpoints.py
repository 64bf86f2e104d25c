from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pointanno.errors import InputError
from pointanno.runs import RunFolder, atomic
from pointanno.runs.checkpoint_files import read_pointer
from pointanno_models.engine.checkpoints import CheckpointFolder, read_meta, read_state, read_weights
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]


class Killed(BaseException):
    """Stands for SIGKILL: no handler of ours may catch it and tidy up."""


def write(folder: CheckpointFolder, step: int) -> str:
    value = torch.full((3,), float(step))
    return folder.write(
        ("last",),
        weights={"a": value, "b": value},  # shared memory, as tied layers have
        training_weights={"a": -value, "b": -value},
        state={"step": step, "nested": {"tensor": value, "text": "x", "none": None}},
        meta={"stage": "train", "step": step},
    )


def step_on_disk(folder: Path) -> int:
    pointer = read_pointer(folder, "last")
    assert pointer is not None
    checkpoint = folder / pointer["folder"]
    step = int(read_meta(checkpoint)["step"])
    assert read_state(checkpoint)["step"] == step
    assert read_weights(checkpoint)["b"].tolist() == [step] * 3
    assert read_weights(checkpoint, training=True)["a"].tolist() == [-step] * 3
    return step


def test_there_and_back_and_old_ones_are_removed(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    first, second = write(folder, 1), write(folder, 2)
    assert first != second
    assert step_on_disk(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [second]


CALLS = ("fsync", "rename", "replace", "mkdir")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("number", range(8))
def test_killed_at_any_call_leaves_a_whole_checkpoint(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(CheckpointFolder(tmp_path), 1)
    count = 0
    real = getattr(os, name)

    def die(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == number + 1:
            raise Killed
        return real(*args, **options)

    folder = CheckpointFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, name, die)
        try:
            write(folder, 2)
        except Killed:
            pass
    assert step_on_disk(tmp_path) in (1, 2)
    # the next worker tidies up and goes on
    write(CheckpointFolder(tmp_path), 3)
    assert step_on_disk(tmp_path) == 3
    assert sorted(path.name for path in tmp_path.iterdir() if not path.is_dir()) == ["last.json"]
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_full_disk_keeps_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = CheckpointFolder(tmp_path)
    write(folder, 1)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pointanno_models.engine.checkpoints.write_synced", full)
    with pytest.raises(OSError, match="No space"):
        write(folder, 2)
    assert step_on_disk(tmp_path) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_training_survives_a_disk_that_is_full_for_a_while(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("full", "train.steps=12", 'network.stages=["only"]')
    real, count = atomic.write_synced, 0

    def sometimes(path: Path, content: bytes) -> None:
        nonlocal count
        count += path.name == "weights.safetensors"
        if count == 2:  # the checkpoint of step 10
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    monkeypatch.setattr("pointanno_models.engine.checkpoints.write_synced", sometimes)
    assert train(run)["reason"] == "finished"
    [warning] = [event["message"] for event in run.events() if event["kind"] == "warn"]
    assert "step 10 could not be written (No space left on device); the previous one stays" in warning


def test_full_disk_at_the_end_is_an_error_that_can_be_resumed(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("full", "train.steps=7", 'network.stages=["only"]')
    real = atomic.write_synced

    def full(path: Path, content: bytes) -> None:
        if run.checkpoint("last") is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("pointanno_models.engine.checkpoints.write_synced", full)
        with pytest.raises(InputError, match="step 7 could not be written .* free some space and resume"):
            train(run)
    assert run.status().state == "failed"
    assert train(run)["reason"] == "finished"


def test_state_executes_nothing(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.system, ("true",))

    torch.save({"state": Evil()}, tmp_path / "state.pt")
    with pytest.raises(InputError, match="could not be read"):
        read_state(tmp_path)
