"""What every system must be able to do, found by name; a new system gets these tests for free."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from pycocotools import mask as mask_api

from pointanno.dataset import InstancePrediction, PanopticPrediction, PointDataset, Prediction
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.scenes import write_scenes
from pointanno.systems import available_systems, load_system

SYSTEMS = available_systems()
BOX_SYSTEMS = [name for name in SYSTEMS if load_system(name).annotation == "box_points"]
"""Those that learn from boxes and find instances."""
PANOPTIC_SYSTEMS = [name for name in SYSTEMS if load_system(name).output == "panoptic"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generated scenes with points and masks."""
    return write_scenes(tmp_path_factory.mktemp("scenes"), 3, 128, seed=5)


def _recipe(name: str, recipe: str = "small") -> dict[str, Any]:
    table = tomllib.loads(load_system(name).recipe_file(recipe).read_text(encoding="utf-8"))
    table["network"]["weights"] = "none"
    return table


def _system(name: str, dataset: PointDataset, images: Path, supervision: str, **recipe: str) -> Any:
    system = load_system(name).load()(_recipe(name, **recipe), dataset.categories, recipe_file="test.toml")
    system.prepare(dataset, images, supervision=supervision, stage=system.stages()[0], products=images.parent)
    return system


def _data(scenes: Path, supervision: str, name: str = "point_sup") -> PointDataset:
    masks = "panoptic.json" if name in PANOPTIC_SYSTEMS else "instances.json"
    return read_dataset(scenes / ("points.json" if supervision == "points" else masks))


def _losses(system: Any, network: torch.nn.Module, seed: int) -> dict[str, torch.Tensor]:
    samples = [system.sample(index, np.random.default_rng((seed, index))) for index in range(2)]
    torch.manual_seed(seed)
    return dict(system.training_step(network, system.collate(samples)))


# every recipe that suits two cores; the large ones are built without memory in test_recipe.py
RECIPES = [(name, recipe) for name in SYSTEMS for recipe in load_system(name).recipes() if recipe.startswith("small")]
CASES = [
    (name, recipe, kind)
    for name, recipe in RECIPES
    for kind in load_system(name).supervisions
    # self-training makes masks, so it refuses those that are given: see point_sup/test_system.py
    if not (kind == "masks" and recipe.endswith("self_training"))
]


