from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs import TrainArguments, create_run, list_runs, new_run_path
from pointanno.scenes import write_scenes


def test_a_run_is_frozen(arguments: TrainArguments, tmp_path: Path) -> None:
    arguments = replace(arguments, overrides=("train.batch_size=2",), seed=5)
    run = create_run(arguments, tmp_path / "run")
    content = arguments.data.read_bytes()
    arguments.data.write_text("{}")
    assert run.data_file.read_bytes() == content
    environment = run.environment()
    assert environment["data"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert environment["seed"] == 5 and environment["supervision"] == "points"
    assert run.recipe()["train"]["batch_size"] == 2
    assert run.arguments() == arguments.absolute()
    assert run.status().state == "stopped"
    assert run.checkpoint("last") is None and run.checkpoint_id() is None


def test_panoptic_truth_travels_with_its_pictures(arguments: TrainArguments, tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, 64)
    arguments = replace(arguments, data=scenes / "panoptic.json", images=scenes / "images", supervision="masks")
    run = create_run(arguments, tmp_path / "run")
    frozen = read_dataset(run.data_file)
    assert len(frozen.instances) == len(read_dataset(arguments.data).instances) > 0


def test_broken_data_is_named_as_its_owner_knows_it_and_leaves_no_run(
    arguments: TrainArguments, tmp_path: Path
) -> None:
    arguments.data.write_text('{"images": [')
    with pytest.raises(InputError, match=f"{arguments.data.name}: the JSON ends too early"):
        create_run(arguments, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": Path("nothing.json")}, "DATA must be an existing file"),
        ({"images": Path("nothing")}, "--images must be an existing folder"),
        ({"system": "point_sop"}, "did you mean point_sup"),
        ({"recipe": "smal"}, "did you mean small"),
        ({"recipe": "other.toml"}, "could not be read"),
        ({"overrides": ("train.step=1",)}, "did you mean train.steps"),
        ({"overrides": ("train.steps",)}, "expected key=value"),
        ({"overrides": ("train.steps=many",)}, "train.steps must be an integer"),
        ({"supervision": "boxes"}, "learns from points, masks"),
        ({"overrides": ("train.steps=0",)}, "--set 'train.steps=0': train.steps must be from 1"),
        ({"overrides": ("train.optimizer=adam",)}, "train.optimizer must be sgd or adamw, but is 'adam'"),
        ({"overrides": ("data.scale=[1, 0]",)}, "data.scale must be from 0.001 to 1000, but is 0.0"),
        ({"overrides": ("train.learning_rate=nan",)}, "train.learning_rate must be from 0 to 1000, but is nan"),
        ({"steps": 0}, "--steps 0: expected at least 1"),
        ({"threads": 100_000}, "--threads 100000: expected 1 to 1024"),
        ({"seed": -1}, "--seed -1"),
        ({"seed": 2**63}, "--seed 9223372036854775808: expected 0 or more, at most"),
        ({"device": "gpu"}, "expected one of auto, cpu, cuda, mps"),
        ({"init": Path(".")}, "not a run folder"),
        ({"val_images": Path(".")}, "--val-images needs --val"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    arguments: TrainArguments, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        create_run(replace(arguments, **change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_empty_data_file_is_named(arguments: TrainArguments, tmp_path: Path) -> None:
    arguments.data.write_bytes(b"")
    with pytest.raises(InputError, match=r"points.json: the file is empty \(0 bytes\)"):
        create_run(arguments, tmp_path / "run")


def test_a_taken_folder_is_refused(arguments: TrainArguments, tmp_path: Path) -> None:
    create_run(arguments, tmp_path / "run")
    with pytest.raises(InputError, match="exists already"):
        create_run(arguments, tmp_path / "run")


def test_what_a_killed_creation_left_is_no_run(
    arguments: TrainArguments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("pointanno.runs.creation.shutil.copyfile", die)
        with pytest.raises(Killed):
            create_run(arguments, tmp_path / "run")
    assert (tmp_path / "run" / "recipe.toml").is_file()
    assert create_run(arguments, tmp_path / "run").arguments() == arguments.absolute()
    mine = tmp_path / "mine"
    create_run(arguments, mine)
    (mine / "environment.json").unlink()
    (mine / "notes.txt").write_text("keep")
    with pytest.raises(InputError, match="exists already"):
        create_run(arguments, mine)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_a_sentence(arguments: TrainArguments, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="could not be written"):
        create_run(arguments, tmp_path / "run")


def test_full_disk_leaves_nothing_behind(
    arguments: TrainArguments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pointanno.runs.creation.shutil.copyfile", full)
    with pytest.raises(InputError, match="No space left on device"):
        create_run(arguments, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_names_of_new_runs_do_not_collide(arguments: TrainArguments, tmp_path: Path) -> None:
    first = create_run(arguments, new_run_path(tmp_path, arguments))
    second = create_run(arguments, new_run_path(tmp_path, arguments))
    assert first.name.endswith("_point_sup_small") and second.name == first.name + "_2"
    assert [run.name for run in list_runs(tmp_path)] == [first.name, second.name]
    assert [run.name for run in list_runs(first.path)] == [first.name]
