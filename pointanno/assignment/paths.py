"""Cheapest way from the clicks of each target to every cell (PSPS Eq. 3), exact in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pointanno.assignment.heap import search_with_heap
from pointanno.assignment.sweeps import search_with_sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

#: Fewest targets for which sweeps are tried: they cost the same for one target as for sixteen.
FEWEST_FOR_SWEEPS = 3

#: Sweeps for each target of a group before it is given to the heap, which takes some fifteen sweeps' time a target.
SWEEPS_PER_TARGET = 6


def shortest_paths(
    costs: NDArray[np.floating[Any]],
    seeds: Sequence[ArrayLike],
    *,
    method: Literal["auto", "heap", "sweeps"] = "auto",
) -> NDArray[Any]:
    """Smallest sum of costs on a way from any click of a target to each cell.

    All methods give the same bits: float32 sums from the click outward, the smallest over all ways. Long ways over
    large grids gather rounding, some 1e-6 of the distance; costs in float64 are searched in float64, with the heap.

    Parameters
    ----------
    costs : (8, h, w) float32 or float64, not negative
        From `edge_costs`; infinite where no step exists.
    seeds : one (n_k, 2) int array of cells (x, y) for each target
        Several clicks of a target: the smallest over them. Clicks may repeat.
    method : {"auto", "heap", "sweeps"}
        "heap" is Dijkstra's search, target by target; "sweeps" relaxes rows down and up for sixteen targets at a
        time, until nothing changes; "auto" sweeps where there are several targets, and goes over to the heap for
        those whose paths wind too much.

    Returns
    -------
    (K, h, w) float32, or float64 if the costs are
        0 at the clicks; infinite in cells that cannot be reached, and everywhere for a target without a click.

    Raises
    ------
    ValueError
        If the costs have another shape or a click lies outside the grid.
    """
    in_double = np.asarray(costs).dtype == np.float64
    costs = np.ascontiguousarray(costs, np.float64 if in_double else np.float32)
    if costs.ndim != 3 or costs.shape[0] != 8:
        raise ValueError(f"costs must be an (8, h, w) array, but got shape {costs.shape}")
    height, width = costs.shape[1:]
    cells, starts = _flat_seeds(seeds, height, width)
    count = len(starts) - 1
    if in_double or method == "heap" or (method == "auto" and count < FEWEST_FOR_SWEEPS):
        return search_with_heap(costs, cells, starts)
    return search_with_sweeps(costs, cells, starts, SWEEPS_PER_TARGET if method == "auto" else None)


def _flat_seeds(seeds: Sequence[ArrayLike], height: int, width: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All clicks as cell numbers ``y w + x`` in one array, and where each target's begin (K + 1)."""
    each = [np.asarray(clicks, dtype=np.int64).reshape(-1, 2) for clicks in seeds]
    starts = np.zeros(len(each) + 1, np.int32)
    starts[1:] = np.cumsum([len(clicks) for clicks in each]) if each else ()
    coords = np.concatenate(each) if each else np.zeros((0, 2), np.int64)
    outside = (coords < 0).any(axis=1) | (coords[:, 0] >= width) | (coords[:, 1] >= height)
    if outside.any():
        x, y = coords[outside][0]
        raise ValueError(f"click ({x}, {y}) lies outside the grid of {width} x {height} cells")
    return (coords[:, 1] * width + coords[:, 0]).astype(np.int32), starts
