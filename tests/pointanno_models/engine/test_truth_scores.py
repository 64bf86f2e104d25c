from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pointanno.dataset import (
    Box,
    Category,
    Image,
    Instance,
    InstancePrediction,
    MaskLabel,
    PanopticPrediction,
    PointDataset,
    Points,
)
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle
from pointanno_models.engine.truth_scores import InstanceScores, PanopticScores

NO_POINTS = Points.answered(np.zeros((0, 2)), np.zeros(0), source="test")
PICTURE = Image(1, "a.png", 10, 8)


def square(top: int, left: int, side: int) -> NDArray[np.bool_]:
    mask = np.zeros((10, 8), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def instance(number: int, mask: NDArray[np.bool_], category_id: int) -> Instance:
    label = MaskLabel(mask_to_rle(mask), "ground_truth")
    return Instance(number, 1, category_id, Box(0, 0, 4, 4), NO_POINTS, mask=label)


TRUTH = PointDataset(
    images=(PICTURE,),
    categories=(Category(1, "cell", True), Category(2, "dot", True), Category(4, "cell", True)),
    instances=(instance(1, square(0, 0, 4), 1), instance(2, square(5, 5, 2), 2)),
)


def prediction(*found: tuple[NDArray[np.bool_], int, float]) -> InstancePrediction:
    return InstancePrediction(
        boxes=np.zeros((len(found), 4), dtype=np.float32),
        scores=np.array([score for _, _, score in found], dtype=np.float32),
        category_ids=np.array([category for _, category, _ in found], dtype=np.int64),
        rles=tuple(mask_to_rle(mask) for mask, _, _ in found),
    )


def test_instances_by_hand() -> None:
    """The cell is found exactly, the dot is missed: AP 1 and 0, PQ 1 and 0; means over the two classes with truth.

    A doubtful second dot, below one half, counts for AP only.
    """
    scores = InstanceScores(TRUTH)
    scores.add(PICTURE, prediction((square(0, 0, 4), 1, 0.9), (square(0, 5, 2), 2, 0.3)))
    found = scores.result()
    assert found.values["ap"] == pytest.approx(0.5) and found.values["pq"] == pytest.approx(0.5)
    assert set(found.values) == {"ap", "ap50", "ap75", "pq", "sq", "rq"}
    assert found.per_class["cell"]["ap"] == pytest.approx(1) and found.per_class["cell"]["pq"] == 1
    assert found.per_class["dot"] == {"ap": 0, "ap50": 0, "ap75": 0, "pq": 0, "sq": 0, "rq": 0}
    # the other class of the same name has no object here, so it has no value
    assert set(found.per_class) == {"cell", "dot"}


def test_panoptic_by_hand() -> None:
    """Things: the cell exactly. Stuff: the sky of 76 pixels, of which 56 are found: IoU 56/76."""
    sky = ~square(0, 0, 2)
    truth = PointDataset(
        images=(PICTURE,),
        categories=(Category(1, "cell", True), Category(9, "sky", False)),
        instances=(instance(1, square(0, 0, 2), 1), instance(2, sky, 9)),
    )
    seg = np.zeros((10, 8), dtype=np.int32)
    seg[square(0, 0, 2)] = 1
    seg[2:9] = 2
    scores = PanopticScores(truth)
    infos = ({"id": 1, "category_id": 1, "isthing": True}, {"id": 2, "category_id": 9, "isthing": False})
    scores.add(PICTURE, PanopticPrediction(seg, infos))
    found = scores.result()
    assert found.values["pq_things"] == 1 and found.values["pq_stuff"] == pytest.approx(56 / 76)
    assert found.values["pq"] == pytest.approx((1 + 56 / 76) / 2)
    assert found.per_class["sky"]["sq"] == pytest.approx(56 / 76) and found.per_class["cell"]["rq"] == 1


def test_panoptic_of_things_alone_counts_false_ones() -> None:
    seg = np.zeros((10, 8), dtype=np.int32)
    seg[square(0, 0, 4)], seg[square(6, 0, 2)] = 1, 2
    truth = replace(TRUTH, instances=(TRUTH.instances[0],))
    scores = PanopticScores(truth)
    infos = tuple({"id": number, "category_id": 1, "isthing": True} for number in (1, 2))
    scores.add(PICTURE, PanopticPrediction(seg, infos))
    found = scores.result()
    assert found.values["pq"] == pytest.approx(1 / 1.5) and set(found.per_class) == {"cell"}


def test_predictions_of_the_other_kind_are_refused() -> None:
    maps = PanopticPrediction(np.zeros((10, 8), dtype=np.int32), ())
    with pytest.raises(InputError, match="needs instance predictions"):
        InstanceScores(TRUTH).add(PICTURE, maps)
    with pytest.raises(InputError, match="needs panoptic maps"):
        PanopticScores(TRUTH).add(PICTURE, prediction())
