"""Which existing runs count as the training of a row."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pointanno.benchmark.matching import annotations_hash, check_run, find_differences, is_same_data
from pointanno.benchmark.plan import Row, read_plan, resolve_row
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.coco_point import write as write_points
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.runs.atomic import read_json, replace_json
from pointanno.simulation import simulate


@pytest.fixture
def rows(toy_installed: None, plan_path: Path, data: Path, tmp_path: Path) -> dict[str, Row]:
    """The rows of the plan, their points simulated."""
    descriptor, plan = read_plan("toy_points", plan_path)
    found = {}
    for planned in plan.rows:
        row = resolve_row(plan, planned, descriptor, schedule="small", steps=None, data=data, out=tmp_path / "out")
        row.folder.mkdir(parents=True)
        points = simulate(read_dataset(row.train_truth), "box-points", n=planned.points, seed=planned.seed)
        write_points(points, row.training_data)
        found[row.name] = row
    return found


def _run(row: Row, path: Path, **changes: object) -> RunFolder:
    """A run as a person may have made it by hand: nothing is trained."""
    elsewhere = path.with_suffix(".json")
    shutil.copyfile(row.training_data, elsewhere)
    arguments = TrainArguments(
        data=elsewhere, images=row.train_images, system=row.system, overrides=row.overrides, seed=row.plan.seed
    )
    return create_run(replace(arguments, **changes), path)  # type: ignore[arg-type]


def test_a_run_made_by_hand_elsewhere_is_the_rows(rows: dict[str, Row], tmp_path: Path) -> None:
    run = _run(rows["first"], tmp_path / "by_hand")
    assert find_differences(run, rows["first"]) == []
    check_run(run, rows["first"])
    # the length may be said by option or by setting
    asked = _run(rows["first"], tmp_path / "asked", steps=12)
    assert find_differences(asked, rows["first"]) == []
    # what does not change the numbers may differ, and so may device and threads
    slow = (*rows["first"].overrides, "trouble.seconds=0.5", "train.checkpoint_every=3")
    other = _run(rows["first"], tmp_path / "slow", overrides=slow, device="cpu", threads=1)
    assert find_differences(other, rows["first"]) == []


def test_every_difference_is_named(rows: dict[str, Row], tmp_path: Path) -> None:
    row = rows["first"]
    stages = ("network.stages=['first']", "train.batch_size=2")
    assert find_differences(_run(row, tmp_path / "a", seed=1), row) == ["the seed is 1 instead of 0"]
    assert find_differences(_run(row, tmp_path / "b", steps=5), row) == ["the number of steps is 5 instead of 12"]
    assert find_differences(_run(row, tmp_path / "c", overrides=stages[:1]), row) == [
        "train.batch_size is 3 instead of 2"
    ]
    assert find_differences(_run(row, tmp_path / "d", supervision="masks"), row) == [
        'the supervision is "masks" instead of "points"'
    ]
    longer = (*stages, "train.steps=20")
    assert find_differences(_run(row, tmp_path / "e", overrides=longer), row) == [
        "the number of steps is 20 instead of 12"
    ]
    [sentence] = find_differences(_run(row, tmp_path / "f", data=rows["other-seed"].training_data), row)
    assert "its data.json holds other annotations than" in sentence
    both = _run(row, tmp_path / "g", overrides=longer[:1], seed=3)
    with pytest.raises(InputError) as refused:
        check_run(both, row)
    assert str(refused.value) == (
        f"{both.path}: this run is not the training of row first: the seed is 3 instead of 0; train.batch_size is 3 "
        "instead of 2. Move the folder away, or name another --out"
    )


def test_a_setting_that_an_older_run_does_not_know_counts_as_its_default(rows: dict[str, Row], tmp_path: Path) -> None:
    row = rows["first"]
    run = _run(row, tmp_path / "old")
    lines = [line for line in run.recipe_file.read_text().splitlines() if not line.startswith("channels")]
    run.recipe_file.write_text("\n".join(lines))
    assert "channels" not in run.recipe()["network"]
    assert find_differences(run, row) == []
    # channels = 6 ships with the recipe; a row that wants another value is another training
    wider = replace(row, recipe={**row.recipe, "network": {**row.recipe["network"], "channels": 8}})
    assert find_differences(run, wider) == ["network.channels is 6 instead of 8"]


def test_a_setting_that_the_row_does_not_know_is_a_difference(rows: dict[str, Row], tmp_path: Path) -> None:
    run = _run(rows["first"], tmp_path / "newer")
    run.recipe_file.write_text(run.recipe_file.read_text() + "\n[later]\nrate = 2\n")
    assert find_differences(run, rows["first"]) == ["later.rate is 2 instead of not set"]


def test_who_started_from_whom_counts(rows: dict[str, Row], tmp_path: Path) -> None:
    first, continued = rows["first"], rows["continued"]
    _run(first, first.run)
    moved = _run(first, tmp_path / "moved")
    other = _run(rows["other-seed"], rows["other-seed"].run)

    def started_from(path: Path | None, name: str) -> RunFolder:
        run = _run(continued, tmp_path / name)
        environment = run.environment()
        environment["arguments"]["init"] = None if path is None else str(path)
        replace_json(run.environment_file, environment)
        return run

    assert find_differences(started_from(first.run, "a"), continued) == []
    assert find_differences(started_from(moved.path, "b"), continued) == []
    assert find_differences(started_from(tmp_path / "gone", "c"), continued) == []
    assert find_differences(started_from(None, "d"), continued) == ["it did not start from row first"]
    assert find_differences(started_from(other.path, "e"), continued) == [
        f"it started from {other.path} instead of row first"
    ]
    run = _run(first, tmp_path / "f")
    environment = read_json(run.environment_file)
    assert environment is not None
    environment["arguments"]["init"] = str(other.path)
    replace_json(run.environment_file, environment)
    assert find_differences(run, first) == [f"it started from {other.path}"]


def test_annotations_are_compared_not_bytes(rows: dict[str, Row], tmp_path: Path) -> None:
    original = rows["first"].training_data
    content = orjson.loads(original.read_bytes())
    written = tmp_path / "written.json"
    # indented, with a field of a later version
    written.write_bytes(orjson.dumps({**content, "later": 1}, option=orjson.OPT_INDENT_2))
    assert written.read_bytes() != original.read_bytes() and is_same_data(original, written)
    answers = content["annotations"][0]["point_labels"]
    answers[0] = 1 - answers[0]
    written.write_bytes(orjson.dumps(content))
    assert not is_same_data(original, written)
    answers[0] = 1 - answers[0]
    content["annotations"].reverse()
    written.write_bytes(orjson.dumps(content))
    assert annotations_hash(original) != annotations_hash(written)  # the order decides what is drawn when
