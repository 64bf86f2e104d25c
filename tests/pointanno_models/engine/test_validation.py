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
