"""Cost of a step from a cell to its neighbour: classes, image edges and embedding (PSPS 6.3 to 6.6, Eq. 4 to 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.assignment.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: (row, column) of the eight neighbours, row-major without the centre. Neighbour 7 - n is opposite to neighbour n.
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def edge_costs(
    probabilities: NDArray[np.floating] | None,
    boundary: NDArray[np.floating] | None,
    embedding: NDArray[np.floating] | None = None,
    *,
    boundary_weight: float = 0.1,
    manifold_weight: float = 0.1,
    tie: float = 1e-4,
    normalize_embedding: bool = True,
    valid: NDArray[np.bool_] | None = None,
) -> Floats:
    """Directed costs ``E^s + boundary_weight E^b + manifold_weight E^m + tie`` of all steps (Eq. 4).

    ``E^s`` is the L1 distance of the class probabilities of both cells (Eq. 5), ``E^b`` the boundary of the cell
    that is entered (Eq. 6), ``E^m`` is ``max(1 - cosine, 0)`` of the embeddings (Eq. 7). A diagonal step costs as
    much as a straight one. At least one of the three inputs must be given; what is None costs nothing.

    Parameters
    ----------
    probabilities : (C, h, w) float, optional
        Gated class probabilities on the grid.
    boundary : (h, w) float, optional
        In [0, 1], from `boundary_map`.
    embedding : (D, h, w) float, optional
    boundary_weight, manifold_weight : float
        The paper's lambda_b and lambda_m.
    tie : float
        Added to every step, so that in flat regions the nearer click wins. 0 as in the authors' code.
    normalize_embedding : bool
        Bring the embedding to unit length first, because resampling shortens it. False as in the authors' code.
    valid : (h, w) bool, optional
        Cells that exist; no step leads into or out of others. All by default.

    Returns
    -------
    (8, h, w) float32
        ``costs[n, y, x]`` is the cost of the step from (y, x) to its neighbour `n` in the order of `NEIGHBOURS`;
        infinite where that neighbour lies outside, or either cell is not valid.

    Raises
    ------
    ValueError
        If nothing is given or the sizes of the grids differ.
    """
    grids = [np.shape(given)[-2:] for given in (probabilities, boundary, embedding, valid) if given is not None]
    if not grids or len(set(grids)) != 1:
        raise ValueError(f"probabilities, boundary and embedding must share one grid, but have the sizes {grids}")
    height, width = grids[0]
    cells = _cells_first(probabilities, height, width)
    manifold = _cells_first(embedding, height, width)
    if normalize_embedding and manifold.shape[2]:
        length = np.sqrt((manifold * manifold).sum(axis=2, keepdims=True, dtype=np.float32))
        manifold = manifold / np.maximum(length, np.float32(1e-12))
    entered = np.zeros((height, width), np.float32) if boundary is None else np.asarray(boundary, np.float32)
    exists = np.ones((height, width), np.bool_) if valid is None else np.asarray(valid, np.bool_)
    weighted = np.ascontiguousarray(entered * np.float32(boundary_weight))
    costs = np.full((8, height, width), np.inf, np.float32)
    _fill_costs(
        cells, weighted, manifold, np.float32(manifold_weight), np.float32(tie), np.ascontiguousarray(exists), costs
    )
    return costs


def _cells_first(channels: NDArray[np.floating] | None, height: int, width: int) -> Floats:
    """(C, h, w) to contiguous (h, w, C) float32, with no channel at all for None."""
    if channels is None:
        return np.zeros((height, width, 0), np.float32)
    return np.ascontiguousarray(np.moveaxis(np.asarray(channels, np.float32), 0, 2))


@compiled
def _fill_costs(
    cells: Floats,
    entered: Floats,
    manifold: Floats,
    manifold_weight: np.float32,
    tie: np.float32,
    exists: NDArray[np.bool_],
    costs: Floats,
) -> None:
    """Fill (8, h, w) `costs`; the two symmetric terms are computed once for both directions of a step."""
    height, width = entered.shape
    classes, dimensions = cells.shape[2], manifold.shape[2]
    for y in range(height):
        for x in range(width):
            if not exists[y, x]:
                continue
            # the four neighbours that come later in row-major order: right, lower left, below, lower right
            for n in range(4, 8):
                dy = 0 if n == 4 else 1
                dx = 1 if n == 4 else n - 6
                ny, nx = y + dy, x + dx
                if ny >= height or nx < 0 or nx >= width or not exists[ny, nx]:
                    continue
                semantic = np.float32(0)
                for c in range(classes):
                    semantic += abs(cells[y, x, c] - cells[ny, nx, c])
                cost = semantic + tie
                if dimensions:
                    cosine = np.float32(0)
                    for d in range(dimensions):
                        cosine += manifold[y, x, d] * manifold[ny, nx, d]
                    cost += manifold_weight * max(np.float32(1) - cosine, np.float32(0))
                costs[n, y, x] = cost + entered[ny, nx]
                costs[7 - n, ny, nx] = cost + entered[y, x]
