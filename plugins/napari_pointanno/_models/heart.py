"""The heart of a session: from its beats follows when the window stood still and when the machine slept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MS = 1_000_000

BEAT_NS = 50 * MS
"""The heart beats so often in the window's thread."""

STALL_NS = 100 * MS
"""A beat that comes so much too late means that the window stood still."""

WORKED_SHARE = 0.1
"""A process that used less than this share of a stall's time on any processor did not run: it was stopped from outside,
swapped out, or waited for a disk."""

SLEEP_NS = 20 * MS
"""By so much the boot clock must have gained on the monotonic one; readings of the two scatter by microseconds."""

ANCHOR_NS = 3_600_000 * MS
"""How often the wall clock is written down."""


@dataclass(frozen=True, slots=True)
class Vital:
    """What a beat found: an event of the log.

    Attributes
    ----------
    kind : "ui_stall", "suspend" or "clock_anchor"
    at_ns : when, monotonic
    payload : as `pointanno.timing` defines it; that of a "clock_anchor" is empty
    """

    kind: str
    at_ns: int
    payload: dict[str, Any]


class Heart:
    """Takes the readings of three clocks at every beat and says what follows from them.

    Parameters
    ----------
    at_ns : int
        Monotonic clock.
    cpu_ns : int
        Processor time of the whole process.
    slept_ns : int or None
        Boot clock minus monotonic clock; None where there is no such pair.
    """

    def __init__(self, at_ns: int, cpu_ns: int, slept_ns: int | None) -> None:
        self._last_ns = self._anchored_ns = at_ns
        self._cpu_ns = cpu_ns
        self._slept_ns = slept_ns

    def beat(self, at_ns: int, cpu_ns: int, slept_ns: int | None) -> Iterator[Vital]:
        """The heart has beaten; readings as at the start."""
        yield from self._stall(at_ns, cpu_ns)
        last, slept_before = self._last_ns, self._slept_ns
        self._last_ns, self._cpu_ns, self._slept_ns = at_ns, cpu_ns, slept_ns
        if slept_ns is not None and slept_before is not None and slept_ns - slept_before > SLEEP_NS:
            yield Vital("suspend", at_ns, {"since_ns": last, "slept_ns": slept_ns - slept_before})
        if at_ns - self._anchored_ns >= ANCHOR_NS:
            self._anchored_ns = at_ns
            yield Vital("clock_anchor", at_ns, {})

    def alive(self, at_ns: int, cpu_ns: int) -> Iterator[Vital]:
        """An input was delivered: whatever held the window up is over, though the heart has not beaten yet."""
        stall = list(self._stall(at_ns, cpu_ns))
        if stall:
            self._last_ns, self._cpu_ns = at_ns, cpu_ns
        yield from stall

    def is_late(self, at_ns: int) -> bool:
        """Whether a beat is overdue by more than a stall needs."""
        return at_ns - self._last_ns - BEAT_NS > STALL_NS

    def _stall(self, at_ns: int, cpu_ns: int) -> Iterator[Vital]:
        """The window stood still from when the heart should have beaten."""
        if self.is_late(at_ns):
            due = self._last_ns + BEAT_NS
            late = at_ns - due
            stopped = cpu_ns - self._cpu_ns < WORKED_SHARE * late
            yield Vital("ui_stall", due, {"ns": late, "reason": "stopped" if stopped else "busy"})
