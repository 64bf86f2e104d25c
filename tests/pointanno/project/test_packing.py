"""Points as bytes and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.project import packing

MAYBE = st.one_of(st.none(), st.integers(0, 2**31 - 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70000), st.integers(0, 70000)), max_size=12))
def test_coords_there_and_back(points: list[tuple[int, int]]) -> None:
    data = packing.pack_coords(points)
    found = packing.unpack_coords(data, len(points))
    assert found.tolist() == [list(point) for point in points] and found.dtype == np.int32
    small = all(value < 2**15 for point in points for value in point)
    assert len(data) == len(points) * (4 if small else 8)


@settings(max_examples=40, deadline=None)
@given(st.lists(MAYBE, max_size=12))
def test_optional_numbers_there_and_back(values: list[int | None]) -> None:
    data = packing.pack_optional(values)
    assert packing.unpack_optional(data, len(values)) == tuple(values)
    if all(value is None for value in values):
        assert data == b""
    for index in range(len(values)):
        changed = packing.replace_optional(data, len(values), index, 7)
        assert packing.unpack_optional(changed, len(values)) == (*values[:index], 7, *values[index + 1 :])


@pytest.mark.parametrize("sources", [["random"], ["random", "random"], ["click", "suggested"]])
def test_sources_there_and_back(sources: list[str]) -> None:
    assert packing.unpack_sources(packing.pack_sources(sources), len(sources)) == tuple(sources)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.sampled_from(["", "x", "[é"])
VALUES = st.one_of(MAYBE, FINITE, WORDS, st.lists(st.integers(0, 5), max_size=2))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "number": st.integers(-(2**40), 2**40),
                "real": FINITE,
                "bytes": st.binary(max_size=5),
                "mixed": VALUES,
                "same": st.just("x"),
                "maybe": st.one_of(st.none(), st.integers(0, 3)),
            }
        ),
        max_size=6,
    )
)
def test_parts_there_and_back(rows: list[dict[str, Any]]) -> None:
    tables: dict[str, list[dict[str, Any]]] = {"a": rows, "empty": [], "b": [{"one": 1}]}
    assert packing.unpack_rows(packing.pack_rows(tables)) == tables


def test_whole_and_real_numbers_are_not_confused() -> None:
    """1 == 1.0 == True in Python, but a column of both is no constant."""
    rows: list[dict[str, Any]] = [{"v": 1}, {"v": 1.0}, {"v": True}]
    found = packing.unpack_rows(packing.pack_rows({"t": rows}))["t"]
    assert [type(row["v"]) for row in found] == [int, float, bool]


def test_ten_points_cost_about_sixty_bytes() -> None:
    """10 points x (2 x 2 bytes of coordinates + 1 byte of label)."""
    assert len(packing.pack_coords(np.zeros((10, 2)))) + 10 == 50


def test_a_source_that_looks_like_a_list_comes_back() -> None:
    assert packing.unpack_sources(packing.pack_sources(["[x", "[x"]), 2) == ("[x", "[x")
