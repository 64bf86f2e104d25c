"""Mask R-CNN on torchvision's parts, with a mask loss that can be exchanged.

He et al., *Mask R-CNN* (ICCV 2017), arXiv:1703.06870. Differs from torchvision's `MaskRCNN`: aligned pooling
and pasting (`pointanno_models.layers.roi_align`), targets may carry points instead of masks, pictures come
batched and normalised. Class ids inside are contiguous: 0 background, 1..K things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead

from pointanno_models.layers.roi_align import AlignedMultiScaleRoIAlign, crop_masks_to_boxes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno_models.backbones import PyramidBackbone

    MaskLoss = Callable[[Tensor, list[Tensor], list[dict[str, Tensor]], list[Tensor]], Tensor]


@dataclass(frozen=True, slots=True)
class MaskRCNNSettings:
    """Sizes and thresholds; the names follow torchvision."""

    anchor_sizes: tuple[int, ...]
    """One anchor size for each level of the pyramid, in pixels of the network's input."""
    aspect_ratios: tuple[float, ...]
    rpn_pre_nms_top_n_train: int
    rpn_pre_nms_top_n_test: int
    rpn_post_nms_top_n_train: int
    rpn_post_nms_top_n_test: int
    rpn_nms_thresh: float
    rpn_fg_iou_thresh: float
    rpn_bg_iou_thresh: float
    rpn_batch_size_per_image: int
    rpn_positive_fraction: float
    canonical_scale: int
    """Side of a box that is pooled from level 4 (stride 16)."""
    box_pool_size: int
    box_head_channels: int
    box_fg_iou_thresh: float
    box_bg_iou_thresh: float
    box_batch_size_per_image: int
    box_positive_fraction: float
    box_score_thresh: float
    box_nms_thresh: float
    detections_per_img: int
    mask_pool_size: int
    mask_head_convs: int
    mask_head_channels: int


