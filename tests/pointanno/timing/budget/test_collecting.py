"""Finished runs as points: what they learnt from, what that cost, and which of them can stand together."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.errors import InputError
from pointanno.formats import find_format, read_dataset
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate
from pointanno.timing.budget.collecting import collect, find_runs
from pointanno.timing.budget.costs import costs_of


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder, 4, 48, seed=0)
    return folder


def make_run(
    path: Path,
    scenes: Path,
    pictures: int,
    quality: float | None,
    *,
    supervision: str = "points",
    points: int = 10,
    end: str = "finished",
    **arguments: Any,
) -> RunFolder:
    """A run folder with the events of a training that came so far."""
    truth = read_dataset(scenes / "instances.json")
    kept = {image.id for image in truth.images[:pictures]}
    data = truth if supervision == "masks" else simulate(truth, "box-points", n=points)
    data = replace(
        data,
        images=tuple(image for image in data.images if image.id in kept),
        instances=tuple(one for one in data.instances if one.image_id in kept),
    )
    file = path.parent / f"{path.name}.json"
    find_format("coco-instances" if supervision == "masks" else "coco-point").write(data, file)
    given = TrainArguments(
        data=file, images=scenes / "images", supervision=supervision, **{
            "val": scenes / "instances.json", "val_images": scenes / "images", **arguments,
        },
    )  # fmt: skip
    run = create_run(given, path)
    events: list[dict[str, Any]] = [{"kind": "hello"}, {"kind": "stage", "stage": "train", "steps": 50}]
    if quality is not None:
        events.append(
            {"kind": "val", "stage": "train", "step": 25, "metric": "ap", "value": 0.9, "values": {"ap": 0.9}}
        )
        events.append({"kind": "val", "stage": "train", "step": 50, "metric": "ap", "value": quality,
                       "values": {"ap": quality, "ap50": 0.8}})  # fmt: skip
    events.append({"kind": "end", "reason": end})
    lines = [orjson.dumps({**event, "time": time.time(), "line": number}) for number, event in enumerate(events, 1)]
    run.events_file.write_bytes(b"\n".join(lines) + b"\n")
    return RunFolder(path)


def test_runs_become_points(tmp_path: Path, scenes: Path) -> None:
    runs = [
        make_run(tmp_path / "a", scenes, 1, 0.2),
        make_run(tmp_path / "b", scenes, 3, 0.3, points=5),
        make_run(tmp_path / "c", scenes, 2, 0.25, supervision="masks"),
    ]
    found = collect(runs, costs_of())
    assert found.metric == "ap" and found.left_out == ()
    by_name = {one.name: one for one in found.trained}
    truth = read_dataset(scenes / "instances.json")
    objects = [sum(one.image_id == image.id for one in truth.instances) for image in truth.images]
    a, b, c = by_name["a"], by_name["b"], by_name["c"]
    assert (a.kind.name, b.kind.name, c.kind.name) == ("box_points:10", "box_points:5", "masks")
    assert a.counts == {"box": objects[0], "point": 10 * objects[0]} and a.pictures == 1
    assert a.hours == pytest.approx(objects[0] * 16 / 3600)
    assert c.hours == pytest.approx(sum(objects[:2]) * 79.2 / 3600)
    assert b.quality == 0.3 and b.steps == 50  # the end of the training, not its best moment


def test_runs_that_cannot_count_are_named_with_the_reason(tmp_path: Path, scenes: Path) -> None:
    good = make_run(tmp_path / "good", scenes, 1, 0.2)
    runs = [
        good,
        make_run(tmp_path / "stopped", scenes, 1, 0.2, end="stopped"),
        make_run(tmp_path / "unmeasured", scenes, 1, None),
        make_run(tmp_path / "fewer", scenes, 1, 0.2, val_limit=2),
    ]
    second = make_run(tmp_path / "second", scenes, 2, 0.3)
    found = collect([*runs, second], costs_of())
    assert [one.name for one in found.trained] == ["good", "second"]
    reasons = dict(found.left_out)
    assert reasons["stopped"] == "it is not finished" and reasons["unmeasured"] == "it was not validated by AP"
    assert reasons["fewer"].startswith("validated on ") and reasons["fewer"].endswith("at most 2 pictures")


def test_a_run_that_began_with_another_one_is_left_out(tmp_path: Path, scenes: Path) -> None:
    run = make_run(tmp_path / "next", scenes, 1, 0.2)
    environment = orjson.loads(run.environment_file.read_bytes())
    environment["arguments"]["init"] = str(tmp_path / "first")
    run.environment_file.write_bytes(orjson.dumps(environment))
    with pytest.raises(InputError, match="began with the weights of .*first"):
        collect([RunFolder(run.path)], costs_of())


def test_no_runs_at_all() -> None:
    with pytest.raises(InputError, match="no finished run with a validation was found. Train with --val"):
        collect([], costs_of())


def test_folders_without_runs_are_refused(tmp_path: Path, scenes: Path) -> None:
    with pytest.raises(InputError, match="there is no run in this folder"):
        find_runs([tmp_path])
    (tmp_path / "runs").mkdir()
    make_run(tmp_path / "runs" / "a", scenes, 1, 0.2)
    assert [run.name for run in find_runs([tmp_path / "runs", tmp_path / "runs" / "a"])] == ["a"]
