"""The point loss: acceptance checks 3, 4 and 5 of PointSup."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pointanno_models.point_sup.losses import loss_mask_point, point_cross_entropy


def _target(coords: list[tuple[float, float]], labels: list[int], category: int = 1) -> dict[str, Tensor]:
    return {
        "labels": torch.tensor([category]),
        "point_coords": torch.tensor([coords]),
        "point_labels": torch.tensor([labels], dtype=torch.int8),
    }


def test_normaliser_counts_ignored_points() -> None:
    """Logits 2, -1, 0.5, 3 with labels 1, 0, 1, ignored.

    Terms: log(1 + e^-2) = 0.126928, log(1 + e^-1) = 0.313262, log(1 + e^-0.5) = 0.474077; their sum 0.914267
    divided by four points is 0.228567; a mean over the three valid ones would give 0.304756.
    """
    logits = torch.tensor([[[2.0, -1.0], [0.5, 3.0]]])
    centres = torch.tensor([[[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]])
    loss = point_cross_entropy(logits, centres, torch.tensor([[1, 0, 1, -1]]))
    assert loss.item() == pytest.approx(0.228567, abs=1e-5)


def test_point_outside_of_the_proposal_has_no_gradient_until_the_proposal_covers_it() -> None:
    target = _target([(9.0, 5.0)], [1])
    matched = [torch.tensor([0])]
    gradients = []
    for box in ([0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 10.0, 8.0]):
        logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
        loss_mask_point(logits, [torch.tensor([box])], [target], matched).backward()
        assert logits.grad is not None
        gradients.append(logits.grad.abs().sum().item())
    assert gradients[0] == 0
    assert gradients[1] > 0


def test_border_of_the_proposal_is_inside() -> None:
    """At u = (0, 0.5) the value is damped to half, so the gradient reaches the two left middle cells."""
    logits = torch.zeros(1, 2, 2, 2, requires_grad=True)
    target = _target([(2.0, 6.0)], [1])
    loss_mask_point(logits, [torch.tensor([[2.0, 4.0, 10.0, 8.0]])], [target], [torch.tensor([0])]).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad[0, 1], torch.tensor([[-0.125, 0.0], [-0.125, 0.0]]))


def test_only_the_class_of_the_instance_gets_gradient() -> None:
    logits = torch.zeros(1, 4, 4, 4, requires_grad=True)
    target = _target([(4.0, 4.0)], [1], category=2)
    loss_mask_point(logits, [torch.tensor([[0.0, 0.0, 8.0, 8.0]])], [target], [torch.tensor([0])]).backward()
    assert logits.grad is not None
    assert [bool(channel.abs().sum() > 0) for channel in logits.grad[0]] == [False, False, True, False]


def test_no_proposals_and_no_points_keep_the_graph() -> None:
    for logits, target, box in (
        (torch.zeros(0, 2, 4, 4, requires_grad=True), _target([(1.0, 1.0)], [1]), torch.zeros(0, 4)),
        (
            torch.zeros(1, 2, 4, 4, requires_grad=True),
            {**_target([(1.0, 1.0)], [1]), "point_coords": torch.zeros(1, 0, 2), "point_labels": torch.zeros(1, 0)},
            torch.tensor([[0.0, 0.0, 4.0, 4.0]]),
        ),
    ):
        loss = loss_mask_point(logits, [box], [target], [torch.zeros(len(box), dtype=torch.long)])
        assert loss.item() == 0
        loss.backward()
