"""The Dice loss by hand: acceptance check G of PSPS, check D of Panoptic FCN, check 3 of PointWSSIS."""

from __future__ import annotations

import pytest
import torch

from pointanno_models.layers.dice import loss_dice


def test_by_hand() -> None:
    """Prediction 0.5 four times, target 1, 1, 0, 0: 1 - 2 * 1 / (1 + 0.001 + 2 + 0.001) = 0.3338."""
    loss = loss_dice(torch.full((1, 4), 0.5), torch.tensor([[True, True, False, False]]))
    assert loss.tolist() == pytest.approx([0.3338], abs=5e-5)


@pytest.mark.parametrize(
    ("values", "expected"), [((0.8, 0.6, 0.1, 0.2), 0.082569), ((1, 1, 0, 0), 0.0005), ((0,) * 4, 1)]
)
def test_other_numbers(values: tuple[float, ...], expected: float) -> None:
    loss = loss_dice(torch.tensor([values], dtype=torch.float64), torch.tensor([[1, 1, 0, 0]]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_what_counts_nothing_has_no_gradient() -> None:
    """Pixels 3 and 4 left out: 1 - 2 * 1.7 / (0.64 + 0.81 + 0.09 + 2) = 0.0395; with them 0.1584."""
    masks = torch.tensor([[0.8, 0.9, 0.7, 0.1, 0.3]], requires_grad=True)
    targets = torch.tensor([[1, 1, 0, 0, 0]])
    counted = torch.tensor([True, True, False, False, True])
    loss = loss_dice(masks, targets, counted, smooth=0)
    assert loss.item() == pytest.approx(0.0395, abs=5e-5)
    assert loss_dice(masks, targets, smooth=0).item() == pytest.approx(0.1584, abs=5e-5)
    loss.sum().backward()
    assert masks.grad is not None
    assert masks.grad[0, 2:4].tolist() == [0, 0]
    assert (masks.grad[0, [0, 1, 4]] != 0).all()


def test_empty_masks_and_none() -> None:
    nothing = torch.zeros(1, 3, 3, requires_grad=True)
    loss = loss_dice(nothing, torch.zeros(1, 3, 3), smooth=0)
    loss.sum().backward()
    assert loss.item() == 1
    assert nothing.grad is not None and nothing.grad.isfinite().all()
    assert loss_dice(torch.zeros(0, 3, 3), torch.zeros(0, 3, 3)).shape == (0,)


def test_gradient() -> None:
    masks = torch.rand(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    targets = torch.arange(24).view(2, 3, 4) % 3 == 0
    assert torch.autograd.gradcheck(lambda m: loss_dice(m, targets), (masks,))


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="masks and targets must have one shape"):
        loss_dice(torch.zeros(1, 4), torch.zeros(1, 5))
