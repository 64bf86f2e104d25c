from __future__ import annotations

import json

import numpy as np
from pycocotools import mask as mask_api

from pointanno.dataset import Category, InstancePrediction, PanopticPrediction
from pointanno_models.engine.prediction import prediction_to_labels, prediction_to_results

CATEGORIES = (Category(3, "cell", True), Category(9, "ground", False))


def instances(masks: list[np.ndarray], scores: list[float]) -> InstancePrediction:
    return InstancePrediction(
        boxes=np.array([[1, 2, 4, 6]] * len(masks), dtype=np.float32).reshape(-1, 4),
        scores=np.array(scores, dtype=np.float32),
        category_ids=np.full(len(masks), 3, dtype=np.int64),
        rles=tuple(mask_api.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in masks),
    )


def squares() -> InstancePrediction:
    best, second, hidden, doubtful = (np.zeros((8, 6), dtype=bool) for _ in range(4))
    best[0:4, 0:4] = True
    second[2:6, 2:6] = True
    hidden[1:3, 1:3] = True  # behind the best one entirely
    doubtful[7:8, 0:6] = True
    return instances([best, second, hidden, doubtful], [0.9, 0.8, 0.7, 0.2])


def test_the_best_instance_lies_on_top_and_ids_are_compact() -> None:
    """16 pixels of the best; of the second's 16 the 4 that both want are the best's."""
    image = prediction_to_labels(squares(), (8, 6), CATEGORIES, least_score=0.5)
    assert image.labels.dtype == np.uint16
    assert image.labels[3, 3] == image.labels[0, 0] != 0
    assert sorted(np.unique(image.labels).tolist()) == [0, 1, 2]
    by_id = {segment["id"]: segment for segment in image.segments}
    assert by_id[int(image.labels[0, 0])]["area"] == 16
    assert by_id[int(image.labels[5, 5])]["area"] == 12
    assert round(by_id[int(image.labels[0, 0])]["score"], 3) == 0.9
    assert all(segment["isthing"] and segment["category_id"] == 3 for segment in image.segments)
    assert json.dumps(image.segments)


def test_no_instance_is_an_empty_picture() -> None:
    image = prediction_to_labels(instances([], []), (8, 6), CATEGORIES)
    assert image.labels.shape == (8, 6) and not image.labels.any() and image.segments == []


def test_panoptic_ids_are_made_compact() -> None:
    panoptic_seg = np.zeros((4, 4), dtype=np.int32)
    panoptic_seg[:2] = 70_000
    panoptic_seg[2:3] = 5
    infos = (
        {"id": 70_000, "category_id": 9, "isthing": False},
        {"id": 5, "category_id": 3, "isthing": True, "score": 0.5},
    )
    image = prediction_to_labels(PanopticPrediction(panoptic_seg, infos), (4, 4), CATEGORIES)
    assert image.labels[:, 0].tolist() == [2, 2, 1, 0]
    assert image.segments == [
        {"id": 1, "category_id": 3, "isthing": True, "score": 0.5, "area": 4},
        {"id": 2, "category_id": 9, "isthing": False, "score": None, "area": 8},
    ]


def test_results_are_what_pycocotools_reads() -> None:
    results = prediction_to_results(squares(), 11, "a/b.png")
    assert json.loads(json.dumps(results)) == results
    assert [entry["score"] for entry in results] == [0.9, 0.8, 0.7, 0.2]
    first = results[0]
    assert (first["image_id"], first["file_name"], first["category_id"]) == (11, "a/b.png", 3)
    assert first["bbox"] == [1.0, 2.0, 3.0, 4.0]
    assert mask_api.decode(first["segmentation"]).sum() == 16
