"""Two processes are played one after the other: what they gather from each other is told to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pointanno_models.layers import shared_batch
from pointanno_models.layers.shared_batch import (
    SharedSampler,
    denominators,
    mean_counts,
    means_over_batch,
    pad_to_largest,
    rand_by_picture,
)


@pytest.fixture
def as_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Tensor], None]:
    """Be process `rank` of two, who gather `everything`."""

    def be(rank: int, everything: Tensor) -> None:
        monkeypatch.setattr(shared_batch, "process_count", lambda: 2)
        monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
        monkeypatch.setattr(shared_batch, "_gather", lambda rows: everything)

    return be


def test_means_by_hand(as_process: Callable[[int, Tensor], None]) -> None:
    """Terms 1, 2, 3 here and 10 there: the mean of all is 4, as is that of 2 * 3/2 and 10 * 1/2."""
    counts = torch.tensor([3, 1])
    as_process(0, counts)
    [here] = means_over_batch([torch.tensor(2.0)], 3)
    as_process(1, counts)
    [there] = means_over_batch([torch.tensor(10.0)], 1)
    assert (here.item(), there.item()) == (3.0, 5.0) and (here + there).item() / 2 == 4.0
    as_process(0, torch.tensor([0, 0]))
    assert means_over_batch([torch.tensor(0.0)], 0)[0].item() == 0.0


def test_denominators_by_hand(as_process: Callable[[int, Tensor], None]) -> None:
    """Sums 6 here and 10 there over 3 and 1 terms: 6 / 2 and 10 / 2 have the mean 4 of all terms as their average."""
    counts = torch.tensor([3.0, 0.0])
    assert mean_counts(counts).tolist() == [3, 0]
    assert denominators(counts).tolist() == [3, 1]
    as_process(0, torch.tensor([[3.0, 0.0], [1.0, 0.0]]))
    assert mean_counts(counts).tolist() == [2, 0]
    assert denominators(counts).tolist() == [2, 1]


def test_alone_nothing_changes() -> None:
    loss = torch.tensor(2.0)
    assert means_over_batch([loss], 3)[0] is loss
    images = torch.zeros((1, 3, 4, 5))
    assert pad_to_largest(images) is images


def test_padding_reaches_the_largest(as_process: Callable[[int, Tensor], None]) -> None:
    as_process(0, torch.tensor([[4, 5], [3, 9]]))
    padded = pad_to_largest(torch.ones((2, 3, 4, 5)))
    assert padded.shape == (2, 3, 4, 9) and padded[..., :5].all() and not padded[..., 5:].any()


def test_random_numbers_are_those_of_one_process(as_process: Callable[[int, Tensor], None]) -> None:
    counts = [3, 0, 5, 2]
    torch.manual_seed(4)
    whole = rand_by_picture(counts, (7, 2), torch.device("cpu"))
    after = torch.rand(1)
    for rank in (0, 1):
        as_process(rank, torch.tensor(counts))
        torch.manual_seed(4)
        own = rand_by_picture(counts[2 * rank : 2 * rank + 2], (7, 2), torch.device("cpu"))
        assert all(torch.equal(a, b) for a, b in zip(own, whole[2 * rank : 2 * rank + 2], strict=True))
        assert torch.equal(torch.rand(1), after), "what comes next is the same too"


def test_sampling_is_that_of_one_process(as_process: Callable[[int, Tensor], None]) -> None:
    rng = torch.Generator().manual_seed(0)
    labels = [torch.randint(-1, 2, (count,), generator=rng) for count in (400, 30, 200, 900)]
    sampler = SharedSampler(64, 0.25)
    torch.manual_seed(4)
    positives, negatives = sampler(labels)
    after = torch.rand(1)
    assert sampler.count(labels) == sum(int(chosen.sum()) for chosen in (*positives, *negatives))
    counts = torch.stack([torch.stack([(given >= 1).sum(), (given == 0).sum()]) for given in labels])
    for rank in (0, 1):
        as_process(rank, counts)
        torch.manual_seed(4)
        own = sampler(labels[2 * rank : 2 * rank + 2])
        for found, expected in zip(own, (positives, negatives), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(found, expected[2 * rank : 2 * rank + 2], strict=True))
        assert torch.equal(torch.rand(1), after)
