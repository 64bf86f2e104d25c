"""From detections of the network to what leaves it: boxes and masks in the picture's own pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.dataset import InstancePrediction
from pointanno_models.layers.roi_align import paste_masks_as_rle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def detections_to_prediction(
    detections: dict[str, Tensor],
    *,
    zoom: tuple[float, float],
    image_size: tuple[int, int],
    mask_threshold: float,
    category_ids: Mapping[int, int],
) -> InstancePrediction:
    """One picture's detections, best first.

    Parameters
    ----------
    detections : dict
        `boxes` (N, 4), `scores` (N,), `labels` (N,) of 1..K, `mask_probs` (N, M, M), in pixels of the input.
    zoom : (x, y)
        Pixels of the network's input for one pixel of the picture.
    image_size : (height, width)
        Of the picture.
    mask_threshold : float in [0, 1]
    category_ids : dict
        Contiguous id to category id.

    Notes
    -----
    Masks are pasted by bilinear sampling at pixel centres. An instance whose mask came out empty is left out.
    """
    boxes = detections["boxes"].detach().cpu().float()
    boxes = boxes / boxes.new_tensor([zoom[0], zoom[1], zoom[0], zoom[1]])
    height, width = image_size
    boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
    scores = detections["scores"].detach().cpu().float()
    order = scores.argsort(descending=True, stable=True)
    rles = paste_masks_as_rle(detections["mask_probs"].detach().cpu()[order], boxes[order], image_size, mask_threshold)
    kept = [row for row, rle in enumerate(rles) if _has_pixels(rle)]
    labels = detections["labels"].detach().cpu()[order]
    return InstancePrediction(
        boxes=boxes[order][kept].numpy().astype(np.float32),
        scores=scores[order][kept].numpy().astype(np.float32),
        category_ids=np.array([category_ids[int(labels[row])] for row in kept], dtype=np.int64),
        rles=tuple(rles[row] for row in kept),
    )


def _has_pixels(rle: Mapping[str, object]) -> bool:
    """Whether the run-length code marks any pixel."""
    from pycocotools import mask as mask_api

    return int(mask_api.area(dict(rle))) > 0
