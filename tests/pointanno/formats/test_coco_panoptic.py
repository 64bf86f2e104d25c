from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from pointanno.dataset import Category, Image, PanopticPrediction
from pointanno.errors import InputError
from pointanno.formats import coco_panoptic, read_dataset
from pointanno.formats.panoptic_png import colors_to_ids, ids_to_colors, read_panoptic_png
from pointanno.formats.rle import rle_to_mask

CATEGORIES = (Category(1, "cell", True), Category(2, "ground", False))
IMAGES = (Image(5, "f/a.png", 4, 6), Image(6, "g/a.png", 4, 6))


def _labels() -> np.ndarray:
    labels = np.full((4, 6), 70_000)
    labels[1:3, 1:3] = 300
    labels[0, 5] = 0
    return labels


def _write(path: Path) -> None:
    info = ({"id": 300, "category_id": 1, "score": 0.5}, {"id": 70_000, "category_id": 2}, {"id": 8, "category_id": 1})
    prediction = PanopticPrediction(_labels().astype(np.int32), info)
    coco_panoptic.write_panoptic(path, IMAGES, CATEGORIES, [(5, prediction), (6, prediction)])


def test_ids_are_colours() -> None:
    """70,000 = 112 + 256 * 17 + 65,536 * 1."""
    assert ids_to_colors(np.array([0, 300, 70_000])).tolist() == [[0, 0, 0], [44, 1, 0], [112, 17, 1]]
    ids = np.random.default_rng(0).integers(0, 256**3, 50)
    assert np.array_equal(colors_to_ids(ids_to_colors(ids)), ids)
    with pytest.raises(ValueError, match="0 to 16777215"):
        ids_to_colors(np.array([256**3]))


def test_written_files_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    _write(path)
    data = orjson.loads(path.read_bytes())
    assert [entry["file_name"] for entry in data["annotations"]] == ["a.png", "000000000006.png"]
    segments = data["annotations"][0]["segments_info"]
    assert segments[0] == {"id": 300, "category_id": 1, "score": 0.5, "iscrowd": 0, "area": 4, "bbox": [1, 1, 2, 2]}
    assert len(segments) == 2  # the one without a pixel is left out
    assert np.array_equal(read_panoptic_png(tmp_path / "p" / "a.png"), _labels())
    dataset = read_dataset(path)
    assert [instance.category_id for instance in dataset.instances] == [1, 2, 1, 2]
    assert [instance.id for instance in dataset.instances] == [1, 2, 3, 4]
    cell = dataset.instances[0]
    assert cell.mask is not None
    assert np.array_equal(rle_to_mask(cell.mask.rle), _labels() == 300)
    assert cell.box.xyxy == (1, 1, 3, 3)
    assert cell.extra == {"segment_id": 300, "score": 0.5}


def test_masks_are_painted_smaller_ones_on_top(tmp_path: Path) -> None:
    _write(tmp_path / "p.json")
    dataset = read_dataset(tmp_path / "p.json")
    coco_panoptic.write(dataset, tmp_path / "q.json")
    again = read_dataset(tmp_path / "q.json")
    masks = [instance.mask.rle for instance in dataset.instances if instance.mask is not None]
    assert sorted(str(i.mask.rle) for i in again.instances if i.mask is not None) == sorted(map(str, masks))


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    _write(path)
    data = orjson.loads(path.read_bytes())

    data["annotations"][0]["segments_info"].append({"id": 9, "category_id": 1})
    path.write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match=r"p\.json, image 5, segment 9: no pixel of .*a\.png has this id"):
        read_dataset(path)

    data["annotations"][0]["segments_info"][-1] = {"id": 300, "category_id": 1}
    path.write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match="segment id 300 occurs more than once"):
        read_dataset(path)

    data["annotations"][0]["segments_info"][-1] = {"id": 9, "category_id": 4}
    path.write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match="category_id 4 is not among 1, 2"):
        read_dataset(path)

    data["annotations"][0]["segments_info"].pop()
    data["images"][0]["height"] = 5
    path.write_bytes(orjson.dumps(data))
    with pytest.raises(InputError, match="has 6 x 4 pixels, but image 5 has 6 x 5"):
        read_dataset(path)


def test_the_folder_of_pngs_must_lie_beside(tmp_path: Path) -> None:
    _write(tmp_path / "p.json")
    (tmp_path / "p").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="folder of PNGs .* does not exist"):
        read_dataset(tmp_path / "p.json")
    assert len(read_dataset(tmp_path / "p.json", panoptic_folder=tmp_path / "elsewhere").instances) == 4


def test_official_sample_files_are_read(data_folder: Path) -> None:
    dataset = read_dataset(data_folder / "panopticapi_sample" / "panoptic_examples.json")
    assert len(dataset.instances) == 50
    assert len(dataset.categories) == 133
    path = data_folder / "panopticapi_sample" / "panoptic_examples.json"
    stated = {
        segment["id"]: segment["area"]
        for entry in orjson.loads(path.read_bytes())["annotations"]
        for segment in entry["segments_info"]
    }
    assert {instance.extra["segment_id"]: instance.area for instance in dataset.instances} == stated
