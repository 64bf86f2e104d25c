"""How far a measure depends on which pictures it was measured on: the same measure of samples of the pictures.

Every prediction for the same pictures is measured on the same samples, so that differences of two predictions can be
taken sample by sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.evaluation.average_precision import MAX_DETECTIONS, evaluate_pictures, prepare_evaluation
from pointanno.evaluation.files import join_panoptic_files
from pointanno.evaluation.panoptic import PanopticQuality
from pointanno.formats import read_dataset
from pointanno.formats.json_file import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.dataset import PointDataset

SEED = 20260102
"""Of the samples: the same pictures give the same samples, wherever they are drawn."""

_CHUNK = 4_000_000
"""Numbers in one array of weights."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of all pictures and of samples of them.

    Attributes
    ----------
    metric : "ap" or "pq"
    value : of all pictures, a fraction
    samples : (S,) float, of samples with replacement; nan where a sample holds no object
    """

    metric: str
    value: float
    samples: NDArray[np.float64]


def picture_weights(pictures: int, samples: int) -> NDArray[np.int64]:
    """How often each picture occurs in each sample, (S, I)."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(pictures, np.full(pictures, 1 / pictures), size=samples)


def quality_of_samples(truth: Path, prediction: Path, samples: int) -> Measured:
    """AP of a list of results, PQ of a panoptic prediction, as `evaluate_files` measures them, and of samples.

    Raises
    ------
    InputError
        If the files do not fit each other.
    """
    guess = read_json(prediction)
    if isinstance(guess, list):
        dataset = read_dataset(truth)
        weights = picture_weights(len(dataset.images), samples)
        found = ap_of_samples(dataset, guess, np.concatenate([np.ones((1, weights.shape[1]), np.int64), weights]))
        return Measured("ap", float(found[0]), found[1:])
    table = _panoptic_counts(truth, prediction)
    weights = picture_weights(len(table), samples)
    found = pq_of_samples(table, np.concatenate([np.ones((1, weights.shape[1]), np.int64), weights]))
    return Measured("pq", float(found[0]), found[1:])


def ap_of_samples(
    truth: PointDataset, results: Sequence[Mapping[str, Any]], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """AP@[.50:.95] of masks as if each picture occurred as often as its weight says.

    Matching happens within pictures and does not change; only the order of all detections by score and the number
    of objects are summed anew. At weights of one it is pycocotools' number; a picture of weight two counts like two
    copies of it.

    Parameters
    ----------
    truth : with masks
    results : COCO results
    weights : (S, I) int, by the picture's place in `truth.images`

    Returns
    -------
    (S,) float
        nan where no picture of positive weight has an object. At most so many detections a picture count as
        `average_precision` takes for its main numbers.
    """
    gt, detections, most = prepare_evaluation(truth, results)
    limit = next((one for one in MAX_DETECTIONS if one >= most), MAX_DETECTIONS[-1])
    evaluation = evaluate_pictures(gt, detections, [limit])
    place = {image["id"]: number for number, image in enumerate(gt["images"])}
    thresholds, recalls = len(evaluation.params.iouThrs), np.asarray(evaluation.params.recThrs)
    count = len(evaluation.params.imgIds)
    total = np.zeros(len(weights))
    classes = np.zeros(len(weights))
    for number in range(len(evaluation.params.catIds)):
        entries = [one for one in evaluation.evalImgs[number * count : (number + 1) * count] if one is not None]
        if not entries:
            continue
        objects = np.zeros(len(place))
        for one in entries:
            objects[place[one["image_id"]]] = np.count_nonzero(np.asarray(one["gtIgnore"]) == 0)
        scores = np.concatenate([one["dtScores"][:limit] for one in entries])
        order = np.argsort(-scores, kind="mergesort")
        pictures = np.concatenate([np.full(len(one["dtScores"][:limit]), place[one["image_id"]]) for one in entries])
        matched = np.concatenate([one["dtMatches"][:, :limit] for one in entries], axis=1)[:, order] != 0
        ignored = np.concatenate([one["dtIgnore"][:, :limit] for one in entries], axis=1)[:, order] != 0
        pictures = pictures[order].astype(np.int64)
        step = max(1, _CHUNK // max(1, len(order)))
        for begin in range(0, len(weights), step):
            part = weights[begin : begin + step]
            wanted = part @ objects
            found = np.zeros(len(part))
            drawn = part[:, pictures].astype(np.float64)
            for row in range(thresholds):
                found += _area(drawn, matched[row], ignored[row], wanted, recalls) / thresholds
            has_any = wanted > 0
            total[begin : begin + step] += np.where(has_any, found, 0)
            classes[begin : begin + step] += has_any
    return _quotient(total, classes)


def _quotient(sums: NDArray[np.float64], counts: NDArray[Any]) -> NDArray[np.float64]:
    """Means, nan where there is nothing to take one of."""
    means = np.full(len(sums), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _area(
    drawn: NDArray[np.float64],
    matched: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    wanted: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Mean precision at the recalls, for each sample: (S,)."""
    if not drawn.shape[1]:
        return np.zeros(len(drawn))
    hits = np.cumsum(drawn * (matched & ~ignored), axis=1)
    misses = np.cumsum(drawn * (~matched & ~ignored), axis=1)
    precision = hits / np.maximum(hits + misses, np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = hits / np.maximum(wanted, 1)[:, None]
    means = np.zeros(len(drawn))
    for number, (levels, reached) in enumerate(zip(precision, recall, strict=True)):
        places = np.searchsorted(reached, recalls, side="left")
        inside = places < len(levels)
        means[number] = levels[places[inside]].sum() / len(recalls)
    return means


def _panoptic_counts(truth: Path, prediction: Path) -> NDArray[np.float64]:
    """Sums of each picture and class, (I, K, 4): IoU, TP, FP, FN."""
    isthing, pairs = join_panoptic_files(truth, prediction)
    rows = []
    for name, pair in pairs:
        one = PanopticQuality(isthing)
        try:
            one.add(*pair)
        except ValueError as error:
            raise InputError(f"{prediction}, {name}: {error}; write the prediction again") from None
        rows.append([[count.iou, count.tp, count.fp, count.fn] for count in one.counts.values()])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(isthing), 4)


def pq_of_samples(counts: NDArray[np.float64], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """PQ over all classes that occur, as if each picture occurred as often as its weight says.

    Parameters
    ----------
    counts : (I, K, 4) float
        IoU, TP, FP and FN of each picture and class.
    weights : (S, I) int

    Returns
    -------
    (S,) float
        nan where no class occurs.
    """
    sums = np.tensordot(weights.astype(np.float64), counts, axes=1)
    below = sums[..., 1] + 0.5 * sums[..., 2] + 0.5 * sums[..., 3]
    quality = np.divide(sums[..., 0], below, out=np.zeros_like(below), where=below > 0)
    classes = (below > 0).sum(axis=1)
    return _quotient(quality.sum(axis=1), classes)
