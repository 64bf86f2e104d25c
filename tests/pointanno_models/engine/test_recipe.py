from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.systems import load_system
from pointanno_models.engine.recipe import (
    apply_overrides,
    check_limits,
    check_recipe,
    flatten,
    read_recipe,
    recipe_to_toml,
)

RECIPE = {
    "threads": 1,
    "train": {"steps": 5, "rate": 0.1, "flip": True, "precision": "32-true", "sizes": [1, 2]},
    "test": {"score": 0.5},
}


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.steps=7", 7),
        ("train.rate=1", 1.0),  # an integer where numbers are expected
        ("train.rate=1e-4", 1e-4),
        ("train.flip=false", False),
        ("train.precision=16-mixed", "16-mixed"),
        ("train.precision=64", "64"),  # text that looks like a number
        ('train.precision="16-mixed"', "16-mixed"),
        ("train.sizes=[4, 5, 6]", [4, 5, 6]),
        (" train.steps = 7 ", 7),
    ],
)
def test_override(override: str, value: object) -> None:
    changed = apply_overrides(RECIPE, [override], "r.toml")
    key = override.split("=")[0].strip().split(".")[1]
    assert changed["train"][key] == value
    assert type(changed["train"][key]) is type(value)
    assert RECIPE["train"]["steps"] == 5, "the original stays"  # type: ignore[index]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.stepz=7", "r.toml has no setting 'train.stepz'; did you mean train.steps?"),
        ("steps=7", "did you mean train.steps?"),
        ("training.rate=7", "did you mean train.rate?"),
        ("train=7", "has no setting 'train'"),
        ("train.steps=7.5", "train.steps must be an integer (the recipe has 5), but is 7.5"),
        ("train.steps=true", "must be an integer"),
        ("train.flip=1", "must be true or false"),
        ("train.rate=fast", "must be a number"),
        ("train.sizes=3", "must be a list"),
        ("train.sizes=[1.5]", "train.sizes[0] must be an integer"),
        ("train.steps", "expected key=value"),
    ],
)
def test_bad_override(override: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        apply_overrides(RECIPE, [override], "r.toml")
    assert message in str(caught.value)


def test_file_with_unknown_missing_or_wrong_key_is_refused() -> None:
    check_recipe(RECIPE, RECIPE, "r.toml")
    more = {**RECIPE, "test": {"score": 0.5, "scores": 1}}
    with pytest.raises(InputError, match=r"r\.toml: unknown setting test\.scores; did you mean test\.score\?"):
        check_recipe(more, RECIPE, "r.toml")
    with pytest.raises(InputError, match=r"r\.toml: the setting test\.score is missing"):
        check_recipe({**RECIPE, "test": {}}, RECIPE, "r.toml")
    with pytest.raises(InputError, match=r"r\.toml: threads must be an integer"):
        check_recipe({**RECIPE, "threads": "1"}, RECIPE, "r.toml")


def test_recipes_by_name_and_by_file(tmp_path: Path) -> None:
    system = load_system("toy_points")
    recipe, origin = read_recipe(system, "small")
    assert origin == "toy_points/recipes/small.toml"
    path = tmp_path / "mine.toml"
    path.write_text(recipe_to_toml(recipe, origin))
    assert read_recipe(system, str(path)) == (recipe, str(path))
    path.write_text(path.read_text().replace("batch_size", "batchsize"))
    with pytest.raises(InputError, match=r"mine.toml: unknown setting train.batchsize; did you mean train.batch_size"):
        read_recipe(system, str(path))
    path.write_text("steps = ")
    with pytest.raises(InputError, match="not a TOML file"):
        read_recipe(system, str(path))
    with pytest.raises(InputError, match=r"toy_points has paper, small; did you mean small\?"):
        read_recipe(system, "smalll")


def test_written_recipe_reads_back() -> None:
    assert tomllib.loads(recipe_to_toml(RECIPE, "small")) == RECIPE


LIMITS = {"train": {"steps": [1, 9], "rate": [0, float("inf")], "precision": ["32-true", "16-mixed"], "sizes": [1, 8]}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.steps=0", "--set 'train.steps=0': train.steps must be from 1 to 9, but is 0"),
        ("train.steps=10", "train.steps must be from 1 to 9"),
        ("train.rate=-1", "train.rate must be at least 0, but is -1.0"),
        ("train.rate=nan", "train.rate must be at least 0, but is nan"),
        ("train.precision=8", "train.precision must be 32-true or 16-mixed, but is '8'"),
        ("train.sizes=[1, 9]", "train.sizes must be from 1 to 8, but is 9"),
    ],
)
def test_values_beyond_the_limits(override: str, message: str) -> None:
    changed = apply_overrides(RECIPE, [override], "r.toml")
    with pytest.raises(InputError) as caught:
        check_limits(changed, LIMITS, "r.toml", overrides=[override])
    assert message in str(caught.value)
    with pytest.raises(InputError, match=r"^r\.toml: train\."):
        check_limits(changed, LIMITS, "r.toml")


def test_values_within_the_limits() -> None:
    check_limits(RECIPE, LIMITS, "r.toml")
    check_limits({"train": {"steps": 9}}, LIMITS, "r.toml")  # from before the other settings


def test_shipped_recipes_keep_their_limits() -> None:
    descriptor = load_system("point_sup")
    limits = dict(flatten(descriptor.limits()))
    for name in descriptor.recipes():
        recipe, file = read_recipe(descriptor, name)
        check_limits(recipe, descriptor.limits(), file)
        free = {key for key, value in flatten(recipe) if key not in limits and not isinstance(value, bool)}
        assert free == {"network.backbone"}, "the backbones know their names themselves"
        assert limits.keys() <= dict(flatten(recipe)).keys()
