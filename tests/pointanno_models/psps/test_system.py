"""PSPS as the engine sees it: recipes, schedule, predictions, whole trainings in a run folder."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pointanno.dataset import PanopticPrediction, PointDataset
from pointanno.errors import InputError
from pointanno.formats import coco_point
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.systems import load_system
from pointanno_models.engine.prediction import Predictor
from pointanno_models.engine.tiling import predict_any_size
from pointanno_models.engine.worker import train
from pointanno_models.psps.recipe import PSPSRecipe
from pointanno_models.psps.system import PSPS
from pointanno_models.recipe import recipe_from_mapping

from .conftest import TINY, MakeSystem, batch_of, new_network, tiny_recipe


def recipe_of(name: str) -> PSPSRecipe:
    table = tomllib.loads(load_system("psps").recipe_file(name).read_text(encoding="utf-8"))
    return recipe_from_mapping(PSPSRecipe, table, name)


def test_recipes_are_those_of_the_paper() -> None:
    """Sizes, weights and schedules of the published trainings on VOC and COCO."""
    assert load_system("psps").recipes() == ("paper", "paper_coco", "small")
    voc, coco = recipe_of("paper"), recipe_of("paper_coco")
    assert (voc.network.queries, voc.network.channels, voc.network.embedding_channels) == (300, 256, 128)
    assert (voc.network.thing_layers, voc.network.stuff_layers, voc.network.semantic_layers) == (4, 6, 6)
    assert voc.network == coco.network and voc.losses == coco.losses and voc.matching == coco.matching
    assert (voc.train.steps, voc.train.milestones) == (20 * 662, (15 * 662,))
    assert (coco.train.steps, coco.train.milestones) == (12 * 14659, (8 * 14659,))
    assert voc.data.short_sides == (600,) and coco.data.short_sides == tuple(range(480, 801, 32))
    assert (voc.test.short_side, coco.test.short_side) == (600, 800)
    assert (voc.labels.click_square, voc.labels.grid_stride) == (17, 16)


@pytest.mark.parametrize(
    ("table", "values", "message"),
    [
        ("network", {"heads": 3}, "channels must be a multiple of 4 and of heads .3., but is 16"),
        ("network", {"first_stage": 4, "last_stage": 3}, "first_stage must not be deeper than last_stage"),
        ("network", {"querys": 4}, "no setting network.querys; did you mean network.queries"),
        ("labels", {"click_square": 4}, "click_square must be 0 or an odd number of pixels, but is 4"),
        ("test", {"tile": 8}, "tile must be 0 or at least 16"),
        ("test", {"tile": 64, "tile_overlap": 64}, "tile_overlap must be smaller than tile"),
        ("data", {"channels": 0}, "write that number here"),
        ("network", {"backbone": "resnet19"}, "network.backbone is 'resnet19'"),
    ],
)
def test_recipes_that_cannot_work(table: str, values: dict[str, Any], message: str, clicks: PointDataset) -> None:
    with pytest.raises(InputError, match=message):
        PSPS(tiny_recipe({table: values}), clicks.categories, recipe_file="r.toml").build_network(weights=None)


def test_learning_rates_of_the_groups(make_system: MakeSystem) -> None:
    """The backbone, sampling offsets and reference points change ten times slower; tenths at the milestone."""
    system = make_system(train={"backbone_factor": 0.1, "steps": 40, "milestones": [30]})
    network = new_network(system)
    optimizer, scheduler = system.build_optimizer(network, "train", 20)
    rates = {parameter: group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        is_slow = name.startswith("backbone.") or "sampling_offsets" in name or ".reference_points." in name
        assert rates[parameter] == pytest.approx(5e-5 if is_slow else 5e-4), name
    seen = []
    for _ in range(20):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    # half as long as the recipe: the milestone is at 15
    assert seen == pytest.approx([5e-4] * 15 + [5e-5] * 5)


def test_warm_up_follows_the_schedule(make_system: MakeSystem) -> None:
    """Counted by the learning rate's schedule, which a checkpoint holds; never longer than half of a training."""
    system = make_system(losses={"warmup_steps": 4})
    network = new_network(system)
    assert system.warmup == 1.0  # not in a training
    optimizer, scheduler = system.build_optimizer(network, "train", 20)
    seen = []
    for _ in range(6):
        seen.append(system.warmup)
        optimizer.step()
        scheduler.step()
    assert seen == [0, 0.25, 0.5, 0.75, 1, 1]
    again = make_system(losses={"warmup_steps": 4})
    _, restored = again.build_optimizer(new_network(again), "train", 20)
    restored.load_state_dict({**scheduler.state_dict(), "last_epoch": 2})
    assert again.warmup == 0.5
    short = make_system(losses={"warmup_steps": 100})
    _, scheduler = short.build_optimizer(new_network(short), "train", 10)
    scheduler.last_epoch = 5
    assert short.warmup == 1
    # one pass over four pictures would be a single step: at least 100
    automatic = make_system(losses={"warmup_steps": 0})
    _, scheduler = automatic.build_optimizer(new_network(automatic), "train", 1000)
    scheduler.last_epoch = 50
    assert automatic.warmup == 0.5


def test_full_pictures_are_told(make_system: MakeSystem) -> None:
    system = make_system(network={"queries": 2})
    assert len(system.notes) == 1
    assert "but the network finds at most 2; raise it by --set network.queries=50" in system.notes[0]
    assert make_system().notes == ()


def test_pseudo_masks_can_be_watched(make_system: MakeSystem) -> None:
    """The hook is told batch and masks; without it nothing is kept."""
    system = make_system()
    network = new_network(system).train()
    seen: list[int] = []
    system.on_labels = lambda batch, labels: seen.append(len(labels))
    system.training_step(network, batch_of(system))
    assert seen == [2]
    system.on_labels = None
    system.training_step(network, batch_of(system))
    assert seen == [2]


