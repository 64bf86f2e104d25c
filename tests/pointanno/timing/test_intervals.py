"""Sets of instants, against sets of whole numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pointanno.timing.intervals import NEVER, Intervals

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def instants(pairs: list[tuple[int, int]]) -> set[int]:
    return {instant for start, stop in pairs for instant in range(start, stop)}


@given(PAIRS, PAIRS)
def test_operations_are_those_of_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = Intervals.of(one), Intervals.of(other)
    assert instants(a.pairs()) == instants(one)
    assert instants((a | b).pairs()) == instants(one) | instants(other)
    assert instants((a & b).pairs()) == instants(one) & instants(other)
    assert instants((a - b).pairs()) == instants(one) - instants(other)
    assert instants(a.complement(5, 30).pairs()) == set(range(5, 30)) - instants(one)


@given(PAIRS)
def test_intervals_are_in_order_and_apart(pairs: list[tuple[int, int]]) -> None:
    found = Intervals.of(pairs)
    edges = np.stack([found.starts, found.stops], axis=1).ravel()
    assert (np.diff(edges) > 0).all()


@given(PAIRS, st.integers(-5, 45), st.integers(-5, 45))
def test_lengths_are_counted(pairs: list[tuple[int, int]], start: int, stop: int) -> None:
    found = Intervals.of(pairs)
    assert found.length == len(instants(pairs))
    assert found.until(start) == len([one for one in instants(pairs) if one < start])
    if stop >= start:
        assert found.within(start, stop) == len(instants(pairs) & set(range(start, stop)))


def test_large_numbers_stay_exact() -> None:
    start = 2**62
    assert Intervals.of([(start, start + 1), (start + 3, start + 10)]).within(start, start + 9) == 7
    assert NEVER.length == 0 and NEVER.until([3, 4]).tolist() == [0, 0]
