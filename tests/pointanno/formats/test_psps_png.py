from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from pointanno.dataset import Category, Image, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats import psps_png, read_dataset
from pointanno.formats.panoptic_png import write_panoptic_png

Datasets = Callable[..., st.SearchStrategy[PointDataset]]

CATEGORIES = (Category(1, "cell", True), Category(2, "ground", False))


def _target(number: int, category_id: int, instance: int, *coords: tuple[int, int]) -> Target:
    points = Points.answered(np.array(coords), np.ones(len(coords)), source="click")
    return Target(number, 1, category_id, instance > 0, instance, points)


def test_the_pixels_are_painted_and_nothing_else(tmp_path: Path) -> None:
    dataset = PointDataset(
        images=(Image(1, "in/a.tif", 4, 5), Image(2, "b.tif", 2, 2)),
        categories=CATEGORIES,
        targets=(_target(1, 2, 0, (4, 0), (0, 3)), _target(2, 1, 1, (1, 2), (2, 2)), _target(3, 1, 2, (1, 2), (3, 1))),
    )
    psps_png.write(dataset, tmp_path / "out")
    colors = np.asarray(Picture.open(tmp_path / "out" / "in" / "a.png"))
    assert colors.shape == (4, 5, 3) and colors.dtype == np.uint8
    assert colors[..., 0].tolist() == [  # objects before regions; pixel (1, 2) belongs to the first that has it
        [0, 0, 0, 0, 3],
        [0, 0, 0, 2, 0],
        [0, 1, 1, 0, 0],
        [3, 0, 0, 0, 0],
    ]
    assert not colors[..., 1:].any()
    assert not np.asarray(Picture.open(tmp_path / "out" / "b.png")).any()
    data = orjson.loads((tmp_path / "out" / "panoptic.json").read_bytes())
    assert [one["file_name"] for one in data["annotations"]] == ["in/a.png", "b.png"]
    assert data["annotations"][0]["segments_info"] == [
        {"id": 1, "category_id": 1, "isthing": 1, "iscrowd": 0, "bbox": [1, 2, 2, 1], "area": 2},
        {"id": 2, "category_id": 1, "isthing": 1, "iscrowd": 0, "bbox": [3, 1, 1, 1], "area": 1},
        {"id": 3, "category_id": 2, "isthing": 0, "iscrowd": 0, "bbox": [0, 0, 5, 4], "area": 2},
    ]
    again = read_dataset(tmp_path / "out")  # recognised
    assert again == psps_png.read(tmp_path / "out" / "panoptic.json")
    assert [(one.instance, one.points.coords.tolist()) for one in again.targets] == [
        (1, [[1, 2], [2, 2]]),
        (2, [[3, 1]]),
        (0, [[4, 0], [0, 3]]),
    ]


def test_objects_are_numbered_anew_when_one_lies_under_another(tmp_path: Path) -> None:
    image = Image(1, "a.png", 4, 5)
    hidden = [_target(number, 1, number, pixel) for number, pixel in enumerate([(0, 0), (0, 0), (1, 0)], start=1)]
    dataset = PointDataset(images=(image,), categories=CATEGORIES, targets=tuple(hidden))
    psps_png.write(dataset, tmp_path / "out")
    kept = psps_png.narrow(dataset)
    assert [(one.instance, one.points.coords.tolist()) for one in kept.targets] == [(1, [[0, 0]]), (2, [[1, 0]])]
    assert [one.instance for one in psps_png.read(tmp_path / "out").targets] == [1, 2]


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_what_the_format_keeps_comes_back(
    tmp_path_factory: pytest.TempPathFactory, datasets: Datasets, data: st.DataObject
) -> None:
    dataset = data.draw(datasets(largest=300))
    out = tmp_path_factory.mktemp("psps") / "out"
    psps_png.write(dataset, out)
    kept, again = psps_png.narrow(dataset), psps_png.read(out)
    assert psps_png.narrow(kept).targets == kept.targets
    assert again.images == dataset.images and again.categories == dataset.categories

    def as_sets(one: PointDataset) -> list[tuple[int, int, bool, list[list[int]]]]:
        return sorted((t.image_id, t.category_id, t.isthing, sorted(t.points.coords.tolist())) for t in one.targets)

    assert as_sets(again) == as_sets(kept)


def test_files_of_masks_and_broken_ones_are_refused(tmp_path: Path) -> None:
    mask = np.zeros((40, 40), np.int32)
    mask[:30] = 1
    image = Image(1, "a.png", 40, 40)
    dataset = PointDataset(images=(image,), categories=CATEGORIES, targets=(_target(1, 1, 1, (3, 3)),))
    out = tmp_path / "out"
    psps_png.write(dataset, out)
    write_panoptic_png(out / "a.png", mask)
    with pytest.raises(InputError, match=r"a\.png, segment 1: 1200 pixels are painted, so this is a mask"):
        psps_png.read(out)
    write_panoptic_png(out / "a.png", np.full((40, 40), 9))
    with pytest.raises(InputError, match=r"a\.png: pixel x 0, y 0 has the segment id 9, which .*panoptic\.json does"):
        psps_png.read(out)
    write_panoptic_png(out / "a.png", mask[:20])
    with pytest.raises(InputError, match=r"a\.png: the label picture has 40 x 20 pixels, but image 1 has 40 x 40"):
        psps_png.read(out)
    (out / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png: the picture is missing"):
        psps_png.read(out)


def test_crowds_and_segments_without_a_pixel_are_passed_over(tmp_path: Path) -> None:
    # the published layout: the JSON of all segments, and beside it the folder with its name
    dataset = PointDataset(images=(Image(1, "a.png", 4, 4),), categories=CATEGORIES)
    psps_png.write(dataset, tmp_path / "train")
    segments = [
        {"id": 256, "category_id": 1, "iscrowd": 1, "area": 9},
        {"id": 257, "category_id": 1, "iscrowd": 0, "area": 99},
        {"id": 5, "category_id": 2, "iscrowd": 0, "area": 7},
    ]
    data = orjson.loads((tmp_path / "train" / "panoptic.json").read_bytes())
    data["annotations"][0]["segments_info"] = segments
    (tmp_path / "train.json").write_bytes(orjson.dumps(data))
    ids = np.zeros((4, 4), np.int32)
    ids[0, 1], ids[3, 2] = 256, 257
    write_panoptic_png(tmp_path / "train" / "a.png", ids)
    (found,) = psps_png.read(tmp_path / "train.json").targets
    assert (found.category_id, found.instance, found.points.coords.tolist()) == (1, 1, [[2, 3]])
