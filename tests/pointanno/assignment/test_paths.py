"""Acceptance A and C of PSPS: shortest paths, against a heap in plain Python, scipy and skimage."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.graph import MCP

from pointanno.assignment import NEIGHBOURS, boundary_map, edge_costs, resize_bilinear, shortest_paths
from pointanno.assignment.sweeps import search_with_sweeps
from pointanno.benchmark.assignment_peers import costs_to_graph, scipy_shortest_paths
from pointanno.images import read_image, to_rgb8

METHODS = ("heap", "sweeps", "auto")


def paths_by_hand(costs: np.ndarray, clicks: Any) -> np.ndarray:
    """Dijkstra with Python's heap and float32 sums."""
    _, height, width = costs.shape
    distance = np.full((height, width), np.inf, np.float32)
    queue = []
    for x, y in clicks:
        distance[y, x] = 0
        queue.append((np.float32(0), y, x))
    while queue:
        here, y, x = heapq.heappop(queue)
        if here > distance[y, x]:
            continue
        for n, (dy, dx) in enumerate(NEIGHBOURS):
            ny, nx = y + dy, x + dx
            if 0 <= ny < height and 0 <= nx < width:
                reached = np.float32(here + costs[n, y, x])
                if reached < distance[ny, nx]:
                    distance[ny, nx] = reached
                    heapq.heappush(queue, (reached, ny, nx))
    return distance


@pytest.mark.parametrize("method", METHODS)
def test_the_wall_with_a_gap(method: Any) -> None:
    """Acceptance A: entering the wall costs, leaving it does not."""
    boundary = np.zeros((5, 5))
    boundary[:, 2] = 1
    boundary[2, 2] = 0.25
    costs = edge_costs(None, boundary, boundary_weight=1, tie=0)
    left, right, above = shortest_paths(costs, [[(0, 2)], [(4, 2)], [(2, 0)]], method=method)
    expected = np.array([[0, 0, 1, 0.25, 0.25]] * 5)
    expected[2, 2] = 0.25
    np.testing.assert_array_equal(left, expected)
    np.testing.assert_array_equal(right, expected[:, ::-1])
    assert left.max() == 1
    np.testing.assert_array_equal(np.stack([left, right]).argmin(axis=0), [[0, 0, 0, 1, 1]] * 5)
    expected = np.zeros((5, 5))
    expected[1:, 2] = 1, 0.25, 1, 1
    np.testing.assert_array_equal(above, expected)


@pytest.mark.parametrize("method", METHODS)
def test_random_costs(method: Any) -> None:
    """Acceptance C."""
    costs = np.moveaxis(np.random.default_rng(0).random((7, 9, 8)), 2, 0).astype(np.float32)
    there, back = shortest_paths(costs, [[(0, 0)], [(8, 6)]], method=method)
    assert there[6, 8] == pytest.approx(2.509554, abs=1e-6)
    assert back[0, 0] == pytest.approx(2.514008, abs=1e-6)
    np.testing.assert_array_equal(there, paths_by_hand(costs, [(0, 0)]))


@st.composite
def grids(draw: st.DrawFn) -> tuple[np.ndarray, list[list[tuple[int, int]]]]:
    """Costs and clicks: noise, plateaus with ties, holes; one row, one column, one cell; repeated clicks."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "flat", "steps", "walls", "tiny"]))
    shape = (8, height, width)
    if kind == "flat":
        costs = np.full(shape, draw(st.sampled_from([0.0, 1e-4, 1.0])))
    elif kind == "steps":
        costs = rng.integers(0, 3, shape) / 2
    elif kind == "walls":
        costs = rng.choice([1e-4, 1e4], shape)
    else:
        costs = rng.random(shape) * (1e-38 if kind == "tiny" else 1)
    costs = costs.astype(np.float32)
    valid = rng.random((height, width)) < draw(st.sampled_from([1.0, 0.9, 0.6]))
    for n, (dy, dx) in enumerate(NEIGHBOURS):
        for y in range(height):
            for x in range(width):
                ny, nx = y + dy, x + dx
                if not (0 <= ny < height and 0 <= nx < width and valid[y, x] and valid[ny, nx]):
                    costs[n, y, x] = np.inf
    cell = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1))
    seeds = draw(st.lists(st.lists(cell, max_size=4), max_size=20))
    return costs, seeds


@settings(max_examples=60, deadline=None)
@given(grids())
def test_every_method_gives_the_bits_of_a_heap(case: tuple[np.ndarray, list[list[tuple[int, int]]]]) -> None:
    costs, seeds = case
    expected = np.array([paths_by_hand(costs, clicks) for clicks in seeds], np.float32).reshape(-1, *costs.shape[1:])
    for method in METHODS:
        found = shortest_paths(costs, seeds, method=method)  # type: ignore[arg-type]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    exact = scipy_shortest_paths(costs_to_graph(costs), seeds, costs.shape[1:])
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_where_only_entering_costs_skimage_agrees(seed: int, height: int, width: int) -> None:
    """MCP knows costs of cells, and counts that of the first cell as well."""
    rng = np.random.default_rng(seed)
    boundary = rng.random((height, width))
    x, y = int(rng.integers(width)), int(rng.integers(height))
    found = shortest_paths(edge_costs(None, boundary, boundary_weight=1, tie=0), [[(x, y)]])[0]
    expected, _ = MCP(boundary, fully_connected=True).find_costs([(y, x)])
    np.testing.assert_allclose(found + boundary[y, x], expected, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_costs_in_double_are_searched_in_double(method: Any) -> None:
    """Long ways over noise: float32 gathers rounding, float64 is scipy's to the last digits."""
    costs = np.random.default_rng(0).random((8, 90, 110))
    seeds = [[(0, 0)], [(109, 89), (3, 50)], []]
    exact = scipy_shortest_paths(costs_to_graph(costs), seeds, (90, 110))
    found = shortest_paths(costs, seeds, method=method)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)
    single = shortest_paths(costs.astype(np.float32), seeds, method=method)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=2e-6)


