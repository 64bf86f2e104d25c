"""A training that is killed again and again ends like one that was left alone, in every stage."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno_models.engine import worker

STEPS, SCENES, KILLS = 6, 6, 10
SETTINGS = (
    "train.checkpoint_every=2", "train.validate_every=3", "train.batch_size=2", "train.ema_decay=0.9",
    "data.crop=64", "network.fpn_channels=16", "detector.box_head_channels=16", "detector.mask_head_channels=16",
    "detector.rpn_post_nms_top_n_train=40", "self_training.max_disagreement=1.0",
)  # fmt: skip


def steps(run: RunFolder) -> list[tuple[str, int, float | None]]:
    return [(e["stage"], e["step"], e["loss"]) for e in run.events() if e["kind"] == "step"]


def trained(run: RunFolder) -> list[tuple[str, int, float | None]]:
    return [entry for entry in steps(run) if entry[0] != "pseudo_label"]


def products(run: RunFolder) -> dict[str, bytes]:
    """Everything that must be the same, byte for byte."""
    checkpoint = run.checkpoint("last")
    assert checkpoint is not None
    files = [checkpoint / "weights.safetensors", checkpoint / "training.safetensors", run.metrics_file]
    files += sorted((run.stages_folder / "pseudo_label").iterdir())
    return {path.name: path.read_bytes() for path in files}


def wait_until(condition: Callable[[], bool], process: Any, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and process.is_alive():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.mark.slow
def test_ten_kills_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    scenes = write_scenes(tmp_path / "scenes", SCENES, 64, seed=1)
    arguments = TrainArguments(
        data=scenes / "points.json", images=scenes / "images", recipe="small_self_training", overrides=SETTINGS,
        steps=STEPS, threads=1, device="cpu",
    )  # fmt: skip
    # children are copies of a process that has imported everything, and has no threads yet
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pointanno_models.engine.fit", "pointanno_models.point_sup.system"])

    def start(run: RunFolder) -> Any:
        process = context.Process(target=worker.main, args=([str(run.path)],))
        process.start()
        return process

    whole = create_run(arguments, tmp_path / "whole")
    process = start(whole)
    process.join(600)
    assert process.exitcode == 0 and whole.status().state == "finished"

    killed = create_run(arguments, tmp_path / "killed")
    rng = np.random.default_rng(7)
    # places on the way through the stages; at least one in each, the others anywhere
    order = ["train", "pseudo_label", "retrain"]
    moments = [(stage, int(rng.integers(1, STEPS))) for stage in order]
    moments += [(order[rng.integers(3)], int(rng.integers(1, STEPS + 1))) for _ in range(KILLS - len(moments))]
    seen: dict[str, int] = {}
    kills = 0
    for stage, step in sorted(moments, key=lambda moment: (order.index(moment[0]), moment[1])):
        process = start(killed)

        def is_there(stage: str = stage, step: int = step) -> bool:
            reached = [entry for entry in steps(killed) if entry[0] == stage]
            return any(entry[1] >= step for entry in reached)

        wait_until(is_there, process)
        time.sleep(float(rng.uniform(0, 0.3)))
        process.kill()
        process.join()
        if killed.status().state != "finished":
            kills += 1
            seen[killed.status().stage] = seen.get(killed.status().stage, 0) + 1
    assert kills >= KILLS - 2, "the last ones may have come too late"
    assert {"train", "retrain"} <= set(seen)
    if killed.status().state != "finished":
        process = start(killed)
        process.join(600)
    assert killed.status().state == "finished"
    assert trained(killed) == trained(whole) and len(trained(whole)) == 2 * STEPS
    assert products(killed) == products(whole)
