from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pointanno.dataset import Box, Category, Instance, MaskLabel, Points
from pointanno.evaluation.instance_quality import BACKGROUND, InstanceQuality, truth_to_panoptic
from pointanno.formats.rle import mask_to_rle

NO_POINTS = Points.answered(np.zeros((0, 2)), np.zeros(0), source="test")
CELL, SKY = Category(3, "cell", True), Category(5, "sky", False)


def instance(number: int, mask: NDArray[np.bool_], category_id: int = 3) -> Instance:
    label = MaskLabel(mask_to_rle(mask), "ground_truth")
    return Instance(number, 1, category_id, Box(0, 0, 1, 1), NO_POINTS, mask=label)


def rows(first: int, last: int) -> NDArray[np.bool_]:
    """Some whole rows of a picture of 10 x 4 pixels."""
    mask = np.zeros((10, 4), dtype=bool)
    mask[first:last] = True
    return mask


def test_what_is_beside_the_objects_is_background() -> None:
    seg, segments = truth_to_panoptic([instance(1, rows(0, 3))], (10, 4), [CELL])
    assert [info["category_id"] for info in segments] == [3, BACKGROUND]
    assert (seg[:3] == segments[0]["id"]).all() and (seg[3:] == segments[1]["id"]).all()


def test_a_truth_with_stuff_keeps_its_void() -> None:
    seg, segments = truth_to_panoptic([instance(1, rows(0, 3)), instance(2, rows(3, 6), 5)], (10, 4), [CELL, SKY])
    assert {info["category_id"] for info in segments} == {3, 5} and (seg[6:] == 0).all()


def test_quality_by_hand() -> None:
    """Truth: rows 0..4 and 6..8. Found: rows 0..3 (IoU 3/4), and rows 8..10, which is no object.

    TP 1 of IoU 0.75, FP 1, FN 1: PQ = 0.75 / (1 + 1/2 + 1/2).
    """
    quality = InstanceQuality([CELL])
    seg = np.zeros((10, 4), dtype=np.uint16)
    seg[0:3], seg[8:10] = 1, 2
    found = [{"id": 1, "category_id": 3}, {"id": 2, "category_id": 3}]
    quality.add([instance(1, rows(0, 4)), instance(2, rows(6, 8))], seg, found)
    result = quality.result()
    assert (result["pq"], result["sq"], result["rq"]) == (0.375, 0.75, 0.5)
    assert result["per_class"][3]["fp"] == 1 and set(result["per_class"]) == {3}


def test_an_empty_prediction_misses_everything() -> None:
    quality = InstanceQuality([CELL])
    quality.add([instance(1, rows(0, 4))], np.zeros((10, 4), dtype=np.uint16), [])
    assert quality.result()["pq"] == pytest.approx(0.0)
    nothing = InstanceQuality([CELL])
    nothing.add([], np.zeros((10, 4), dtype=np.uint16), [])
    assert nothing.result()["pq"] is None
