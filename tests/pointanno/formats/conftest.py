"""Small data sets of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Image, Instance, MaskLabel, PointDataset, Points, Target
from pointanno.formats.rle import mask_to_rle


@pytest.fixture
def rich_dataset() -> PointDataset:
    """One of everything: unequal and unanswered points, unknown times, a crowd, a mask, clicks, events."""
    points = Points(
        coords=np.array([[3, 5], [9, 11], [4, 7]], np.int32),
        labels=np.array([1, 0, -1], np.int8),
        status=("ok", "ok", "unsure"),
        times_ms=(812, None, 2310),
        annotator=(0, 0, None),
        session=(0, 0, 0),
        source=("random", "random", "suggested"),
    )
    mask = np.zeros((128, 100), bool)
    mask[20:30, 40:60] = True
    one = Points.answered(np.array([[50, 25]]), np.array([1]), source="click", annotator=0, session=0)
    return PointDataset(
        images=(
            Image(1, "a.tif", 128, 100, sha256="ab", complete={"things": True, "stuff": False}, extra={"license": 3}),
            Image(2, "b.tif", 64, 64, absent_category_ids=(2,), extra={"pointanno": {"plane": {"z": 4}}}),
        ),
        categories=(
            Category(1, "cell", True, "thing", (255, 0, 0)),
            Category(7, "debris", True),
            Category(2, "background", False, "stuff"),
        ),
        instances=(
            Instance(
                1, 1, 1, Box(2.0, 4.0, 10.0, 12.0), points,
                point_seed=12345, box_time_ms=6400, box_drag_ms=900, box_annotator=0, box_session=0,
                box_source="drag", extra={"note": "x"},
            ),
            Instance(2, 1, 7, Box(2.4, 4.1, 5.6, 7.0), one, iscrowd=True),
            Instance(5, 1, 1, Box(40.0, 20.0, 60.0, 30.0), one, area=200.0,
                     mask=MaskLabel(mask_to_rle(mask), "painted"), box_source="mask"),
        ),
        targets=(
            Target(1, 1, 1, True, 1, one, linked_annotation_id=5),
            Target(2, 1, 2, False, 0, points),
        ),
        points_per_instance=10,
        exhaustive_things=True,
        annotators=({"index": 0, "name": "anon-1"},),
        sessions=({"index": 0, "id": "s"},),
        events=({"n": 0, "t_ms": 0, "kind": "box"},),
        info={"description": "test"},
        licenses=({"id": 3, "name": "CC0"},),
    )  # fmt: skip


@pytest.fixture
def instances_json() -> dict[str, Any]:
    """Two images, polygons, an uncompressed crowd, category ids with a gap."""
    return {
        "info": {"year": 2026},
        "licenses": [],
        "images": [
            {"id": 10, "file_name": "x.png", "height": 20, "width": 30},
            {"id": 11, "file_name": "y.png", "height": 20, "width": 30, "photo": "p"},
        ],
        "categories": [{"id": 3, "name": "cat", "supercategory": "animal"}, {"id": 90, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 10, "category_id": 3, "iscrowd": 0, "area": 25.0, "bbox": [2.4, 4.1, 3.2, 2.9],
             "segmentation": [[2.4, 4.1, 5.6, 4.1, 5.6, 7.0, 2.4, 7.0]]},
            {"id": 4, "image_id": 11, "category_id": 90, "iscrowd": 1, "area": 40.0, "bbox": [0, 0, 2, 20],
             "segmentation": {"size": [20, 30], "counts": [0, 40, 560]}, "source": "old"},
        ],
    }  # fmt: skip
