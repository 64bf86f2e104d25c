"""PQ against its definition on drawn shapes, and against the values of the official code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pointanno.evaluation import PanopticQuality, evaluate_files, panoptic_quality

ISTHING = {1: True, 2: True, 7: False}


def _measure(
    truth: list[list[int]], gt: list[dict[str, Any]], guess: list[list[int]], pred: list[dict[str, Any]]
) -> dict[str, Any]:
    return panoptic_quality([(np.array(truth), gt, np.array(guess), pred)], ISTHING)


def test_a_pair_matches_above_one_half() -> None:
    """Truth 4 pixels, prediction 3 of them and 1 other: IoU 3 / 5 = 0.6; PQ = 0.6 / 1."""
    result = _measure(
        [[1, 1, 1, 1, 7]], [{"id": 1, "category_id": 1}, {"id": 7, "category_id": 7}],
        [[7, 1, 1, 1, 1]], [{"id": 1, "category_id": 1}, {"id": 7, "category_id": 7}],
    )  # fmt: skip
    assert result["per_class"][1] == {"pq": 0.6, "sq": 0.6, "rq": 1.0, "tp": 1, "fp": 0, "fn": 0}
    assert result["per_class"][7] == {"pq": 0.0, "sq": 0.0, "rq": 0.0, "tp": 0, "fp": 1, "fn": 1}
    assert result["things"] == {"pq": 0.6, "sq": 0.6, "rq": 1.0, "n": 1}
    assert result["all"] == {"pq": 0.3, "sq": 0.3, "rq": 0.5, "n": 2}


def test_exactly_one_half_is_no_match() -> None:
    result = _measure([[1, 1]], [{"id": 1, "category_id": 1}], [[1, 0]], [{"id": 1, "category_id": 1}])
    assert result["per_class"][1]["tp"] == 0
    assert (result["per_class"][1]["fp"], result["per_class"][1]["fn"]) == (1, 1)


def test_void_is_taken_out_of_the_union() -> None:
    """Prediction covers the 2 pixels and 3 void ones: union 5 + 2 - 2 - 3 = 2, IoU 1."""
    result = _measure([[1, 1, 0, 0, 0]], [{"id": 1, "category_id": 1}], [[1] * 5], [{"id": 1, "category_id": 1}])
    assert result["per_class"][1]["pq"] == 1.0


def test_a_false_positive_mostly_on_void_is_forgiven() -> None:
    truth, gt = [[0, 0, 0, 7, 7, 7]], [{"id": 7, "category_id": 7}]
    on_void = _measure(truth, gt, [[1, 1, 1, 1, 7, 7]], [{"id": 1, "category_id": 1}, {"id": 7, "category_id": 7}])
    assert 1 not in on_void["per_class"]
    half = _measure(truth, gt, [[0, 1, 1, 1, 1, 7]], [{"id": 1, "category_id": 1}, {"id": 7, "category_id": 7}])
    assert half["per_class"][1]["fp"] == 1  # exactly one half is not mostly


def test_crowds_match_nothing_miss_nothing_and_forgive_their_class() -> None:
    truth, gt = [[5, 5, 5, 5, 7, 7]], [{"id": 5, "category_id": 1, "iscrowd": 1}, {"id": 7, "category_id": 7}]
    pred = [{"id": 1, "category_id": 1}, {"id": 2, "category_id": 2}, {"id": 7, "category_id": 7}]
    result = _measure(truth, gt, [[1, 1, 2, 2, 7, 7]], pred)
    assert 1 not in result["per_class"]  # on the crowd of its class: no false positive, and no miss
    assert result["per_class"][2]["fp"] == 1  # another class


def test_a_group_without_classes_has_no_value() -> None:
    result = _measure([[1]], [{"id": 1, "category_id": 1}], [[1]], [{"id": 1, "category_id": 1}])
    assert result["stuff"] is None
    assert panoptic_quality([], ISTHING)["all"] is None


@pytest.mark.parametrize(
    ("guess", "pred", "message"),
    [
        ([[1, 2]], [{"id": 1, "category_id": 1}], "segment 2 is in the prediction's picture, but not"),
        ([[1, 1]], [{"id": 1, "category_id": 1}, {"id": 3, "category_id": 1}], "segment 3 .* has no pixel"),
        ([[1, 1]], [{"id": 1, "category_id": 4}], "category_id 4 of the prediction"),
        ([[1]], [{"id": 1, "category_id": 1}], r"shape \(1, 1\), but the truth has \(1, 2\)"),
    ],
)
def test_predictions_that_contradict_themselves_are_refused(
    guess: list[list[int]], pred: list[dict[str, Any]], message: str
) -> None:
    quality = PanopticQuality(ISTHING)
    with pytest.raises(ValueError, match=message):
        quality.add(np.array([[1, 1]]), [{"id": 1, "category_id": 1}], np.array(guess), pred)


@pytest.mark.parametrize(
    "name", ["facades_val24", "nuclei_val12", "coco_mini_val24", "deeplab2_team", "deeplab2_three"]
)
def test_the_values_of_the_official_code_are_reproduced(data_folder: Path, name: str) -> None:
    folder = data_folder / "pq_reference" / name
    expected = orjson.loads((folder / "expected.json").read_bytes())
    result = evaluate_files(folder / "gt.json", folder / "pred.json")
    assert result["metric"] == "pq"
    for group in ("All", "Things", "Stuff"):
        if group not in expected:
            assert result[group.lower()] is None
        else:
            assert result[group.lower()] == pytest.approx(expected[group], abs=1e-6)
    assert {str(key) for key in result["per_class"]} == set(expected["per_class"])
    for key, values in expected["per_class"].items():
        assert result["per_class"][int(key)] == pytest.approx(values, abs=1e-6)
    itself = evaluate_files(folder / "gt.json", folder / "gt.json")
    assert itself["all"]["pq"] == 1.0
