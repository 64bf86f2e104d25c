"""Evaluation of files: which metric they call for, and pictures joined by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pointanno.errors import InputError
from pointanno.evaluation.average_precision import MAX_DETECTIONS, average_precision
from pointanno.evaluation.panoptic import PanopticQuality
from pointanno.evaluation.semantic import mean_iou
from pointanno.formats import read_dataset
from pointanno.formats.checks import detect_kind
from pointanno.formats.coco_panoptic import find_panoptic_folder
from pointanno.formats.coco_records import refuse_errors
from pointanno.formats.json_file import read_json
from pointanno.formats.panoptic_png import read_panoptic_png

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

Metric: TypeAlias = Literal["ap", "pq", "miou"]

_Pair: TypeAlias = "tuple[NDArray[Any], Sequence[Mapping[str, Any]], NDArray[Any], Sequence[Mapping[str, Any]]]"


def evaluate_files(
    gt: str | Path,
    pred: str | Path,
    metric: Metric | None = None,
    *,
    max_dets: Sequence[int] = MAX_DETECTIONS,
    fill_boxes: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Measures of a prediction file against a truth file, as fractions.

    Parameters
    ----------
    gt
        COCO instances or panoptic JSON.
    pred
        COCO results list (AP) or panoptic JSON (PQ, mIoU), folders of PNGs beside.
    metric
        By default AP for a list of results, PQ for panoptic predictions.
    max_dets, fill_boxes
        See `average_precision`.
    progress
        Whether to show a progress bar on standard error when it takes longer than a second.

    Returns
    -------
    dict
        `metric` and what `average_precision`, `PanopticQuality.result` or `mean_iou` return.

    Raises
    ------
    InputError
        If the files do not fit the metric or each other.
    """
    guess = read_json(pred)
    kind = "results" if isinstance(guess, list) else detect_kind(guess)
    if metric is None:
        metric = "ap" if kind == "results" else "pq"
    if metric == "ap":
        if kind != "results":
            raise InputError(f"{pred}: AP needs a COCO results list, but this is {kind or 'no COCO file'}")
        try:
            return {
                "metric": "ap",
                **average_precision(read_dataset(gt), guess, max_dets=max_dets, fill_boxes=fill_boxes),
            }
        except InputError as error:
            raise InputError(
                str(error).replace("the prediction,", f"{pred},").replace("the truth,", f"{gt},")
            ) from None
    if kind != "coco-panoptic":
        raise InputError(f"{pred}: {metric} needs panoptic predictions, but this is {_describe(kind)}")
    if fill_boxes:
        raise InputError("--fill-boxes: filled boxes are a measure of AP; leave the option out for panoptic files")
    isthing, pairs = join_panoptic_files(gt, pred, guess, metric=metric, progress=progress)
    if metric == "miou":
        return {"metric": "miou", **mean_iou((pair for _, pair in pairs), list(isthing))}
    quality = PanopticQuality(isthing)
    for name, pair in pairs:
        try:
            quality.add(*pair)
        except ValueError as error:
            raise InputError(f"{pred}, {name}: {error}; write the prediction again") from None
    return {"metric": "pq", **quality.result()}


def join_panoptic_files(
    gt: str | Path, pred: str | Path, guess: Any = None, *, metric: str = "pq", progress: bool = False
) -> tuple[dict[int, bool], Iterator[tuple[str, _Pair]]]:
    """Whether each class is a thing, and name and both sides of each picture of the truth, one after the other.

    Parameters
    ----------
    gt, pred : panoptic JSON, the folders of PNGs beside
    guess : content of `pred`, if it was read before
    metric : named in errors
    progress : as of `evaluate_files`

    Raises
    ------
    InputError
        If the files do not fit `metric` or each other.
    """
    guess = read_json(pred) if guess is None else guess
    truth = read_json(gt)
    if detect_kind(truth) != "coco-panoptic":
        raise InputError(f"{gt}: {metric} needs a panoptic truth, but this is {_describe(detect_kind(truth))}")
    refuse_errors(truth, "coco-panoptic", str(gt))
    # a prediction may leave out what the truth says: pictures are then joined by id
    named = isinstance(guess, dict) and bool(guess.get("images"))
    guess = {**guess, "images": guess.get("images") or truth["images"]}
    guess.setdefault("categories", truth["categories"])
    refuse_errors(guess, "coco-panoptic", str(pred))
    isthing = {category["id"]: bool(category["isthing"]) for category in truth["categories"]}
    return isthing, _join(Path(gt), truth, Path(pred), guess, by_name=named, progress=progress)


def _describe(kind: str | None) -> str:
    """A kind of file in words."""
    return {"results": "a list of results", None: "no COCO file"}.get(kind, str(kind))


def _join(
    gt: Path, truth: Mapping[str, Any], pred: Path, guess: Mapping[str, Any], *, by_name: bool, progress: bool
) -> Iterator[tuple[str, _Pair]]:
    """Name and both sides of each picture of the truth, read one after the other."""
    gt_folder, pred_folder = find_panoptic_folder(gt), find_panoptic_folder(pred)
    gt_names = {image["id"]: image["file_name"] for image in truth["images"]}
    pred_names = {image["id"]: image["file_name"] for image in guess["images"]}
    found_by: dict[Any, Any] = {
        pred_names[entry["image_id"]] if by_name else entry["image_id"]: entry for entry in guess["annotations"]
    }
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    annotations = truth["annotations"]
    if progress:
        from tqdm import tqdm

        annotations = tqdm(annotations, desc="evaluating", unit="images", delay=1)
    for annotation in annotations:
        image_id = annotation["image_id"]
        name = gt_names[image_id]
        found = found_by.get(name if by_name else image_id)
        if found is None:
            raise InputError(f"{pred}: picture {name} (image {image_id}) has no prediction; predict it too")
        gt_seg = read_panoptic_png(gt_folder / annotation["file_name"])
        if gt_seg.shape != sizes[image_id]:
            raise InputError(
                f"{gt_folder / annotation['file_name']}: the truth's PNG has {gt_seg.shape[1]} x {gt_seg.shape[0]}"
                f" pixels, but {gt} says {sizes[image_id][1]} x {sizes[image_id][0]}; mend the truth"
            )
        pred_seg = read_panoptic_png(pred_folder / found["file_name"])
        if gt_seg.shape != pred_seg.shape:
            raise InputError(
                f"{pred_folder / found['file_name']}: the prediction has {pred_seg.shape[1]} x {pred_seg.shape[0]}"
                f" pixels, but the truth has {sizes[image_id][1]} x {sizes[image_id][0]}; predict in the"
                " picture's own size"
            )
        yield name, (gt_seg, annotation["segments_info"], pred_seg, found["segments_info"])