def test_two_clicks_of_a_target_are_never_farther_than_either_alone() -> None:
    costs = np.random.default_rng(3).random((8, 20, 30)).astype(np.float32)
    first, second, both = shortest_paths(costs, [[(3, 4)], [(25, 11)], [(3, 4), (25, 11)]])
    np.testing.assert_array_equal(both, np.minimum(first, second))


def test_a_target_without_a_click_is_infinitely_far() -> None:
    costs = np.ones((8, 4, 5), np.float32)
    for method in METHODS:
        found = shortest_paths(costs, [[], [(0, 0)], []], method=method)  # type: ignore[arg-type]
        assert np.isinf(found[[0, 2]]).all() and np.isfinite(found[1]).all()
        assert shortest_paths(costs, [], method=method).shape == (0, 4, 5)  # type: ignore[arg-type]


def test_where_paths_wind_sweeps_hand_over_to_the_heap() -> None:
    """A corridor that runs up and down: every bend needs another sweep."""
    wall = np.zeros((41, 41), bool)
    wall[:, 1::2] = True
    wall[-1, 1::4] = wall[0, 3::4] = False
    costs = edge_costs(None, np.ones((41, 41)), valid=~wall)
    seeds = [[(0, 0)], [(40, 0)], [(20, 20)]]
    expected = np.array([paths_by_hand(costs, clicks) for clicks in seeds])
    assert expected[0].max(where=np.isfinite(expected[0]), initial=0) > 20
    cells, starts = np.array([0, 40, 20 * 41 + 20], np.int32), np.arange(4, dtype=np.int32)
    for limit in (0, 1, None):
        np.testing.assert_array_equal(search_with_sweeps(costs, cells, starts, limit), expected)


@pytest.mark.parametrize("click", [(-1, 0), (5, 0), (0, 4)])
def test_clicks_outside_are_refused(click: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"click \(.*\) lies outside the grid of 5 x 4 cells"):
        shortest_paths(np.ones((8, 4, 5), np.float32), [[(0, 0)], [click]])


def test_costs_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(8, h, w\)"):
        shortest_paths(np.ones((4, 5, 8), np.float32), [[(0, 0)]])


@pytest.mark.parametrize("data_set", ["facades", "nuclei"])
def test_real_pictures(data_folder: Path, data_set: str) -> None:
    """Float32 against scipy's float64 on real edges, with many clicks: less than 1e-5 apart."""
    for path in sorted((data_folder / data_set / "val" / "images").iterdir())[:2]:
        image = to_rgb8(read_image(path))
        size = image.shape[0] // 8, image.shape[1] // 8
        small = np.moveaxis(resize_bilinear(np.moveaxis(image, 2, 0) / np.float32(255), size), 0, 2)
        brightness = small.mean(axis=2)
        costs = edge_costs(np.stack([brightness, 1 - brightness]), boundary_map(small))
        rng = np.random.default_rng(0)
        seeds = [rng.integers(0, size[::-1], (rng.integers(1, 4), 2)) for _ in range(20)]
        exact = scipy_shortest_paths(costs_to_graph(costs), seeds, size)
        for method in METHODS:
            found = shortest_paths(costs, seeds, method=method)  # type: ignore[arg-type]
            assert np.abs(found - exact).max() <= 1e-5
        boundary = boundary_map(small).astype(np.float64)
        of_cells, _ = MCP(boundary, fully_connected=True).find_costs([tuple(seeds[0][0][::-1])])
        found = shortest_paths(edge_costs(None, boundary, boundary_weight=1, tie=0), [seeds[0][:1]])[0]
        assert np.abs(found + boundary[tuple(seeds[0][0][::-1])] - of_cells).max() <= 1e-5
