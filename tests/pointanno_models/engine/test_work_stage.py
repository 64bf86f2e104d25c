"""Stages without steps, and fresh networks after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pointanno.errors import InputError
from pointanno.runs import RunFolder
from pointanno.runs.checkpoint_files import read_pointer
from pointanno_models.engine.batches import network_seed
from pointanno_models.engine.checkpoints import read_weights
from pointanno_models.engine.prediction import Predictor
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]
STAGES = 'network.stages=["first", "label", "relearn"]'


def losses(run: RunFolder) -> list[tuple[str, int, float]]:
    return [(e["stage"], e["step"], e["loss"]) for e in run.events() if e["kind"] == "step"]


def labels(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.stages_folder / "label").iterdir()}


def stop_at(run: RunFolder, stage: str, step: int) -> Callable[[dict[str, Any]], None]:
    def listen(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["stage"] == stage and event["step"] >= step:
            run.request_stop()

    return listen


def stop_when(stage: str, run: RunFolder) -> Callable[[dict[str, Any]], None]:
    return lambda event: run.request_stop() if event["kind"] == "stage" and event["stage"] == stage else None


def test_stages_in_order_with_a_checkpoint_at_the_end_of_each(make_run: MakeRun) -> None:
    run = make_run("run", STAGES, "train.steps=8")
    ends: dict[str, Any] = {}

    def listen(event: dict[str, Any]) -> None:
        if event["kind"] == "checkpoint":
            pointers = [read_pointer(run.checkpoints_folder, name) for name in ("last", "best")]
            ends[event["stage"]] = [(p["stage"], p["step"]) for p in pointers if p is not None]

    outcome = train(run, listener=listen)
    assert (outcome["reason"], outcome["stage"], outcome["step"]) == ("finished", "relearn", 8)
    # work leaves the best checkpoint where it is
    assert ends == {
        "first": [("first", 8), ("first", 8)],
        "label": [("label", 5), ("first", 8)],
        "relearn": [("relearn", 8), ("relearn", 8)],
    }
    assert [event["stage"] for event in run.events() if event["kind"] == "stage"] == ["first", "label", "relearn"]
    last = [event for event in run.events() if event["kind"] == "step" and event["stage"] == "label"][-1]
    assert (last["step"], last["steps"], last["loss"], last["losses"]) == (5, 5, None, {})
    assert last["images_per_second"] > 0 and last["eta_s"] == 0
    assert len(labels(run)) == 5
    assert Predictor(run, "best", "cpu").checkpoint_id.startswith("relearn-000008")


def test_work_uses_the_best_network_and_a_fresh_one_follows(make_run: MakeRun) -> None:
    run = make_run("run", STAGES, "train.steps=8")
    kept: dict[str, Any] = {}

    def listen(event: dict[str, Any]) -> None:
        checkpoint = run.checkpoint("last")
        if event["kind"] == "checkpoint" and event["step"] in (8, 5) and checkpoint is not None:
            kept[event["stage"]] = read_weights(checkpoint), read_weights(checkpoint, training=True)
        if event["kind"] == "stage" and event["stage"] == "relearn":
            run.request_stop()

    train(run, listener=listen)
    for before, after in zip(kept["first"], kept["label"], strict=True):
        assert all(torch.equal(before[name], after[name]) for name in before)
    checkpoint = run.checkpoint("last")
    assert checkpoint is not None and "relearn-000000" in checkpoint.name
    fresh = read_weights(checkpoint, training=True)
    assert not torch.equal(fresh["0.weight"], kept["first"][1]["0.weight"])
    # new weights follow from seed and stage, and are not those of the first stage
    other = make_run("other", STAGES, "train.steps=3")
    train(other, listener=stop_when("relearn", other))
    twin = other.checkpoint("last")
    assert twin is not None and torch.equal(read_weights(twin, training=True)["0.weight"], fresh["0.weight"])
    assert network_seed(0, 0) == 0 and network_seed(0, 2) not in (0, network_seed(1, 2), network_seed(0, 1))


@pytest.mark.parametrize("moment", [("first", 3), ("first", 12), ("label", 2), ("label", 5), ("relearn", 4)])
def test_stopped_in_any_stage_and_resumed(make_run: MakeRun, moment: tuple[str, int]) -> None:
    # a pause at each picture, so that every one leaves a line
    settings = (STAGES, "train.steps=12", "trouble.seconds=0.0")
    whole, parts = make_run("whole", *settings), make_run("parts", *settings)
    train(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointanno_models.engine.work_stage._BETWEEN_LINES_S", 0.0)
        assert train(parts, listener=stop_at(parts, *moment))["reason"] == "stopped"
    assert parts.status().state == "stopped"
    done = len(labels(parts)) if moment[0] == "label" else None
    assert done is None or done == moment[1]
    assert train(parts)["reason"] == "finished"
    trained = [entry for entry in losses(whole) if entry[0] != "label"]
    assert [entry for entry in losses(parts) if entry[0] != "label"] == trained and len(trained) == 24
    assert labels(parts) == labels(whole)
    rows = whole.metrics_file.read_text(), parts.metrics_file.read_text()
    assert rows[0] == rows[1]


def test_work_that_was_done_is_not_repeated(make_run: MakeRun) -> None:
    run = make_run("run", STAGES, "train.steps=4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointanno_models.engine.work_stage._BETWEEN_LINES_S", 0.0)
        train(run, listener=stop_at(run, "label", 3))
    (run.stages_folder / "label" / ".4.npy.abc.part").write_bytes(b"half")  # of a worker that was killed
    mark = run.stages_folder / "label" / "1.npy"
    np.save(mark, np.zeros((32, 32), dtype=np.int8))
    train(run)
    assert not np.load(mark).any()
    assert sorted(labels(run)) == ["1.npy", "2.npy", "3.npy", "4.npy", "5.npy"]


def test_first_stage_that_works_starts_from_another_run(make_run: MakeRun) -> None:
    teacher = make_run("teacher", 'network.stages=["first"]', "train.steps=40")
    train(teacher)
    stages = 'network.stages=["label", "relearn"]'
    run = make_run("run", stages, "train.steps=6", init=teacher.path)
    train(run, listener=stop_when("label", run))
    before, own = teacher.best_checkpoint(), run.best_checkpoint()
    assert before is not None and own is not None and "label-000000" in own.name
    assert all(torch.equal(value, read_weights(own)[name]) for name, value in read_weights(before).items())
    assert train(run)["reason"] == "finished"
    assert [stage for stage, _, loss in losses(run) if loss is not None] == ["relearn"] * 6
    untrained = make_run("untrained", stages)
    with pytest.raises(InputError, match=r"the first stage \(label\) works with a trained network"):
        train(untrained)
    wider = make_run("wider", stages, "network.channels=8", init=teacher.path)
    with pytest.raises(InputError, match="uses that network as it is, but .* do not fit"):
        train(wider)


def test_validation_concerns_training_stages_only(make_run: MakeRun, toy_data: Any) -> None:
    run = make_run("run", STAGES, "train.validate_every=20", steps=40, val=toy_data.masks, val_images=toy_data.images)
    train(run)
    values = [(e["stage"], e["step"], e["value"]) for e in run.events() if e["kind"] == "val"]
    assert [entry[:2] for entry in values] == [("first", 20), ("first", 40), ("relearn", 20), ("relearn", 40)]
    best = run.checkpoint("best")
    assert best is not None and best.name.startswith("relearn")
    # the best of a stage is compared within the stage
    assert run.status().best == max(value for stage, _, value in values if stage == "relearn")