def certain(network: Any) -> None:
    """Weights that make an untrained network sure of everything, so that merging has something to do."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "class_heads" in name and name.endswith("bias"):
                parameter.fill_(3.0)
            if name.endswith("fuse.bias"):
                parameter.fill_(1.0)


@pytest.mark.parametrize("size", [(40, 57), (128, 128), (300, 33), (9, 9)])
def test_predictions_are_valid_panoptic_maps(make_system: MakeSystem, size: tuple[int, int]) -> None:
    system = make_system()
    network = new_network(system).eval()
    certain(network)
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    found = system.predict(network, picture)
    assert found.panoptic_seg.shape == size and found.panoptic_seg.dtype == np.int32
    assert len(found.segments_info) > 0
    areas = np.bincount(found.panoptic_seg.ravel())
    isthing = {category.id: category.isthing for category in system.categories}
    for info in found.segments_info:
        assert info["area"] == areas[info["id"]] > 0
        assert info["isthing"] == isthing[info["category_id"]]
        assert 0.25 <= info["score"] <= 1
    assert set(np.unique(found.panoptic_seg)) <= {0, *(info["id"] for info in found.segments_info)}
    stuff = [info["category_id"] for info in found.segments_info if not info["isthing"]]
    assert len(stuff) == len(set(stuff))


def test_large_pictures_are_predicted_in_tiles(make_system: MakeSystem) -> None:
    """Tiles of 64 pixels; stuff is one segment over all of them."""
    system: Any = make_system(test={"long_side": 0, "tile": 64, "tile_overlap": 16})
    network = new_network(system).eval()
    certain(network)
    picture = np.random.default_rng(0).integers(0, 255, (100, 150, 3), dtype=np.uint8)
    told: list[tuple[int, int]] = []
    found = predict_any_size(system, network, picture, on_tile=lambda done, total: told.append((done, total)))
    assert isinstance(found, PanopticPrediction)
    assert found.panoptic_seg.shape == (100, 150) and told[-1] == (6, 6)
    stuff = [info["category_id"] for info in found.segments_info if not info["isthing"]]
    assert len(stuff) == len(set(stuff))
    # without tiles such a picture is predicted at once, made smaller
    assert make_system().tiling().size == 0


def test_pictures_without_stuff_or_things(make_system: MakeSystem, clicks: PointDataset) -> None:
    for isthing in (True, False):
        categories = tuple(category for category in clicks.categories if category.isthing is isthing)
        kept = {category.id for category in categories}
        targets = tuple(target for target in clicks.targets if target.category_id in kept)
        system = make_system("points", replace(clicks, categories=categories, targets=targets))
        network = new_network(system).train()
        losses = system.training_step(network, batch_of(system))
        assert all(torch.isfinite(loss) for loss in losses.values())
        certain(network)
        found = system.predict(network.eval(), np.zeros((50, 50, 3), np.uint8))
        assert {info["isthing"] for info in found.segments_info} <= {isthing}


def settings_of_tiny() -> tuple[str, ...]:
    return tuple(f"{table}.{key}={value}" for table, values in TINY.items() for key, value in values.items())


def run_of(folder: Path, name: str, clicks: PointDataset, scenes: Path, **options: Any) -> RunFolder:
    """A run folder for eight steps."""
    data = folder / "clicks.json"
    coco_point.write(clicks, data)
    overrides = ("train.batch_size=2", "losses.warmup_steps=6", *settings_of_tiny())
    arguments = TrainArguments(
        data=data, images=scenes / "images", system="psps", device="cpu", threads=1, steps=8, overrides=overrides,
        **options,
    )  # fmt: skip
    return create_run(arguments, folder / name)


def losses_by_step(run: RunFolder) -> dict[int, dict[str, float]]:
    return {event["step"]: event["losses"] for event in run.events() if event["kind"] == "step"}


def test_stopped_and_resumed_gives_the_same_losses(tmp_path: Path, clicks: PointDataset, scenes: Path) -> None:
    """Bit for bit, with the stop in the middle of the warm-up."""
    whole, parts = (run_of(tmp_path, name, clicks, scenes) for name in ("whole", "parts"))
    train(whole)

    def listen(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["step"] == 3:
            parts.request_stop()

    assert train(parts, listener=listen)["reason"] == "stopped"
    assert max(losses_by_step(parts)) == 3
    assert train(parts)["reason"] == "finished"
    assert losses_by_step(parts) == losses_by_step(whole)
    assert len(losses_by_step(whole)) == 8


def test_a_run_validates_predicts_and_tells_what_it_left_out(
    tmp_path: Path, clicks: PointDataset, scenes: Path
) -> None:
    """PQ at the end, pictures of predictions, a warning about a picture that is not declared complete."""
    images = (replace(clicks.images[0], complete={"things": True, "stuff": False}), *clicks.images[1:])
    run = run_of(
        tmp_path, "run", replace(clicks, images=images), scenes,
        val=scenes / "panoptic.json", val_images=scenes / "images",
    )  # fmt: skip
    assert train(run)["reason"] == "finished"
    events = list(run.events())
    [warned] = [event["message"] for event in events if event["kind"] == "warn"]
    assert warned.startswith("1 of 4 pictures have clicks but are not declared complete and are left out")
    [scored] = [event for event in events if event["kind"] == "val"]
    assert {"pq", "pq_things", "pq_stuff"} <= scored["values"].keys()
    assert any(event["kind"] == "sample" for event in events)
    predictor = Predictor(run, "best", "cpu")
    found = predictor(np.zeros((64, 64, 3), np.uint8))
    assert isinstance(found, PanopticPrediction)
