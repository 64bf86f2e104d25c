"""What the panoptic branch learns from pseudo-masks, or from true ones.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.3 and eq. (11); the branch is Li et al., *Panoptic SegFormer* (CVPR
2022), arXiv:2109.03814. Shapes: L layers, B pictures, Q queries, K thing classes, M queries of the thing stack, S stuff
classes, n things and m stuff classes of a picture, h w cells of the grid. Every term is the sum over layers;
denominators count the whole batch, on all processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torchvision.ops import box_convert, generalized_box_iou_loss, sigmoid_focal_loss

from pointanno_models.layers.bilinear import loss_enlarged_dice
from pointanno_models.layers.shared_batch import mean_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pointanno_models.psps.matching import Match
    from pointanno_models.psps.outputs import LocationOutputs, MaskOutputs, PanopticTargets


@dataclass(frozen=True, slots=True, eq=False)
class TargetCounts:
    """What sums over things and over stuff are divided by, and the weights of both in the sum.

    Attributes
    ----------
    things, stuff : () float
        Targets in the batch; 1 where there are none.
    thing_share, stuff_share : () float
        n_th / (n_th + n_st) and n_st / (n_th + n_st); both 0 without any target.
    """

    things: Tensor
    stuff: Tensor
    thing_share: Tensor
    stuff_share: Tensor


def count_targets(targets: Sequence[PanopticTargets], matches: Sequence[Match], like: Tensor) -> TargetCounts:
    """Things that have a query and stuff classes, in the batch.

    Parameters
    ----------
    targets : B of PanopticTargets
    matches : B of Match
        Of any layer: all have as many pairs.
    like : Tensor
        Gives device and precision.
    """
    things = sum(len(match.targets) for match in matches)
    stuff = sum(len(target.stuff_labels) for target in targets)
    means = mean_counts(like.new_tensor([float(things), float(stuff)]))
    shares = means / torch.where(means.sum() > 0, means.sum(), 1)
    counts = torch.where(means > 0, means, 1)
    return TargetCounts(counts[0], counts[1], shares[0], shares[1])


def _full(values: Tensor) -> Tensor:
    """In single precision where they came in half of it."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def location_losses(
    location: LocationOutputs,
    matches: Sequence[Sequence[Match]],
    targets: Sequence[PanopticTargets],
    counts: TargetCounts,
) -> tuple[Tensor, Tensor, Tensor]:
    """Class, place and overlap of the thing queries.

    Parameters
    ----------
    location : LocationOutputs
    matches : L of B of Match
    targets : B of PanopticTargets
    counts : TargetCounts

    Returns
    -------
    class_loss : () float
        Focal loss of all queries; those without a target are negative for every class.
    box_loss : () float
        L1 distance of (cx, cy, w, h) of the matched ones.
    giou_loss : () float
        One minus their generalised overlap.
    """
    logits, boxes = _full(location.class_logits), _full(location.boxes)
    wanted = torch.zeros_like(logits)
    found, given = [], []
    for layer, row in enumerate(matches):
        for picture, match in enumerate(row):
            target = targets[picture]
            wanted[layer, picture, match.queries, target.thing_labels[match.targets]] = 1
            found.append(boxes[layer, picture, match.queries])
            given.append(target.thing_boxes[match.targets].to(boxes.dtype))
    class_loss: Tensor = sigmoid_focal_loss(logits, wanted, alpha=0.25, gamma=2, reduction="sum") / counts.things
    own, other = torch.cat(found), torch.cat(given)
    # connected to the graph also where nothing is matched
    box_loss = (own - other).abs().sum() / counts.things + boxes.sum() * 0
    corners = box_convert(own, "cxcywh", "xyxy"), box_convert(other, "cxcywh", "xyxy")
    giou_loss = generalized_box_iou_loss(*corners, reduction="sum") / counts.things + boxes.sum() * 0
    return class_loss, box_loss, giou_loss


def loss_thing_mask(
    masks: Tensor, matches: Sequence[Match], targets: Sequence[PanopticTargets], counts: TargetCounts, *, stride: int
) -> Tensor:
    """Dice of the matched queries' masks at the resolution of the input.

    Parameters
    ----------
    masks : (L, B, M, h, w) float
        Of the queries that `matching.select_matched` chose, in its order.
    matches : B of Match
        Of the last location layer.
    targets : B of PanopticTargets
    counts : TargetCounts
    stride : int
        Pixels for one cell.

    Returns
    -------
    () float
        Mean over matched things. Zero, and still connected to the graph, without any.
    """
    masks = _full(masks)
    total = masks.sum() * 0
    for picture, (match, target) in enumerate(zip(matches, targets, strict=True)):
        chosen = masks[:, picture, : len(match.targets)]
        total = total + loss_enlarged_dice(chosen, target.thing_masks[match.targets], stride).sum()
    return total / counts.things


def stuff_losses(
    stuff: MaskOutputs,
    targets: Sequence[PanopticTargets],
    counts: TargetCounts,
    *,
    first_label: int,
    stride: int,
    ignored_is_negative: bool = True,
) -> tuple[Tensor, Tensor]:
    """Masks of the stuff classes that are there, and which ones are.

    Parameters
    ----------
    stuff : MaskOutputs
        Query q stands for class `first_label` + q.
    targets : B of PanopticTargets
    counts : TargetCounts
    first_label : int
        Of the stuff classes: the number of thing classes.
    stride : int
        Pixels for one cell.
    ignored_is_negative : bool
        Pixels without a label are outside of every stuff mask, as in the original; otherwise they count nothing.

    Returns
    -------
    mask_loss : () float
        Dice, mean over the stuff classes that are in their pictures.
    class_loss : () float
        Focal loss of presence, divided by their number.

    Raises
    ------
    ValueError
        If `stuff` has no presence.
    """
    if stuff.class_logits is None:
        raise ValueError("stuff masks need class_logits, the presence of each class, but have None")
    logits, masks = _full(stuff.class_logits), _full(stuff.masks)
    wanted = torch.zeros_like(logits)
    total = masks.sum() * 0
    for picture, target in enumerate(targets):
        queries = target.stuff_labels - first_label
        wanted[:, picture, queries] = 1
        is_counted = None if ignored_is_negative else ~target.ignored
        dice = loss_enlarged_dice(masks[:, picture, queries], target.stuff_masks, stride, is_counted)
        total = total + dice.sum()
    focal: Tensor = sigmoid_focal_loss(logits, wanted, alpha=0.25, gamma=2, reduction="sum")
    return total / counts.stuff, focal / counts.stuff
