"""Small data sets of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

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


_CATEGORIES = (Category(1, "cell", True), Category(4, "debris, grey", True), Category(7, "ground", False))
_STATUS = {1: "ok", 0: "ok", -1: "unsure"}


@st.composite
def _points(draw: st.DrawFn, image: Image, *, least: int = 1) -> Points:
    """Points in a picture."""
    pixel = st.tuples(st.integers(0, image.width - 1), st.integers(0, image.height - 1))
    coords = draw(st.lists(pixel, min_size=least, max_size=4))
    count = len(coords)
    labels = draw(st.lists(st.sampled_from([1, 0, -1]), min_size=count, max_size=count))
    times = st.lists(st.one_of(st.none(), st.integers(0, 99_999)), min_size=count, max_size=count)
    who = st.lists(st.one_of(st.none(), st.integers(0, 1)), min_size=count, max_size=count)
    return Points(
        coords=np.array(coords, np.int32).reshape(-1, 2),
        labels=np.array(labels, np.int8),
        status=tuple(_STATUS[label] for label in labels),
        times_ms=tuple(draw(times)),
        annotator=tuple(draw(who)),
        session=tuple(draw(who)),
        source=("click",) * count,
    )


@st.composite
def _datasets(draw: st.DrawFn, largest: int = 5000) -> PointDataset:
    """Pictures of any size with boxes and clicks."""
    sizes = draw(st.lists(st.tuples(st.integers(1, largest), st.integers(1, largest)), min_size=1, max_size=3))
    images = tuple(Image(10 + n, f"in/p{n}.png", h, w) for n, (h, w) in enumerate(sizes))
    instances: list[Instance] = []
    targets: list[Target] = []
    for image in images:
        for _ in range(draw(st.integers(0, 3))):
            edges = sorted(draw(st.lists(st.floats(0, image.width), min_size=2, max_size=2, unique=True)))
            box = Box(edges[0], 0.0, edges[1], float(image.height))
            of_box = draw(_points(image, least=0))
            number = len(instances) + 1
            instances.append(
                Instance(number, image.id, draw(st.sampled_from([1, 4])), box, of_box, box_source="imported")
            )
        for instance in range(1, draw(st.integers(1, 4))):
            category = draw(st.sampled_from(_CATEGORIES))
            number = instance if category.isthing else 0
            clicks = draw(_points(image))
            targets.append(Target(len(targets) + 1, image.id, category.id, category.isthing, number, clicks))
    people = tuple({"index": index, "name": f"anon-{index}"} for index in range(2))
    sessions = tuple({"index": index, "id": f"s{index}"} for index in range(2))
    return PointDataset(images, _CATEGORIES, tuple(instances), tuple(targets), annotators=people, sessions=sessions)


@pytest.fixture(scope="session")
def datasets() -> Callable[..., st.SearchStrategy[PointDataset]]:
    """Strategy of random data sets, for round trips."""
    return _datasets
