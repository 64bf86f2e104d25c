"""Recipes: complete, checked, and each of them builds its network."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.systems import available_systems, load_system
from pointanno_models.point_sup.recipe import PointSupRecipe
from pointanno_models.recipe import recipe_from_mapping


def _table(system: str, recipe: str) -> dict[str, Any]:
    return tomllib.loads(load_system(system).recipe_file(recipe).read_text(encoding="utf-8"))


def _keys(table: dict[str, Any], at: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        found |= _keys(value, f"{at}{key}.") if isinstance(value, dict) else {f"{at}{key}"}
    return found


@pytest.mark.parametrize("name", available_systems())
def test_recipes_of_a_system_have_the_same_keys(name: str) -> None:
    system = load_system(name)
    assert {"paper", "small"} <= set(system.recipes())
    tables = {recipe: _keys(_table(name, recipe)) for recipe in system.recipes()}
    for recipe, keys in tables.items():
        assert keys == tables["small"], recipe


@pytest.mark.parametrize("name", available_systems())
def test_every_value_of_the_paper_recipe_is_commented(name: str) -> None:
    text = (files(load_system(name).package) / "recipes" / "paper.toml").read_text(encoding="utf-8")
    bare = [line for line in text.splitlines() if "=" in line and "#" not in line]
    assert not bare


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t["train"].update(step=5),
            "my.toml: the recipe has no setting train.step; did you mean train.steps?",
        ),
        (lambda t: t["train"].pop("steps"), "my.toml: the recipe lacks the setting train.steps"),
        (lambda t: t["train"].update(steps="many"), "my.toml: train.steps must be of type int, but is 'many'"),
        (lambda t: t["data"].update(scale=[1.0]), "my.toml: data.scale must have 2 entries, but has 1"),
        (
            lambda t: t["detector"].update(anchor_sizes=[8, "x"]),
            r"my.toml: detector.anchor_sizes\[1\] must be of type int",
        ),
        (lambda t: t.update(data=3), "my.toml: data must be a table of settings, but is 3"),
    ],
)
def test_mistakes_are_named(change: Any, message: str) -> None:
    table = _table("point_sup", "small")
    change(table)
    with pytest.raises(InputError, match=message):
        recipe_from_mapping(PointSupRecipe, table, "my.toml")


def test_whole_numbers_are_numbers() -> None:
    table = _table("point_sup", "small")
    table["train"]["learning_rate"] = 1
    assert recipe_from_mapping(PointSupRecipe, table, "my.toml").train.learning_rate == 1.0
