"""The clock of all durations, and the anchor that ties it to the calendar."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def now_ns() -> int:
    """Nanoseconds of the monotonic clock; only differences within one process mean anything."""
    return time.perf_counter_ns()


def slept_ns() -> int | None:
    """How long the machine has slept since it was started: the boot clock minus the monotonic one.

    Returns
    -------
    int or None, ns
        To some microseconds; None where the system has no such pair of clocks (only Linux has). There a sleep shows
        as a stall, if the monotonic clock goes on meanwhile, or not at all.
    """
    if sys.platform == "linux":
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return boot - (before + time.clock_gettime_ns(time.CLOCK_MONOTONIC)) // 2
    return None


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

    @property
    def utc_ns(self) -> int:
        """Nanoseconds since 1970, to a microsecond."""
        return (self.utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000

    def utc_at(self, mono: int) -> datetime:
        """Calendar time of a reading of the monotonic clock, to a microsecond."""
        return self.utc + timedelta(microseconds=(mono - self.mono) / 1000)
