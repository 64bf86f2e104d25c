from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from pointanno.dataset import BACKGROUND, IGNORED, OBJECT, Box, Category, Points


def test_a_box_knows_its_forms() -> None:
    box = Box(2.0, 4.0, 10.0, 12.0)
    assert box.xywh == (2.0, 4.0, 8.0, 8.0)
    assert box.xyxy == (2.0, 4.0, 10.0, 12.0)
    assert box.area == 64.0


def test_records_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Category(1, "cell", True).name = "other"  # type: ignore[misc]


def test_status_follows_from_the_label() -> None:
    points = Points.answered(
        np.array([[1, 2], [3, 4], [5, 6]]), np.array([OBJECT, BACKGROUND, IGNORED]), source="random"
    )
    assert points.status == ("ok", "ok", "unsure")
    assert points.times_ms == (None, None, None)
    assert points.coords.dtype == np.int32
    assert len(points) == 3


def test_points_are_equal_by_content() -> None:
    first = Points.answered(np.array([[1, 2]]), np.array([1]), source="random")
    assert first == Points.answered(np.array([[1, 2]]), np.array([1]), source="random")
    assert first != Points.answered(np.array([[1, 3]]), np.array([1]), source="random")
    assert first != Points.answered(np.array([[1, 2]]), np.array([1]), source="click")
    assert first != "points"


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"status must have 1 entries, but got 2"):
        Points(
            coords=np.zeros((1, 2), np.int32),
            labels=np.ones(1, np.int8),
            status=("ok", "ok"),
            times_ms=(None,),
            annotator=(None,),
            session=(None,),
            source=("click",),
        )
    with pytest.raises(ValueError, match=r"coords must have shape \(1, 2\)"):
        Points(
            coords=np.zeros((1, 3), np.int32),
            labels=np.ones(1, np.int8),
            status=("ok",),
            times_ms=(None,),
            annotator=(None,),
            session=(None,),
            source=("click",),
        )
