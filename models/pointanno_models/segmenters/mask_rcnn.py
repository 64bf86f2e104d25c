"""Mask R-CNN on torchvision's parts, with a mask branch and a mask loss that can be exchanged.

He et al., *Mask R-CNN* (ICCV 2017), arXiv:1703.06870. Differs from torchvision's `MaskRCNN`: aligned pooling
and pasting (`pointanno_models.layers.roi_align`), targets may carry points instead of masks, pictures come
batched and normalised. Class ids inside are contiguous: 0 background, 1..K things.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
from pointanno_models.layers.shared_batch import SharedSampler, means_over_batch, pad_to_largest, process_count
from pointanno_models.segmenters.implicit_head import ImplicitMaskHead, loss_l2

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno_models.backbones import PyramidBackbone
    from pointanno_models.segmenters.implicit_head import ImplicitSettings

    Targets = list[dict[str, Tensor]]
    MaskLoss = Callable[[Tensor, list[Tensor], Targets, list[Tensor]], Tensor]
    PointTargets = Callable[[list[Tensor], Targets, list[Tensor]], tuple[Tensor, Tensor, Tensor]]


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


@dataclass(frozen=True, slots=True)
class ConvMask:
    """Mask branch: pooled features and convolutions. Its settings are those of the detector."""

    loss: MaskLoss
    """Gets (R, K + 1, M, M) logits, the proposals of each picture, the targets and the index of the target that
    each proposal belongs to; returns a 0-dimensional loss."""


@dataclass(frozen=True, slots=True)
class ImplicitMask:
    """Mask branch: a network for each instance, asked at points."""

    settings: ImplicitSettings
    targets: PointTargets
    """Gets the proposals, the targets and the index of each proposal's target; returns (R, P, 2) points relative
    to the proposals, their (R, P) answers from 0 to 1 and the (R, P) weights of these."""


class RegionProposals(RegionProposalNetwork):
    """torchvision's, with losses that are means over a batch shared by several processes."""

    fg_bg_sampler: SharedSampler

    def compute_loss(
        self,
        objectness: Tensor,
        pred_bbox_deltas: Tensor,
        labels: list[Tensor],
        regression_targets: list[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Losses of objectness and boxes, averaged over the sampled anchors."""
        losses: tuple[Tensor, Tensor] = super().compute_loss(objectness, pred_bbox_deltas, labels, regression_targets)
        if process_count() == 1:
            return losses
        loss_objectness, loss_box = means_over_batch(losses, self.fg_bg_sampler.count(labels))
        return loss_objectness, loss_box


class MaskRoIHeads(RoIHeads, ABC):
    """Box and mask branch. What the mask branch is, its subclasses say by two methods."""

    @abstractmethod
    def losses_mask(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: Targets,
        matched: list[Tensor],
    ) -> dict[str, Tensor]:
        """Named losses of positive proposals, B of (R_b, 4), and the index of each one's target."""

    @abstractmethod
    def mask_logits(
        self,
        features: dict[str, Tensor],
        boxes: list[Tensor],
        labels: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> Tensor:
        """(R, M, M) logits of all boxes of the batch, of the class that `labels` (1..K) gives each."""

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
        loss_classifier, loss_box_reg = means_over_batch(
            fastrcnn_loss(class_logits, box_regression, sampled_labels, regression_targets), len(class_logits)
        )

        positives = [torch.where(label > 0)[0] for label in sampled_labels]
        # an object whose mask nobody vouches for stays an object for the box branch: left out of the targets
        # altogether, its proposals would be taught that it is background
        positives = [
            index[target["has_mask"][match[index]]] if "has_mask" in target else index
            for index, target, match in zip(positives, targets, matched, strict=True)
        ]
        mask_proposals = [proposal[index] for proposal, index in zip(proposals, positives, strict=True)]
        mask_matches = [match[index] for match, index in zip(matched, positives, strict=True)]
        losses = self.losses_mask(features, mask_proposals, image_shapes, targets, mask_matches)
        means = means_over_batch(list(losses.values()), sum(len(proposal) for proposal in mask_proposals))
        losses = dict(zip(losses, means, strict=True))
        return [], {"loss_classifier": loss_classifier, "loss_box_reg": loss_box_reg, **losses}

    def _detect(
        self, features: dict[str, Tensor], proposals: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        pooled = self.box_roi_pool(features, proposals, image_shapes)
        class_logits, box_regression = self.box_predictor(self.box_head(pooled))
        boxes, scores, labels = self.postprocess_detections(
            class_logits.float(), box_regression.float(), proposals, image_shapes
        )
        logits = self.mask_logits(features, boxes, labels, image_shapes).float()
        mask_probs = logits.sigmoid().split([len(label) for label in labels])
        return [
            {"boxes": box, "scores": score, "labels": label, "mask_probs": prob}
            for box, score, label, prob in zip(boxes, scores, labels, mask_probs, strict=True)
        ]


class ConvMaskRoIHeads(MaskRoIHeads):
    """The mask branch of Mask R-CNN: pooled features, convolutions, a grid of logits."""

    mask_loss: MaskLoss

    def losses_mask(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: Targets,
        matched: list[Tensor],
    ) -> dict[str, Tensor]:
        """One loss, a function of logits and matched targets."""
        logits = self.logits_of_classes(features, proposals, image_shapes)
        return {"loss_mask": self.mask_loss(logits, proposals, targets, matched)}

    def mask_logits(
        self,
        features: dict[str, Tensor],
        boxes: list[Tensor],
        labels: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> Tensor:
        """(R, M, M) logits, M twice the pooled side."""
        return select_class(self.logits_of_classes(features, boxes, image_shapes), torch.cat(labels))

    def logits_of_classes(
        self, features: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> Tensor:
        """(R, K + 1, M, M) logits of all boxes of the batch; channel 0 is unused, as in torchvision."""
        logits: Tensor = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
        return logits


class ImplicitMaskRoIHeads(MaskRoIHeads):
    """The mask branch of Implicit PointRend: a network for each instance, asked at points of the finest level."""

    mask_head: ImplicitMaskHead
    mask_level: str
    point_targets: PointTargets

    def losses_mask(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: Targets,
        matched: list[Tensor],
    ) -> dict[str, Tensor]:
        """Cross-entropy at points, and the size of the made weights."""
        level = features[self.mask_level]
        coords, answers, weight = self.point_targets(proposals, targets, matched)
        labels = torch.cat([target["labels"][index] for target, index in zip(targets, matched, strict=True)])
        parameters = self.mask_head.make_parameters(level, proposals)
        logits = self.mask_head.point_logits(parameters, level, proposals, labels, coords).float()
        if logits.numel() == 0:
            loss_mask_point = logits.sum() + parameters.sum() * 0
        else:
            loss_mask_point = functional.binary_cross_entropy_with_logits(logits, answers, weight)
        return {
            "loss_mask_point": loss_mask_point,
            "loss_l2": loss_l2(parameters, self.mask_head.settings.l2_weight),
        }

    def mask_logits(
        self,
        features: dict[str, Tensor],
        boxes: list[Tensor],
        labels: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> Tensor:
        """(R, M, M) logits by adaptive subdivision."""
        return self.mask_head.mask_logits(features[self.mask_level], boxes, labels)


class MaskRCNN(nn.Module):
    """Backbone, region proposals, box and mask branch.

    Parameters
    ----------
    backbone : PyramidBackbone
    num_categories : int
        K, things only.
    settings : MaskRCNNSettings
    mask_branch : ConvMask or ImplicitMask
    """

    def __init__(
        self,
        backbone: PyramidBackbone,
        num_categories: int,
        settings: MaskRCNNSettings,
        mask_branch: ConvMask | ImplicitMask,
    ) -> None:
        super().__init__()
        s, width = settings, backbone.out_channels
        self.backbone = backbone
        anchors = AnchorGenerator(
            sizes=tuple((size,) for size in s.anchor_sizes),
            aspect_ratios=(tuple(s.aspect_ratios),) * len(s.anchor_sizes),
        )
        self.rpn = RegionProposals(
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
        self.rpn.fg_bg_sampler = SharedSampler(s.rpn_batch_size_per_image, s.rpn_positive_fraction)
        levels = list(backbone.level_names[:-1])
        # the order in which layers are made decides which random numbers each of them starts from
        predictor = _conv_predictor(s, num_categories) if isinstance(mask_branch, ConvMask) else None
        box_branch = (
            AlignedMultiScaleRoIAlign(
                levels, s.box_pool_size, 2, canonical_scale=s.canonical_scale, strides=backbone.strides
            ),
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
        )
        self.roi_heads: MaskRoIHeads
        if isinstance(mask_branch, ConvMask):
            self.roi_heads = ConvMaskRoIHeads(
                *box_branch,
                AlignedMultiScaleRoIAlign(
                    levels, s.mask_pool_size, 2, canonical_scale=s.canonical_scale, strides=backbone.strides
                ),
                MaskRCNNHeads(width, (s.mask_head_channels,) * s.mask_head_convs, 1),
                predictor,
            )
            self.roi_heads.mask_loss = mask_branch.loss
        else:
            self.roi_heads = ImplicitMaskRoIHeads(*box_branch)
            self.roi_heads.mask_head = ImplicitMaskHead(
                width, num_categories, mask_branch.settings, backbone.strides[0]
            )
            self.roi_heads.mask_level = levels[0]
            self.roi_heads.point_targets = mask_branch.targets
        self.roi_heads.fg_bg_sampler = SharedSampler(s.box_batch_size_per_image, s.box_positive_fraction)
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
        images : (B, C, H, W) float, normalised, padded at the right and at the bottom
        image_sizes : B of (height, width)
            Before padding.
        targets : B of dict
            `boxes` (N, 4) and `labels` (N,) of 1..K; `masks` (N, H, W) uint8, or `point_coords` (N, P, 2) float
            and `point_labels` (N, P) int8. `has_mask` (N,) bool, if given, tells whose masks may be learnt from:
            the others are objects for the detector and unknown to the mask branch.
        """
        if targets is not None:
            images = pad_to_largest(images)
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
        logits = self.roi_heads.mask_logits(features, boxes, labels, image_sizes).float()
        return list(logits.sigmoid().split([len(label) for label in labels]))


def _conv_predictor(settings: MaskRCNNSettings, num_categories: int) -> Any:
    """The deconvolution and the last layer of the mask branch."""
    channels = settings.mask_head_channels
    predictor = MaskRCNNPredictor(channels, channels, num_categories + 1)
    # torchvision starts all of the predictor from He's distribution, the original its last layer near zero
    nn.init.normal_(predictor.mask_fcn_logits.weight, std=0.001)
    nn.init.zeros_(predictor.mask_fcn_logits.bias)
    return predictor


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
