"""The clock of all durations, and the anchor that ties it to the calendar."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def now_ns() -> int:
    """Nanoseconds of the monotonic clock; only differences within one process mean anything."""
    return time.perf_counter_ns()


@dataclass(frozen=True, slots=True)
class SessionAnchor:
    """One instant on both clocks, taken at the start of a session and then hourly.

    Attributes
    ----------
    utc : datetime
        Aware, UTC. Written down only; nothing is ever detected by the wall clock.
    mono : int
        Nanoseconds of `now_ns` at the same instant.
    """

    utc: datetime
    mono: int

    @classmethod
    def take(cls) -> SessionAnchor:
        """Read both clocks, the wall clock between two readings of the other one."""
        before = now_ns()
        utc = datetime.now(UTC)
        return cls(utc=utc, mono=(before + now_ns()) // 2)

    def utc_at(self, mono: int) -> datetime:
        """Calendar time of a reading of the monotonic clock, to a microsecond."""
        return self.utc + timedelta(microseconds=(mono - self.mono) / 1000)
