"""Sets of instants: disjoint half-open intervals on one clock, in whole nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Instants t with starts[i] <= t < stops[i] for some i.

    Attributes
    ----------
    starts, stops : (N,) int64, ns
        Ascending, disjoint, not touching, none of them empty.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Intervals:
        """The union of intervals in any order; empty and reversed ones add nothing."""
        array = np.array([(a, b) for a, b in pairs if b > a], dtype=np.int64).reshape(-1, 2)
        return _merged(array[:, 0], array[:, 1])

    @property
    def length(self) -> int:
        """Nanoseconds in all."""
        return int((self.stops - self.starts).sum())

    def pairs(self) -> list[tuple[int, int]]:
        """The intervals as plain numbers."""
        return list(zip(self.starts.tolist(), self.stops.tolist(), strict=True))

    def __or__(self, other: Intervals) -> Intervals:
        """Instants in either set."""
        return _merged(np.concatenate([self.starts, other.starts]), np.concatenate([self.stops, other.stops]))

    def __sub__(self, other: Intervals) -> Intervals:
        """Instants of this set that are not in the other one."""
        if not len(other.starts) or not len(self.starts):
            return self
        low = int(min(self.starts[0], other.starts[0])) - 1
        high = int(max(self.stops[-1], other.stops[-1])) + 1
        return self & other.complement(low, high)

    def __and__(self, other: Intervals) -> Intervals:
        """Instants in both sets."""
        found: list[tuple[int, int]] = []
        mine, theirs = self.pairs(), other.pairs()
        i = j = 0
        while i < len(mine) and j < len(theirs):
            start, stop = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if stop > start:
                found.append((start, stop))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return Intervals.of(found)

    def complement(self, start: int, stop: int) -> Intervals:
        """Instants from `start` to `stop` that are not in the set."""
        edges = [start, *np.clip(np.stack([self.starts, self.stops], axis=1).ravel(), start, stop).tolist(), stop]
        return Intervals.of(zip(edges[::2], edges[1::2], strict=True))

    def until(self, at: ArrayLike) -> NDArray[np.int64]:
        """Nanoseconds of the set that lie before each of the instants, of any shape."""
        instants = np.asarray(at, dtype=np.int64)
        if not len(self.starts):
            return np.zeros_like(instants)
        before = np.concatenate([[0], np.cumsum(self.stops - self.starts)])
        index = np.searchsorted(self.starts, instants, side="right")  # how many have begun
        inside = np.where(index > 0, np.maximum(self.stops[index - 1] - instants, 0), 0)
        return np.asarray(before[index] - inside, dtype=np.int64)

    def within(self, start: int, stop: int) -> int:
        """Nanoseconds of the set from `start` to `stop`."""
        first, last = self.until([start, stop]).tolist()
        return int(last - first)


def _merged(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Intervals:
    """Sort, and join what overlaps or touches."""
    if not len(starts):
        return Intervals(np.zeros(0, np.int64), np.zeros(0, np.int64))
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(stops[order])
    opens = np.concatenate([[True], starts[1:] > reach[:-1]])
    last = np.concatenate([np.flatnonzero(opens)[1:] - 1, [len(starts) - 1]])
    return Intervals(starts[opens], reach[last])


NEVER = Intervals.of(())
"""The empty set."""
