from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.runs import RunFolder
from pointanno_models.engine.control import Control
from pointanno_models.engine.validation import Validation, draw_labels
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]
DISC = (Category(7, "disc", True),)
ONE = 'network.stages=["only"]'


def test_best_follows_the_score_and_samples_are_drawn(make_run: MakeRun, toy_data: Any) -> None:
    run = make_run("run", ONE, "train.validate_every=10", steps=60, val=toy_data.masks, val_images=toy_data.images)
    outcome = train(run)
    scores = {event["step"]: event["value"] for event in run.events() if event["kind"] == "val"}
    assert set(scores) == {10, 20, 30, 40, 50, 60}
    assert outcome["best"] == max(scores.values()) > 0.2
    assert run.status().best == outcome["best"] and run.status().metric == "ap"
    best = run.checkpoint("best")
    assert best is not None
    best_step = next(step for step, score in scores.items() if score == outcome["best"])
    assert f"-{best_step:06d}-" in best.name
    [sample, *_] = [event for event in run.events() if event["kind"] == "sample"]
    with Image.open(run.path / sample["path"]) as picture:
        assert picture.size == (32, 32)


def test_validation_that_was_stopped_is_made_up_for(
    make_run: MakeRun, toy_data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"val": toy_data.masks, "val_images": toy_data.images, "steps": 4}
    run = make_run("run", ONE, **settings)
    asked = 0

    def stop_in_validation(control: Control) -> bool:
        nonlocal asked
        asked += 1
        return asked > 5  # four steps, one picture

    with monkeypatch.context() as patch:
        patch.setattr(Control, "is_stop_asked", property(stop_in_validation))
        assert train(run)["reason"] == "stopped"
    assert not [event for event in run.events() if event["kind"] == "val"]
    assert train(run)["reason"] == "finished"
    assert [event["step"] for event in run.events() if event["kind"] == "val"] == [4]
    assert run.checkpoint("best") is not None


def test_limit_takes_pictures_evenly_and_only_their_truth(toy_data: Any) -> None:
    validation = Validation(toy_data.masks, toy_data.images, metric="ap", limit=2, categories=DISC)
    assert [picture.id for picture in validation._truth.images] == [1, 5]
    assert {instance.image_id for instance in validation._truth.instances} == {1, 5}


def test_lines_tell_classes_and_agreement_with_the_answers(make_run: MakeRun, toy_data: Any) -> None:
    run = make_run("run", ONE, "train.validate_every=20", steps=40, val=toy_data.masks, val_images=toy_data.images)
    train(run)
    [first, last] = [event for event in run.events() if event["kind"] == "val"]
    assert set(last["per_class"]) == {"disc"} and set(last["per_class"]["disc"]) >= {"ap", "ap50", "pq", "sq", "rq"}
    assert last["per_class"]["disc"]["ap"] == pytest.approx(last["values"]["ap"])
    # the truth has masks only: the points of the training pictures are asked
    assert 0.5 < last["point_accuracy"] <= 1 and last["values"]["point_accuracy"] == last["point_accuracy"]
    assert first["metric"] == "ap" and first["is_held_out"]


def test_without_validation_data_answers_tell_how_far_it_is(make_run: MakeRun) -> None:
    run = make_run("run", ONE, "train.validate_every=20", steps=40)
    outcome = train(run)
    told = [event for event in run.events() if event["kind"] == "val"]
    assert [event["step"] for event in told] == [20, 40]
    assert told[-1]["values"] == {"point_accuracy": told[-1]["point_accuracy"]} and told[-1]["point_accuracy"] > 0.8
    assert not told[-1]["is_held_out"] and told[-1]["pictures"] == 5
    # it decides nothing: the newest checkpoint is the best
    assert told[-1]["value"] is None and outcome["best"] is None and run.status().best is None
    best, last = run.checkpoint("best"), run.checkpoint("last")
    assert best == last and best is not None and "-000040-" in best.name


