"""Pairs of neighbours and their agreement against loops over all pixels and all 24 neighbours."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pointanno_models.layers.color_affinity import color_affinity, disagreement_of_alike, half_window


def _lab_and_valid(size: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    lab = torch.rand((2, 3, *size), generator=rng, dtype=torch.float64) * 3
    valid = torch.ones((2, *size), dtype=torch.bool)
    valid[1, :, size[1] - 2 :] = False
    valid[1, size[0] - 1 :] = False
    return lab, valid


def _directly(log_probs: Tensor, lab: Tensor, valid: Tensor, window: int, dilation: int) -> list[float]:
    """Eq. 2 as it is written: every pixel with each of its neighbours inside the picture."""
    losses = []
    reach = [dilation * step for step in range(-(window // 2), window // 2 + 1)]
    pictures, _, height, width = lab.shape
    for b in range(pictures):
        total, pairs = 0.0, 0
        for y in range(height):
            for x in range(width):
                for dy in reach:
                    for dx in reach:
                        v, u = y + dy, x + dx
                        if (dy, dx) == (0, 0) or not (0 <= v < height and 0 <= u < width):
                            continue
                        if not (valid[b, y, x] and valid[b, v, u]):
                            continue
                        if math.exp(-0.5 * float((lab[b, :, y, x] - lab[b, :, v, u]).norm())) >= 0.3:
                            pairs += 1
                            agreement = (log_probs[b, :, y, x].exp() * log_probs[b, :, v, u].exp()).sum()
                            total -= math.log(float(agreement))
        losses.append(total / max(pairs, 1))
    return losses


@pytest.mark.parametrize("size", [(7, 9), (1, 9), (3, 1), (1, 1), (2, 3)])
@pytest.mark.parametrize(("window", "dilation"), [(5, 2), (3, 1)])
def test_equals_the_sum_over_all_neighbours(size: tuple[int, int], window: int, dilation: int) -> None:
    lab, valid = _lab_and_valid(size)
    logits = torch.randn((2, 4, *size), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    log_probs = logits.log_softmax(dim=1)
    offsets = half_window(window, dilation)
    affinity = color_affinity(lab, valid, offsets)
    found = disagreement_of_alike(log_probs, affinity, offsets)
    assert found.tolist() == pytest.approx(_directly(log_probs, lab, valid, window, dilation), rel=1e-9)


def test_half_of_the_window() -> None:
    offsets = half_window(5, 2)
    whole = {*offsets, *((-row, -column) for row, column in offsets)}
    assert len(offsets) == 12 and len(whole) == 24
    assert whole == {(row, column) for row in range(-4, 5, 2) for column in range(-4, 5, 2)} - {(0, 0)}


def test_gradient() -> None:
    lab, valid = _lab_and_valid((5, 6))
    offsets = half_window(5, 2)
    affinity = color_affinity(lab, valid, offsets)
    assert affinity.any() and not affinity.all()
    logits = torch.randn((2, 3, 5, 6), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    logits.requires_grad_()

    def loss(given: Tensor) -> Tensor:
        # pictures with different weights: each has its own denominator
        return disagreement_of_alike(given.log_softmax(dim=1), affinity, offsets) @ given.new_tensor([1.0, 2.5])

    assert torch.autograd.gradcheck(loss, (logits,))


def test_where_nothing_is_alike_the_loss_is_zero() -> None:
    offsets = half_window(3, 1)
    lab = (torch.arange(12.0).view(1, 1, 3, 4) * 50).expand(1, 3, 3, 4)
    affinity = color_affinity(lab, torch.ones(1, 3, 4, dtype=torch.bool), offsets)
    assert not affinity.any()
    logits = torch.zeros(1, 2, 3, 4, requires_grad=True)
    loss = disagreement_of_alike(logits.log_softmax(dim=1), affinity, offsets).sum()
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()


def test_sure_and_opposite_cells_are_finite() -> None:
    """exp(-300) is no float32, its logarithm is."""
    logits = torch.tensor([[[[300.0, 0.0]], [[0.0, 300.0]]]], requires_grad=True)
    affinity = torch.tensor([[[[True, False]]]])
    loss = disagreement_of_alike(logits.log_softmax(dim=1), affinity, [(0, 1)])
    loss.sum().backward()
    # the pair's two ways of agreeing have probability exp(-300) each
    assert loss.item() == pytest.approx(300 - math.log(2))
    assert logits.grad is not None and logits.grad.isfinite().all() and logits.grad.any()


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="size must be odd and 3 or more"):
        half_window(4)
    with pytest.raises(ValueError, match=r"affinity must have shape \(1, 12, 3, 4\), but has \(1, 12, 3, 3\)"):
        disagreement_of_alike(torch.zeros(1, 2, 3, 4), torch.ones(1, 12, 3, 3, dtype=torch.bool), half_window())
