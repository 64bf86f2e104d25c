"""The assignment of queries to targets against all permutations, and its costs pair by pair."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from pointanno_models.psps.matching import (
    Match,
    MatchingSettings,
    focal_class_cost,
    match_layers,
    pair_costs,
    select_matched,
)

SETTINGS = MatchingSettings()


def _case(
    queries: int, counts: list[int], layers: int = 2, seed: int = 0
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn((layers, len(counts), queries, 3), generator=rng)
    boxes = torch.rand((layers, len(counts), queries, 4), generator=rng) * 0.4 + 0.3
    labels = [torch.randint(0, 3, (count,), generator=rng) for count in counts]
    given = [torch.rand((count, 4), generator=rng) * 0.4 + 0.3 for count in counts]
    return logits, boxes, labels, given


def _pair_cost(logit: float, box: list[float], other: list[float]) -> float:
    """The three costs with plain numbers."""
    p = 1 / (1 + math.exp(-logit))
    focal = -0.25 * (1 - p) ** 2 * math.log(p) + 0.75 * p**2 * math.log(1 - p)
    distance = sum(abs(a - b) for a, b in zip(box, other, strict=True))
    (l1, t1, r1, b1), (l2, t2, r2, b2) = ((x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in (box, other))
    inter = max(0, min(r1, r2) - max(l1, l2)) * max(0, min(b1, b2) - max(t1, t2))
    union = (r1 - l1) * (b1 - t1) + (r2 - l2) * (b2 - t2) - inter
    hull = (max(r1, r2) - min(l1, l2)) * (max(b1, b2) - min(t1, t2))
    return 2 * focal + 5 * distance - 2 * (inter / union - (hull - union) / hull)


def test_costs_pair_by_pair() -> None:
    logits, boxes, labels, given = _case(5, [4])
    costs = pair_costs(logits[:, 0], boxes[:, 0], labels[0], given[0], SETTINGS)
    assert costs.shape == (2, 5, 4)
    for layer, q, n in itertools.product(range(2), range(5), range(4)):
        expected = _pair_cost(
            float(logits[layer, 0, q, labels[0][n]]), boxes[layer, 0, q].tolist(), given[0][n].tolist()
        )
        assert costs[layer, q, n].item() == pytest.approx(expected, abs=1e-5)


def test_class_cost_by_hand() -> None:
    """At logit 0: 0.25 / 4 * ln 2 - 0.75 / 4 * ln 2 = -0.0866; far from 0 it stays finite."""
    assert focal_class_cost(torch.zeros(1, 2), torch.tensor([1])).item() == pytest.approx(-0.08664, abs=1e-5)
    assert focal_class_cost(torch.tensor([[-200.0, 200.0]]), torch.tensor([0, 1])).isfinite().all()


@pytest.mark.parametrize("seed", range(4))
def test_no_permutation_is_cheaper(seed: int) -> None:
    logits, boxes, labels, given = _case(5, [4, 1, 0], seed=seed)
    matches = match_layers(logits, boxes, labels, given, SETTINGS)
    assert [len(row) for row in matches] == [3, 3]
    for layer, picture in itertools.product(range(2), range(3)):
        match, count = matches[layer][picture], len(labels[picture])
        assert match.targets.tolist() == list(range(count))
        assert len(set(match.queries.tolist())) == count
        costs = pair_costs(logits[layer, picture], boxes[layer, picture], labels[picture], given[picture], SETTINGS)
        cheapest = min(
            sum(float(costs[q, n]) for n, q in enumerate(choice)) for choice in itertools.permutations(range(5), count)
        )
        assert float(costs[match.queries, match.targets].sum()) == pytest.approx(cheapest, abs=1e-5)


def test_more_targets_than_queries() -> None:
    """Two queries and four targets: the cheapest two pairs, by ascending target."""
    logits, boxes, labels, given = _case(2, [4], layers=1)
    [[match]] = match_layers(logits, boxes, labels, given, SETTINGS)
    costs = pair_costs(logits[0, 0], boxes[0, 0], labels[0], given[0], SETTINGS)
    cheapest = min(float(costs[0, a] + costs[1, b]) for a, b in itertools.permutations(range(4), 2))
    assert float(costs[match.queries, match.targets].sum()) == pytest.approx(cheapest, abs=1e-5)
    assert match.targets.tolist() == sorted(match.targets.tolist()) and len(match.queries) == 2


def test_weights_decide() -> None:
    """Query 0 has the class, query 1 the place."""
    logits, boxes = torch.tensor([[[[4.0], [-4.0]]]]), torch.tensor([[[[0.2, 0.2, 0.1, 0.1], [0.7, 0.7, 0.2, 0.2]]]])
    given = torch.tensor([[0.7, 0.7, 0.2, 0.2]])
    for settings, query in (
        (MatchingSettings(2, 0, 0), 0),
        (MatchingSettings(0, 5, 0), 1),
        (MatchingSettings(0, 0, 2), 1),
    ):
        [[match]] = match_layers(logits, boxes, [torch.tensor([0])], [given], settings)
        assert match.queries.tolist() == [query]


def test_costs_that_are_no_numbers() -> None:
    logits, boxes, labels, given = _case(3, [2], layers=1)
    logits[0, 0, 1] = torch.nan
    [[match]] = match_layers(logits, boxes, labels, given, SETTINGS)
    assert 1 not in match.queries.tolist() and len(match.queries) == 2


def test_chosen_queries() -> None:
    matches = [
        Match(torch.tensor([4, 1]), torch.tensor([0, 2])),
        Match(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)),
    ]
    assert select_matched(matches).tolist() == [[4, 1], [0, 0]]
    assert select_matched(matches[1:]).tolist() == [[0]], "the stack always has a query"
