"""AP against pycocotools' own summary, at more than 100 detections, with filled boxes, by file name."""

from __future__ import annotations

import contextlib
import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pointanno.dataset import PointDataset
from pointanno.errors import InputError
from pointanno.evaluation import average_precision
from pointanno.formats import coco_instances, read_dataset
from pointanno.formats.coco_records import box_to_bbox
from pointanno.formats.rle import mask_to_rle, rle_to_mask


def _as_results(dataset: PointDataset) -> list[dict[str, Any]]:
    return [
        {
            "image_id": instance.image_id,
            "category_id": instance.category_id,
            "score": 1.0,
            "bbox": box_to_bbox(instance.box),
            "segmentation": dict(instance.mask.rle),
        }
        for instance in dataset.instances
        if instance.mask is not None
    ]


def _squares(count: int) -> dict[str, Any]:
    """A picture with many squares of 4 x 4 pixels."""
    annotations = []
    for number in range(count):
        mask = np.zeros((200, 200), bool)
        row, column = divmod(number, 25)
        mask[row * 8 : row * 8 + 4, column * 8 : column * 8 + 4] = True
        box = [column * 8, row * 8, 4, 4]
        annotations.append(
            {"id": number + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 16, "bbox": box,
             "segmentation": mask_to_rle(mask)}
        )  # fmt: skip
    return {
        "images": [{"id": 1, "file_name": "a.png", "height": 200, "width": 200}],
        "categories": [{"id": 1, "name": "square"}, {"id": 2, "name": "never"}],
        "annotations": annotations,
    }


def test_equal_to_the_summary_of_pycocotools(data_folder: Path) -> None:
    """Masks shifted and scores shuffled, 80 classes, crowd regions."""
    dataset = read_dataset(data_folder / "coco_mini" / "val" / "instances.json")
    generator = np.random.default_rng(0)
    results = _as_results(dataset)
    for result in results:
        mask = np.roll(rle_to_mask(result["segmentation"]), generator.integers(-9, 10, 2), axis=(0, 1))
        result["segmentation"] = mask_to_rle(mask)
        result["score"] = float(generator.random())
    before = copy.deepcopy(results)
    ours = average_precision(dataset, results)
    assert results == before
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = coco_instances.dataset_to_dict(dataset)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert 0.2 < ours["ap"] < 0.9
    assert [ours["ap"], ours["ap50"], ours["ap75"]] == pytest.approx(evaluation.stats[:3].tolist(), abs=1e-12)
    assert ours["max_dets_used"] == 100


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    average_precision(_squares(3), [])
    assert capsys.readouterr() == ("", "")


def test_more_than_100_objects_need_more_than_100_detections() -> None:
    """100 of 200 found at best: recall 0.5, so 51 of the 101 recall levels have precision 1."""
    truth = _squares(200)
    results = _as_results(coco_instances.dict_to_dataset(truth))
    measured = average_precision(truth, results)
    assert measured["max_detections"]["100"]["ap"] == pytest.approx(51 / 101)
    assert measured["max_detections"]["500"]["ap"] == pytest.approx(1.0)
    assert measured["max_dets_used"] == 500
    assert [measured[key] for key in ("ap", "ap50", "ap75")] == pytest.approx([1.0, 1.0, 1.0])
    assert measured["per_class"][1]["ap"] == pytest.approx(1.0)
    assert measured["per_class"][2]["ap"] is None
    assert average_precision(truth, results, max_dets=[10, 1])["max_dets_used"] == 10


def test_few_objects_are_measured_as_coco_does() -> None:
    assert average_precision(_squares(3), [])["max_dets_used"] == 100
    assert average_precision(_squares(3), [])["ap"] == 0.0


def test_pictures_are_joined_by_name() -> None:
    truth = _squares(3)
    results = _as_results(coco_instances.dict_to_dataset(truth))
    for result in results:
        result["image_id"], result["file_name"] = 77, "a.png"
    assert average_precision(truth, results)["ap"] == pytest.approx(1.0)
    results[1]["file_name"] = "b.png"
    with pytest.raises(InputError, match=r"entry 1: file_name 'b\.png' is not a picture of the truth"):
        average_precision(truth, results)


def test_filled_boxes_forget_the_shape() -> None:
    """An L of 12 pixels fills 12 / 16 of its box: IoU 0.75 counts at 0.50 to 0.75, that is 6 of 10 thresholds."""
    truth = _squares(1)
    mask = np.zeros((200, 200), bool)
    mask[0:4, 0:4] = True
    mask[0:2, 2:4] = False
    truth["annotations"][0]["segmentation"] = mask_to_rle(mask)
    results = _as_results(coco_instances.dict_to_dataset(truth))
    assert average_precision(truth, results)["ap"] == pytest.approx(1.0)
    filled = average_precision(truth, results, fill_boxes=True)
    assert filled["ap"] == pytest.approx(0.6)
    assert [filled["ap50"], filled["ap75"]] == pytest.approx([1.0, 1.0])
    del results[0]["bbox"]  # then the box of the mask counts
    assert average_precision(truth, results, fill_boxes=True)["ap"] == pytest.approx(0.6)


def test_filled_true_boxes_of_nuclei(data_folder: Path) -> None:
    dataset = read_dataset(data_folder / "nuclei" / "val" / "instances.json")
    filled = average_precision(dataset, _as_results(dataset), max_dets=[100], fill_boxes=True)
    assert [round(filled[key], 2) for key in ("ap", "ap50", "ap75")] == [0.41, 0.86, 0.27]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 9}, "entry 0: image_id 9 is not a picture of the truth"),
        ({"category_id": 9}, r"entry 0: category_id 9 is not among those of the truth \(1, 2\)"),
        ({"score": None}, "entry 0: score must be a number"),
        ({"score": float("nan")}, "entry 0: score must be a number"),
        ({"segmentation": None}, "entry 0, segmentation: segmentation must be polygons or"),
        ({"segmentation": {"size": [2, 2], "counts": "04"}}, r"size \[2, 2\], but the image has \[200, 200\]"),
    ],
)
def test_bad_results_are_named(change: dict[str, Any], message: str) -> None:
    truth = _squares(1)
    results = _as_results(coco_instances.dict_to_dataset(truth))
    results[0].update(change)
    with pytest.raises(InputError, match=message):
        average_precision(truth, results)


def test_bad_limits_are_named() -> None:
    with pytest.raises(InputError, match="--max-dets"):
        average_precision(_squares(1), [], max_dets=[0])


@pytest.mark.parametrize("change", [{"category_id": [1]}, {"file_name": [1]}, {"file_name": {}}, {"score": True}])
def test_results_of_any_type_are_named(change: dict[str, Any]) -> None:
    truth = _squares(2)
    [result] = _as_results(coco_instances.dict_to_dataset(truth))[:1]
    with pytest.raises(InputError, match="entry 0"):
        average_precision(truth, [{**result, **change}])
