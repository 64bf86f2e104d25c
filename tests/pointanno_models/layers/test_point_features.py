"""Acceptance checks 1 and 2 of PointSup: bilinear values at points."""

from __future__ import annotations

import pytest
import torch

from pointanno_models.layers.point_features import point_coords_relative_to_boxes, point_sample


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
