"""Relaxation row by row for sixteen targets at a time, until nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.assignment.compiled import compiled
from pointanno.assignment.heap import search_with_heap
from pointanno.assignment.lanes import LANES, relax_four, relax_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

#: What a row still has to do: a pass down, a pass up.
_DOWN, _UP = 1, 2


def search_with_sweeps(costs: Floats, cells: Ints, starts: Ints, sweeps_per_target: int | None) -> Floats:
    """Distances from the clicks of each target; arguments and result as of `search_with_heap`.

    Parameters
    ----------
    costs, cells, starts
        See `search_with_heap`.
    sweeps_per_target : int or None
        A group of n targets that still changes after n times as many sweeps, each one pass down and one up, is
        searched with the heap instead: where paths wind, every bend needs a sweep. None for no limit.
    """
    height, width = costs.shape[1:]
    count = len(starts) - 1
    distances = np.empty((count, height, width), np.float32)
    entering = _entering_costs(costs)
    lanes = np.empty((height + 2) * (width + 2) * LANES, np.float32)
    for first in range(0, count, LANES):
        last = min(first + LANES, count)
        limit = 2**31 - 1 if sweeps_per_target is None else (last - first) * sweeps_per_target
        if not _sweep_group(entering, cells, starts, first, last, limit, lanes, distances):
            own = starts[first : last + 1]
            distances[first:last] = search_with_heap(costs, cells[own[0] : own[-1]], own - own[0])
    return distances


@compiled
def _entering_costs(costs: Floats) -> Floats:
    """Costs by the cell that is entered: (h * w * 8) float32, [(y w + x) 8 + n] is the step from its neighbour n."""
    _, height, width = costs.shape
    entering = np.full(height * width * 8, np.inf, np.float32)
    for y in range(height):
        for x in range(width):
            for n in range(8):
                dy = -1 if n < 3 else 0 if n < 5 else 1
                dx = n - 1 if n < 3 else (-1 if n == 3 else 1) if n < 5 else n - 6
                ny, nx = y + dy, x + dx
                if 0 <= ny < height and 0 <= nx < width:
                    entering[(y * width + x) * 8 + n] = costs[7 - n, ny, nx]
    return entering


@compiled
def _sweep_group(
    entering: Floats, cells: Ints, starts: Ints, first: int, last: int, limit: int, lanes: Floats, distances: Floats
) -> bool:
    """Fill ``distances[first:last]``; False if `limit` sweeps were not enough."""
    _, height, width = distances.shape
    # a frame of unreachable cells spares every test for the border
    row = (width + 2) * LANES
    lanes[:] = np.inf
    todo = np.full(height + 2, _DOWN | _UP, np.uint8)
    for k in range(first, last):
        for s in range(starts[k], starts[k + 1]):
            lanes[(cells[s] // width + 1) * row + (cells[s] % width + 1) * LANES + k - first] = 0
    for _ in range(limit):
        fell = _pass_down(entering, lanes, todo, width)
        fell |= _pass_up(entering, lanes, todo, width)
        if not fell:
            for k in range(first, last):
                for y in range(height):
                    for x in range(width):
                        distances[k, y, x] = lanes[(y + 1) * row + (x + 1) * LANES + k - first]
            return True
    return False


@compiled
def _pass_down(entering: Floats, lanes: Floats, todo: NDArray[np.uint8], width: int) -> bool:
    """Relax the rows, first to last, from above and along the row both ways; whether anything fell.

    A row whose own cells and whose upper neighbours did not change since its last pass down is left out.
    """
    row = (width + 2) * LANES
    changed = False
    for y in range(1, len(todo) - 1):
        if todo[y] & _DOWN == 0:
            continue
        fell = np.int64(0)
        for x in range(1, width + 1):
            at = y * row + x * LANES
            cost = ((y - 1) * width + x - 1) * 8
            up = at - row
            fell |= relax_four(
                lanes, at, up - LANES, up, up + LANES, at - LANES,
                entering[cost], entering[cost + 1], entering[cost + 2], entering[cost + 3],
            )  # fmt: skip
        for x in range(width, 0, -1):
            at = y * row + x * LANES
            fell |= relax_one(lanes, at, at + LANES, entering[((y - 1) * width + x - 1) * 8 + 4])
        todo[y] &= _UP
        if fell != 0:
            changed = True
            todo[y - 1] |= _UP
            todo[y] |= _UP
            todo[y + 1] |= _DOWN
    return changed


@compiled
def _pass_up(entering: Floats, lanes: Floats, todo: NDArray[np.uint8], width: int) -> bool:
    """Relax the rows, last to first, from below and along the row both ways; whether anything fell."""
    row = (width + 2) * LANES
    changed = False
    for y in range(len(todo) - 2, 0, -1):
        if todo[y] & _UP == 0:
            continue
        fell = np.int64(0)
        for x in range(width, 0, -1):
            at = y * row + x * LANES
            cost = ((y - 1) * width + x - 1) * 8
            below = at + row
            fell |= relax_four(
                lanes, at, below - LANES, below, below + LANES, at + LANES,
                entering[cost + 5], entering[cost + 6], entering[cost + 7], entering[cost + 4],
            )  # fmt: skip
        for x in range(1, width + 1):
            at = y * row + x * LANES
            fell |= relax_one(lanes, at, at - LANES, entering[((y - 1) * width + x - 1) * 8 + 3])
        todo[y] &= _DOWN
        if fell != 0:
            changed = True
            todo[y + 1] |= _DOWN
            todo[y] |= _DOWN
            todo[y - 1] |= _UP
    return changed
