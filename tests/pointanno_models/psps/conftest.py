"""Small data sets with clicks and with masks, and the recipe made small enough for tests."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pointanno.dataset import PointDataset
from pointanno.formats import read_dataset
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate
from pointanno.systems import load_system
from pointanno_models.psps.network import PSPSNetwork
from pointanno_models.psps.system import PSPS

TINY: dict[str, dict[str, Any]] = {
    "network": {"channels": 16, "heads": 2, "points": 2, "ffn_channels": 32, "encoder_layers": 1, "queries": 24},
}

MakeSystem = Callable[..., PSPS]


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four generated scenes of 64 pixels."""
    return write_scenes(tmp_path_factory.mktemp("psps_scenes"), 4, 64, seed=11)


@pytest.fixture(scope="session")
def truth(scenes: Path) -> PointDataset:
    return read_dataset(scenes / "panoptic.json")


@pytest.fixture(scope="session")
def clicks(truth: PointDataset) -> PointDataset:
    """One click on each object and each kind of stuff."""
    return simulate(truth, "single-point", seed=0)


def tiny_recipe(changes: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """The recipe `small` with a network that takes milliseconds, and further changes by table."""
    recipe = tomllib.loads(load_system("psps").recipe_file("small").read_text(encoding="utf-8"))
    for table in (TINY, changes or {}):
        for name, values in table.items():
            recipe[name] |= values
    return recipe


@pytest.fixture
def make_system(scenes: Path, truth: PointDataset, clicks: PointDataset) -> MakeSystem:
    """A prepared system: `make_system("masks", train={"steps": 4})`."""

    def make(supervision: str = "points", dataset: PointDataset | None = None, **changes: dict[str, Any]) -> PSPS:
        dataset = dataset or (clicks if supervision == "points" else truth)
        system = PSPS(tiny_recipe(changes), dataset.categories, recipe_file="test.toml")
        system.prepare(dataset, scenes / "images", supervision=supervision, stage="train", products=scenes)
        return system

    return make


def new_network(system: PSPS, seed: int = 0) -> PSPSNetwork:
    torch.manual_seed(seed)
    network = system.build_network(weights=None)
    assert isinstance(network, PSPSNetwork)
    return network


def batch_of(system: PSPS, count: int = 2, seed: int = 0) -> Any:
    return system.collate([system.sample(index, np.random.default_rng((seed, index))) for index in range(count)])
