"""COCO-point: there and back through pycocotools, rules of the format, files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from pointanno.dataset import Category, Image, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats import coco_point
from pointanno.formats.coco_point import dataset_to_dict, dict_to_dataset
from pointanno.formats.coco_records import bbox_to_box
from pointanno.formats.instance_records import no_points

times = st.one_of(st.none(), st.integers(0, 10**7))
indices = st.one_of(st.none(), st.integers(0, 3))


@st.composite
def some_points(draw: st.DrawFn) -> Points:
    status = tuple(draw(st.lists(st.sampled_from(["ok", "unsure", "skip", "pad"]), min_size=1, max_size=5)))
    count = len(status)
    coords = draw(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 19)), min_size=count, max_size=count))
    return Points(
        coords=np.array(coords, np.int32),
        labels=np.array([draw(st.integers(0, 1)) if value == "ok" else -1 for value in status], np.int8),
        status=status,
        times_ms=tuple(draw(times) for _ in status),
        annotator=tuple(draw(indices) for _ in status),
        session=tuple(draw(indices) for _ in status),
        source=tuple(draw(st.sampled_from(["random", "click"])) for _ in status),
    )


@st.composite
def some_datasets(draw: st.DrawFn) -> PointDataset:
    near = st.integers(0, 9000).map(lambda value: value / 1000)
    extent = st.integers(1000, 10_000).map(lambda value: value / 1000)
    instances = tuple(
        Instance(
            id=number + 1,
            image_id=draw(st.integers(1, 2)),
            category_id=5,
            box=bbox_to_box([draw(near), draw(near), draw(extent), draw(extent)]),
            points=draw(some_points()),
            iscrowd=draw(st.booleans()),
            box_time_ms=draw(times),
            box_drag_ms=draw(times),
            point_seed=draw(st.one_of(st.none(), st.integers(0, 2**53))),
        )
        for number in range(draw(st.integers(0, 4)))
    )
    targets = tuple(
        Target(number + 1, 2, 5 if isthing else 6, isthing, number + 1 if isthing else 0, draw(some_points()))
        for number, isthing in enumerate(draw(st.lists(st.booleans(), max_size=3)))
    )
    return PointDataset(
        images=(Image(1, "a.png", 20, 30), Image(2, "b.png", 20, 30)),
        categories=(Category(5, "cell", True), Category(6, "sky", False)),
        instances=instances,
        targets=targets,
        exhaustive_things=draw(st.one_of(st.none(), st.booleans())),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_datasets())
def test_export_pycocotools_import_gives_the_same(tmp_path: Path, dataset: PointDataset) -> None:
    path = tmp_path / "points.json"
    coco_point.write(dataset, path)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    assert coco.getAnnIds() == [instance.id for instance in dataset.instances]
    for instance in dataset.instances:
        loaded = coco.loadAnns([instance.id])[0]
        assert loaded["point_coords"] == instance.points.coords.tolist()
        assert loaded["point_times_ms"] == list(instance.points.times_ms)
    assert coco_point.read(path) == dataset
    assert dict_to_dataset(coco.dataset) == dataset


def test_everything_survives(tmp_path: Path, rich_dataset: PointDataset) -> None:
    coco_point.write(rich_dataset, tmp_path / "a.json")
    assert coco_point.read(tmp_path / "a.json") == rich_dataset
    assert orjson.loads((tmp_path / "a.json").read_bytes()) == dataset_to_dict(rich_dataset)


def test_the_file_looks_as_described(rich_dataset: PointDataset) -> None:
    data = dataset_to_dict(rich_dataset)
    box = data["annotations"][0]
    assert box["bbox"] == [2.0, 4.0, 8.0, 8.0]
    assert box["area"] == 64.0
    assert box["iscrowd"] == 0
    assert box["point_coords"] == [[3, 5], [9, 11], [4, 7]]
    assert box["point_labels"] == [1, 0, -1]
    assert box["point_times_ms"] == [812, None, 2310]
    assert box["bbox_time_ms"] == 6400
    assert "segmentation" not in box
    assert data["annotations"][1]["bbox"] == [2.4, 4.1, 3.2, 2.9]  # not 3.1999999999999997
    assert data["annotations"][2]["mask_source"] == "painted"
    assert data["images"][0]["pointanno"] == {"sha256": "ab", "complete": {"things": True, "stuff": False}}
    assert data["images"][1]["pointanno"] == {"plane": {"z": 4}, "absent_category_ids": [2]}
    assert data["categories"][2]["isthing"] == 0
    assert data["point_annotations"][1]["instance"] == 0
    assert data["pointanno"]["coordinate_convention"] == "pixel_index_xy"
    assert not any("ignore" in entry for entry in data["annotations"])


def test_names_and_events_can_stay_at_home(rich_dataset: PointDataset) -> None:
    data = dataset_to_dict(rich_dataset, with_events=False, with_annotators=False)
    assert "events" not in data["pointanno"]
    assert data["pointanno"]["annotators"] == []
    again = dict_to_dataset(data)
    assert again.events == ()
    assert again.instances == rich_dataset.instances


def test_stuff_segments_never_become_boxes(rich_dataset: PointDataset) -> None:
    segment = replace(rich_dataset.instances[2], id=99, category_id=2)
    data = dataset_to_dict(replace(rich_dataset, instances=(*rich_dataset.instances, segment)))
    assert [entry["id"] for entry in data["annotations"]] == [1, 2, 5]


def test_an_instance_without_points_is_padded(rich_dataset: PointDataset) -> None:
    """Box from x = 2.4, y = 4.1: the pixel at its corner is (2, 4)."""
    first, crowd, third = rich_dataset.instances
    data = dataset_to_dict(replace(rich_dataset, instances=(first, replace(crowd, points=no_points()), third)))
    entry = data["annotations"][1]
    assert entry["point_coords"] == [[2, 4]] * 10  # points_per_instance
    assert entry["point_labels"] == [-1] * 10
    assert entry["point_status"] == ["pad"] * 10
    assert entry["point_times_ms"] == [None] * 10
    assert data["annotations"][0]["point_labels"] == [1, 0, -1]


BREACHES: list[tuple[str, Any, str]] = [
    ("del a['point_coords']", None, "annotation 2: point_coords is missing (the loader reads it for crowd regions"),
    ("a['point_coords']", [], "annotation 2: point_coords is empty"),
    ("a['point_coords']", [[100, 5]], "point_coords[0] [100, 5] lies outside the picture of 100 x 128 pixels"),
    ("a['point_coords']", [[1.5, 5]], "point_coords[0] must be two integers [x, y], but is [1.5, 5]"),
    ("a['point_labels']", [2], "annotation 2: point_labels must be 1, 0 or -1, but one is 2"),
    ("a['point_labels']", [1, 1], "annotation 2: point_labels has 2 entries, but point_coords has 1"),
    ("a['point_labels']", [-1], "point 0 has label -1 with status 'ok'"),
    ("a['point_status']", ["maybe"], "annotation 2: point_status[0] must be one of ok, pad, skip, unsure"),
    ("a['point_times_ms']", [1.5], "annotation 2: point_times_ms[0] must be whole milliseconds or null"),
    ("a['point_session']", [], "annotation 2: point_session has 0 entries, but point_coords has 1"),
    ("a['bbox']", [0, 0, 0, 5], "annotation 2: bbox [0, 0, 0, 5] is empty"),
    ("a['bbox']", [90, 0, 20, 5], "annotation 2: bbox [90, 0, 20, 5] lies outside the picture of 100 x 128 pixels"),
    ("a['bbox']", None, "annotation 2: bbox must be [x, y, width, height]"),
    ("a['category_id']", 9, "annotation 2: category_id 9 is not among 1, 2, 7"),
    ("a['image_id']", 9, "annotation 2: image_id 9 is not among the ids of images"),
    ("a['id']", 1, "annotation 1: the id occurs more than once"),
    ("a['id']", 0, "annotations[1]: id must be a positive integer, but is 0"),
    ("a['ignore']", 0, "annotation 2: the key ignore is not allowed"),
    ("a['segmentation']", [], "annotation 2: segmentation must be left out when there is no mask, not be an empty"),
    ("del a['area']", None, "annotation 2: area is missing"),
    ("del a['iscrowd']", None, "annotation 2: iscrowd is missing"),
    ("t['instance']", 3, "point_annotation 2: instance must be 0 for stuff, but is 3"),
    ("t['isthing']", 1, "point_annotation 2: isthing is 1, but its category 2 says 0"),
    ("t['linked_annotation_id']", 77, "point_annotation 2: linked_annotation_id 77 is not among"),
    ("t['id']", 1, "point_annotation 1: the id occurs more than once"),
    ("i['height']", "12", "image 1: height must be a positive integer, but is '12'"),
    ("i['id']", 2, "image 2: the id occurs more than once"),
    ("i['file_name']", "", "image 1: file_name must be the name of a file, but is ''"),
    ("c['isthing']", 5, "category 1: isthing must be 0 or 1, but is 5"),
    ("d['images']", {}, "images must be a list, but is an object"),
    ("del d['categories']", None, "categories is missing; expected a list"),
]


@pytest.mark.parametrize(("place", "value", "message"), BREACHES)
def test_each_breach_has_its_sentence(rich_dataset: PointDataset, place: str, value: Any, message: str) -> None:
    data = orjson.loads(orjson.dumps(dataset_to_dict(rich_dataset)))
    names = {
        "d": data,
        "a": data["annotations"][1],
        "t": data["point_annotations"][1],
        "i": data["images"][0],
        "c": data["categories"][0],
    }
    name, key = place.removeprefix("del ").rstrip("]").split("[")
    if place.startswith("del"):
        del names[name][key.strip("'")]
    else:
        names[name][key.strip("'")] = value
    with pytest.raises(InputError) as caught:
        dict_to_dataset(data, name="points.json")
    assert str(caught.value).startswith("points.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_that_are_missing_are_taken_as_unknown(rich_dataset: PointDataset) -> None:
    data = orjson.loads(orjson.dumps(dataset_to_dict(rich_dataset)))
    for key in ("point_status", "point_times_ms", "point_annotator", "point_session", "point_source"):
        del data["annotations"][0][key]
    points = dict_to_dataset(data).instances[0].points
    assert points.status == ("ok", "ok", "unsure")
    assert points.times_ms == (None, None, None)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, rich_dataset: PointDataset) -> None:
    path = tmp_path / "a.json"
    coco_point.write(rich_dataset, path)
    before = path.read_bytes()
    broken = replace(rich_dataset, events=({"n": object()},))
    with pytest.raises(TypeError):
        coco_point.write(broken, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
