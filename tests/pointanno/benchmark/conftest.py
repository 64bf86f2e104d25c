"""The toy system, announced to this process and to children, with scenes to train on and a plan of few steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pointanno.scenes import write_scenes

ROOT = Path(__file__).parents[3]

PLAN = """
title = "Toy"
indifferent = ["train.checkpoint_every", "trouble.seconds"]

[[data_sets]]
name = "scenes"
title = "Scenes"
train = "scenes/train"
val = "scenes/val"
overrides = ["train.batch_size=2"]

[schedules.small]
title = "as they ship"

[schedules.gpu]
title = "wider"
overrides = ["network.channels=8"]

[[rows]]
name = "first"
title = "P10"
data_set = "scenes"
group = "ten"
overrides = ["network.stages=['first']"]

[[rows]]
name = "other-seed"
title = "P10"
data_set = "scenes"
seed = 1
group = "ten"
overrides = ["network.stages=['first']"]

[[rows]]
name = "continued"
title = "P5, continued"
data_set = "scenes"
points = 5
init = "first"
twin = "first"
overrides = ["network.stages=['first']"]

[[ratios]]
title = "continued / first"
of = "continued"
to = "ten"
"""


@pytest.fixture(scope="session")
def toy_site(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Folders for the module path: the toy package of the engine's tests, and the entry point that announces it."""
    site = tmp_path_factory.mktemp("site")
    info = site / "toy_points-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-points\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[pointanno.systems]\ntoy_points = toy_points:SYSTEM\n")
    return [str(ROOT / "tests" / "pointanno_models" / "engine" / "toy"), str(site)]


@pytest.fixture
def toy_installed(toy_site: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for path in toy_site:
        monkeypatch.syspath_prepend(path)
    roots = [str(ROOT / root) for root in (".", "models", "plugins")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*toy_site, *roots]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for ``--data``."""
    folder = tmp_path_factory.mktemp("data")
    write_scenes(folder / "scenes" / "train", 4, 48, seed=0)
    write_scenes(folder / "scenes" / "val", 3, 48, seed=50)
    return folder


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path
