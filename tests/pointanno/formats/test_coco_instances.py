from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.formats import coco_instances, read_dataset
from pointanno.formats.coco_instances import dict_to_dataset
from pointanno.formats.rle import rle_area


def test_masks_of_any_form_become_codes(instances_json: dict[str, Any]) -> None:
    before = copy.deepcopy(instances_json)
    dataset = dict_to_dataset(instances_json)
    assert instances_json == before
    first, crowd = dataset.instances
    assert first.mask is not None and crowd.mask is not None
    assert isinstance(first.mask.rle["counts"], str)
    assert rle_area(crowd.mask.rle) == 40
    assert crowd.iscrowd
    assert first.box.x0 == 2.4
    assert len(first.points) == 0
    assert crowd.extra == {"source": "old"}
    assert dataset.images[1].extra == {"photo": "p"}
    assert dataset.categories[1].isthing


def test_there_and_back(tmp_path: Path, instances_json: dict[str, Any]) -> None:
    dataset = dict_to_dataset(instances_json)
    coco_instances.write(dataset, tmp_path / "a.json")
    assert read_dataset(tmp_path / "a.json") == dataset
    assert coco_instances.dataset_to_dict(dataset)["annotations"][0]["bbox"] == [2.4, 4.1, 3.2, 2.9]


def test_what_can_be_mended_is_mended(instances_json: dict[str, Any]) -> None:
    first, second = instances_json["annotations"]
    second["id"] = first["id"]
    first["bbox"] = [2.4, 4.1, 0, 2.9]
    dataset = dict_to_dataset(instances_json)
    assert [instance.id for instance in dataset.instances] == [1, 2]
    assert dataset.instances[0].box.x1 > dataset.instances[0].box.x0
    del first["segmentation"]
    assert [instance.id for instance in dict_to_dataset(instances_json).instances] == [2]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("bbox", [2, 4, 80, 3], r"i\.json, annotation 1: bbox .* lies outside the picture of 30 x 20 pixels"),
        ("category_id", 4, r"i\.json, annotation 1: category_id 4 is not among 3, 90"),
        ("segmentation", [[1.0, 2.0]], r"i\.json, annotation 1, segmentation: a polygon needs"),
        ("segmentation", "x", r"i\.json, annotation 1: segmentation must be polygons or run lengths, but is text"),
    ],
)
def test_what_cannot_be_mended_is_named(instances_json: dict[str, Any], key: str, value: Any, message: str) -> None:
    instances_json["annotations"][0][key] = value
    with pytest.raises(InputError, match=message):
        dict_to_dataset(instances_json, name="i.json")


def test_a_real_file_with_repeated_ids_and_boxes_that_stick_out(data_folder: Path) -> None:
    dataset = read_dataset(data_folder / "taco_json" / "annotations.json")
    assert (len(dataset.images), len(dataset.instances), len(dataset.categories)) == (1500, 4784, 60)
    assert len({instance.id for instance in dataset.instances}) == 4784
    assert dataset.categories[-1].id == 59
    assert min(category.id for category in dataset.categories) == 0
