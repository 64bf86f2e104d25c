"""The speed of the label assignment is measured in turns, and what is measured is right; seconds are never asserted."""

from __future__ import annotations

import numpy as np

from pointanno.assignment import edge_costs
from pointanno.benchmark.assignment import measure_in_turns, measure_live, measure_search, measure_stage
from pointanno.benchmark.assignment_peers import choose_from_maps, costs_to_graph, scipy_shortest_paths


def test_contenders_run_in_turns_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []
    times = measure_in_turns({"one": lambda: calls.append("one"), "two": lambda: calls.append("two")}, repeats=3)
    assert calls == ["one", "two"] * 4
    assert set(times) == {"one", "two"} and all(set(each) == {"wall_ms", "cpu_ms"} for each in times.values())


def test_every_grid_and_number_is_searched_exactly() -> None:
    said: list[str] = []
    rows = measure_search([(9, 14), (20, 11)], [1, 5], 1, said.append)
    assert [(row["grid"], row["costs"], row["targets"]) for row in rows] == [
        (grid, kind, targets) for grid in ([9, 14], [20, 11]) for kind in ("picture", "noise") for targets in (1, 5)
    ]
    assert len(said) == len(rows)
    for row in rows:
        assert row["difference"] <= 1e-5 and row["differing"] == 0
        assert row["over_scipy"] > 0 and row["over_heap"] > 0


def test_the_stage_gives_the_labels_of_its_peer() -> None:
    found = measure_stage(1, size=(96, 128))
    assert found["pixels"] == 96 * 128 and found["classes"] == 133 and found["clicks"] == 20
    # scipy adds in float64, so that a pixel may lie on the other side of a tie
    assert found["differing"] <= 2


def test_live_clicks_are_compared_with_their_aim() -> None:
    found = measure_live(1)
    assert found["one_more"]["limit_ms"] == 33 and found["one_more"]["size"] == [480, 640]
    assert found["thirty_at_once"]["limit_ms"] == 150
    assert all(0 < each["wall_ms"] <= each["p95_wall_ms"] for each in found.values())


def test_scipy_walks_steps_that_cost_nothing_and_no_others() -> None:
    """A zero in the graph is a free step; an infinite cost is no step."""
    costs = edge_costs(None, np.zeros((1, 3)), tie=0, valid=np.array([[True, True, False]]))
    graph = costs_to_graph(costs)
    assert graph.nnz == 2
    found = scipy_shortest_paths(graph, [[(0, 0)], [], [(2, 0), (0, 0)]], (1, 3))
    assert found.tolist() == [[[0, 0, np.inf]], [[np.inf] * 3], [[0, 0, 0]]]


def test_maps_of_all_targets() -> None:
    """.2 * (.3 + .2) = .10 against .6 * (.05 + .2) = .15 in the first pixel; stuff in the last."""
    distances = np.array([[[0.8, 1.0, 1.0]], [[0.4, 1.0, 0.0]]], np.float32)
    probabilities = np.array([[[0.3, 1, 0]], [[0.05, 0, 0.4]], [[0.2, 0, 0.45]]], np.float32)
    isthing = np.array([True, True, False])
    labels, sem_seg = choose_from_maps(distances, np.array([0, 1]), probabilities, isthing)
    assert labels.tolist() == [[1, 0, -1]]
    assert sem_seg.tolist() == [[1, 0, 255]]
    only_things, _ = choose_from_maps(distances, np.array([0, 1]), probabilities, isthing, np.array([0, 1]))
    assert only_things.tolist() == [[0, 0, 1]]
