"""Several processes train what one trains: under torchrun and under Slurm, both on this machine's processor."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.runs.ranks import Ranks
from pointanno.scenes import write_scenes
from pointanno_models.engine import devices
from pointanno_models.engine.worker import main, train

MakeRun = Callable[..., RunFolder]

# every step sees the whole batch divided in two; pictures of different sizes are padded to the largest of the batch.
# In double precision: in single, the last bits of sums in another order become whole steps of Adam on tiny gradients,
# and two proposals of almost the same score change places, so that the losses part after a few steps at this rate
SMALL = (
    "train.batch_size=4", "train.precision=64-true", "data.crop=0", "data.scale=[0.5, 1.0]", "network.fpn_channels=16",
    "detector.box_head_channels=32", "detector.mask_head_channels=16", "train.checkpoint_every=100",
)  # fmt: skip


def losses(run: RunFolder) -> list[tuple[str, int, float, dict[str, float]]]:
    steps = [event for event in run.events() if event["kind"] == "step" and event["loss"] is not None]
    return [(event["stage"], event["step"], event["loss"], event["losses"]) for event in steps]


def check_equal(one: RunFolder, two: RunFolder, count: int) -> None:
    pairs = list(zip(losses(one), losses(two), strict=True))
    assert len(pairs) == count
    for (stage, step, loss, parts), (other_stage, other_step, other, other_parts) in pairs:
        assert (stage, step) == (other_stage, other_step)
        assert other == pytest.approx(loss, abs=1e-5)
        assert other_parts == pytest.approx(parts, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "supervision", "overrides"),
    [
        ("small", "points", ()),
        ("small", "masks", ()),
        ("small_implicit", "masks", ()),
        ("small_self_training", "points", ("self_training.max_disagreement=1.0",)),
    ],
)
def test_two_processes_give_the_losses_of_one(
    recipe: str, supervision: str, overrides: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    scenes = write_scenes(tmp_path / "scenes", 6, 128, seed=3)
    data = scenes / ("points.json" if supervision == "points" else "instances.json")
    runs = []
    for count in (1, 2):
        arguments = TrainArguments(
            data=data, images=scenes / "images", recipe=recipe, supervision=supervision, device="cpu", threads=1,
            overrides=SMALL + overrides, steps=5, devices=count,
        )  # fmt: skip
        runs.append(create_run(arguments, tmp_path / f"run{count}"))
    train(runs[0])
    assert main([str(runs[1].path)]) == 0
    assert runs[1].status().state == "finished"
    check_equal(runs[0], runs[1], count=10 if recipe == "small_self_training" else 5)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.mark.slow
def test_tasks_of_slurm_train_one_run(make_run: MakeRun, toy_data: Any, tmp_path: Path) -> None:
    """What `srun --ntasks 2 pointanno train` starts, without the cluster: two processes told so by Slurm's words."""
    folder = tmp_path / "run"
    words = [
        *("train", toy_data.points, "--images", toy_data.images, "--system", "toy_points", "--device", "cpu"),
        *("--steps", 6, "--run", folder, "--set", "train.batch_size=4", 'network.stages=["first","label","relearn"]'),
    ]
    told = {
        "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "2", "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_NODELIST": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }  # fmt: skip
    tasks = [
        subprocess.Popen(
            [sys.executable, "-m", "pointanno", *map(str, words)],
            env=os.environ | told | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for rank in (0, 1)
    ]
    said = [task.communicate(timeout=300) for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert b"run folder" in said[0][1] and not said[1][0], "only the first one talks"
    run = RunFolder(folder)
    assert run.status().state == "finished" and len(losses(run)) == 12
    assert len(list((run.stages_folder / "label").iterdir())) == 5


def test_slurm_is_told_to_fabric_as_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name for name in os.environ if name.startswith("SLURM")}
    for name in (*before, "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "")  # so that it is removed afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_NODELIST", "gpu[07-09]")
    monkeypatch.setenv("SLURM_JOB_ID", "123456")
    monkeypatch.setenv("SLURM_NODEID", "1")
    devices._speak_as_torchrun(Ranks(5, 8, 1, 4, "srun"))
    wanted = {
        "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "GROUP_RANK": "1",
        "MASTER_ADDR": "gpu07", "MASTER_PORT": "18456",
    }  # fmt: skip
    assert {name: os.environ[name] for name in wanted} == wanted