class MaskRoIHeads(RoIHeads):
    """Box and mask branch; the mask loss is a function of logits and matched targets."""

    mask_loss: MaskLoss

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Losses in training; else for each image `boxes`, `labels`, `scores` and `mask_probs` (N, M, M)."""
        if targets is None:
            return self._detect(features, proposals, image_shapes), {}
        boxes = [target["boxes"] for target in targets]
        labels = [target["labels"] for target in targets]
        proposals = self.add_gt_proposals([proposal.detach() for proposal in proposals], boxes)
        matched, sampled_labels = self.assign_targets_to_proposals(proposals, boxes, labels)
        chosen = self.subsample(sampled_labels)
        proposals = [proposal[index] for proposal, index in zip(proposals, chosen, strict=True)]
        sampled_labels = [label[index] for label, index in zip(sampled_labels, chosen, strict=True)]
        matched = [match[index] for match, index in zip(matched, chosen, strict=True)]
        matched_boxes = [
            box[match] if len(box) else box.new_zeros((len(match), 4))
            for box, match in zip(boxes, matched, strict=True)
        ]
        regression_targets = self.box_coder.encode(matched_boxes, proposals)

        pooled = self.box_roi_pool(features, proposals, image_shapes)
        class_logits, box_regression = self.box_predictor(self.box_head(pooled))
        loss_classifier, loss_box_reg = fastrcnn_loss(class_logits, box_regression, sampled_labels, regression_targets)

        positives = [torch.where(label > 0)[0] for label in sampled_labels]
        mask_proposals = [proposal[index] for proposal, index in zip(proposals, positives, strict=True)]
        mask_matches = [match[index] for match, index in zip(matched, positives, strict=True)]
        logits = self.mask_logits(features, mask_proposals, image_shapes)
        loss_mask = self.mask_loss(logits, mask_proposals, targets, mask_matches)
        return [], {"loss_classifier": loss_classifier, "loss_box_reg": loss_box_reg, "loss_mask": loss_mask}

    def mask_logits(
        self, features: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> Tensor:
        """(R, K + 1, M, M) logits of all boxes of the batch; channel 0 is unused, as in torchvision."""
        logits: Tensor = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
        return logits

    def _detect(
        self, features: dict[str, Tensor], proposals: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        pooled = self.box_roi_pool(features, proposals, image_shapes)
        class_logits, box_regression = self.box_predictor(self.box_head(pooled))
        boxes, scores, labels = self.postprocess_detections(
            class_logits.float(), box_regression.float(), proposals, image_shapes
        )
        logits = self.mask_logits(features, boxes, image_shapes).float()
        mask_probs = select_class(logits, torch.cat(labels)).sigmoid().split([len(label) for label in labels])
        return [
            {"boxes": box, "scores": score, "labels": label, "mask_probs": prob}
            for box, score, label, prob in zip(boxes, scores, labels, mask_probs, strict=True)
        ]


class MaskRCNN(nn.Module):
    """Backbone, region proposals, box and mask branch.

    Parameters
    ----------
    backbone : PyramidBackbone
    num_categories : int
        K, things only.
    settings : MaskRCNNSettings
    mask_loss : function
        Gets (R, K + 1, M, M) logits, the proposals of each image, the targets and the index of the target that
        each proposal belongs to; returns a 0-dimensional loss.
    """

    def __init__(
        self, backbone: PyramidBackbone, num_categories: int, settings: MaskRCNNSettings, mask_loss: MaskLoss
    ) -> None:
        super().__init__()
        s, width = settings, backbone.out_channels
        self.backbone = backbone
        anchors = AnchorGenerator(
            sizes=tuple((size,) for size in s.anchor_sizes),
            aspect_ratios=(tuple(s.aspect_ratios),) * len(s.anchor_sizes),
        )
        self.rpn = RegionProposalNetwork(
            anchors,
            RPNHead(width, len(s.aspect_ratios)),
            s.rpn_fg_iou_thresh,
            s.rpn_bg_iou_thresh,
            s.rpn_batch_size_per_image,
            s.rpn_positive_fraction,
            {"training": s.rpn_pre_nms_top_n_train, "testing": s.rpn_pre_nms_top_n_test},
            {"training": s.rpn_post_nms_top_n_train, "testing": s.rpn_post_nms_top_n_test},
            s.rpn_nms_thresh,
        )
        levels = list(backbone.level_names[:-1])
        predictor = MaskRCNNPredictor(s.mask_head_channels, s.mask_head_channels, num_categories + 1)
        # torchvision starts all of the predictor from He's distribution, the original its last layer near zero
        nn.init.normal_(predictor.mask_fcn_logits.weight, std=0.001)
        nn.init.zeros_(predictor.mask_fcn_logits.bias)
        self.roi_heads = MaskRoIHeads(
            AlignedMultiScaleRoIAlign(levels, s.box_pool_size, 2, canonical_scale=s.canonical_scale),
            TwoMLPHead(width * s.box_pool_size**2, s.box_head_channels),
            FastRCNNPredictor(s.box_head_channels, num_categories + 1),
            s.box_fg_iou_thresh,
            s.box_bg_iou_thresh,
            s.box_batch_size_per_image,
            s.box_positive_fraction,
            None,
            s.box_score_thresh,
            s.box_nms_thresh,
            s.detections_per_img,
            AlignedMultiScaleRoIAlign(levels, s.mask_pool_size, 2, canonical_scale=s.canonical_scale),
            MaskRCNNHeads(width, (s.mask_head_channels,) * s.mask_head_convs, 1),
            predictor,
        )
        self.roi_heads.mask_loss = mask_loss
        # channels beside each other in memory: a tenth faster on processors, and what tensor cores want
        self.to(memory_format=torch.channels_last)

    def forward(
        self,
        images: Tensor,
        image_sizes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> Any:
        """Losses by name if `targets` are given, else detections.

        Parameters
        ----------
        images : (B, 3, H, W) float, normalised, padded at the right and at the bottom
        image_sizes : B of (height, width)
            Before padding.
        targets : B of dict
            `boxes` (N, 4) and `labels` (N,) of 1..K; `masks` (N, H, W) uint8, or `point_coords` (N, P, 2) float
            and `point_labels` (N, P) int8.
        """
        features = self.backbone(images.contiguous(memory_format=torch.channels_last))
        self.rpn.train(targets is not None)
        proposals, losses = self.rpn(ImageList(images, image_sizes), features, targets)
        detections, head_losses = self.roi_heads(features, proposals, image_sizes, targets)
        return detections if targets is None else {**losses, **head_losses}

    def masks_of_boxes(
        self, images: Tensor, image_sizes: list[tuple[int, int]], boxes: list[Tensor], labels: list[Tensor]
    ) -> list[Tensor]:
        """Mask probabilities (N, M, M) of given boxes and classes: no proposals, no box branch, no suppression."""
        features = self.backbone(images.contiguous(memory_format=torch.channels_last))
        logits = self.roi_heads.mask_logits(features, boxes, image_sizes).float()
        probs = select_class(logits, torch.cat(labels)).sigmoid()
        return list(probs.split([len(label) for label in labels]))


def select_class(mask_logits: Tensor, labels: Tensor) -> Tensor:
    """The channel of each instance's class: (R, K + 1, M, M) and (R,) to (R, M, M)."""
    return mask_logits[torch.arange(len(labels), device=labels.device), labels]


def loss_mask(
    mask_logits: Tensor, proposals: list[Tensor], targets: list[dict[str, Tensor]], matched: list[Tensor]
) -> Tensor:
    """Binary cross-entropy of every cell against the matched mask, averaged over cells and proposals.

    Parameters
    ----------
    mask_logits : (R, K + 1, M, M) float
    proposals : B of (R_b, 4) float
        Positive proposals, XYXY.
    targets : B of dict
        With `labels` and `masks`.
    matched : B of (R_b,) int64
        Index of each proposal's instance.

    Returns
    -------
    () float
        Zero, and still connected to the graph, if R is 0.
    """
    if mask_logits.shape[0] == 0:
        return mask_logits.sum() * 0
    labels = torch.cat([target["labels"][index] for target, index in zip(targets, matched, strict=True)])
    cells = torch.cat(
        [
            crop_masks_to_boxes(target["masks"], index, boxes, mask_logits.shape[-1])
            for target, index, boxes in zip(targets, matched, proposals, strict=True)
        ]
    )
    return functional.binary_cross_entropy_with_logits(select_class(mask_logits, labels).float(), cells)
