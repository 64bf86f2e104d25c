"""What the label assignment is compared with: scipy's search, and the authors' way to choose a click for each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from pointanno.assignment import IGNORE_LABEL, NEIGHBOURS, resize_bilinear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]


def costs_to_graph(costs: NDArray[np.floating[Any]]) -> csr_matrix:
    """Costs of steps as a sparse graph: (8, h, w) to (h w, h w) float64, steps of infinite cost left out."""
    _, height, width = costs.shape
    ids = np.arange(height * width).reshape(height, width)
    starts, ends, values = [], [], []
    for n, (dy, dx) in enumerate(NEIGHBOURS):
        here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
        exists = np.isfinite(costs[n][here])
        starts.append(ids[here][exists])
        ends.append(ids[there][exists])
        values.append(costs[n][here][exists])
    # zeros that are stored are steps that cost nothing
    where = np.concatenate(starts), np.concatenate(ends)
    return csr_matrix((np.concatenate(values).astype(np.float64), where), shape=(ids.size, ids.size))


def scipy_shortest_paths(graph: csr_matrix, seeds: Sequence[ArrayLike], size: tuple[int, int]) -> NDArray[np.float64]:
    """Distances by ``scipy.sparse.csgraph.dijkstra``, the smallest over the clicks of each target.

    Parameters
    ----------
    graph
        From `costs_to_graph`.
    seeds : one (n_k, 2) int array of cells (x, y) for each target
    size : (h, w)

    Returns
    -------
    (K, h, w) float64
    """
    each = [np.asarray(clicks, np.int64).reshape(-1, 2) for clicks in seeds]
    found = np.full((len(each), *size), np.inf)
    indices = [clicks[:, 1] * size[1] + clicks[:, 0] for clicks in each]
    if sum(len(clicks) for clicks in indices):
        rows = dijkstra(graph, directed=True, indices=np.concatenate(indices))
        for k, own in enumerate(np.split(rows, np.cumsum([len(clicks) for clicks in indices])[:-1])):
            if len(own):
                found[k] = own.min(axis=0).reshape(size)
    return found


def choose_from_maps(
    distances: Floats,
    classes: NDArray[np.int64],
    probabilities: Floats,
    isthing: NDArray[np.bool_],
    present: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels as the authors compute them: every target's map in full size, weighted, and the largest of all.

    Parameters and results are those of ``pointanno.assignment.assign_by_distances`` with
    ``compatibility="class_and_stuff"`` and its other settings as they are.
    """
    shown = np.arange(len(isthing)) if present is None else present
    near = distances / (distances.max() + np.float32(1e-5))
    maps = resize_bilinear(near, (probabilities.shape[1], probabilities.shape[2]))
    weights = probabilities[classes] + probabilities[shown[~isthing[shown]]].sum(axis=0)
    labels = ((1 - maps) * weights).argmax(axis=0)
    of_shown = probabilities[shown]
    top_class, top = shown[of_shown.argmax(axis=0)], of_shown.max(axis=0)
    is_stuff = ~isthing[top_class]
    sem_seg = np.where(is_stuff, np.where(top >= 0.5, top_class, IGNORE_LABEL), classes[labels])
    return np.where(is_stuff, -1, labels), sem_seg
