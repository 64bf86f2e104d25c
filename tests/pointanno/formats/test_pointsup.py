from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from pointanno.dataset import PointDataset
from pointanno.errors import InputError
from pointanno.formats import pointsup, read_dataset
from pointanno.formats.pointsup import pointsup_file_name
from pointanno.formats.validate import validate_file

OFFICIAL_KEYS = {"id", "image_id", "category_id", "iscrowd", "area", "bbox", "point_coords", "point_labels"}


def test_the_file_has_the_name_that_the_published_recipe_looks_for() -> None:
    assert pointsup_file_name("instances_train2017", 10) == "instances_train2017_n10_v1_without_masks.json"
    assert pointsup_file_name("cells", 5, 3) == "cells_n5_v3_without_masks.json"
    with pytest.raises(ValueError, match="version must be 1 or more"):
        pointsup_file_name("cells", 5, 0)


def test_unequal_counts_are_padded_to_one(tmp_path: Path, rich_dataset: PointDataset) -> None:
    path = tmp_path / "a.json"
    pointsup.write(rich_dataset, path, points_per_instance=10)
    data = orjson.loads(path.read_bytes())
    assert set(data) == {"info", "licenses", "images", "annotations", "categories"}
    assert all(set(entry) == OFFICIAL_KEYS for entry in data["annotations"])
    of_image = [entry for entry in data["annotations"] if entry["image_id"] == 1]
    stacked = np.array([entry["point_coords"] for entry in of_image])
    assert stacked.shape == (3, 10, 2)  # [n, N, 2], what the loader stacks
    first = data["annotations"][0]
    assert first["point_coords"][3:] == [[4, 7]] * 7  # the last one repeated
    assert first["point_labels"] == [1, 0, -1] + [-1] * 7
    assert [category["id"] for category in data["categories"]] == [1, 7]  # no class for stuff
    assert validate_file(path, strict=True) == []


def test_more_points_than_wanted_are_cut(rich_dataset: PointDataset) -> None:
    data = pointsup.dataset_to_dict(rich_dataset, points_per_instance=2)
    assert data["annotations"][0]["point_coords"] == [[3, 5], [9, 11]]


def test_by_default_the_largest_number_counts(rich_dataset: PointDataset) -> None:
    data = pointsup.dataset_to_dict(rich_dataset)
    assert {len(entry["point_labels"]) for entry in data["annotations"]} == {3}


def test_there_and_back(tmp_path: Path, rich_dataset: PointDataset) -> None:
    path = tmp_path / "a.json"
    pointsup.write(rich_dataset, path, points_per_instance=3)
    again = read_dataset(path)
    assert again.points_per_instance == 3
    pointsup.write(again, tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == path.read_bytes()


def test_a_crowd_without_points_is_refused(tmp_path: Path, rich_dataset: PointDataset) -> None:
    data = orjson.loads(orjson.dumps(pointsup.dataset_to_dict(rich_dataset)))
    del data["annotations"][1]["point_coords"]
    (tmp_path / "a.json").write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match=r"a\.json, annotation 2: point_coords is missing"):
        read_dataset(tmp_path / "a.json")


def test_published_files_are_read(data_folder: Path) -> None:
    dataset = read_dataset(data_folder / "coco_mini" / "train" / "pointsup_n10.json")
    assert len(dataset.instances) == 648
    assert dataset.points_per_instance == 10
    assert any(instance.iscrowd for instance in dataset.instances)
    assert all(instance.area is not None for instance in dataset.instances)
