"""What the panoptic branch learns from, made of masks: pseudo-masks or true ones. No gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pointanno_models.psps.outputs import PanopticTargets

if TYPE_CHECKING:
    from torch import Tensor


@torch.no_grad()
def targets_from_masks(
    masks: Tensor, labels: Tensor, isthing: Tensor, ignored: Tensor | None = None
) -> PanopticTargets:
    """Targets of the losses from masks that do not overlap, pseudo-masks or true ones.

    Parameters
    ----------
    masks : (N, H_b, W_b) bool
        Empty ones are left out.
    labels : (N,) int64
        Classes; a stuff class occurs at most once.
    isthing : (N,) bool
    ignored : (H_b, W_b) bool, optional
        Pixels without a label; by default those in no mask.
    """
    if ignored is None:
        ignored = ~masks.any(dim=0)
    is_there = masks.flatten(1).any(dim=1)
    things = (is_there & isthing).nonzero()[:, 0]
    stuff = (is_there & ~isthing).nonzero()[:, 0]
    stuff = stuff[labels[stuff].argsort()]
    return PanopticTargets(
        thing_masks=masks[things],
        thing_labels=labels[things],
        thing_boxes=tight_boxes(masks[things]),
        thing_index=things,
        stuff_masks=masks[stuff],
        stuff_labels=labels[stuff],
        stuff_index=stuff,
        ignored=ignored,
    )


def tight_boxes(masks: Tensor) -> Tensor:
    """Extent of masks that are not empty.

    Parameters
    ----------
    masks : (n, H, W) bool

    Returns
    -------
    (n, 4) float32
        (cx, cy, w, h) as shares of width and height; a single pixel has width 1 / W.
    """
    height, width = masks.shape[-2:]
    spans = []
    for occupied, extent in ((masks.any(dim=1), width), (masks.any(dim=2), height)):
        values = occupied.to(torch.uint8)
        first = values.argmax(dim=1)
        end = extent - values.flip(1).argmax(dim=1)
        spans.append((first / extent, end / extent))
    (left, right), (top, bottom) = spans
    return torch.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], dim=1)
