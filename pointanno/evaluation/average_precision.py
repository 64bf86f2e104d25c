"""Average precision of instance masks by pycocotools, at any number of detections an image.

pycocotools' own summary knows 100 detections only; here the means are taken from its precision table, and
100 among them gives its numbers.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import PointDataset
from pointanno.errors import InputError
from pointanno.formats import coco_instances, read_dataset
from pointanno.formats.rle import box_to_rle, rle_area, rle_to_xywh, segmentation_to_rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MAX_DETECTIONS = (100, 500)
"""Detections an image that count, COCO's number and one for crowded pictures."""

_NO_VALUE = -1  # pycocotools' mark of a class without truth


def average_precision(
    truth: str | Path | Mapping[str, Any] | PointDataset,
    results: Sequence[Mapping[str, Any]],
    *,
    max_dets: Sequence[int] = MAX_DETECTIONS,
    fill_boxes: bool = False,
) -> dict[str, Any]:
    """AP, AP50 and AP75 of instance masks, for each limit of detections an image.

    Parameters
    ----------
    truth
        COCO instances or panoptic file, its parsed instances JSON, or the data set itself.
    results
        COCO results: `category_id`, `score`, `segmentation`, and `file_name` or `image_id`; `bbox` where the
        boxes are filled. They are not changed.
    max_dets
        Limits, any order.
    fill_boxes
        Replace each mask by its filled box: what a detector reaches that knows nothing about shape.

    Returns
    -------
    dict
        `ap`, `ap50`, `ap75`, `per_class` at `max_dets_used`: the smallest limit that holds all objects of any
        picture of the truth, else the largest. `max_detections`: the same four for each limit. Values are
        fractions, None for a class without truth.
    """
    if not max_dets or min(max_dets) < 1:
        raise InputError(f"--max-dets: expected positive limits, but got {list(max_dets)}")
    limits = sorted(set(max_dets))
    gt, detections, most = prepare_evaluation(_load_truth(truth), results, fill_boxes=fill_boxes)
    precision, category_ids = _precision(gt, detections, limits)
    by_limit = {limit: _summarize(precision[..., number], category_ids) for number, limit in enumerate(limits)}
    used = next((limit for limit in limits if limit >= most), limits[-1])
    return {
        **by_limit[used],
        "max_dets_used": used,
        "most_objects_in_an_image": most,
        "detections": len(detections),
        "max_detections": {str(limit): values for limit, values in by_limit.items()},
    }


def prepare_evaluation(
    dataset: PointDataset, results: Sequence[Mapping[str, Any]], *, fill_boxes: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """The truth as COCO's JSON has it, new entries of the results that fit it, and the objects of the fullest picture.

    Raises
    ------
    InputError
        If an object of the truth has no mask, or a result does not fit.
    """
    gt = coco_instances.dataset_to_dict(dataset)
    without = next((entry for entry in gt["annotations"] if "segmentation" not in entry), None)
    if without is not None:
        raise InputError(f"the truth, annotation {without['id']}: segmentation is missing; AP of masks needs it")
    return gt, list(_prepare_results(gt, results, fill_boxes)), _most_objects(gt["annotations"])


def _load_truth(truth: str | Path | Mapping[str, Any] | PointDataset) -> PointDataset:
    """The truth as a data set of masks."""
    if isinstance(truth, PointDataset):
        return truth
    if isinstance(truth, (str, Path)):
        return read_dataset(truth)
    return coco_instances.dict_to_dataset(truth, name="the truth")


def _prepare_results(
    gt: Mapping[str, Any], results: Sequence[Mapping[str, Any]], fill_boxes: bool
) -> Iterator[dict[str, Any]]:
    """New entries with the truth's image ids and compressed codes."""
    sizes = {image["id"]: (image["height"], image["width"]) for image in gt["images"]}
    by_name = {image["file_name"]: image["id"] for image in gt["images"]}
    known = {category["id"] for category in gt["categories"]}
    for number, result in enumerate(results):
        where = f"the prediction, entry {number}"
        if not isinstance(result, dict):
            raise InputError(f"{where}: expected an object with category_id, score and segmentation")
        image_id = _find_image(result, by_name, sizes, where)
        category_id = result.get("category_id")
        if not isinstance(category_id, int) or category_id not in known:
            raise InputError(
                f"{where}: category_id {category_id!r:.40} is not among those of the truth"
                f" ({', '.join(map(str, sorted(known)))}); use the truth's ids"
            )
        score = result.get("score")
        if not isinstance(score, (int, float)) or isinstance(score, bool) or not np.isfinite(score):
            raise InputError(f"{where}: score must be a number, but is {score!r:.40}")
        rle = _mask_of(result, sizes[image_id], fill_boxes, where)
        yield {
            "id": number + 1,
            "image_id": image_id,
            "category_id": int(category_id),
            "score": float(score),
            "segmentation": rle,
            "area": rle_area(rle),
            "bbox": list(rle_to_xywh(rle)),
            "iscrowd": 0,
        }


def _find_image(result: Mapping[str, Any], by_name: Mapping[str, int], sizes: Mapping[int, Any], where: str) -> int:
    """The truth's id of the picture that a result names."""
    name = result.get("file_name")
    if name is not None:
        if not isinstance(name, str) or name not in by_name:
            raise InputError(
                f"{where}: file_name {name!r:.200} is not a picture of the truth; evaluate the same pictures"
            )
        return by_name[name]
    image_id = result.get("image_id")
    if not isinstance(image_id, int) or image_id not in sizes:
        raise InputError(
            f"{where}: image_id {image_id!r:.40} is not a picture of the truth; evaluate the same pictures"
        )
    return image_id


def _mask_of(result: Mapping[str, Any], image_size: tuple[int, int], fill_boxes: bool, where: str) -> dict[str, Any]:
    """The mask of a result, or its box filled."""
    segmentation, bbox = result.get("segmentation"), result.get("bbox")
    try:
        if fill_boxes:
            if bbox is None:
                bbox = rle_to_xywh(segmentation_to_rle(segmentation, image_size))
            x, y, width, height = (float(value) for value in bbox)
            return box_to_rle((x, y, x + width, y + height), image_size)
        return segmentation_to_rle(segmentation, image_size)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}, segmentation: {error}; write it as a run-length code of the picture") from None


