"""Which thing query stands for which target: the assignment of lowest cost, one to one.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.3; the costs are those of Carion et al., *DETR* (ECCV 2020),
arXiv:2005.12872, with the focal class cost of *Deformable DETR*, arXiv:2010.04159.

Shapes: L layers, B pictures, Q queries, K thing classes, n thing targets of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_convert, generalized_box_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class MatchingSettings:
    """Weights of the three costs of a pair; the location losses have the same weights."""

    class_weight: float = 2.0
    """Focal loss of the target's class."""
    box_weight: float = 5.0
    """L1 distance of (cx, cy, w, h), as shares of the picture."""
    giou_weight: float = 2.0
    """Generalised overlap of the boxes."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The pairs of one picture in one layer, by ascending target.

    Attributes
    ----------
    queries, targets : (m,) int64
        m is the smaller one of Q and n; with more targets than queries some are left without one.
    """

    queries: Tensor
    targets: Tensor


def focal_class_cost(class_logits: Tensor, labels: Tensor, *, alpha: float = 0.25, gamma: float = 2) -> Tensor:
    """How much dearer the focal loss is with the target's class as negative than as positive, negated.

    Parameters
    ----------
    class_logits : (..., Q, K) float
    labels : (n,) int64

    Returns
    -------
    (..., Q, n) float
        ``alpha (1 - p)^gamma (-log p) - (1 - alpha) p^gamma (-log(1 - p))`` of the target's class.
    """
    logits = class_logits[..., labels]
    probs = logits.sigmoid()
    positive = -alpha * (1 - probs) ** gamma * torch.nn.functional.logsigmoid(logits)
    negative = -(1 - alpha) * probs**gamma * torch.nn.functional.logsigmoid(-logits)
    return positive - negative


@torch.no_grad()
def pair_costs(
    class_logits: Tensor,
    boxes: Tensor,
    labels: Tensor,
    target_boxes: Tensor,
    settings: MatchingSettings,
) -> Tensor:
    """Cost of giving a target to a query.

    Parameters
    ----------
    class_logits : (..., Q, K) float
    boxes : (..., Q, 4) float
        (cx, cy, w, h) as shares of the picture.
    labels : (n,) int64
    target_boxes : (n, 4) float, as `boxes`
    settings : MatchingSettings

    Returns
    -------
    (..., Q, n) float
    """
    flat = boxes.flatten(0, -2).float()
    distance = torch.cdist(flat, target_boxes.float(), p=1)
    overlap = generalized_box_iou(
        box_convert(flat, "cxcywh", "xyxy"), box_convert(target_boxes.float(), "cxcywh", "xyxy")
    )
    geometry: Tensor = settings.box_weight * distance - settings.giou_weight * overlap
    costs = settings.class_weight * focal_class_cost(class_logits.float(), labels)
    return costs + geometry.view(costs.shape)


def match_layers(
    class_logits: Tensor,
    boxes: Tensor,
    labels: Sequence[Tensor],
    target_boxes: Sequence[Tensor],
    settings: MatchingSettings,
) -> list[list[Match]]:
    """Cheapest pairs of each picture, in each layer by itself.

    Parameters
    ----------
    class_logits : (L, B, Q, K) float
    boxes : (L, B, Q, 4) float
        (cx, cy, w, h) as shares of the picture.
    labels : B of (n,) int64
    target_boxes : B of (n, 4) float, as `boxes`
    settings : MatchingSettings

    Returns
    -------
    L of B of Match

    Notes
    -----
    No mask takes part in the cost: in the original one is configured, but never used here. All costs travel to the
    host at once. A cost that is no number counts as very dear, so that the loss can report it.
    """
    layers, pictures, queries = class_logits.shape[:3]
    costs = [pair_costs(class_logits[:, b], boxes[:, b], labels[b], target_boxes[b], settings) for b in range(pictures)]
    counts = [len(given) for given in labels]
    together = torch.cat([cost.flatten() for cost in costs]) if costs else class_logits.new_zeros(0)
    on_host = together.nan_to_num(nan=1e6, posinf=1e6, neginf=-1e6).cpu()
    parts = on_host.split([layers * queries * count for count in counts])
    matches: list[list[Match]] = []
    for layer in range(layers):
        row = []
        for part, count in zip(parts, counts, strict=True):
            cost = part.view(layers, queries, count)[layer].numpy()
            chosen, given = linear_sum_assignment(cost.T)  # by ascending target
            row.append(
                Match(
                    queries=torch.as_tensor(given, dtype=torch.int64, device=class_logits.device),
                    targets=torch.as_tensor(chosen, dtype=torch.int64, device=class_logits.device),
                )
            )
        matches.append(row)
    return matches


def select_matched(matches: Sequence[Match]) -> Tensor:
    """Queries that go through the thing stack.

    Parameters
    ----------
    matches : B of Match
        Of the last layer.

    Returns
    -------
    (B, M) int64
        M is the largest number of pairs, and at least 1. Row b begins with the queries of its pairs, in their order,
        and is filled up with query 0, whose masks nobody reads.
    """
    width = max([1, *(len(match.queries) for match in matches)])
    selected = matches[0].queries.new_zeros((len(matches), width))
    for row, match in zip(selected, matches, strict=True):
        row[: len(match.queries)] = match.queries
    return selected
