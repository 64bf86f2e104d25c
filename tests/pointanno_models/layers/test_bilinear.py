"""Resampling against torch's, and the Dice loss of enlarged masks against enlarging them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pointanno_models.layers.bilinear import cells_for, linear_weights, loss_enlarged_dice, resample
from pointanno_models.layers.dice import loss_dice


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("source", "size"), [((5, 7), (20, 28)), ((9, 12), (4, 3)), ((1, 1), (3, 5)), ((6, 5), (6, 5))]
)
def test_equals_interpolate(source: tuple[int, int], size: tuple[int, int]) -> None:
    maps = _random(3, *source)
    expected = functional.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
    found = resample(maps, size, (source[0] / size[0], source[1] / size[1]))
    torch.testing.assert_close(found, expected)


def test_a_cell_that_reaches_beyond_the_pixels() -> None:
    """Ten pixels in three cells of four: as twelve pixels without the last two."""
    maps = _random(1, 3, 3)
    whole = functional.interpolate(maps[None], size=(12, 12), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(resample(maps, (10, 10), (1 / 4, 1 / 4)), whole[:, :10, :10])
    assert cells_for((10, 8), 4) == (3, 2)


def test_rows_sum_to_one() -> None:
    weights = linear_weights(11, 4, 0.37, torch.zeros(()))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(11))
    assert (weights >= 0).all()


@pytest.mark.parametrize("size", [(24, 20), (21, 18), (1, 1), (4, 23)])
@pytest.mark.parametrize("with_weights", [False, True])
def test_dice_equals_that_of_enlarged_masks(size: tuple[int, int], with_weights: bool) -> None:
    stride = 4
    masks = (_random(2, 3, 8, 9) * 1.3 - 0.1).requires_grad_()  # beyond 0 and 1, as scores may be
    targets = _random(3, *size, seed=1) > 0.4
    is_counted = _random(*size, seed=2) > 0.3 if with_weights else None
    found = loss_enlarged_dice(masks, targets, stride, is_counted)
    rows, columns = cells_for(size, stride)
    cut = masks[..., :rows, :columns]
    fine = functional.interpolate(cut, scale_factor=stride, mode="bilinear", align_corners=False)
    fine = fine[..., : size[0], : size[1]]
    expected = torch.stack([loss_dice(layer, targets, is_counted) for layer in fine])
    torch.testing.assert_close(found, expected)
    weights = _random(2, 3, seed=3)
    [mine] = torch.autograd.grad((found * weights).sum(), masks)
    [theirs] = torch.autograd.grad((expected * weights).sum(), masks)
    torch.testing.assert_close(mine, theirs)
    assert not mine[..., rows:, :].any() and not mine[..., columns:].any(), "nothing reaches the padding"


def test_no_masks_keep_the_graph() -> None:
    masks = torch.zeros(2, 0, 4, 4, requires_grad=True)
    loss = loss_enlarged_dice(masks, torch.zeros(0, 16, 16, dtype=torch.bool), 4)
    assert loss.shape == (2, 0)
    loss.sum().backward()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="need 2 masks of at least 5 x 4 cells"):
        loss_enlarged_dice(torch.zeros(1, 2, 4, 4), torch.zeros(2, 17, 16, dtype=torch.bool), 4)
    with pytest.raises(ValueError, match="need 3 masks of at least 4 x 4 cells"):
        loss_enlarged_dice(torch.zeros(1, 2, 4, 4), torch.zeros(3, 16, 16, dtype=torch.bool), 4)