def _precision(
    gt: Mapping[str, Any], detections: list[dict[str, Any]], limits: Sequence[int]
) -> tuple[NDArray[np.float64], list[int]]:
    """Precision at IoU 0.50:0.05:0.95 and 101 recalls: (T, R, K, M); and the K category ids."""
    evaluation = evaluate_pictures(gt, detections, limits)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, :], [int(category_id) for category_id in evaluation.params.catIds]


def evaluate_pictures(gt: Mapping[str, Any], detections: list[dict[str, Any]], limits: Sequence[int]) -> Any:
    """The evaluation of pycocotools with every picture matched, before anything is summed up.

    Parameters
    ----------
    gt, detections : as `prepare_evaluation` makes them
    limits : detections a picture, ascending
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, guess = COCO(), COCO()
        truth.dataset = {
            "images": [{key: image[key] for key in ("id", "height", "width")} for image in gt["images"]],
            "categories": gt["categories"],
            "annotations": [_as_truth(entry) for entry in gt["annotations"]],
        }
        truth.createIndex()
        guess.dataset = {**truth.dataset, "annotations": detections}
        guess.createIndex()
        evaluation = COCOeval(truth, guess, "segm")
        evaluation.params.maxDets = list(limits)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
    return evaluation


def _as_truth(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the matching needs; pycocotools adds keys to what it is given."""
    keys = ("id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation")
    return {key: entry[key] for key in keys}


def _summarize(precision: NDArray[np.float64], category_ids: Sequence[int]) -> dict[str, Any]:
    """Means of a precision table, (T, R, K)."""
    return {
        "ap": _mean(precision),
        "ap50": _mean(precision[0]),
        "ap75": _mean(precision[5]),
        "per_class": {
            category_id: {
                "ap": _mean(precision[:, :, number]),
                "ap50": _mean(precision[0, :, number]),
                "ap75": _mean(precision[5, :, number]),
            }
            for number, category_id in enumerate(category_ids)
        },
    }


def _mean(precision: NDArray[np.float64]) -> float | None:
    """Mean of the entries that have a value."""
    values = precision[precision > _NO_VALUE]
    return float(values.mean()) if values.size else None


def _most_objects(annotations: Sequence[Mapping[str, Any]]) -> int:
    """Objects in the fullest picture, crowd regions not counted."""
    images = [entry["image_id"] for entry in annotations if not entry["iscrowd"]]
    return int(np.unique(images, return_counts=True)[1].max()) if images else 0
