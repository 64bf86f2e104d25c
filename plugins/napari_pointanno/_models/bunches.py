"""Moves of the pointer, turns of the wheel and pans, a second of each as one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

BUNCH_NS = 1_000_000_000
"""What comes within so long after the first input of a bunch belongs to it."""


@dataclass(frozen=True, slots=True)
class Bunch:
    """Inputs of one kind.

    Attributes
    ----------
    kind : "pointer", "wheel" or "pan"
    since_ns, at_ns : int
        The first and the last of them, monotonic.
    """

    kind: str
    since_ns: int
    at_ns: int


class Bunches:
    """Collects inputs of which there are many; keeps each first and last instant exactly."""

    def __init__(self) -> None:
        self._open: dict[str, Bunch] = {}
        self._closed: list[Bunch] = []

    def note(self, kind: str, at_ns: int) -> None:
        """An input came."""
        bunch = self._open.get(kind)
        if bunch is None or at_ns - bunch.since_ns >= BUNCH_NS:
            if bunch is not None:
                self._closed.append(bunch)
            self._open[kind] = Bunch(kind, at_ns, at_ns)
        else:
            self._open[kind] = replace(bunch, at_ns=max(bunch.at_ns, at_ns))

    def oldest_ns(self) -> int | None:
        """The first input that was not taken yet."""
        return min((bunch.since_ns for bunch in (*self._closed, *self._open.values())), default=None)

    def take(self, now_ns: int | None = None) -> list[Bunch]:
        """Bunches to write down, the earliest first; with a time those only to which nothing can be added any more."""
        for kind, bunch in list(self._open.items()):
            if now_ns is None or now_ns - bunch.since_ns >= BUNCH_NS:
                self._closed.append(self._open.pop(kind))
        taken, self._closed = sorted(self._closed, key=lambda bunch: bunch.at_ns), []
        return taken

    def put_back(self, bunches: Sequence[Bunch]) -> None:
        """They could not be written down."""
        self._closed[:0] = bunches
