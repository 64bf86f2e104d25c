"""Acceptance B of PSPS: the cost of a step."""

from __future__ import annotations

import numpy as np
import pytest

from pointanno.assignment import NEIGHBOURS, edge_costs, shortest_paths


def test_the_worked_example() -> None:
    """Columns 0, 1, 3, 4 of class (.9, .1), column 2 of (.6, .4); embeddings turn by 30 degrees at columns 2 and 3."""
    probabilities = np.zeros((2, 5, 5))
    probabilities[0], probabilities[1] = 0.9, 0.1
    probabilities[:, :, 2] = np.array([[0.6], [0.4]])
    angles = np.deg2rad([0, 0, 30, 60, 60])
    embedding = np.stack([np.cos(angles), np.sin(angles)])[:, None].repeat(5, axis=1)
    boundary = np.zeros((5, 5))
    boundary[:, 2] = 0.5
    costs = edge_costs(probabilities, boundary, embedding, tie=0)
    left, right = NEIGHBOURS.index((0, -1)), NEIGHBOURS.index((0, 1))
    assert costs[right, 2, 1] == pytest.approx(0.6634, abs=5e-5)
    assert costs[right, 2, 2] == pytest.approx(0.6134, abs=5e-5)
    assert costs[left, 2, 2] == pytest.approx(0.6134, abs=5e-5)
    distances = shortest_paths(costs, [[(0, 2)]])[0]
    np.testing.assert_allclose(distances[2], [0, 0, 0.6634, 1.2768, 1.2768], atol=5e-5)
    assert (distances / distances.max())[2, 2] == pytest.approx(0.5196, abs=5e-5)


def test_a_single_step() -> None:
    """0.6 of the classes, 0.05 of the boundary that is entered, 0.04 of an angle with cosine 0.6."""
    probabilities = np.array([[[0.7, 0.4]], [[0.2, 0.5]], [[0.1, 0.1]]])
    embedding = np.array([[[1.0, 0.6]], [[0.0, 0.8]]])
    costs = edge_costs(probabilities, np.array([[0.0, 0.5]]), embedding, tie=0)
    assert costs[NEIGHBOURS.index((0, 1)), 0, 0] == pytest.approx(0.69, abs=1e-6)
    assert costs[NEIGHBOURS.index((0, -1)), 0, 1] == pytest.approx(0.64, abs=1e-6)
    with_tie = edge_costs(probabilities, np.array([[0.0, 0.5]]), embedding)
    assert with_tie[NEIGHBOURS.index((0, 1)), 0, 0] == pytest.approx(0.6901, abs=1e-6)


def test_against_the_formulas_written_out() -> None:
    rng = np.random.default_rng(0)
    probabilities, embedding = rng.random((3, 6, 7)), rng.normal(size=(4, 6, 7))
    boundary, valid = rng.random((6, 7)), rng.random((6, 7)) < 0.8
    costs = edge_costs(
        probabilities, boundary, embedding, boundary_weight=0.3, manifold_weight=0.7, tie=0.01, valid=valid
    )
    unit = embedding / np.linalg.norm(embedding, axis=0)
    for n, (dy, dx) in enumerate(NEIGHBOURS):
        for y in range(6):
            for x in range(7):
                ny, nx = y + dy, x + dx
                expected = np.inf
                if 0 <= ny < 6 and 0 <= nx < 7 and valid[y, x] and valid[ny, nx]:
                    semantic = np.abs(probabilities[:, y, x] - probabilities[:, ny, nx]).sum()
                    manifold = max(1 - unit[:, y, x] @ unit[:, ny, nx], 0)
                    expected = semantic + 0.3 * boundary[ny, nx] + 0.7 * manifold + 0.01
                assert costs[n, y, x] == pytest.approx(expected, abs=1e-5)


def test_resampled_embeddings_are_brought_to_unit_length() -> None:
    """Two equal vectors of length one half: no cost; as the authors' code has it, 1 - 1/4."""
    embedding = np.full((1, 1, 2), 0.5)
    assert edge_costs(None, None, embedding, manifold_weight=1, tie=0)[4, 0, 0] == 0
    assert edge_costs(None, None, embedding, manifold_weight=1, tie=0, normalize_embedding=False)[4, 0, 0] == 0.75


def test_opposite_embeddings_cost_two_and_none_costs_less_than_nothing() -> None:
    embedding = np.array([[[1.0, -1.0, 2.0]]])
    costs = edge_costs(None, None, embedding, manifold_weight=1, tie=0, normalize_embedding=False)
    assert costs[4, 0].tolist()[:2] == [2.0, 3.0]
    assert edge_costs(None, None, np.array([[[1.0, 2.0]]]), tie=0, normalize_embedding=False)[4, 0, 0] == 0


def test_grids_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="share one grid"):
        edge_costs(np.zeros((2, 3, 4)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match="share one grid"):
        edge_costs(None, None)
