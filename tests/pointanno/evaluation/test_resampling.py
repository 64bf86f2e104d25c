"""Measures of samples of pictures: equal to the measure of a file in which each picture stands as often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Category, Image, PointDataset
from pointanno.errors import InputError
from pointanno.evaluation import average_precision, evaluate_files
from pointanno.evaluation.resampling import ap_of_samples, picture_weights, pq_of_samples, quality_of_samples
from pointanno.formats import read_dataset
from pointanno.formats.coco_instances import dict_to_dataset
from pointanno.formats.rle import mask_to_rle
from pointanno.runs.atomic import replace_file
from pointanno.scenes import write_scenes

SIZE = 40


def _disc(y: float, x: float, radius: float) -> dict[str, Any]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return dict(mask_to_rle((rows - y) ** 2 + (columns - x) ** 2 <= radius**2))


@pytest.fixture(scope="module")
def truth_and_results() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Six pictures of discs of two classes; predictions shifted, of random scores, some missing, some invented."""
    rng = np.random.default_rng(3)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image_id in range(1, 7):
        images.append({"id": image_id, "file_name": f"{image_id}.png", "height": SIZE, "width": SIZE})
        for _ in range(int(rng.integers(1, 5))):
            y, x = rng.uniform(8, 32, 2).tolist()
            category = int(rng.integers(1, 3))
            rle = _disc(y, x, 6)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": category, "iscrowd": 0,
                 "segmentation": rle, "bbox": [x - 6, y - 6, 12, 12], "area": 113.0}
            )  # fmt: skip
            if rng.random() < 0.85:
                shift = rng.normal(0, 1.2, 2)
                results.append(
                    {"file_name": f"{image_id}.png", "category_id": category, "score": float(rng.random()),
                     "segmentation": _disc(y + shift[0], x + shift[1], 6)}
                )  # fmt: skip
        results.append(
            {"file_name": f"{image_id}.png", "category_id": 1, "score": float(rng.random()),
             "segmentation": _disc(rng.uniform(8, 32), rng.uniform(8, 32), 4)}
        )  # fmt: skip
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    return {"images": images, "annotations": annotations, "categories": categories}, results


def _repeated(
    truth: dict[str, Any], results: list[dict[str, Any]], weights: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The files with each picture as often as its weight says."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    for image, weight in zip(truth["images"], weights, strict=True):
        for copy in range(int(weight)):
            number, name = len(images) + 1, f"{copy}_{image['file_name']}"
            images.append({**image, "id": number, "file_name": name})
            for entry in truth["annotations"]:
                if entry["image_id"] == image["id"]:
                    annotations.append({**entry, "id": len(annotations) + 1, "image_id": number})
            more += [{**one, "file_name": name} for one in results if one["file_name"] == image["file_name"]]
    return {**truth, "images": images, "annotations": annotations}, more


def test_weights_of_one_give_the_measure_itself(truth_and_results: Any) -> None:
    truth, results = truth_and_results
    found = ap_of_samples(dict_to_dataset(truth), results, np.ones((1, 6), np.int64))
    expected = average_precision(truth, results)["ap"]
    assert 0.1 < expected < 0.9
    assert found[0] == pytest.approx(expected, abs=1e-12)


def test_a_weight_of_two_counts_like_two_copies(truth_and_results: Any) -> None:
    truth, results = truth_and_results
    weights = picture_weights(6, 12)
    assert (weights.sum(axis=1) == 6).all() and weights.max() > 1 and weights.min() == 0
    found = ap_of_samples(dict_to_dataset(truth), results, weights)
    for sample, value in zip(weights, found, strict=True):
        copied = average_precision(*_repeated(truth, results, sample))["ap"]
        assert value == pytest.approx(copied, abs=1e-9)


def test_samples_without_an_object_have_no_value() -> None:
    truth = {
        "images": [{"id": n, "file_name": f"{n}.png", "height": SIZE, "width": SIZE} for n in (1, 2)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": _disc(20, 20, 6),
             "bbox": [14, 14, 12, 12], "area": 113.0}
        ],
        "categories": [{"id": 1, "name": "a"}],
    }  # fmt: skip
    guess = [{"file_name": "1.png", "category_id": 1, "score": 0.5, "segmentation": _disc(20, 20, 6)}]
    found = ap_of_samples(dict_to_dataset(truth), guess, np.array([[1, 1], [0, 2], [2, 0]]))
    assert found[0] == pytest.approx(1) and np.isnan(found[1]) and found[2] == pytest.approx(1)
    assert ap_of_samples(dict_to_dataset(truth), [], np.array([[1, 1]])).tolist() == [0.0]


