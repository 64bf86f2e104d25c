"""All losses of one step: from clicks to pseudo-masks to what the panoptic branch learns from them, in one pass.

PSPS (ECCV 2022), arXiv:2210.13950, eq. (11). Each term has its own file; here they are weighed and added up.
Shape letters as in `outputs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pointanno_models.psps.click_squares import UNLABELLED, cell_labels, square_side
from pointanno_models.psps.color_prior import find_color_pairs, loss_sem_color
from pointanno_models.psps.contrastive import loss_metric
from pointanno_models.psps.label_generator import PseudoLabels, generate_batch
from pointanno_models.psps.matching import Match, match_layers, select_matched
from pointanno_models.psps.panoptic_losses import count_targets, location_losses, loss_thing_mask, stuff_losses
from pointanno_models.psps.semantic_losses import loss_sem_cls, loss_sem_mask
from pointanno_models.psps.targets import targets_from_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno_models.psps.outputs import (
        Batch,
        ImageTargets,
        MaskOutputs,
        NetworkOutputs,
        PanopticTargets,
        SemanticOutputs,
    )
    from pointanno_models.psps.recipe import PSPSRecipe


@dataclass(slots=True)
class StepObjective:
    """One training step on one batch; used once."""

    recipe: PSPSRecipe
    batch: Batch
    num_things: int
    stride: int
    """Pixels for a cell of the grid."""
    warmup: float
    """Factor of the panoptic losses, 0 to 1."""
    pseudo_labels: Sequence[PseudoLabels] | None = field(default=None, init=False)
    """What the generator made, None under mask supervision."""
    _targets: Sequence[PanopticTargets] = field(default=(), init=False)
    _matches: list[list[Match]] = field(default_factory=list, init=False)

    @property
    def is_pointly(self) -> bool:
        """Whether the targets are clicks."""
        return all(target.masks is None for target in self.batch.targets)

    @property
    def needs_labels(self) -> bool:
        """Whether the semantic branch takes part."""
        return self.is_pointly or self.recipe.losses.semantic_with_masks

    def select(self, outputs: NetworkOutputs) -> Tensor:
        """Make or take the masks, and match the location decoder's queries with them."""
        if self.is_pointly:
            self.pseudo_labels = generate_batch(outputs, self.batch, stride=self.stride, settings=self.recipe.labels)
            self._targets = [made.targets for made in self.pseudo_labels]
        else:
            self._targets = [true_targets(target) for target in self.batch.targets]
        self._matches = match_layers(
            outputs.location.class_logits,
            outputs.location.boxes,
            [target.thing_labels for target in self._targets],
            [target.thing_boxes for target in self._targets],
            self.recipe.matching,
        )
        return select_matched(self._matches[-1])

    def losses(self, outputs: NetworkOutputs, things: MaskOutputs) -> dict[str, Tensor]:
        """All terms, weighed, in full precision."""
        with torch.autocast(things.masks.device.type, enabled=False):
            losses = self._panoptic_losses(outputs, things)
            if outputs.semantic is not None:
                losses |= self._semantic_losses(outputs, outputs.semantic)
            if outputs.embedding is not None:
                metric = self._contrastive_loss(outputs.embedding.float())
                losses["loss_metric"] = self.recipe.losses.contrastive * metric
        return losses

    def _panoptic_losses(self, outputs: NetworkOutputs, things: MaskOutputs) -> dict[str, Tensor]:
        """Warmed up; things and stuff by their shares of the targets."""
        weights, matching = self.recipe.losses, self.recipe.matching
        counts = count_targets(self._targets, self._matches[-1], things.masks)
        class_loss, box_loss, giou_loss = location_losses(outputs.location, self._matches, self._targets, counts)
        thing_mask = loss_thing_mask(things.masks, self._matches[-1], self._targets, counts, stride=self.stride)
        share = self.warmup * counts.thing_share
        losses = {
            "loss_cls": share * matching.class_weight * class_loss,
            "loss_bbox": share * matching.box_weight * box_loss,
            "loss_iou": share * matching.giou_weight * giou_loss,
            "loss_thing_mask": share * weights.dice * thing_mask,
        }
        if outputs.stuff is not None:
            stuff_mask, stuff_class = stuff_losses(
                outputs.stuff,
                self._targets,
                counts,
                first_label=self.num_things,
                stride=self.stride,
                ignored_is_negative=weights.ignored_is_negative,
            )
            share = self.warmup * counts.stuff_share
            losses["loss_st_mask"] = share * weights.dice * stuff_mask
            losses["loss_st_cls"] = share * weights.stuff_presence * stuff_class
        return losses

    def _semantic_losses(self, outputs: NetworkOutputs, semantic: SemanticOutputs) -> dict[str, Tensor]:
        """Not warmed up, because the pseudo-masks rest on them, but the colour prior where the recipe says so."""
        weights = self.recipe.losses
        log_probs = semantic.logits.float().log_softmax(dim=2)
        is_present = torch.stack([self._present(target, log_probs.shape[2]) for target in self.batch.targets])
        losses = {
            "loss_sem_mask": loss_sem_mask(log_probs, self._cell_labels(log_probs.shape[-2:])),
            "loss_sem_cls": weights.presence * loss_sem_cls(semantic.presence_logits, is_present),
        }
        if weights.color and self.is_pointly:
            pairs = find_color_pairs(self.batch.rgb, outputs.memory.is_valid_cell, stride=self.stride)
            # squared: classes must be told apart before neighbours are asked to agree
            weight = weights.color * (self.warmup**2 if weights.color_warmup else 1)
            losses["loss_sem_color"] = weight * loss_sem_color(log_probs, pairs)
        return losses

    def _present(self, target: ImageTargets, count: int) -> Tensor:
        """(C,) bool: classes with a click, or with a mask."""
        present = torch.zeros(count, dtype=torch.bool, device=target.labels.device)
        if target.masks is not None:
            present[target.labels[target.masks.flatten(1).any(dim=1)]] = True
        else:
            present[target.labels[target.click_targets]] = True
        return present

    def _cell_labels(self, grid: tuple[int, ...]) -> Tensor:
        """(B, h, w) int64: the classes of the clicks' squares, or of all cells under mask supervision."""
        cells = (int(grid[0]), int(grid[1]))
        return torch.stack(
            [
                cell_labels(
                    target.click_coords,
                    target.labels[target.click_targets],
                    size,
                    grid=cells,
                    stride=self.stride,
                    side=square_side(size, self.recipe.labels.click_square),
                )
                if target.masks is None
                else mask_cell_labels(target.masks, target.labels, grid=cells, stride=self.stride)
                for target, size in zip(self.batch.targets, self.batch.valid_sizes, strict=True)
            ]
        )

    def _contrastive_loss(self, embedding: Tensor) -> Tensor:
        """Between all targets of a picture, things and stuff; without clicks there is nothing to compare."""
        return loss_metric(
            embedding,
            [
                masks_of_targets(made, len(target.labels))
                for made, target in zip(self._targets, self.batch.targets, strict=True)
            ],
            [target.click_coords for target in self.batch.targets],
            [target.click_targets for target in self.batch.targets],
            stride=self.stride,
        )


