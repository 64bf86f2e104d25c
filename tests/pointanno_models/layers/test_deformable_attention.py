from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pointanno_models.layers.deformable_attention import DeformableAttention, sample_levels

SIZES = ((4, 6), (2, 3))


def slow_value(maps: Tensor, x: float, y: float) -> Tensor:
    """Bilinear value of (H, W, c) at continuous (x, y), cell by cell; zeros outside."""
    height, width, channels = maps.shape
    total = torch.zeros(channels)
    for row in range(height):
        for column in range(width):
            weight = max(0.0, 1 - abs(x - (column + 0.5))) * max(0.0, 1 - abs(y - (row + 0.5)))
            total = total + weight * maps[row, column]
    return total


def slow_levels(value: Tensor, sizes: tuple[tuple[int, int], ...], locations: Tensor, weights: Tensor) -> Tensor:
    """The definition as loops."""
    batch, _, heads, width = value.shape
    queries, levels, points = locations.shape[1], locations.shape[3], locations.shape[4]
    result = torch.zeros(batch, queries, heads, width)
    for b in range(batch):
        for m in range(heads):
            start = 0
            for level in range(levels):
                rows, columns = sizes[level]
                maps = value[b, start : start + rows * columns, m].reshape(rows, columns, width)
                start += rows * columns
                for q in range(queries):
                    for p in range(points):
                        x, y = locations[b, q, m, level, p].tolist()
                        found = slow_value(maps, x * columns, y * rows)
                        result[b, q, m] += weights[b, q, m, level, p] * found
    return result.flatten(2)


def test_agrees_with_the_definition_as_loops() -> None:
    generator = torch.Generator().manual_seed(0)
    cells = sum(rows * columns for rows, columns in SIZES)
    value = torch.randn(2, cells, 2, 3, generator=generator)
    # beyond the borders, too
    locations = torch.rand(2, 5, 2, 2, 3, 2, generator=generator) * 1.6 - 0.3
    weights = torch.rand(2, 5, 2, 2, 3, generator=generator)
    found = sample_levels(value, SIZES, locations, weights)
    torch.testing.assert_close(found, slow_levels(value, SIZES, locations, weights), atol=1e-5, rtol=1e-5)


def test_the_middle_between_two_cells_by_hand() -> None:
    """A row of two cells with 1 and 3: at x = 0.5 both count one half, so 2; a quarter of that is 0.5."""
    value = torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
    locations = torch.tensor([0.5, 0.5]).reshape(1, 1, 1, 1, 1, 2)
    weights = torch.full((1, 1, 1, 1, 1), 0.25)
    assert sample_levels(value, ((1, 2),), locations, weights).item() == 0.5


