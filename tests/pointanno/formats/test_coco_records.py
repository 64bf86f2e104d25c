from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointanno.dataset import Box
from pointanno.formats.coco_records import bbox_to_box, box_to_bbox, parse_categories

decimals = st.tuples(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([1, 10, 100, 1000, 10**6]))


@given(decimals)
def test_written_decimals_come_back(values: tuple[int, int, int]) -> None:
    low, extent, scale = values
    bbox = [low / scale, 0.0, extent / scale, 1.0]
    box = bbox_to_box(bbox)
    assert box_to_bbox(box) == bbox
    assert bbox_to_box(box_to_bbox(box)) == box


@given(st.floats(0, 1e4), st.floats(0.1, 1e4))
def test_any_float_comes_back_to_the_last_bit(low: float, extent: float) -> None:
    box = Box(low, low, low + extent, low + extent)
    assert bbox_to_box(box_to_bbox(box)).xyxy == pytest.approx(box.xyxy, rel=1e-15)


def test_categories_without_the_flag_are_things() -> None:
    entries = [{"id": 1, "name": "a"}, {"id": 2, "name": "b", "isthing": 0}, {"id": 3, "name": "c", "isthing": 1}]
    assert [category.isthing for category in parse_categories(entries)] == [True, False, True]
