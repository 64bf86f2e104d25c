"""Partial cross-entropy and presence against loops, and acceptance check H of PSPS."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pointanno_models.psps.click_squares import UNLABELLED
from pointanno_models.psps.semantic_losses import loss_sem_cls, loss_sem_mask


def _log_probs(*shape: int) -> Tensor:
    logits = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return logits.log_softmax(dim=2)


def test_cross_entropy_cell_by_cell() -> None:
    log_probs = _log_probs(2, 3, 4, 2, 3)
    labels = torch.full((3, 2, 3), UNLABELLED)
    labels[0, 1, 2], labels[0, 0, 0], labels[2, 1, 1] = 3, 0, 1
    expected = 0.0
    for layer in log_probs:
        terms = [layer[0, 3, 1, 2], layer[0, 0, 0, 0], layer[2, 1, 1, 1]]
        expected -= sum(float(term) for term in terms) / 3
    assert loss_sem_mask(log_probs, labels).item() == pytest.approx(expected)


def test_only_labelled_cells_have_a_gradient() -> None:
    logits = torch.zeros(1, 1, 2, 2, 2, requires_grad=True)
    labels = torch.tensor([[[UNLABELLED, 1], [UNLABELLED, UNLABELLED]]])
    loss_sem_mask(logits.log_softmax(dim=2), labels).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad[0, 0, :, 0, 1], torch.tensor([0.5, -0.5]))
    assert logits.grad.abs().sum() == 1


def test_nothing_labelled_is_zero_and_keeps_the_graph() -> None:
    logits = torch.zeros(2, 1, 3, 2, 2, requires_grad=True)
    loss = loss_sem_mask(logits.log_softmax(dim=2), torch.full((1, 2, 2), UNLABELLED))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()


def test_unlabelled_cells_may_hold_anything() -> None:
    """In the padding a network may give infinities; they count nothing, neither in the loss nor in its gradient."""
    log_probs = torch.full((1, 1, 2, 1, 2), -math.inf)
    log_probs[..., 1] = math.log(0.5)
    log_probs.requires_grad_()
    loss = loss_sem_mask(log_probs, torch.tensor([[[UNLABELLED, 0]]]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert log_probs.grad is not None and log_probs.grad.isfinite().all()


def test_presence_at_zero() -> None:
    """One class there and two not, at logit 0: 0.25 * 0.25 * ln 2 + 2 * 0.75 * 0.25 * ln 2 over one class."""
    present = torch.tensor([[True, False, False]])
    loss = loss_sem_cls(torch.zeros(1, 1, 3), present)
    assert loss.item() == pytest.approx(0.04332 + 2 * 0.12997, abs=2e-5)
    assert loss_sem_cls(torch.zeros(2, 1, 3), present).item() == pytest.approx(2 * loss.item())


def test_presence_class_by_class() -> None:
    logits = torch.randn((2, 3, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    present = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=torch.bool)
    expected = 0.0
    for layer in logits:
        for b in range(3):
            for c in range(4):
                p = 1 / (1 + math.exp(-float(layer[b, c])))
                expected -= 0.25 * (1 - p) ** 2 * math.log(p) if present[b, c] else 0.75 * p**2 * math.log(1 - p)
    assert loss_sem_cls(logits, present).item() == pytest.approx(expected / 4)


def test_a_batch_without_clicks_teaches_absence() -> None:
    logits = torch.zeros(1, 2, 3, requires_grad=True)
    loss = loss_sem_cls(logits, torch.zeros(2, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == pytest.approx(6 * 0.12997, abs=1e-4)
    assert logits.grad is not None and (logits.grad > 0).all()


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"labels must have shape \(1, 2, 2\), but have \(1, 2, 3\)"):
        loss_sem_mask(torch.zeros(1, 1, 2, 2, 2), torch.zeros(1, 2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="is_present must have shape"):
        loss_sem_cls(torch.zeros(1, 1, 2), torch.zeros(1, 3, dtype=torch.bool))
