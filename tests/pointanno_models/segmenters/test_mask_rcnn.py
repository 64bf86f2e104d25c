"""The detector on its own, with each mask branch: losses, gradients, empty pictures, given boxes."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.backbones import PyramidBackbone
from pointanno_models.point_sup.losses import loss_mask_point
from pointanno_models.point_sup.targets import answered_points
from pointanno_models.segmenters.implicit_head import ImplicitSettings, random_mask_points
from pointanno_models.segmenters.mask_rcnn import ConvMask, ImplicitMask, MaskRCNN, MaskRCNNSettings, loss_mask

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


IMPLICIT = ImplicitSettings(head_channels=16, head_fc_channels=16, frequencies=4, hidden_channels=8, train_points=12)

KINDS = ["conv", "implicit"]
LOSSES = {"conv": {"loss_mask"}, "implicit": {"loss_mask_point", "loss_l2"}}
SIDES = {"conv": 28, "implicit": 56}


def _network(kind: str = "conv", *, points: bool = True, channels: int = 3) -> MaskRCNN:
    torch.manual_seed(0)
    backbone = PyramidBackbone(
        "resnet18", norm="group", last_stage=4, channels=16, frozen_stages=0, in_channels=channels
    )
    branch: ConvMask | ImplicitMask
    if kind == "conv":
        branch = ConvMask(loss_mask_point if points else loss_mask)
    else:
        branch = ImplicitMask(IMPLICIT, answered_points if points else partial(random_mask_points, points=12))
    return MaskRCNN(backbone, 2, SETTINGS, branch)


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [True, False])
def test_every_weight_gets_a_gradient(kind: str, points: bool) -> None:
    network = _network(kind, points=points)
    losses = network(torch.randn(2, 3, 64, 64), [(64, 64), (50, 64)], [_target(points=points), _target(points=points)])
    assert set(losses) == {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"} | LOSSES[kind]
    sum(losses.values()).backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not without


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [True, False])
def test_pictures_without_instances_have_finite_losses(kind: str, points: bool) -> None:
    network = _network(kind, points=points)
    losses = network(torch.randn(1, 3, 64, 64), [(64, 64)], [_target(points=points, empty=True)])
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert all(losses[name] == 0 for name in LOSSES[kind])
    sum(losses.values()).backward()
    # every weight is connected: several devices wait for all gradients
    assert not [name for name, weight in network.named_parameters() if weight.grad is None]


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_of_the_batch_may_be_empty(kind: str) -> None:
    network = _network(kind)
    targets = [_target(points=True, empty=True), _target(points=True)]
    losses = network(torch.randn(2, 3, 64, 64), [(64, 64)] * 2, targets)
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert all(losses[name] > 0 for name in LOSSES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_detections_have_masks_in_the_frame_of_their_boxes(kind: str) -> None:
    network = _network(kind).eval()
    with torch.no_grad():
        [found] = network(torch.randn(1, 3, 64, 64), [(60, 64)])
    count = len(found["scores"])
    assert count > 0
    assert found["boxes"].shape == (count, 4)
    assert found["mask_probs"].shape == (count, SIDES[kind], SIDES[kind])
    assert ((found["mask_probs"] >= 0) & (found["mask_probs"] <= 1)).all()
    assert set(found["labels"].tolist()) <= {1, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_no_detections_are_no_error(kind: str) -> None:
    network = _network(kind).eval()
    network.roi_heads.score_thresh = 2.0
    with torch.no_grad():
        [found] = network(torch.randn(1, 3, 64, 64), [(64, 64)])
    assert found["mask_probs"].shape == (0, SIDES[kind], SIDES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_given_boxes(kind: str) -> None:
    network = _network(kind).eval()
    boxes = [torch.tensor([[4.0, 4.0, 30.0, 30.0]]), torch.zeros(0, 4)]
    labels = [torch.tensor([2]), torch.zeros(0, dtype=torch.long)]
    with torch.no_grad():
        masks = network.masks_of_boxes(torch.randn(2, 3, 64, 64), [(64, 64)] * 2, boxes, labels)
    side = SIDES[kind]
    assert [tuple(mask.shape) for mask in masks] == [(1, side, side), (0, side, side)]


@pytest.mark.parametrize("kind", KINDS)
def test_given_boxes_get_the_masks_of_equal_detections(kind: str) -> None:
    """The mask of a detection depends on its box and class alone."""
    network = _network(kind).eval()
    for weight in network.roi_heads.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        [found] = network(images, [(64, 64)])
        [masks] = network.masks_of_boxes(images, [(64, 64)], [found["boxes"]], [found["labels"]])
    assert len(masks) > 0
    assert masks.std() > 0
    torch.testing.assert_close(masks, found["mask_probs"])


@pytest.mark.parametrize("channels", [1, 5])
def test_pictures_of_any_number_of_channels(channels: int) -> None:
    network = _network(channels=channels)
    losses = network(torch.randn(1, channels, 64, 64), [(64, 64)], [_target(points=True)])
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_conv_branch_keeps_the_names_of_its_weights() -> None:
    """Checkpoints of runs from before the branch could be exchanged fit."""
    names = {name for name in _network().state_dict() if name.startswith("roi_heads.mask")}
    assert names == {
        f"roi_heads.{part}.{kind}"
        for part in ("mask_head.0.0", "mask_predictor.conv5_mask", "mask_predictor.mask_fcn_logits")
        for kind in ("weight", "bias")
    }


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


@pytest.mark.parametrize("kind", KINDS)
def test_doubtful_masks_teach_the_detector_only(kind: str) -> None:
    """Whatever the mask of an object is that nobody vouches for: all losses are the same, and it stays an object."""
    network = _network(kind, points=False)
    image = torch.randn(1, 3, 64, 64)

    def losses(doubtful: Tensor, **extra: Tensor) -> dict[str, float]:
        target = _target(points=False) | extra
        target["masks"] = torch.stack([target["masks"][0], doubtful])
        torch.manual_seed(1)
        found = network(image, [(64, 64)], [target])
        return {name: loss.item() for name, loss in found.items()}

    full, none = torch.ones(64, 64, dtype=torch.uint8), torch.zeros(64, 64, dtype=torch.uint8)
    known = torch.tensor([True, False])
    assert losses(full, has_mask=known) == losses(none, has_mask=known)
    assert losses(full) != losses(none)
    box_losses = {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg"}
    trusted, doubted = losses(full), losses(full, has_mask=known)
    assert {name: trusted[name] for name in box_losses} == {name: doubted[name] for name in box_losses}
    nothing = losses(full, has_mask=torch.tensor([False, False]))
    assert all(nothing[name] == 0 for name in LOSSES[kind])
