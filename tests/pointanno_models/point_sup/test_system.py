"""Stages of PointSup, and its agreement with answers."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pointanno.dataset import Box, Category, Instance, Points
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs import RunFolder, TrainArguments, create_run
from pointanno.scenes import write_scenes
from pointanno.systems import load_system
from pointanno_models.engine.worker import train
from pointanno_models.point_sup.system import PointSup

CATEGORIES = (Category(7, "cell", True),)


def recipe(name: str = "small", **self_training: Any) -> dict[str, Any]:
    table = tomllib.loads(load_system("point_sup").recipe_file(name).read_text(encoding="utf-8"))
    table["self_training"] |= self_training
    return table


def system(table: dict[str, Any]) -> PointSup:
    return PointSup(table, CATEGORIES, recipe_file="test.toml")


def test_stages_follow_the_recipe() -> None:
    assert system(recipe()).stages() == ("train",)
    whole = system(recipe("small_self_training"))
    assert whole.stages() == ("train", "pseudo_label", "retrain")
    assert [whole.schedule(stage).steps > 0 for stage in whole.stages()] == [True, False, True]
    assert [whole.starts_fresh(stage) for stage in whole.stages()] == [False, False, True]
    assert system(recipe(enabled=True, first_stage="pseudo_label")).stages() == ("pseudo_label", "retrain")


def test_self_training_refuses_masks(tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", 1, 64, seed=0)
    dataset = read_dataset(scenes / "instances.json")
    made = PointSup(recipe("small_self_training"), dataset.categories, recipe_file="test.toml")
    with pytest.raises(InputError, match="self-training makes masks from answered points"):
        made.prepare(dataset, scenes / "images", supervision="masks", stage="train", products=tmp_path)


class LeftHalf(nn.Module):
    """Says that every object is the left half of its box, its logit falling evenly from 4 to -4."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def masks_of_boxes(
        self, images: Tensor, image_sizes: list[tuple[int, int]], boxes: list[Tensor], labels: list[Tensor]
    ) -> list[Tensor]:
        assert labels[0].tolist() == [1] * len(boxes[0])
        row = torch.linspace(4, -4, 28).sigmoid()
        return [row.expand(len(boxes[0]), 28, 28)]


def test_agreement_by_hand() -> None:
    """Box 10..30 x 10..30: pixels up to column 19 are object for the network.

    Right: (12, 15) object, (25, 15) background, (19, 20) object. Wrong: (20, 20) object. Not counted: an unanswered
    point, and (30, 12), whose centre lies outside. The second box has one point, which is right.
    """

    def instance(number: int, box: Box, *entries: tuple[int, int, int]) -> Instance:
        values = np.array(entries)
        return Instance(number, 1, 7, box, Points.answered(values[:, :2], values[:, 2], source="test"))

    instances = [
        instance(1, Box(10, 10, 30, 30), (12, 15, 1), (25, 15, 0), (19, 20, 1), (20, 20, 1), (15, 15, -1), (30, 12, 0)),
        instance(2, Box(40, 40, 50, 50), (48, 44, 0)),
    ]
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    assert system(recipe()).point_accuracy(LeftHalf(), image, instances) == (4, 5)


TINY = (
    "train.checkpoint_every=2", "train.batch_size=2", "data.crop=64", "network.fpn_channels=16",
    "detector.box_head_channels=16", "detector.mask_head_channels=16", "detector.rpn_post_nms_top_n_train=40",
)  # fmt: skip


def test_labels_of_another_run_teach_a_fresh_network(tmp_path: Path) -> None:
    """The second way into self-training, in full but short; and its masks train by themselves too."""
    scenes = write_scenes(tmp_path / "scenes", 2, 64, seed=1)

    def run(name: str, *overrides: str, **options: Any) -> RunFolder:
        arguments = TrainArguments(
            data=options.pop("data", scenes / "points.json"), images=scenes / "images", device="cpu", threads=1,
            overrides=(*TINY, *overrides), steps=2, **options,
        )  # fmt: skip
        made = create_run(arguments, tmp_path / name)
        train(made)
        return made

    teacher = run("teacher")
    begin = ("self_training.enabled=true", "self_training.first_stage=pseudo_label")
    student = run("student", *begin, "self_training.max_disagreement=1.0", init=teacher.path)
    assert student.status().state == "finished" and student.status().stage == "retrain"
    review = student.review()
    assert review is not None and review.labelled == len(read_dataset(scenes / "points.json").instances)
    masks = student.stages_folder / "pseudo_label" / "pseudo_masks.json"
    again = run("again", data=masks, supervision="masks")
    assert again.status().state == "finished"
    with pytest.raises(InputError, match="works with a trained network; name the run that trained it by --init"):
        run("alone", *begin)
