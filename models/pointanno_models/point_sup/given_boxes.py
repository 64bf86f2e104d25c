"""Masks of annotated boxes (paper, section 4.3): the mask branch alone, in pictures of any size.

No proposals, no scores, no suppression: every box and class that is given gets one mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from pointanno_models.data.augmentation import resize_image
from pointanno_models.segmenters.batches import pad_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from pointanno_models.data import NormalizedPicture
    from pointanno_models.engine.tiling import Tiling

    Window = tuple[int, int, int, int]

_AT_ONCE = 256
"""Boxes whose masks are held in memory at a time."""


def masks_of_boxes(
    network: nn.Module,
    picture: NormalizedPicture | NDArray[np.float32],
    boxes: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    zoom: Callable[[tuple[int, int]], float],
    tiling: Tiling,
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Mask probabilities inside given boxes.

    Parameters
    ----------
    network : nn.Module
        A Mask R-CNN in evaluation mode.
    picture : (H, W, C) float32, normalised
    boxes : (N, 4) float32
        XYXY, continuous, in pixels of the picture.
    labels : (N,) int64 of 1..K
    zoom : function of (height, width)
        Pixels of the network's input for one pixel of a picture, or of a part, of this size.
    tiling : Tiling
        Larger pictures than it says are done in overlapping parts.

    Yields
    ------
    (n,) int64, (n, M, M) float in [0, 1]
        Indices of boxes and their masks, on the CPU; each box comes once.
    """
    height, width = picture.shape[:2]
    weight = next(network.parameters())  # its device, and the precision of a training that goes on
    for (top, left, bottom, right), chosen in split_by_windows(boxes, (height, width), tiling):
        part = np.ascontiguousarray(picture[top:bottom, left:right].transpose(2, 0, 1))
        scale = zoom((bottom - top, right - left))
        size = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
        images, sizes = pad_images([resize_image(torch.from_numpy(part), size)])
        images = images.to(weight)
        factors = np.array([size[1] / (right - left), size[0] / (bottom - top)] * 2, dtype=np.float32)
        origin = np.array([left, top, left, top], dtype=np.float32)
        for start in range(0, len(chosen), _AT_ONCE):
            index = chosen[start : start + _AT_ONCE]
            given = torch.from_numpy((boxes[index] - origin) * factors).to(weight)
            with torch.no_grad():
                [probs] = network.masks_of_boxes(  # type: ignore[operator]
                    images, sizes, [given], [torch.from_numpy(labels[index]).to(weight.device)]
                )
            yield index, probs.cpu().float()


def split_by_windows(
    boxes: NDArray[np.float32], image_size: tuple[int, int], tiling: Tiling
) -> Iterator[tuple[Window, NDArray[np.int64]]]:
    """Parts of a picture, (top, left, bottom, right), and the boxes that are done in each.

    Every box lies wholly in its part, as far from its border as the overlap allows; one that fits into none gets a
    part of its own.
    """
    height, width = image_size
    side, overlap = tiling.size, tiling.overlap
    if not len(boxes):
        return
    if not side or max(height, width) <= max(side, tiling.whole):
        yield (0, 0, height, width), np.arange(len(boxes))
        return
    rows, columns = _starts(height, side, overlap), _starts(width, side, overlap)
    windows = [(top, left, min(top + side, height), min(left + side, width)) for top in rows for left in columns]
    edges = np.array(windows, dtype=np.float32)[:, [1, 0, 3, 2]]
    # (N, windows): how far the nearest border is, not counting borders of the picture itself
    room = np.stack(
        [
            np.where(edges[None, :, 0] > 0, boxes[:, None, 0] - edges[None, :, 0], np.inf),
            np.where(edges[None, :, 1] > 0, boxes[:, None, 1] - edges[None, :, 1], np.inf),
            np.where(edges[None, :, 2] < width, edges[None, :, 2] - boxes[:, None, 2], np.inf),
            np.where(edges[None, :, 3] < height, edges[None, :, 3] - boxes[:, None, 3], np.inf),
        ]
    ).min(axis=0)
    best = room.argmax(axis=1)
    fits = room[np.arange(len(boxes)), best] >= 0
    for number, window in enumerate(windows):
        chosen = np.flatnonzero(fits & (best == number))
        if len(chosen):
            yield window, chosen
    for index in np.flatnonzero(~fits).tolist():
        x0, y0, x1, y1 = (float(value) for value in boxes[index])
        top, bottom = max(0, int(y0) - overlap // 2), min(height, int(np.ceil(y1)) + overlap // 2)
        left, right = max(0, int(x0) - overlap // 2), min(width, int(np.ceil(x1)) + overlap // 2)
        yield (top, left, bottom, right), np.array([index])


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Where parts of a side begin, the last one flush with the end."""
    if length <= side:
        return [0]
    starts = list(range(0, length - side, max(1, side - overlap)))
    return [*starts, length - side]
