from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from napari_pointanno._models.bunches import BUNCH_NS, Bunch, Bunches

MS = 1_000_000


def test_a_bunch_tells_its_first_and_last_input() -> None:
    bunches = Bunches()
    for at in (10, 300, 900):
        bunches.note("pointer", at * MS)
    assert bunches.take(1000 * MS) == []  # something may still come
    assert bunches.oldest_ns() == 10 * MS
    assert bunches.take(1010 * MS) == [Bunch("pointer", 10 * MS, 900 * MS)]
    assert bunches.oldest_ns() is None and bunches.take() == []


def test_kinds_are_apart() -> None:
    bunches = Bunches()
    bunches.note("wheel", 5)
    bunches.note("pointer", 1)
    bunches.note("wheel", 9)
    assert bunches.take() == [Bunch("pointer", 1, 1), Bunch("wheel", 5, 9)]


def test_what_could_not_be_written_comes_again() -> None:
    bunches = Bunches()
    bunches.note("pan", 1)
    taken = bunches.take()
    bunches.note("pan", 2)
    bunches.put_back(taken)
    assert bunches.take() == [Bunch("pan", 1, 1), Bunch("pan", 2, 2)]


@given(st.lists(st.tuples(st.sampled_from(["pointer", "wheel"]), st.integers(1, 3 * BUNCH_NS)), max_size=60), st.data())
def test_nothing_is_lost_and_a_second_makes_one_event(steps: list[tuple[str, int]], data: st.DataObject) -> None:
    bunches, at, found = Bunches(), 0, []
    inputs: dict[str, list[int]] = {"pointer": [], "wheel": []}
    for kind, wait in steps:
        at += wait
        bunches.note(kind, at)
        inputs[kind].append(at)
        if data.draw(st.booleans()):
            found += bunches.take(at)
    found += bunches.take()
    for kind, times in inputs.items():
        mine = [bunch for bunch in found if bunch.kind == kind]
        ends = [bunch.since_ns for bunch in mine] + [bunch.at_ns for bunch in mine]
        assert set(ends) <= set(times)
        assert all(any(bunch.since_ns <= t <= bunch.at_ns for bunch in mine) for t in times)
        assert all(bunch.at_ns - bunch.since_ns < BUNCH_NS for bunch in mine)
        starts = [bunch.since_ns for bunch in mine]
        assert all(after - before >= BUNCH_NS for before, after in itertools.pairwise(starts))
