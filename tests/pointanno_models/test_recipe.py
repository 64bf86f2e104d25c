"""Recipes: complete, checked, and each of them builds its network."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
import torch

from pointanno.errors import InputError
from pointanno.systems import available_systems, load_system
from pointanno_models.point_sup.network import build_network
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
        (lambda t: t["mask_head"].update(kind="round"), "my.toml: mask_head.kind must be 'conv' or 'implicit', but is"),
        (lambda t: t["implicit"].update(pool_size=7), "my.toml: implicit.pool_size must be even, but is 7"),
        (
            lambda t: t["self_training"].update(first_stage="retrain"),
            "my.toml: self_training.first_stage must be 'train' or 'pseudo_label', but is 'retrain'",
        ),
        (
            lambda t: t["self_training"].update(max_disagreement=30.0),
            "my.toml: self_training.max_disagreement must be between 0 and 1, but is 30.0",
        ),
        (
            lambda t: t["self_training"].update(answer_size=2),
            "my.toml: self_training.answer_size must be an odd number of pixels, but is 2",
        ),
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


def test_recipe_of_an_older_run_is_read() -> None:
    """Settings that came later are absent there; their defaults are what the run did."""
    table = _table("point_sup", "small")
    for later in ("mask_head", "implicit", "self_training"):
        del table[later]
    for group, later in (("data", "channels"), ("test", "tile"), ("test", "tile_overlap")):
        del table[group][later]
    recipe = recipe_from_mapping(PointSupRecipe, table, "recipe.toml")
    assert recipe == recipe_from_mapping(PointSupRecipe, _table("point_sup", "small"), "small.toml")
    assert recipe.mask_head.kind == "conv"
    assert recipe.data.channels == 3


def test_shipped_recipes_of_point_sup() -> None:
    """Each differs from its sibling in what its name says."""
    names = {"small", "paper", "small_implicit", "paper_implicit", "small_self_training", "paper_self_training"}
    assert set(load_system("point_sup").recipes()) == names
    for size in ("small", "paper"):
        plain = _table("point_sup", size)
        plain["mask_head"]["kind"] = "implicit"
        if size == "small":  # the same time, not the same number of steps
            plain["train"]["steps"] = 5700
        assert _table("point_sup", f"{size}_implicit") == plain
        plain = _table("point_sup", size)
        plain["self_training"]["enabled"] = True
        assert _table("point_sup", f"{size}_self_training") == plain


@pytest.mark.parametrize("supervision", ["points", "masks"])
@pytest.mark.parametrize("name", load_system("point_sup").recipes())
def test_every_recipe_builds_its_network(name: str, supervision: str) -> None:
    """Without memory: the published implicit head has 290 million weights in one layer."""
    recipe = recipe_from_mapping(PointSupRecipe, _table("point_sup", name), name)
    with torch.device("meta"):
        network = build_network(recipe, 80, supervision=supervision, pretrained=False)
    weights = sum(weight.numel() for weight in network.parameters())
    assert weights > 3_000_000
    if name == "paper_implicit":
        assert network.roi_heads.mask_head.networks.num_parameters == 283_472


@pytest.mark.parametrize("backbone", ["resnet101", "resnext101_32x8d", "swin_t"])
def test_paper_recipe_with_the_other_published_backbones(backbone: str) -> None:
    table = _table("point_sup", "paper")
    table["network"]["backbone"] = backbone
    recipe = recipe_from_mapping(PointSupRecipe, table, "paper.toml")
    with torch.device("meta"):
        network = build_network(recipe, 80, supervision="points", pretrained=False)
    assert network.backbone.strides == (4, 8, 16, 32, 64)
