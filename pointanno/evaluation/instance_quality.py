"""PQ of things for instance segmenters, whose predictions are no panoptic maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.evaluation.panoptic import VOID, PanopticQuality
from pointanno.formats.coco_panoptic import paint_instances

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Instance

BACKGROUND = -1
"""Category of the pixels that no object of the truth covers."""


def truth_to_panoptic(
    instances: Iterable[Instance], image_size: tuple[int, int], categories: Sequence[Category]
) -> tuple[NDArray[np.int32], list[dict[str, Any]]]:
    """The truth of one picture as a map of ids and its `segments_info`.

    Of a truth without stuff, what is beside the objects is known to be no object: it becomes one segment of the
    category `BACKGROUND`. As void it would hide every false detection, because void is not counted. A truth with
    stuff says itself what is void.
    """
    painted = paint_instances(instances, image_size, {category.id: category.isthing for category in categories})
    panoptic_seg, segments = painted.panoptic_seg, [dict(info) for info in painted.segments_info]
    beside = panoptic_seg == VOID
    if all(category.isthing for category in categories) and beside.any():
        segment_id = int(panoptic_seg.max()) + 1
        panoptic_seg = np.where(beside, np.int32(segment_id), panoptic_seg)
        segments.append({"id": segment_id, "category_id": BACKGROUND, "isthing": False, "iscrowd": 0})
    return panoptic_seg, segments


class InstanceQuality:
    """Collects pictures of instance predictions painted on one canvas, then gives PQ, SQ and RQ of things.

    Parameters
    ----------
    categories : sequence of Category
        Of the truth.
    """

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = tuple(categories)
        isthing = {category.id: category.isthing for category in categories}
        self._quality = PanopticQuality({**isthing, BACKGROUND: False})

    def add(
        self,
        truth: Iterable[Instance],
        pred_seg: NDArray[Any],
        pred_segments: Sequence[Mapping[str, Any]],
    ) -> None:
        """Count one picture: its objects, and the prediction as (H, W) ids with `segments_info`."""
        height, width = pred_seg.shape
        gt_seg, gt_segments = truth_to_panoptic(truth, (height, width), self._categories)
        self._quality.add(gt_seg, gt_segments, pred_seg, pred_segments)

    def result(self) -> dict[str, Any]:
        """`pq`, `sq`, `rq` over the classes of things that occur (None without any), and `per_class` by id."""
        result = self._quality.result()
        things = {category.id for category in self._categories if category.isthing}
        means = result["things"] or {"pq": None, "sq": None, "rq": None}
        return {
            **{name: means[name] for name in ("pq", "sq", "rq")},
            "per_class": {key: values for key, values in result["per_class"].items() if key in things},
        }
