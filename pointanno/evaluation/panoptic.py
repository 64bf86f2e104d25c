"""Panoptic quality, number for number that of the official COCO code (panopticapi).

Kirillov et al., *Panoptic Segmentation* (CVPR 2019), section 4.1, eq. (1): PQ = sum of IoU over matched pairs /
(TP + FP/2 + FN/2). A pair matches when its IoU exceeds 0.5, void taken out of the union; then it is unique.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.evaluation.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.evaluation.overlaps import Overlaps

VOID = 0
"""Segment id of pixels that are not annotated."""

_MATCH = 0.5


@dataclass(slots=True)
class ClassCount:
    """Sums of one class over all pictures."""

    iou: float = 0.0
    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def is_present(self) -> bool:
        """Whether any segment of the class was seen in truth or prediction."""
        return self.tp + self.fp + self.fn > 0

    @property
    def pq(self) -> float:
        """Panoptic quality."""
        return self.iou / (self.tp + 0.5 * self.fp + 0.5 * self.fn)

    @property
    def sq(self) -> float:
        """Segmentation quality: mean IoU of the matched pairs."""
        return self.iou / self.tp if self.tp else 0.0

    @property
    def rq(self) -> float:
        """Recognition quality: F1 of the matching."""
        return self.tp / (self.tp + 0.5 * self.fp + 0.5 * self.fn)


@dataclass(slots=True)
class PanopticQuality:
    """Collects pictures, then gives the result.

    Parameters
    ----------
    isthing : dict from category id to bool
        All classes of the data set.
    """

    isthing: Mapping[int, bool]
    counts: dict[int, ClassCount] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = {category_id: ClassCount() for category_id in self.isthing}

    def add(
        self,
        gt_seg: NDArray[Any],
        gt_segments: Sequence[Mapping[str, Any]],
        pred_seg: NDArray[Any],
        pred_segments: Sequence[Mapping[str, Any]],
    ) -> None:
        """Count one picture.

        Parameters
        ----------
        gt_seg, pred_seg : (H, W) int
            Segment ids, 0 is void.
        gt_segments, pred_segments
            `segments_info`: `id`, `category_id`, of the truth also `iscrowd` and `area` (measured if absent).

        Raises
        ------
        ValueError
            If the sizes differ, or ids of the prediction and its `segments_info` disagree, or a category is
            not known.
        """
        overlap = count_overlaps(gt_seg, pred_seg)
        gt = _Segments(gt_segments, overlap.gt_areas(), trust_file=True)
        pred = _Segments(pred_segments, overlap.pred_areas(), trust_file=False)
        _check_prediction(pred, overlap.pred_ids, self.isthing)
        self._count(gt, pred, overlap)

    def result(self) -> dict[str, Any]:
        """The measures as fractions.

        Returns
        -------
        dict
            `all`, `things`, `stuff`: means of pq, sq, rq over the n classes that occur, None where n is 0;
            `per_class`: category id to pq, sq, rq, tp, fp, fn, only classes that occur.
        """
        present = {key: count for key, count in self.counts.items() if count.is_present}
        return {
            "all": _mean_over_classes(present.values()),
            "things": _mean_over_classes(count for key, count in present.items() if self.isthing[key]),
            "stuff": _mean_over_classes(count for key, count in present.items() if not self.isthing[key]),
            "per_class": {
                key: {
                    "pq": count.pq,
                    "sq": count.sq,
                    "rq": count.rq,
                    "tp": count.tp,
                    "fp": count.fp,
                    "fn": count.fn,
                }
                for key, count in present.items()
            },
        }

    def _count(self, gt: _Segments, pred: _Segments, overlap: Overlaps) -> None:
        """Match segments and count what is left over."""
        gt_row = gt.find(overlap.gt_ids)
        pred_row = pred.find(overlap.pred_ids)
        inside_void = np.zeros(len(pred.ids), np.int64)
        in_void = (overlap.gt_ids == VOID) & (pred_row >= 0)
        inside_void[pred_row[in_void]] = overlap.pixels[in_void]

        both = (gt_row >= 0) & (pred_row >= 0)
        rows, columns, pixels = gt_row[both], pred_row[both], overlap.pixels[both]
        fits = ~gt.is_crowd[rows] & (gt.category_ids[rows] == pred.category_ids[columns])
        rows, columns, pixels = rows[fits], columns[fits], pixels[fits]
        union = pred.areas[columns] + gt.areas[rows] - pixels - inside_void[columns]
        iou = pixels / union
        matched = iou > _MATCH
        rows, columns, iou = rows[matched], columns[matched], iou[matched]
        for category_id, value in zip(gt.category_ids[rows].tolist(), iou.tolist(), strict=True):
            self.counts[category_id].tp += 1
            self.counts[category_id].iou += value

        missed = ~gt.is_crowd
        missed[rows] = False
        for category_id in gt.category_ids[missed].tolist():
            self.counts[category_id].fn += 1

        ignored = inside_void + _pixels_on_crowd(gt, pred, overlap, gt_row, pred_row)
        wrong = ignored / np.maximum(pred.areas, 1) <= _MATCH
        wrong[columns] = False
        for category_id in pred.category_ids[wrong].tolist():
            self.counts[category_id].fp += 1


def panoptic_quality(
    pairs: Iterable[tuple[NDArray[Any], Sequence[Mapping[str, Any]], NDArray[Any], Sequence[Mapping[str, Any]]]],
    isthing: Mapping[int, bool],
) -> dict[str, Any]:
    """PQ, SQ and RQ of predictions.

    Parameters
    ----------
    pairs
        Of each picture: truth (H, W) int, its `segments_info`, prediction (H, W) int, its `segments_info`.
    isthing : dict from category id to bool

    Returns
    -------
    dict
        See `PanopticQuality.result`.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 1, 1], [2, 2, 2, 2]])
    >>> guess = np.array([[1, 1, 1, 2], [2, 2, 2, 2]])
    >>> info = [{"id": 1, "category_id": 7}, {"id": 2, "category_id": 8}]
    >>> result = panoptic_quality([(truth, info, guess, info)], {7: True, 8: False})
    >>> result["per_class"][7]["pq"], result["per_class"][8]["pq"]
    (0.75, 0.8)
    """
    quality = PanopticQuality(isthing)
    for gt_seg, gt_segments, pred_seg, pred_segments in pairs:
        quality.add(gt_seg, gt_segments, pred_seg, pred_segments)
    return quality.result()


class _Segments:
    """`segments_info` as arrays, ids ascending.

    Areas of the truth are those of its file where it says them, areas of the prediction are measured: so the
    official code does.
    """

    def __init__(self, segments: Sequence[Mapping[str, Any]], measured: Mapping[int, int], *, trust_file: bool) -> None:
        by_id = {int(segment["id"]): segment for segment in segments}  # the last one counts, as officially
        order = sorted(by_id)
        self.position = {segment_id: number for number, segment_id in enumerate(by_id)}
        self.ids = np.array(order, dtype=np.int64)
        self.category_ids = np.array([int(by_id[key]["category_id"]) for key in order], dtype=np.int64)
        self.is_crowd = np.array([by_id[key].get("iscrowd", 0) == 1 for key in order], dtype=np.bool_)
        areas = [measured.get(key, 0) for key in order]
        if trust_file:
            areas = [int(by_id[key].get("area", area)) for key, area in zip(order, areas, strict=True)]
        self.areas = np.array(areas, dtype=np.int64)

    def find(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each id, -1 where the file does not list it."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int64)
        row = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[row] == ids, row, -1)


def _check_prediction(pred: _Segments, ids: NDArray[np.int64], isthing: Mapping[int, bool]) -> None:
    """Ids of the picture and of `segments_info` must be the same, and their categories known."""
    unlisted = np.setdiff1d(ids[ids != VOID], pred.ids)
    if len(unlisted):
        raise ValueError(f"segment {unlisted[0]} is in the prediction's picture, but not in its segments_info")
    absent = pred.ids[pred.areas == 0]
    if len(absent):
        raise ValueError(f"segment {absent[0]} is in the prediction's segments_info, but has no pixel")
    unknown = sorted(set(pred.category_ids.tolist()) - set(isthing))
    if unknown:
        raise ValueError(f"category_id {unknown[0]} of the prediction is not a category of the truth")


def _pixels_on_crowd(
    gt: _Segments,
    pred: _Segments,
    overlap: Overlaps,
    gt_row: NDArray[np.int64],
    pred_row: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Pixels of each predicted segment on the crowd region of its class.

    The official code remembers one crowd region a class, the last that is listed; so do we.
    """
    crowd_of = np.full(len(pred.ids), -1, np.int64)
    rows = np.flatnonzero(gt.is_crowd)
    listed = sorted(rows.tolist(), key=lambda row: gt.position[int(gt.ids[row])])
    region = {int(gt.category_ids[row]): row for row in listed}
    for row, category_id in enumerate(pred.category_ids.tolist()):
        crowd_of[row] = region.get(category_id, -1)
    pixels = np.zeros(len(pred.ids), np.int64)
    known = (gt_row >= 0) & (pred_row >= 0)
    on_crowd = known.copy()
    on_crowd[known] = crowd_of[pred_row[known]] == gt_row[known]
    pixels[pred_row[on_crowd]] = overlap.pixels[on_crowd]
    return pixels


def _mean_over_classes(counts: Iterable[ClassCount]) -> dict[str, float | int] | None:
    """Unweighted mean, None if there is no class."""
    present = list(counts)
    if not present:
        return None
    return {
        "pq": sum(count.pq for count in present) / len(present),
        "sq": sum(count.sq for count in present) / len(present),
        "rq": sum(count.rq for count in present) / len(present),
        "n": len(present),
    }