def test_agreement_with_training_answers_does_not_hold_up_the_end(make_run: MakeRun, toy_data: Any) -> None:
    run = make_run("run", ONE, steps=4)
    with pytest.MonkeyPatch.context() as patch:
        asked = iter([False] * 4 + [True] * 9)  # four steps, then a stop while the pictures are asked
        patch.setattr(Control, "is_stop_asked", property(lambda control: next(asked)))
        assert train(run)["reason"] == "finished"
    assert not [event for event in run.events() if event["kind"] == "val"]


def test_points_alone_can_validate(make_run: MakeRun, toy_data: Any) -> None:
    run = make_run("run", ONE, "train.validate_every=20", steps=40, val=toy_data.points, val_images=toy_data.images)
    outcome = train(run)
    told = [event for event in run.events() if event["kind"] == "val"]
    assert {event["metric"] for event in told} == {"point_accuracy"} and told[0]["is_held_out"]
    assert outcome["best"] == max(event["value"] for event in told) == run.status().best
    assert [event for event in run.events() if event["kind"] == "sample"]


@pytest.mark.parametrize("metric", ["pq", "newest"])
def test_what_decides_can_be_chosen(make_run: MakeRun, toy_data: Any, metric: str) -> None:
    run = make_run(
        "run", ONE, "train.validate_every=10", steps=30, val=toy_data.masks, val_images=toy_data.images, best=metric
    )
    train(run)
    told = {event["step"]: event for event in run.events() if event["kind"] == "val"}
    assert all(event["metric"] == metric for event in told.values())
    best = run.checkpoint("best")
    assert best is not None
    if metric == "newest":
        assert all(event["value"] is None and event["values"]["ap"] >= 0 for event in told.values())
        assert "-000030-" in best.name
    else:
        values = {step: event["values"]["pq"] for step, event in told.items()}
        assert f"-{max(values, key=lambda step: (values[step], -step)):06d}-" in best.name


def test_metrics_that_cannot_be_had_are_refused(toy_data: Any) -> None:
    def refused(truth: Path, **options: Any) -> str:
        with pytest.raises(InputError) as caught:
            Validation(truth, toy_data.images, limit=0, categories=DISC, **options)
        return str(caught.value)

    assert "--best ap: AP scores instances" in refused(toy_data.masks, metric="ap", output="panoptic")
    assert "needs answered points in --val" in refused(toy_data.masks, metric="point_accuracy")
    assert "points alone cannot score a prediction" in refused(toy_data.points, metric="pq")
    stuff = (*DISC, Category(8, "sky", False))
    with pytest.raises(InputError, match=r"has no category 8 \(sky\)"):
        Validation(toy_data.masks, toy_data.images, limit=0, categories=stuff, output="panoptic")


def test_truth_that_cannot_score_is_refused(toy_data: Any, tmp_path: Path) -> None:
    def refused(truth: Path, images: Path, category: Category, limit: int = 0) -> str:
        with pytest.raises(InputError) as caught:
            Validation(truth, images, metric="ap", limit=limit, categories=(category,))
        return str(caught.value)

    assert "has objects without masks" in refused(toy_data.points, toy_data.images, DISC[0])
    assert "has no category 8 (square)" in refused(toy_data.masks, toy_data.images, Category(8, "square", True))
    assert "1.png: this validation picture is missing" in refused(toy_data.masks, tmp_path, DISC[0])
    content = orjson.loads(toy_data.masks.read_bytes())
    path = tmp_path / "empty.json"
    path.write_bytes(orjson.dumps({**content, "annotations": []}))
    assert "has no objects in the 2 pictures used" in refused(path, toy_data.images, DISC[0], limit=2)


def test_drawn_segments_are_tinted_and_bordered() -> None:
    labels = np.zeros((6, 6), dtype=np.uint16)
    labels[2:5, 2:5] = 1
    drawn = draw_labels(np.zeros((6, 6, 3), dtype=np.uint8), labels)
    assert (drawn[0, 0] == 0).all(), "void stays"
    assert (drawn[2, 2] == 255).all(), "border"
    assert drawn[4, 4].any() and not (drawn[4, 4] == 255).all(), "tint"
