"""Squares around clicks against loops over pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pointanno_models.psps.click_squares import (
    UNLABELLED,
    cell_labels,
    click_cells,
    click_pixels,
    square_labels,
    square_masks,
    square_side,
)


def _clicks(count: int, size: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    coords = torch.rand((count, 2), generator=rng) * torch.tensor([size[1], size[0]])
    return coords, torch.randint(0, 3, (count,), generator=rng)


def test_sides() -> None:
    """3 % of 128 is 3.84, nearly 4, and one more is 5; whoever gives a side gets it."""
    assert [square_side((side, 700)) for side in (32, 96, 128, 256, 600)] == [3, 3, 5, 9, 19]
    assert square_side((900, 600), 17) == 17


def test_pixels_and_cells() -> None:
    coords = torch.tensor([[0.0, 0.0], [7.99, 3.0], [8.0, 4.0]])
    rows, columns = click_pixels(coords, (4, 8))
    assert (rows.tolist(), columns.tolist()) == ([0, 3, 3], [0, 7, 7])
    rows, columns = click_cells(coords, (4, 8), (2, 2))
    assert (rows.tolist(), columns.tolist()) == ([0, 1, 1], [0, 1, 1])


@pytest.mark.parametrize("side", [1, 3, 5, 17])
@pytest.mark.parametrize("size", [(11, 13), (1, 1), (2, 30)])
def test_squares_pixel_by_pixel(side: int, size: tuple[int, int]) -> None:
    coords, labels = _clicks(5, size)
    masks, known = square_masks(coords, labels, 3, size, side), square_labels(coords, labels, size, side)
    rows, columns = click_pixels(coords, size)
    for y in range(size[0]):
        for x in range(size[1]):
            inside = [p for p in range(5) if max(abs(y - int(rows[p])), abs(x - int(columns[p]))) <= side // 2]
            assert set(masks[:, y, x].nonzero()[:, 0].tolist()) == {int(labels[p]) for p in inside}
            place = torch.tensor([x + 0.5, y + 0.5])
            nearest = min(inside, key=lambda p: float(((coords[p] - place) ** 2).sum()), default=None)
            assert known[y, x] == (UNLABELLED if nearest is None else labels[nearest])


def test_both_classes_are_burnt_in_where_squares_overlap() -> None:
    coords = torch.tensor([[2.5, 2.5], [4.5, 2.5]])
    masks = square_masks(coords, torch.tensor([0, 1]), 2, (5, 7), 3)
    assert masks.all(dim=0).nonzero().tolist() == [[1, 3], [2, 3], [3, 3]]
    # the shared column is as far from one as from the other: the first counts
    assert square_labels(coords, torch.tensor([0, 1]), (5, 7), 3)[2].tolist() == [-1, 0, 0, 0, 1, 1, -1]
    assert square_labels(coords.flip(0), torch.tensor([1, 0]), (5, 7), 3)[2].tolist() == [-1, 0, 0, 1, 1, 1, -1]


def test_a_picture_without_clicks() -> None:
    nothing, none = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)
    assert not square_masks(nothing, none, 2, (4, 5), 3).any()
    assert (square_labels(nothing, none, (4, 5), 3) == UNLABELLED).all()
    assert (cell_labels(nothing, none, (4, 5), grid=(2, 2), stride=4, side=3) == UNLABELLED).all()


@pytest.mark.parametrize("size", [(32, 32), (29, 31), (3, 2)])
@pytest.mark.parametrize("side", [3, 17])
def test_cells(size: tuple[int, int], side: int) -> None:
    """The pixel at a cell's centre decides, but a clicked cell is always its click's; the padding is unlabelled."""
    stride, grid = 4, (9, 10)
    coords, labels = _clicks(3, size, seed=2)
    cells = cell_labels(coords, labels, size, grid=grid, stride=stride, side=side)
    pixels = square_labels(coords, labels, size, side)
    rows, columns = -(-size[0] // stride), -(-size[1] // stride)
    assert cells.shape == grid
    assert (cells[rows:] == UNLABELLED).all() and (cells[:, columns:] == UNLABELLED).all()
    clicked: dict[tuple[int, int], list[int]] = {}
    for p in range(3):
        clicked.setdefault((int(coords[p, 1] // stride), int(coords[p, 0] // stride)), []).append(int(labels[p]))
    for row in range(rows):
        for column in range(columns):
            centre = pixels[min(row * stride + 2, size[0] - 1), min(column * stride + 2, size[1] - 1)]
            expected = clicked.get((row, column), [int(centre)])
            assert int(cells[row, column]) in expected
    assert all(int(cells[place]) in given for place, given in clicked.items())
