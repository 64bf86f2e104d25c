"""From masks and classes of the network to a panoptic map: every pixel at most one segment.

PSPS (ECCV 2022), arXiv:2210.13950; the merging of Li et al., *Panoptic SegFormer* (CVPR 2022), arXiv:2109.03814.
Shape letters as in `outputs.py`; S candidates of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pointanno.dataset import PanopticPrediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from pointanno_models.psps.recipe import TestSettings


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Queries that may become things.

    Attributes
    ----------
    queries : (S,) int64
        A query may occur with several classes.
    labels : (S,) int64
    scores : (S,) float in [0, 1]
    """

    queries: Tensor
    labels: Tensor
    scores: Tensor


def best_candidates(class_logits: Tensor, count: int) -> Candidates:
    """The best pairs of query and class, best first.

    Parameters
    ----------
    class_logits : (Q, C_th) float
        Of the last location layer.
    count : int
    """
    probs = class_logits.sigmoid().flatten()
    scores, places = probs.topk(min(count, len(probs)))
    classes = class_logits.shape[-1]
    return Candidates(places // classes, places % classes, scores)


def segment_scores(masks: Tensor, class_scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """How good each candidate is, and its pixels.

    Parameters
    ----------
    masks : (S, H, W) float
        Scores of pixels; what exceeds 1 counts as 1.
    class_scores : (S,) float in [0, 1]
    threshold : float

    Returns
    -------
    (S,) float in [0, 1]
        Class score times the square of the mean mask: ``q = s (sum m b / (|b| + 1))^2``.
    (S, H, W) bool
        b, the pixels above the threshold.
    """
    masks = masks.clamp(0, 1)
    binary = masks > threshold
    mean = (masks * binary).flatten(1).sum(dim=1) / (binary.flatten(1).sum(dim=1) + 1)
    return class_scores * mean**2, binary


def merge_segments(
    masks: NDArray[np.bool_],
    scores: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    *,
    num_things: int,
    category_ids: Sequence[int],
    settings: TestSettings,
) -> PanopticPrediction:
    """Paint candidates, the best first, where nothing is painted yet.

    Parameters
    ----------
    masks : (S, H, W) bool
    scores : (S,) float
    labels : (S,) int
        Contiguous classes, things first.
    num_things : int
    category_ids : of int
        Of the classes.
    settings : TestSettings

    Returns
    -------
    PanopticPrediction
        Ids from 1 in the order of painting; pixels of nobody are 0. There is no smallest area.
    """
    height, width = masks.shape[1:]
    panoptic_seg = np.zeros((height, width), dtype=np.int32)
    segments: list[dict[str, Any]] = []
    for place in np.argsort(-scores, kind="stable").tolist():
        if scores[place] < settings.least_score:
            break
        isthing = bool(labels[place] < num_things)
        free = masks[place] & (panoptic_seg == 0)
        whole, left = int(masks[place].sum()), int(free.sum())
        most_taken = settings.thing_overlap if isthing else settings.stuff_overlap
        if left == 0 or whole - left > most_taken * whole:
            continue
        segment_id = len(segments) + 1
        panoptic_seg[free] = segment_id
        segments.append(
            {
                "id": segment_id,
                "category_id": category_ids[int(labels[place])],
                "isthing": isthing,
                "area": left,
                "score": float(min(scores[place], 1.0)),
            }
        )
    return PanopticPrediction(panoptic_seg, tuple(segments))


@torch.no_grad()
def candidates_to_prediction(
    masks: Tensor,
    class_scores: Tensor,
    labels: Tensor,
    *,
    input_size: tuple[int, int],
    image_size: tuple[int, int],
    stride: int,
    num_things: int,
    category_ids: Sequence[int],
    settings: TestSettings,
) -> PanopticPrediction:
    """Merge the masks of one picture at its own resolution.

    Parameters
    ----------
    masks : (S, h, w) float
        On the grid of the canvas.
    class_scores : (S,) float in [0, 1]
    labels : (S,) int64
    input_size : (height, width)
        The valid part of the canvas, in pixels of the network's input.
    image_size : (height, width)
        Of the picture.
    stride : int
        Pixels of the input for a cell.
    num_things, category_ids, settings
        As of `merge_segments`.

    Notes
    -----
    A candidate whose class score alone is below the least score cannot pass: its mask is not enlarged.
    """
    kept = class_scores >= settings.least_score
    masks, class_scores, labels = masks[kept], class_scores[kept], labels[kept]
    found_masks = np.zeros((len(masks), *image_size), dtype=np.bool_)
    scores = np.zeros(len(masks), dtype=np.float64)
    for row, (mask, score) in enumerate(zip(masks, class_scores, strict=True)):
        enlarged = enlarge_mask(mask, input_size, image_size, stride)
        quality, binary = segment_scores(enlarged[None], score[None], settings.mask_threshold)
        found_masks[row] = binary[0].cpu().numpy()
        scores[row] = float(quality[0])
    return merge_segments(
        found_masks,
        scores,
        labels.cpu().numpy(),
        num_things=num_things,
        category_ids=category_ids,
        settings=settings,
    )


def enlarge_mask(mask: Tensor, input_size: tuple[int, int], image_size: tuple[int, int], stride: int) -> Tensor:
    """(h, w) on the canvas to (height, width) of the picture: to the input's pixels, cut, then to the picture's."""
    rows, columns = (-(-extent // stride) for extent in input_size)
    part = mask[None, None, :rows, :columns]
    canvas = torch.nn.functional.interpolate(
        part, size=(rows * stride, columns * stride), mode="bilinear", align_corners=False
    )
    valid = canvas[:, :, : input_size[0], : input_size[1]]
    if image_size == input_size:
        return valid[0, 0]
    return torch.nn.functional.interpolate(valid, size=image_size, mode="bilinear", align_corners=False)[0, 0]
