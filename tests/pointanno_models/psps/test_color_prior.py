"""The colour prior: acceptance check E of PSPS, borders and padding."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pointanno_models.layers.color_affinity import color_affinity
from pointanno_models.psps.color_prior import ColorPairs, find_color_pairs, loss_sem_color


def _grey(height: int, width: int, value: float = 0.5) -> Tensor:
    return torch.full((1, 3, height, width), value)


@pytest.mark.parametrize(("classes", "expected"), [(2, 0.6931), (21, 3.0445)])
def test_uniform_probabilities(classes: int, expected: float) -> None:
    pairs = find_color_pairs(_grey(64, 48), torch.ones(1, 8, 6, dtype=torch.bool), stride=8)
    log_probs = torch.zeros(1, 1, classes, 8, 6).log_softmax(dim=2)
    assert loss_sem_color(log_probs, pairs).item() == pytest.approx(expected, abs=1e-4)
    assert loss_sem_color(log_probs.expand(3, -1, -1, -1, -1), pairs).item() == pytest.approx(3 * expected, abs=3e-4)


def test_one_pair() -> None:
    """(.9, .1) and (.8, .2): -ln(.72 + .02) = 0.3011."""
    pairs = ColorPairs(torch.tensor([[[[True, False]]]]), ((0, 1),))
    probs = torch.tensor([[0.9, 0.8], [0.1, 0.2]])
    assert loss_sem_color(probs.log().view(1, 1, 2, 1, 2), pairs).item() == pytest.approx(0.3011, abs=5e-5)


def test_affinity_flips_between_2_40_and_2_41() -> None:
    assert math.exp(-1.20) == pytest.approx(0.3012, abs=5e-5) and math.exp(-1.205) == pytest.approx(0.2997, abs=5e-5)
    valid = torch.ones(1, 1, 2, dtype=torch.bool)
    for distance, is_alike in ((2.40, True), (2.41, False)):
        lab = torch.zeros(1, 3, 1, 2)
        lab[0, 1, 0, 1] = distance
        assert color_affinity(lab, valid, [(0, 1)])[0, 0, 0].tolist() == [is_alike, False]


def test_black_borders_are_no_pairs_with_what_lies_beyond() -> None:
    """In a 3 x 3 picture each cell has neighbours 2 cells away inside: 2 + 2 in rows and columns, diagonals 2."""
    pairs = find_color_pairs(_grey(24, 24, 0.0), torch.ones(1, 3, 3, dtype=torch.bool), stride=8)
    assert int(pairs.affinity.sum()) == 3 + 3 + 2


def test_padding_changes_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    picture = torch.rand((1, 3, 6, 5), generator=rng).repeat_interleave(8, dim=2).repeat_interleave(8, dim=3) * 0.05
    log_probs = torch.randn((1, 1, 4, 6, 5), generator=rng).log_softmax(dim=2)
    alone = loss_sem_color(log_probs, find_color_pairs(picture, torch.ones(1, 6, 5, dtype=torch.bool), stride=8))
    canvas, padded = torch.zeros(1, 3, 72, 64), torch.zeros(1, 1, 4, 9, 8)
    canvas[..., :48, :40], padded[..., :6, :5] = picture, log_probs
    valid = torch.zeros(1, 9, 8, dtype=torch.bool)
    valid[:, :6, :5] = True
    assert loss_sem_color(padded, find_color_pairs(canvas, valid, stride=8)).item() == pytest.approx(alone.item())


def test_a_canvas_that_ends_within_a_cell() -> None:
    """Nine columns at stride 4 are three cells; the last one shows the ninth column only."""
    picture = _grey(8, 9, 0.2)
    picture[..., 8] = 0.9
    pairs = find_color_pairs(picture, torch.ones(1, 2, 3, dtype=torch.bool), stride=4, window=3, dilation=1)
    right = pairs.offsets.index((0, 1))
    assert pairs.affinity[0, right].tolist() == [[True, False, False]] * 2


def test_pictures_count_alike() -> None:
    """One picture with many pairs and one with a single pair: the mean of both means."""
    affinity = torch.zeros(2, 1, 2, 2, dtype=torch.bool)
    affinity[0, 0, :, 0], affinity[1, 0, 0, 0] = True, True
    log_probs = torch.full((1, 2, 2, 2, 2), 0.5).log()
    log_probs[:, 1, 0], log_probs[:, 1, 1] = math.log(0.9), math.log(0.1)
    expected = (math.log(2) - math.log(0.81 + 0.01)) / 2
    assert loss_sem_color(log_probs, ColorPairs(affinity, ((0, 1),))).item() == pytest.approx(expected)