def true_targets(target: ImageTargets) -> PanopticTargets:
    """The given masks of one picture as what the panoptic branch learns.

    Raises
    ------
    ValueError
        If there are no masks.
    """
    if target.masks is None:
        raise ValueError("the target must have masks, but has clicks only")
    return targets_from_masks(target.masks, target.labels, target.isthing, target.ignored)


def masks_of_targets(made: PanopticTargets, count: int) -> Tensor:
    """(N, H_b, W_b) bool: the masks by target, empty where a target has none."""
    masks = torch.zeros((count, *made.ignored.shape), dtype=torch.bool, device=made.ignored.device)
    masks[made.thing_index] = made.thing_masks
    masks[made.stuff_index] = made.stuff_masks
    return masks


def mask_cell_labels(masks: Tensor, labels: Tensor, *, grid: tuple[int, int], stride: int) -> Tensor:
    """Classes of cells under mask supervision.

    Parameters
    ----------
    masks : (N, H_b, W_b) bool
        Without overlap.
    labels : (N,) int64
    grid : (h, w)
        Cells of the whole canvas.
    stride : int
        Pixels for a cell.

    Returns
    -------
    (h, w) int64
        The class of the pixel at the cell's centre; `UNLABELLED` where no mask is, and in the padding.
    """
    rows, columns = (
        (torch.arange(-(-extent // stride), device=masks.device) * stride + stride // 2).clamp(max=extent - 1)
        for extent in masks.shape[1:]
    )
    full = torch.full(grid, UNLABELLED, dtype=torch.int64, device=masks.device)
    if len(masks):
        at_centers = masks[:, rows[:, None], columns]
        chosen = labels[at_centers.to(torch.uint8).argmax(dim=0)]
        full[: len(rows), : len(columns)] = torch.where(at_centers.any(dim=0), chosen, UNLABELLED)
    return full