def test_samples_are_the_same_for_every_prediction() -> None:
    assert np.array_equal(picture_weights(9, 5), picture_weights(9, 5))


def test_results_of_a_file(tmp_path: Path, truth_and_results: Any) -> None:
    import orjson

    truth, results = truth_and_results
    replace_file(tmp_path / "gt.json", orjson.dumps(truth))
    replace_file(tmp_path / "pred.json", orjson.dumps(results))
    found = quality_of_samples(tmp_path / "gt.json", tmp_path / "pred.json", 20)
    assert found.metric == "ap" and len(found.samples) == 20
    assert found.value == pytest.approx(evaluate_files(tmp_path / "gt.json", tmp_path / "pred.json")["ap"])
    assert found.samples.min() < found.value < found.samples.max()


def test_pq_of_a_file_and_of_samples(tmp_path: Path) -> None:
    write_scenes(tmp_path, 3, 48, seed=1)
    truth = tmp_path / "panoptic.json"
    found = quality_of_samples(truth, truth, 5)
    assert found.metric == "pq" and found.value == 1.0 and (found.samples == 1.0).all()


def test_pq_by_hand() -> None:
    """Picture 1: one match of IoU 0.8. Picture 2: one miss. Both: 0.8 / (1 + 0.5); twice the first: 1.6 / 2."""
    counts = np.array([[[0.8, 1, 0, 0]], [[0.0, 0, 0, 1]]])
    found = pq_of_samples(counts, np.array([[1, 1], [2, 0], [0, 0]]))
    assert found[:2] == pytest.approx([0.8 / 1.5, 0.8]) and np.isnan(found[2])


def test_a_broken_prediction_is_named(tmp_path: Path) -> None:
    import orjson

    write_scenes(tmp_path, 2, 48, seed=1)
    content = orjson.loads((tmp_path / "panoptic.json").read_bytes())
    content["annotations"][0]["segments_info"].pop()
    (tmp_path / "pred.json").write_bytes(orjson.dumps(content))
    (tmp_path / "pred").symlink_to(tmp_path / "panoptic")
    with pytest.raises(InputError, match=r"pred\.json, .* is in the prediction's picture"):
        quality_of_samples(tmp_path / "panoptic.json", tmp_path / "pred.json", 5)


def test_truth_must_have_masks() -> None:
    dataset = PointDataset((Image(1, "a.png", 5, 5),), (Category(1, "a", True),))
    assert np.isnan(ap_of_samples(dataset, [], np.array([[1]]))[0])


def test_order_of_the_pictures_is_that_of_the_truth(tmp_path: Path) -> None:
    """Ids need not ascend: weights go by the place in the file."""
    write_scenes(tmp_path, 2, 48, seed=4)
    dataset = read_dataset(tmp_path / "instances.json")
    turned = replace(dataset, images=dataset.images[::-1])
    names = {image.id: image.file_name for image in dataset.images}
    guess = [
        {"file_name": names[one.image_id], "category_id": one.category_id, "score": 0.9, "segmentation": one.mask.rle}
        for one in dataset.instances
        if one.mask is not None and one.image_id == dataset.images[0].id
    ]
    only_first = np.array([[1, 0]])
    assert ap_of_samples(dataset, guess, only_first)[0] == pytest.approx(1)
    assert ap_of_samples(turned, guess, only_first)[0] == pytest.approx(0)