def test_heads_look_in_different_directions_at_the_start() -> None:
    """Four heads look right, down, left, up; their points are 1, 2, 3 cells away."""
    attention = DeformableAttention(8, heads=4, levels=2, points=3)
    offsets = attention.sampling_offsets.bias.reshape(4, 2, 3, 2)
    torch.testing.assert_close(offsets[0, 0], torch.tensor([[1.0, 0], [2, 0], [3, 0]]), atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[1, 1], torch.tensor([[0.0, 1], [0, 2], [0, 3]]), atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[2, 0, 2], torch.tensor([-3.0, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[3, 0, 0], torch.tensor([0.0, -1]), atol=1e-6, rtol=0)
    assert not attention.sampling_offsets.weight.any()


def test_offsets_are_cells_around_points_and_shares_of_boxes() -> None:
    """One head, level and point, which looks one cell to the right.

    A row of four cells with the values 0, 1, 2, 3. Around the point x = 1/8, the centre of the first, one cell to the
    right lies the 1. Around a box of that centre with width 1 the same offset is half the width: 1/8 + 1/2 = 5/8 of
    the row, the centre of the third cell.
    """
    attention = DeformableAttention(4, heads=1, levels=1, points=1)
    with torch.no_grad():
        attention.value.weight.copy_(torch.eye(4))
        attention.output.weight.copy_(torch.eye(4))
    memory = torch.arange(4.0)[None, :, None].expand(1, 4, 4)
    query = torch.zeros(1, 1, 4)
    known = torch.ones(1, 4, dtype=torch.bool)
    point = torch.tensor([0.125, 0.5]).reshape(1, 1, 1, 2)
    box = torch.tensor([0.125, 0.5, 1.0, 1.0]).reshape(1, 1, 1, 4)
    assert attention(query, point, memory, ((1, 4),), known)[0, 0, 0].item() == pytest.approx(1, abs=1e-6)
    assert attention(query, box, memory, ((1, 4),), known)[0, 0, 0].item() == pytest.approx(2, abs=1e-6)


def test_padding_is_seen_as_zeros() -> None:
    torch.manual_seed(0)
    attention = DeformableAttention(8, heads=2, levels=1, points=2)
    query, reference = torch.randn(1, 3, 8), torch.rand(1, 3, 1, 2)
    memory = torch.randn(1, 12, 8)
    known = torch.ones(3, 4, dtype=torch.bool)
    known[:, 3] = False
    one = attention(query, reference, memory, ((3, 4),), known.reshape(1, -1))
    changed = memory.clone()
    changed[:, ~known.flatten()] = 100.0
    assert torch.equal(one, attention(query, reference, changed, ((3, 4),), known.reshape(1, -1)))


def test_gradients_reach_queries_memory_and_places() -> None:
    torch.manual_seed(0)
    attention = DeformableAttention(8, heads=2, levels=2, points=2)
    cells = sum(rows * columns for rows, columns in SIZES)
    query = torch.randn(1, 3, 8, requires_grad=True)
    reference = torch.rand(1, 3, 2, 4, requires_grad=True)
    memory = torch.randn(1, cells, 8, requires_grad=True)
    attention(query, reference, memory, SIZES, torch.ones(1, cells, dtype=torch.bool)).square().sum().backward()
    assert memory.grad is not None and memory.grad.abs().sum() > 0
    assert reference.grad is not None and reference.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in attention.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"references": torch.zeros(1, 1, 2, 3)}, "points .2. or boxes .4., but have 3 numbers"),
        ({"memory": torch.zeros(1, 29, 8)}, "must have 2 levels with 30 cells, but got 2 with 29"),
        ({"sizes": ((5, 6),)}, "must have 2 levels with 30 cells, but got 1 with 30"),
    ],
)
def test_refuses_what_does_not_fit(change: dict[str, object], message: str) -> None:
    attention = DeformableAttention(8, heads=2, levels=2, points=1)
    given: dict[str, object] = {
        "queries": torch.zeros(1, 1, 8),
        "references": torch.zeros(1, 1, 2, 2),
        "memory": torch.zeros(1, 30, 8),
        "sizes": SIZES,
        "is_valid": torch.ones(1, 30, dtype=torch.bool),
    }
    with pytest.raises(ValueError, match=message):
        attention(**{**given, **change})


def test_refuses_heads_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="multiple of heads .3."):
        DeformableAttention(8, heads=3, levels=1, points=1)


def test_agrees_with_transformers_where_it_is_installed() -> None:
    """The same numbers as the Deformable DETR of a library that this project does not need."""
    library = pytest.importorskip("transformers.models.deformable_detr.modeling_deformable_detr")
    generator = torch.Generator().manual_seed(1)
    cells = sum(rows * columns for rows, columns in SIZES)
    value = torch.randn(2, cells, 2, 4, generator=generator)
    locations = torch.rand(2, 7, 2, 2, 3, 2, generator=generator)
    weights = torch.rand(2, 7, 2, 2, 3, generator=generator)
    theirs = library.MultiScaleDeformableAttention()(
        value, torch.tensor(SIZES), list(SIZES), torch.tensor([0, 24]), locations, weights, 64
    )
    torch.testing.assert_close(sample_levels(value, SIZES, locations, weights), theirs, atol=1e-5, rtol=1e-5)


def test_start_is_the_mean_over_points() -> None:
    """Attention weights begin equal: a constant memory of ones gives ones before the output layer."""
    attention = DeformableAttention(4, heads=1, levels=1, points=4)
    with torch.no_grad():
        attention.value.weight.copy_(torch.eye(4))
        attention.output.weight.copy_(torch.eye(4))
    reference = torch.full((1, 1, 1, 2), 0.5)
    found = attention(torch.zeros(1, 1, 4), reference, torch.ones(1, 400, 4), ((20, 20),), torch.ones(1, 400) > 0)
    assert math.isclose(found[0, 0, 0].item(), 1, abs_tol=1e-5)
