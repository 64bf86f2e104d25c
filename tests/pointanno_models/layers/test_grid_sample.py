from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from pointanno_models.layers.grid_sample import grid_sample, sample_by_gathering


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 1, 1), (3, 2, 1, 4)])
def test_gathering_is_torchs_sampling_with_its_gradient(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    features = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    # inside, on the border, and beyond
    grid = (torch.rand((shape[0], 4, 6, 2), dtype=torch.float64) * 2.6 - 1.3).requires_grad_()
    found, expected = sample_by_gathering(features, grid), functional.grid_sample(features, grid, align_corners=False)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    for got, wanted in zip(
        torch.autograd.grad((found * weight).sum(), (features, grid)),
        torch.autograd.grad((expected * weight).sum(), (features, grid)),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted)


def test_value_by_hand() -> None:
    """Cells 0, 4, 8, 12 of a 2 x 2 map; the centre is their mean, a corner has a quarter of its cell."""
    features = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    grid = torch.tensor([[[[0.0, 0.0], [1.0, 1.0]]]])
    for sample in (grid_sample, sample_by_gathering):
        assert sample(features, grid).flatten().tolist() == [6.0, 3.0]
