"""Mean intersection over union of classes, instances put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.evaluation.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_NO_CLASS = -1


def mean_iou(
    pairs: Iterable[tuple[NDArray[Any], Sequence[Mapping[str, Any]], NDArray[Any], Sequence[Mapping[str, Any]]]],
    category_ids: Sequence[int],
) -> dict[str, Any]:
    """IoU of each class over all pictures together, and its mean.

    Pixels that are void in the truth do not count; pixels without a prediction count as missed.

    Parameters
    ----------
    pairs
        Of each picture: truth (H, W) int, its `segments_info`, prediction (H, W) int, its `segments_info`.
    category_ids
        All classes of the data set.

    Returns
    -------
    dict
        `miou`: mean over the classes that occur in truth or prediction, None if there is none;
        `per_class`: category id to IoU, only those classes.

    Examples
    --------
    >>> import numpy as np
    >>> truth, guess = np.array([[1, 1, 1, 1]]), np.array([[1, 1, 1, 2]])
    >>> info = [{"id": 1, "category_id": 7}, {"id": 2, "category_id": 8}]
    >>> mean_iou([(truth, info, guess, info)], [7, 8])
    {'miou': 0.375, 'per_class': {7: 0.75, 8: 0.0}}
    """
    count = len(category_ids)
    confusion = np.zeros((count, count + 1), np.int64)  # last column: no prediction
    for gt_seg, gt_segments, pred_seg, pred_segments in pairs:
        overlap = count_overlaps(gt_seg, pred_seg)
        truth = _classes_of(overlap.gt_ids, gt_segments, category_ids)
        guess = _classes_of(overlap.pred_ids, pred_segments, category_ids)
        annotated = truth != _NO_CLASS
        np.add.at(confusion, (truth[annotated], guess[annotated]), overlap.pixels[annotated])
    inside = confusion.diagonal()
    union = confusion.sum(axis=1) + confusion[:, :count].sum(axis=0) - inside
    per_class = {
        category_id: float(inside[number] / union[number])
        for number, category_id in enumerate(category_ids)
        if union[number] > 0
    }
    return {"miou": sum(per_class.values()) / len(per_class) if per_class else None, "per_class": per_class}


def _classes_of(
    ids: NDArray[np.int64], segments: Sequence[Mapping[str, Any]], category_ids: Sequence[int]
) -> NDArray[np.int64]:
    """Contiguous class of each segment id, -1 where there is none."""
    contiguous = {category_id: number for number, category_id in enumerate(category_ids)}
    by_id = {int(segment["id"]): contiguous.get(int(segment["category_id"]), _NO_CLASS) for segment in segments}
    return np.array([by_id.get(segment_id, _NO_CLASS) for segment_id in ids.tolist()], dtype=np.int64)
