from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from torch import nn

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.runs import RunFolder
from pointanno_models.engine.initial_weights import load_initial_weights
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]
ONE = 'network.stages=["only"]'


def test_init_takes_what_fits(make_run: MakeRun, toy_data: Any, tmp_path: Path) -> None:
    first = make_run("first", ONE, steps=6)
    train(first)
    content = orjson.loads(toy_data.points.read_bytes())
    content["categories"].append({"id": 8, "name": "square", "supercategory": "", "isthing": 1})
    more = tmp_path / "more.json"
    more.write_bytes(orjson.dumps(content))
    second = make_run("second", ONE, data=more, steps=2, init=first.path)
    train(second)
    [warning] = [event["message"] for event in second.events() if event["kind"] == "warn"]
    assert "do not fit" in warning and "4.weight" in warning
    same = make_run("same", ONE, steps=2, init=first.path)
    train(same)
    fresh = make_run("fresh", ONE, steps=2)
    train(fresh)
    assert same.events()[3]["loss"] < 0.9 * fresh.events()[3]["loss"]
    # a wider network takes over what does not depend on its width
    wide = make_run("wide", ONE, "network.channels=9", steps=2, init=first.path)
    train(wide)
    assert any("do not fit" in event.get("message", "") for event in wide.events())


def test_what_cannot_be_used_is_refused(make_run: MakeRun) -> None:
    run = make_run("run", ONE, steps=1)
    with pytest.raises(InputError, match="no checkpoint yet"):
        make_run("next", init=run.path)
    train(run)
    with pytest.raises(InputError, match="no layer of that run fits"):
        load_initial_weights(nn.Linear(2, 2), run, ())
    network = nn.Sequential(nn.Conv2d(3, 6, 3))
    transfer = load_initial_weights(network, run, (Category(1, "other", True),))
    assert (transfer.loaded, transfer.fresh, transfer.same_classes) == (2, (), False)
    assert "differ in name" in transfer.sentence()
