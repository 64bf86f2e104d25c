"""Orders of a study are balanced, and the same everywhere."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointanno.protocols.study_order import dealt, orders_of_person, shuffled, treatment_orders, williams_rows
from pointanno.protocols.study_plan import StudyPlan

counts = st.integers(2, 9)


@given(st.integers(1, 12))
def test_every_treatment_follows_every_other_equally_often(count: int) -> None:
    rows = williams_rows(count)
    assert len(rows) == (count if count % 2 == 0 or count == 1 else 2 * count)
    assert all(sorted(row) == list(range(count)) for row in rows)
    for place in range(count):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // count}
    pairs = Counter(pair for row in rows for pair in pairwise(row))
    wanted = {(a, b) for a in range(count) for b in range(count) if a != b}
    assert set(pairs) == wanted and len(set(pairs.values())) <= 1


def test_the_square_of_four_as_worked_out_by_hand() -> None:
    """0, 1, 3, 2 has the steps 1, 2, 3 modulo 4; the other rows add 1, 2, 3."""
    assert williams_rows(4) == ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))


def test_no_treatment_is_an_error() -> None:
    with pytest.raises(ValueError, match="received 0"):
        williams_rows(0)


@given(counts, st.integers(1, 3), st.integers(0, 2**40))
def test_whole_rounds_are_balanced(count: int, rounds: int, seed: int) -> None:
    """In each round of `count` people: places and hands of pictures; over all rows: what came before."""
    found = treatment_orders(count, 2 * count * rounds, seed)
    for start in range(0, len(found), count):
        group = found[start : start + count]
        for place in range(count):
            assert sorted(treatments[place] for treatments, _ in group) == list(range(count))
        met = Counter(pair for treatments, hands in group for pair in zip(treatments, hands, strict=True))
        assert set(met.values()) == {1} and len(met) == count**2
    rows = len(williams_rows(count))
    for start in range(0, len(found) - rows + 1, rows):
        pairs = Counter(pair for treatments, _ in found[start : start + rows] for pair in pairwise(treatments))
        assert len(pairs) == count * (count - 1) and len(set(pairs.values())) == 1


@given(st.integers(2, 6), st.integers(0, 2**40))
def test_hands_stand_at_every_place_in_the_end(count: int, seed: int) -> None:
    people = count * len(williams_rows(count))
    crossed = Counter(
        (place, treatment, hand)
        for treatments, hands in treatment_orders(count, people, seed)
        for place, (treatment, hand) in enumerate(zip(treatments, hands, strict=True))
    )
    assert len(crossed) == count**3 and len(set(crossed.values())) == 1


@given(st.lists(st.text(max_size=5), unique=True, max_size=40), st.integers(1, 7), st.data())
def test_dealing_is_even(names: list[str], hands: int, data: st.DataObject) -> None:
    marked = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    found = dealt(names, hands, marked)
    assert sorted(name for hand in found for name in hand) == sorted(names)
    for sizes in ([len(hand) for hand in found], [len(set(hand) & set(marked)) for hand in found]):
        assert max(sizes) - min(sizes) <= 1


def test_an_order_is_the_same_on_every_platform() -> None:
    """Computed once; SHA-256 knows no platform, so these may never change."""
    names = [f"{number}.png" for number in range(8)]
    assert shuffled(names, 3, "order") == shuffled(reversed(names), 3, "order")
    assert shuffled(names, 3, "order") == EXPECTED
    assert shuffled(names, 4, "order") != EXPECTED
    assert shuffled(names, 31, "x") != shuffled(names, 3, "1x"), "parts of a key do not run into one another"


EXPECTED = ("5.png", "6.png", "3.png", "0.png", "7.png", "1.png", "4.png", "2.png")


def test_one_of_ten_thousand_people_is_asked_alone() -> None:
    people = treatment_orders(3, 40, 7, "study")
    assert [orders_of_person(3, person, 7, "study") for person in range(40)] == list(people)
    plan = StudyPlan.model_validate(
        {"conditions": [{"name": "m", "mode": "mask"}], "participants": 10_000, "images": ["a.png"]}
    )
    begin = time.perf_counter()
    for participant in range(9_000, 9_200):
        plan.schedule(participant)
    assert time.perf_counter() - begin < 2  # it was 9,000 orders for each of them
