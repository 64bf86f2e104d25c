from __future__ import annotations

import numpy as np
import pytest

from pointanno.evaluation import mean_iou

INFO = [{"id": 1, "category_id": 3}, {"id": 2, "category_id": 3}, {"id": 5, "category_id": 8}]


def test_instances_of_a_class_are_put_together() -> None:
    """Class 3: 3 of 4 found, nothing wrong, 3 / 4; class 8: 2 found, 1 wrong, 2 / 3. Void does not count."""
    truth = np.array([[1, 1, 2, 2, 5, 5, 0, 0]])
    guess = np.array([[2, 2, 1, 5, 5, 5, 1, 5]])
    result = mean_iou([(truth, INFO, guess, INFO)], [3, 8, 9])
    assert result["per_class"] == {3: 0.75, 8: pytest.approx(2 / 3)}
    assert result["miou"] == pytest.approx((0.75 + 2 / 3) / 2)


def test_no_prediction_is_a_miss_and_pictures_are_summed() -> None:
    truth, empty = np.array([[1, 1]]), np.zeros((1, 2), int)
    pairs = [(truth, INFO, empty, []), (truth, INFO, truth, INFO)]
    assert mean_iou(pairs, [3])["per_class"] == {3: 0.5}


def test_nothing_to_compare() -> None:
    assert mean_iou([], [3]) == {"miou": None, "per_class": {}}
    with pytest.raises(ValueError, match="shape"):
        mean_iou([(np.ones((1, 2), int), INFO, np.ones((2, 1), int), INFO)], [3])
