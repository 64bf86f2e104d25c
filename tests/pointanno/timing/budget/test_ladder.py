"""Pictures that budgets buy: nested, whole, within the budget, in an order that all kinds share."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointanno.errors import InputError
from pointanno.timing.budget.ladder import FULL, HOUR, default_hours, nested_pictures, picture_order

SECONDS = st.dictionaries(st.integers(1, 60), st.floats(0, 5 * HOUR, allow_nan=False), min_size=1, max_size=30)


@given(SECONDS, st.lists(st.floats(0.01, 100), min_size=1, max_size=5, unique=True), st.integers(0, 5))
def test_budgets_are_nested_and_kept(seconds: dict[int, float], hours: list[float], seed: int) -> None:
    try:
        found = nested_pictures(seconds, hours, seed=seed)
    except InputError:
        worth = [value for value in seconds.values() if value > 0]
        assert not worth or min(worth) > min(hours) * HOUR
        return
    before: set[int] = set()
    for budget, (spent, chosen) in zip(sorted(hours), found, strict=True):
        assert len(set(chosen)) == len(chosen) and before <= set(chosen)
        assert spent * HOUR == pytest.approx(sum(seconds[image_id] for image_id in chosen))
        assert spent <= budget * (1 + 1e-9)
        assert all(seconds[image_id] > 0 for image_id in chosen)
        left = [value for image_id, value in seconds.items() if value > 0 and image_id not in chosen]
        # either it is spent, or nothing that is left can be paid
        assert spent >= FULL * budget or all(spent * HOUR + value > budget * HOUR for value in left)
        before = set(chosen)


def test_enough_for_everything_buys_everything() -> None:
    seconds = dict.fromkeys(range(1, 101), HOUR)
    ((spent, chosen),) = nested_pictures(seconds, [100.0], seed=0)
    assert spent == 100 and set(chosen) == set(seconds)


def test_another_seed_takes_other_pictures_and_the_same_one_the_same() -> None:
    seconds = dict.fromkeys(range(1, 101), HOUR)
    first, again, other = (nested_pictures(seconds, [10.0], seed=seed)[0][1] for seed in (0, 0, 1))
    assert first == again and set(first) != set(other) and len(other) == 9  # nine tenths


def test_the_order_is_that_of_the_seed_alone() -> None:
    assert picture_order([3, 1, 2], 4) == picture_order([1, 2, 3], 4)
    cheap = nested_pictures(dict.fromkeys(range(1, 51), 100.0), [0.5], seed=2)[0][1]
    dear = nested_pictures(dict.fromkeys(range(1, 51), 300.0), [0.5], seed=2)[0][1]
    assert set(dear) < set(cheap)


def test_too_small_a_budget_is_named() -> None:
    with pytest.raises(
        InputError, match=r"--hours 0\.5: this does not pay a single picture \(the cheapest takes 2 h\)"
    ):
        nested_pictures({1: 2 * HOUR, 2: 3 * HOUR}, [0.5, 3], seed=0)
    with pytest.raises(InputError, match="holds no object"):
        nested_pictures({1: 0.0}, [1.0], seed=0)


def test_budgets_that_nobody_asked_for() -> None:
    """100 pictures: masks 100 h, boxes 20 h. From three pictures of masks (3 h) to all boxes."""
    masks, boxes = (dict.fromkeys(range(1, 101), hours * HOUR) for hours in (1.0, 0.2))
    hours = default_hours([masks, boxes])
    assert hours[0] == 3.0 and 20.0 <= hours[-1] <= 24.1 and len(hours) == 4 and hours == sorted(hours)
    boxes = dict.fromkeys(range(1, 101), 0.7 * HOUR)
    hours = default_hours([masks, boxes])
    assert hours[0] == 3.0 and 70.0 <= hours[-1] <= 70.2
    ratios = [after / before for before, after in pairwise(hours)]
    assert max(ratios) / min(ratios) < 1.1


@given(st.lists(st.floats(1, 3 * HOUR), min_size=1, max_size=12), st.floats(1, 30))
def test_budgets_that_nobody_asked_for_pay_something(pictures: list[float], ratio: float) -> None:
    cheap = dict(enumerate(pictures, 1))
    dear = {number: ratio * value for number, value in cheap.items()}
    hours = default_hours([cheap, dear])
    for seconds in (cheap, dear):
        found = nested_pictures(seconds, hours, seed=0)
        assert len(found) == 4
    assert len(nested_pictures(cheap, hours, seed=0)[-1][1]) == len(cheap)


def test_one_picture_is_paid_by_the_hours_it_takes() -> None:
    assert 0.022 * HOUR < 79.2  # by the last bit of a float
    assert nested_pictures({1: 79.2}, [0.022], seed=0) == [(79.2 / HOUR, (1,))]
    assert nested_pictures({1: 79.2}, default_hours([{1: 79.2}]), seed=0)[0][1] == (1,)
