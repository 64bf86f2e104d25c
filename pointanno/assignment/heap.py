"""Dijkstra's search with a heap, one target after another."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.assignment.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]


def search_with_heap(costs: NDArray[Any], cells: Ints, starts: Ints) -> NDArray[Any]:
    """Distances from the clicks of each target.

    Parameters
    ----------
    costs : (8, h, w) float32 or float64, contiguous
    cells : (S,) int32
        Clicks as ``y w + x``.
    starts : (K + 1,) int32
        Clicks of target k are ``cells[starts[k]:starts[k + 1]]``.

    Returns
    -------
    (K, h, w), of the type of the costs
    """
    height, width = costs.shape[1:]
    framed = framed_costs(costs)
    framed_width = width + 2
    inner = (cells // width + 1) * framed_width + cells % width + 1
    distances = np.empty((len(starts) - 1, height, width), costs.dtype)
    search = _search_all if costs.dtype == np.float32 else _search_all_in_double
    search(framed, inner.astype(np.int32), starts, framed_width, distances)
    return distances


def framed_costs(costs: NDArray[Any]) -> NDArray[Any]:
    """Costs with a frame of one cell that no step enters, the eight of a cell side by side.

    Parameters
    ----------
    costs : (8, h, w) float

    Returns
    -------
    ((h + 2) * (w + 2), 8), of the same type
    """
    _, height, width = costs.shape
    framed = np.full((height + 2, width + 2, 8), np.inf, costs.dtype)
    _fill_framed(costs, framed)
    return framed.reshape(-1, 8)


@compiled
def _fill_framed(costs: NDArray[Any], framed: NDArray[Any]) -> None:
    """Copy (8, h, w) costs into the inside of (h + 2, w + 2, 8); steps out of the grid stay infinite."""
    _, height, width = costs.shape
    for y in range(height):
        for x in range(width):
            for n in range(8):
                dy = -1 if n < 3 else 0 if n < 5 else 1
                dx = n - 1 if n < 3 else (-1 if n == 3 else 1) if n < 5 else n - 6
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    framed[y + 1, x + 1, n] = costs[n, y, x]


@compiled
def _search_all(framed: Floats, cells: Ints, starts: Ints, width: int, distances: Floats) -> None:
    """Fill (K, h, w) `distances`; `width` is that of the framed grid."""
    count = framed.shape[0]
    offsets = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1], np.int32)
    distance = np.empty(count, np.float32)
    bits = distance.view(np.uint32)
    # An entry is the distance's bits above the cell's number: not negative floats sort as their bits do, and so
    # one comparison of integers orders the heap. A cell is pushed again when its distance falls; the older entry
    # is recognised by its distance when it comes up. No cell is pushed more than eight times.
    heap = np.empty(8 * count + len(cells) + 1, np.uint64)
    for k in range(len(starts) - 1):
        distance[:] = np.inf
        size = 0
        for s in range(starts[k], starts[k + 1]):
            if distance[cells[s]] != 0:
                distance[cells[s]] = 0
                size = _push(heap, size, np.uint64(cells[s]))
        while size > 0:
            entry = heap[0]
            size = _pop(heap, size)
            cell = np.int64(entry & np.uint64(0xFFFFFFFF))
            if bits[cell] != np.uint32(entry >> np.uint64(32)):
                continue
            here = distance[cell]
            for n in range(8):
                other = cell + offsets[n]
                reached = here + framed[cell, n]
                if reached < distance[other]:
                    distance[other] = reached
                    size = _push(heap, size, (np.uint64(bits[other]) << np.uint64(32)) | np.uint64(other))
        for y in range(distances.shape[1]):
            first = (y + 1) * width + 1
            distances[k, y] = distance[first : first + distances.shape[2]]


@compiled
def _search_all_in_double(
    framed: NDArray[np.float64], cells: Ints, starts: Ints, width: int, distances: NDArray[np.float64]
) -> None:
    """The same in float64, whose bits leave no room for the cell in one number: a heap of pairs, half as fast."""
    offsets = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1], np.int64)
    for k in range(len(starts) - 1):
        distance = np.full(framed.shape[0], np.inf)
        heap = [(0.0, np.int64(cells[s])) for s in range(starts[k], starts[k + 1])]
        for _, cell in heap:
            distance[cell] = 0
        while len(heap) > 0:
            here, cell = heapq.heappop(heap)
            if here > distance[cell]:
                continue
            for n in range(8):
                other = cell + offsets[n]
                reached = here + framed[cell, n]
                if reached < distance[other]:
                    distance[other] = reached
                    heapq.heappush(heap, (reached, other))
        for y in range(distances.shape[1]):
            first = (y + 1) * width + 1
            distances[k, y] = distance[first : first + distances.shape[2]]


@compiled
def _push(heap: NDArray[np.uint64], size: int, entry: np.uint64) -> int:
    """Add an entry to a heap with four children a node; returns its new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 2
        if heap[parent] <= entry:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = entry
    return size + 1


@compiled
def _pop(heap: NDArray[np.uint64], size: int) -> int:
    """Remove the smallest entry, ``heap[0]``; returns the new size."""
    size -= 1
    entry = heap[size]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        smallest = child
        for other in range(child + 1, min(child + 4, size)):
            if heap[other] < heap[smallest]:
                smallest = other
        if heap[smallest] >= entry:
            break
        heap[at] = heap[smallest]
        at = smallest
    heap[at] = entry
    return size