@pytest.mark.parametrize(("name", "recipe", "supervision"), CASES)
def test_step_reaches_every_weight_and_repeats(name: str, recipe: str, supervision: str, scenes: Path) -> None:
    system = _system(name, _data(scenes, supervision, name), scenes / "images", supervision, recipe=recipe)
    torch.manual_seed(0)
    network = system.build_network(weights=None).train()
    first = _losses(system, network, seed=3)
    assert all(torch.isfinite(loss) and loss.ndim == 0 for loss in first.values())
    torch.stack(list(first.values())).sum().backward()
    without = [key for key, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    assert not without
    second = _losses(system, network, seed=3)
    assert {key: loss.item() for key, loss in first.items()} == {key: loss.item() for key, loss in second.items()}


@pytest.mark.parametrize("name", SYSTEMS)
def test_paper_recipe_builds_its_network(name: str, scenes: Path) -> None:
    system = _system(name, _data(scenes, "points"), scenes / "images", "points", recipe="paper")
    network = system.build_network(weights=None)
    optimizer, schedule = system.build_optimizer(network, system.stages()[0], 100)
    before = optimizer.param_groups[0]["lr"]
    for _ in range(20):
        optimizer.step()
        schedule.step()
    if "warmup_steps" in _recipe(name, "paper")["train"]:
        assert optimizer.param_groups[0]["lr"] > before
    else:  # published without one
        assert optimizer.param_groups[0]["lr"] == before == _recipe(name, "paper")["train"]["learning_rate"]


@pytest.mark.parametrize(("name", "recipe"), [case for case in RECIPES if case[0] in BOX_SYSTEMS])
@pytest.mark.parametrize("size", [(40, 57), (128, 128), (200, 33)])
def test_prediction_fits_the_picture(name: str, recipe: str, size: tuple[int, int], scenes: Path) -> None:
    system = _system(name, _data(scenes, "points"), scenes / "images", "points", recipe=recipe)
    torch.manual_seed(0)
    network = system.build_network(weights=None).eval()
    with torch.no_grad():  # an untrained network finds nothing above the usual threshold
        network.roi_heads.score_thresh = 0.0
    picture = np.random.default_rng(0).integers(0, 255, size=(*size, 3), dtype=np.uint8)
    found = system.predict(network, picture)
    assert isinstance(found, InstancePrediction)
    assert len(found) > 0
    assert found.boxes.shape == (len(found), 4)
    assert (np.diff(found.scores) <= 0).all()
    known = {category.id for category in system.categories if category.isthing}
    assert set(found.category_ids.tolist()) <= known
    for rle, box in zip(found.rles, found.boxes, strict=True):
        assert tuple(rle["size"]) == size
        x, y, width, height = mask_api.toBbox(dict(rle))
        assert x >= box[0] - 1
        assert y >= box[1] - 1
        assert x + width <= box[2] + 1
        assert y + height <= box[3] + 1


@pytest.mark.parametrize(("name", "recipe"), [case for case in RECIPES if case[0] in PANOPTIC_SYSTEMS])
@pytest.mark.parametrize("size", [(40, 57), (128, 128), (200, 33)])
def test_panoptic_prediction_fits_the_picture(name: str, recipe: str, size: tuple[int, int], scenes: Path) -> None:
    system = _system(name, _data(scenes, "points", name), scenes / "images", "points", recipe=recipe)
    torch.manual_seed(0)
    network = system.build_network(weights=None).eval()
    with torch.no_grad():  # an untrained network is sure of nothing
        for key, weight in network.named_parameters():
            if key.endswith("bias") and ("class_heads" in key or "fuse" in key):
                weight.fill_(3.0)
    picture = np.random.default_rng(0).integers(0, 255, size=(*size, 3), dtype=np.uint8)
    found = system.predict(network, picture)
    assert isinstance(found, PanopticPrediction)
    assert found.panoptic_seg.shape == size and len(found.segments_info) > 0
    known = {category.id: category.isthing for category in system.categories}
    ids, areas = np.unique(found.panoptic_seg[found.panoptic_seg > 0], return_counts=True)
    assert {info["id"]: info["area"] for info in found.segments_info} == dict(
        zip(ids.tolist(), areas.tolist(), strict=True)
    )
    assert all(known[info["category_id"]] == info["isthing"] for info in found.segments_info)


@pytest.mark.parametrize("name", SYSTEMS)
def test_grey_and_sixteen_bit_pictures_are_predicted(name: str, scenes: Path) -> None:
    system = _system(name, _data(scenes, "points"), scenes / "images", "points")
    network = system.build_network(weights=None).eval()
    shapes: tuple[tuple[tuple[int, ...], type], ...] = (
        ((64, 64), np.uint8),
        ((64, 64), np.uint16),
        ((64, 64, 5), np.float32),
    )
    for shape, dtype in shapes:
        found: Prediction = system.predict(network, np.full(shape, 200, dtype))
        assert isinstance(found, PanopticPrediction if name in PANOPTIC_SYSTEMS else InstancePrediction)


@pytest.mark.parametrize("name", PANOPTIC_SYSTEMS)
def test_data_without_clicks_is_refused(name: str, scenes: Path) -> None:
    masks = _data(scenes, "masks", name)
    with pytest.raises(InputError, match="the data set has no click to learn from"):
        _system(name, masks, scenes / "images", "points")
    with pytest.raises(InputError, match="the data set has no masks to learn from"):
        _system(name, PointDataset(masks.images, masks.categories), scenes / "images", "masks")
    with pytest.raises(InputError, match="needs a mask for every instance"):
        _system(name, _data(scenes, "points", name), scenes / "images", "masks")
    with pytest.raises(InputError, match=r"scene_0005\.png: image 1 of the data set is not there"):
        _system(name, masks, scenes / "elsewhere", "masks")


@pytest.mark.parametrize("name", BOX_SYSTEMS)
def test_data_without_answers_is_refused(name: str, scenes: Path) -> None:
    masks = _data(scenes, "masks")
    with pytest.raises(InputError, match="no box of the data set has an answered point"):
        _system(name, masks, scenes / "images", "points")
    with pytest.raises(InputError, match="the data set has no boxes to learn from"):
        _system(name, PointDataset(masks.images, masks.categories), scenes / "images", "points")
    with pytest.raises(InputError, match="needs a mask for every instance"):
        _system(name, _data(scenes, "points"), scenes / "images", "masks")
    with pytest.raises(InputError, match=r"scene_0005\.png: image 1 of the data set is not there"):
        _system(name, masks, scenes / "elsewhere", "masks")


@pytest.mark.parametrize(("name", "recipe"), [case for case in RECIPES if case[0] in BOX_SYSTEMS])
def test_a_crop_without_objects_trains(name: str, recipe: str, scenes: Path, tmp_path: Path) -> None:
    """A tiny object in a large empty picture: most crops show nothing, and the loss stays finite."""
    dataset = _data(scenes, "points")
    PillowImage.fromarray(np.zeros((128, 128, 3), np.uint8)).save(tmp_path / "empty.png")
    first = dataset.images[0]
    only = next(instance for instance in dataset.instances if instance.image_id == first.id)
    (tmp_path / first.file_name).write_bytes((tmp_path / "empty.png").read_bytes())
    system = _system(name, PointDataset((first,), dataset.categories, (only,)), tmp_path, "points", recipe=recipe)
    network = system.build_network(weights=None).train()
    for seed in range(3):
        sample = system.sample(0, np.random.default_rng(seed))
        batch = system.collate([sample, sample])
        for target in batch["targets"]:
            for key in target:
                target[key] = target[key][:0]
        losses = system.training_step(network, batch)
        assert all(torch.isfinite(loss) for loss in losses.values())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "recipe", "supervision"), CASES)
def test_two_pictures_can_be_learnt_by_heart(name: str, recipe: str, supervision: str, scenes: Path) -> None:
    system = _system(name, _data(scenes, supervision, name), scenes / "images", supervision, recipe=recipe)
    torch.manual_seed(0)
    network = system.build_network(weights=None).train()
    optimizer, schedule = system.build_optimizer(network, system.stages()[0], 150)
    history = []
    for step in range(150):
        loss = torch.stack(list(_losses(system, network, seed=step).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        history.append(loss.item())
    # beside a network that has learnt nothing, measured now: losses that are warmed up were small at first
    torch.manual_seed(0)
    untaught = system.build_network(weights=None).train()
    with torch.no_grad():
        before = [
            torch.stack(list(_losses(system, untaught, seed=step).values())).sum().item() for step in range(140, 150)
        ]
    assert np.mean(history[-10:]) < 0.6 * np.mean(before), (history, before)
