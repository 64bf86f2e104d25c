"""The contrastive loss: acceptance check F of PSPS, a direct implementation, and who gets a gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pointanno_models.psps.contrastive import TEMPERATURE, contrast, loss_metric, masks_on_grid, mean_embeddings


def test_by_hand() -> None:
    """F = (1, 0), (0, 1), references (.8, .1), (.2, .9): ln(1 + e^(-.6 / .07)) and ln(1 + e^(-.8 / .07))."""
    queries, references = torch.eye(2, dtype=torch.float64), torch.tensor([[0.8, 0.1], [0.2, 0.9]]).double()
    each = [contrast(queries[i : i + 1], references, torch.tensor([i])).item() for i in range(2)]
    # 1.085e-5 is what float32 makes of 1.088e-5
    assert each == pytest.approx([1.894e-4, 1.085e-5], rel=4e-3)
    single = [contrast(queries[i : i + 1].float(), references.float(), torch.tensor([i])).item() for i in range(2)]
    assert single == pytest.approx([1.894e-4, 1.085e-5], rel=1e-3)
    assert contrast(queries, references, torch.arange(2)).item() == pytest.approx(1.001e-4, rel=1e-3)


def test_one_target_is_zero_and_no_nan() -> None:
    queries = torch.ones(3, 4, requires_grad=True)
    loss = contrast(queries, torch.ones(1, 4), torch.zeros(3, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0 and queries.grad is not None and not queries.grad.any()


def _case(seed: int = 0) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
    """Two pictures of 18 x 22 pixels on a canvas of 6 x 7 cells of 4; the second has one target with a mask."""
    rng = torch.Generator().manual_seed(seed)
    embedding = torch.nn.functional.normalize(torch.randn((2, 5, 6, 7), generator=rng).double(), dim=1)
    owner = torch.randint(0, 4, (18, 22), generator=rng)
    masks = torch.stack([owner == number for number in range(4)])
    masks[2] = False  # a target that got nothing
    lonely = torch.zeros(2, 18, 22, dtype=torch.bool)
    lonely[1, 3:9, 4:8] = True
    coords = torch.rand((6, 2), generator=rng) * torch.tensor([22, 18])
    return embedding, [masks, lonely], [coords, coords[:2]], [torch.tensor([0, 1, 1, 2, 3, 0]), torch.tensor([1, 0])]


def test_equals_a_direct_implementation() -> None:
    embedding, masks, coords, targets = _case()
    rows, columns = torch.arange(5) * 4 + 1.5, torch.arange(6) * 4 + 1.5
    means = {}
    for j in (0, 1, 3):
        padded = torch.zeros(20, 24)
        padded[:18, :22] = masks[0][j]
        padded[18:], padded[:, 22:] = padded[17], padded[:, 21:22]
        weights = torch.stack(
            [torch.stack([padded[int(y) : int(y) + 2, int(x) : int(x) + 2].mean() for x in columns]) for y in rows]
        ).double()
        means[j] = (embedding[0, :, :5, :6] * weights).sum(dim=(1, 2)) / weights.sum()
    total = 0.0
    kept = [p for p in range(6) if int(targets[0][p]) != 2]
    for p in kept:
        query = embedding[0, :, int(coords[0][p, 1] // 4), int(coords[0][p, 0] // 4)]
        logits = {j: float(query @ mean) / 0.07 for j, mean in means.items()}
        total += math.log(sum(math.exp(v) for v in logits.values())) - logits[int(targets[0][p])]
    found = loss_metric(embedding, masks, coords, targets, stride=4)
    assert TEMPERATURE == 0.07
    # the weights of the masks are float32
    assert found.item() == pytest.approx(total / len(kept), rel=1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [(24, 48), (19, 23), (1, 1)])
def test_masks_on_the_grid_equal_interpolation(size: tuple[int, int], stride: int) -> None:
    """What reaches beyond the picture repeats its border; beyond the last cell there is nothing."""
    masks = torch.rand((3, *size), generator=torch.Generator().manual_seed(0)) > 0.5
    rows, columns = -(-size[0] // stride), -(-size[1] // stride)
    edges = (0, columns * stride - size[1], 0, rows * stride - size[0])
    whole = torch.nn.functional.pad(masks[None].float(), edges, "replicate")
    expected = torch.nn.functional.interpolate(whole, size=(rows, columns), mode="bilinear", align_corners=False)[0]
    found = masks_on_grid(masks, (rows + 2, columns + 1), stride)
    torch.testing.assert_close(found[:, :rows, :columns], expected)
    assert not found[:, rows:].any() and not found[:, :, columns:].any()


def test_gradient_reaches_clicks_and_references_and_no_mask() -> None:
    embedding, masks, coords, targets = _case()
    embedding.requires_grad_()
    loss_metric(embedding, masks, coords, targets, stride=4).backward()
    assert embedding.grad is not None
    reached = embedding.grad[0].abs().sum(dim=0)
    weights = masks_on_grid(masks[0], (6, 7), 4)
    assert ((weights.sum(dim=0) > 0) == (reached > 0)).all(), "the means reach every cell of a mask"
    assert not embedding.grad[1].any(), "a picture with one target takes no part"
    values = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shares = torch.rand(2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert not mean_embeddings(values, shares).requires_grad


def test_gradcheck() -> None:
    embedding, masks, coords, targets = _case()
    embedding.requires_grad_()
    assert torch.autograd.gradcheck(lambda f: loss_metric(f, masks, coords, targets, stride=4), (embedding,))


def test_no_clicks_at_all() -> None:
    embedding = torch.randn(2, 5, 6, 7, requires_grad=True)
    empty = [torch.zeros(0, 18, 22, dtype=torch.bool)] * 2
    loss = loss_metric(embedding, empty, [torch.zeros(0, 2)] * 2, [torch.zeros(0, dtype=torch.int64)] * 2, stride=4)
    loss.backward()
    assert loss.item() == 0 and embedding.grad is not None and not embedding.grad.any()


def test_absent_stuff_does_not_enter_the_denominator() -> None:
    """Two targets: with a third reference of zeros each click would lose ln(1 + 1 / sum) more."""
    embedding, masks, coords, targets = _case()
    two = [masks[0][[0, 1]], masks[1]]
    kept = targets[0] < 2
    small = loss_metric(embedding, two, [coords[0][kept], coords[1]], [targets[0][kept], targets[1]], stride=4)
    with_empty = [torch.cat([two[0], torch.zeros(1, 18, 22, dtype=torch.bool)]), masks[1]]
    same = loss_metric(embedding, with_empty, [coords[0][kept], coords[1]], [targets[0][kept], targets[1]], stride=4)
    assert same.item() == pytest.approx(small.item())
