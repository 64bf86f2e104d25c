"""Acceptance checks 1 and 2 of PointSup: bilinear values at points."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from torchvision.ops import roi_align

from pointanno_models.layers.point_features import (
    mask_sample_in_boxes,
    point_coords_relative_to_boxes,
    point_sample,
    point_sample_in_boxes,
    regular_grid,
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0.25, 0.25), 0.0),  # a cell centre: its own value
        ((0.75, 0.25), 4.0),
        ((0.5, 0.5), 6.0),  # mean of 0, 4, 8, 12
        ((0.6, 0.3), 3.6),
        ((1.0, 1.0), 3.0),  # the corner: a quarter of 12, the rest is zero padding
        ((0.0, 0.5), 2.0),  # half of the mean of 0 and 8
    ],
)
def test_two_by_two(at: tuple[float, float], expected: float) -> None:
    logits = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    value = point_sample(logits, torch.tensor([[at]]))
    assert value.item() == pytest.approx(expected, abs=1e-5)


def test_gradient_is_the_bilinear_weights() -> None:
    logits = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]], requires_grad=True)
    point_sample(logits, torch.tensor([[(0.6, 0.3)]])).sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad[0, 0], torch.tensor([[0.27, 0.63], [0.03, 0.07]]))


@pytest.mark.parametrize(
    ("at", "expected"),
    [((0.125, 0.125), 0.0), ((0.5, 0.5), 7.5), ((0.3, 0.7), 9.9), ((0.9, 0.9), 12.15), ((0.95, 0.95), 7.35)],
)
def test_four_by_four(at: tuple[float, float], expected: float) -> None:
    logits = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert point_sample(logits, torch.tensor([[at]])).item() == pytest.approx(expected, abs=1e-5)


def test_no_points_and_no_instances() -> None:
    assert point_sample(torch.zeros(2, 3, 4, 4), torch.zeros(2, 0, 2)).shape == (2, 3, 0)
    assert point_sample(torch.zeros(0, 3, 4, 4), torch.zeros(0, 5, 2)).shape == (0, 3, 5)


def test_box_relative_coordinates() -> None:
    """Acceptance check 4 of the COCO-point format, in the network's arithmetic."""
    points = torch.tensor([[[3.5, 5.5], [9.5, 11.5], [10.5, 6.5], [2.0, 4.0]]])
    relative = point_coords_relative_to_boxes(points, torch.tensor([[2.0, 4.0, 10.0, 12.0]]))
    torch.testing.assert_close(
        relative, torch.tensor([[[0.1875, 0.1875], [0.9375, 0.9375], [1.0625, 0.3125], [0.0, 0.0]]])
    )


def test_regular_grid_is_the_cell_centres_row_by_row() -> None:
    grid = regular_grid(2, torch.zeros(1))
    assert grid.tolist() == [[[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]]


def test_a_grid_in_boxes_is_aligned_pooling_with_one_sample() -> None:
    """Inside of the picture both read the map bilinearly at the centres of the cells."""
    torch.manual_seed(0)
    features = torch.randn(2, 3, 8, 12)
    boxes = [torch.tensor([[6.0, 5.0, 21.0, 25.0], [10.0, 8.0, 30.0, 13.0]]), torch.tensor([[4.0, 4.0, 40.0, 27.0]])]
    grid = regular_grid(4, features).expand(3, -1, -1)
    rois = torch.cat([torch.tensor([[0.0], [0.0], [1.0]]), torch.cat(boxes)], dim=1)
    pooled = roi_align(features, rois, (4, 4), spatial_scale=0.25, sampling_ratio=1, aligned=True)
    found = point_sample_in_boxes(features, boxes, grid, 4).reshape(3, 3, 4, 4)
    torch.testing.assert_close(found, pooled)


def test_sampling_in_boxes_without_instances_stays_connected() -> None:
    features = torch.randn(2, 3, 4, 4, requires_grad=True)
    found = point_sample_in_boxes(features, [torch.zeros(0, 4)] * 2, torch.zeros(0, 5, 2), 4)
    assert found.shape == (0, 3, 5)
    found.sum().backward()
    assert features.grad is not None


def test_one_picture_of_two_may_be_empty() -> None:
    features = torch.arange(2.0)[:, None, None, None].expand(2, 1, 4, 4).contiguous()
    boxes = [torch.zeros(0, 4), torch.tensor([[4.0, 4.0, 12.0, 12.0]])]
    found = point_sample_in_boxes(features, boxes, torch.full((1, 2, 2), 0.5), 4)
    assert found.tolist() == [[[1.0, 1.0]]]


def test_soft_labels_are_the_bilinear_mask() -> None:
    """The four nearest pixels, zero beyond the picture, as torch reads a whole mask."""
    torch.manual_seed(1)
    masks = (torch.rand(3, 9, 7) > 0.5).to(torch.uint8)
    index = torch.tensor([2, 0, 2])
    boxes = torch.tensor([[0.0, 0.0, 7.0, 9.0], [1.5, 2.0, 6.0, 8.5], [-2.0, 4.0, 3.0, 12.0]])
    places = torch.rand(3, 40, 2)
    absolute = boxes[:, None, :2] + places * (boxes[:, None, 2:] - boxes[:, None, :2])
    grid = 2 * absolute / torch.tensor([7.0, 9.0]) - 1
    whole = functional.grid_sample(masks[index][:, None].float(), grid[:, None], align_corners=False)[:, 0, 0]
    torch.testing.assert_close(mask_sample_in_boxes(masks, index, boxes, places), whole)


def test_soft_label_between_two_pixels() -> None:
    """Left pixel 1, right pixel 0: a quarter of the way from centre to centre reads 0.75."""
    mask = torch.tensor([[[1, 0]]], dtype=torch.uint8)
    value = mask_sample_in_boxes(
        mask, torch.tensor([0]), torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[[0.375, 0.5]]])
    )
    assert value.item() == pytest.approx(0.75)
    assert mask_sample_in_boxes(mask, torch.zeros(0).long(), torch.zeros(0, 4), torch.zeros(0, 5, 2)).shape == (0, 5)
