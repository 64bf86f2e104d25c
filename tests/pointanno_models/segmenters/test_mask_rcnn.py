"""The detector on its own: losses, gradients, empty pictures, given boxes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.backbones import PyramidBackbone
from pointanno_models.point_sup.losses import loss_mask_point
from pointanno_models.segmenters.mask_rcnn import MaskRCNN, MaskRCNNSettings, loss_mask

SETTINGS = MaskRCNNSettings(
    anchor_sizes=(12, 24, 48, 96),
    aspect_ratios=(0.5, 1.0, 2.0),
    rpn_pre_nms_top_n_train=50,
    rpn_pre_nms_top_n_test=50,
    rpn_post_nms_top_n_train=20,
    rpn_post_nms_top_n_test=20,
    rpn_nms_thresh=0.7,
    rpn_fg_iou_thresh=0.7,
    rpn_bg_iou_thresh=0.3,
    rpn_batch_size_per_image=32,
    rpn_positive_fraction=0.5,
    canonical_scale=64,
    box_pool_size=7,
    box_head_channels=16,
    box_fg_iou_thresh=0.5,
    box_bg_iou_thresh=0.5,
    box_batch_size_per_image=16,
    box_positive_fraction=0.25,
    box_score_thresh=0.0,
    box_nms_thresh=0.5,
    detections_per_img=10,
    mask_pool_size=14,
    mask_head_convs=1,
    mask_head_channels=16,
)


def _network(*, points: bool) -> MaskRCNN:
    torch.manual_seed(0)
    backbone = PyramidBackbone("resnet18", norm="group", last_stage=4, channels=16, frozen_stages=0)
    return MaskRCNN(backbone, 2, SETTINGS, loss_mask_point if points else loss_mask)


def _target(*, points: bool, empty: bool = False) -> dict[str, Tensor]:
    boxes = torch.zeros(0, 4) if empty else torch.tensor([[8.0, 8.0, 40.0, 36.0], [30.0, 20.0, 60.0, 60.0]])
    count = len(boxes)
    target = {"boxes": boxes, "labels": torch.tensor([1, 2])[:count]}
    if points:
        coords = torch.rand(count, 5, 2) * 30 + 10
        return {**target, "point_coords": coords, "point_labels": torch.ones(count, 5, dtype=torch.int8)}
    masks = torch.zeros(count, 64, 64, dtype=torch.uint8)
    for mask, box in zip(masks, boxes.long(), strict=True):
        mask[box[1] : box[3], box[0] : (box[0] + box[2]) // 2] = 1
    return {**target, "masks": masks}


@pytest.mark.parametrize("points", [True, False])
def test_every_weight_gets_a_gradient(points: bool) -> None:
    network = _network(points=points)
    losses = network(torch.randn(2, 3, 64, 64), [(64, 64), (50, 64)], [_target(points=points), _target(points=points)])
    assert set(losses) == {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask"}
    sum(losses.values()).backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not without


@pytest.mark.parametrize("points", [True, False])
def test_pictures_without_instances_have_finite_losses(points: bool) -> None:
    network = _network(points=points)
    losses = network(torch.randn(1, 3, 64, 64), [(64, 64)], [_target(points=points, empty=True)])
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses["loss_mask"] == 0
    sum(losses.values()).backward()


def test_detections_have_masks_in_the_frame_of_their_boxes() -> None:
    network = _network(points=True).eval()
    with torch.no_grad():
        [found] = network(torch.randn(1, 3, 64, 64), [(60, 64)])
    count = len(found["scores"])
    assert count > 0
    assert found["boxes"].shape == (count, 4)
    assert found["mask_probs"].shape == (count, 28, 28)
    assert ((found["mask_probs"] >= 0) & (found["mask_probs"] <= 1)).all()
    assert set(found["labels"].tolist()) <= {1, 2}


def test_no_detections_are_no_error() -> None:
    network = _network(points=True).eval()
    network.roi_heads.score_thresh = 2.0
    with torch.no_grad():
        [found] = network(torch.randn(1, 3, 64, 64), [(64, 64)])
    assert found["mask_probs"].shape == (0, 28, 28)


def test_masks_of_given_boxes() -> None:
    network = _network(points=True).eval()
    boxes = [torch.tensor([[4.0, 4.0, 30.0, 30.0]]), torch.zeros(0, 4)]
    labels = [torch.tensor([2]), torch.zeros(0, dtype=torch.long)]
    with torch.no_grad():
        masks = network.masks_of_boxes(torch.randn(2, 3, 64, 64), [(64, 64)] * 2, boxes, labels)
    assert [tuple(mask.shape) for mask in masks] == [(1, 28, 28), (0, 28, 28)]


def test_mask_loss_is_the_mean_over_cells() -> None:
    """A target that is 1 in its left half against zero logits: log 2 everywhere."""
    target = {"labels": torch.tensor([1]), "masks": torch.zeros(1, 8, 8, dtype=torch.uint8)}
    target["masks"][0, :, :4] = 1
    box = torch.tensor([[0.0, 0.0, 8.0, 8.0]])
    index = [torch.tensor([0])]
    assert loss_mask(torch.zeros(1, 2, 4, 4), [box], [target], index).item() == pytest.approx(0.693147, abs=1e-5)
    logits = torch.zeros(1, 2, 4, 4)
    logits[0, 1, :, :2] = 1.0
    half = functional.softplus(torch.tensor(-1.0)).item()
    assert loss_mask(logits, [box], [target], index).item() == pytest.approx((half + 0.693147) / 2, abs=1e-5)
