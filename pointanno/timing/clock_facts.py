"""What the clocks of a session can tell apart, and hence what may be claimed."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.timing.clock import now_ns
from pointanno.timing.log import MS

if TYPE_CHECKING:
    from pointanno.timing.study import Study

KEYBOARD_MS = (4.0, 30.0)
"""What a USB keyboard adds, from the manual of PsychoPy; nothing here can measure it."""

SCREEN_MS = 10.0
"""What a screen adds after the frame was swapped, from the same manual."""


def measure_clock(readings: int = 20_000) -> dict[str, Any]:
    """How fine the clock of all durations is on this machine: for the event `session_start`.

    Returns
    -------
    dict
        `name` of the clock, `stated_ns` that the system says, `resolution_ns` (smallest step that was seen between
        two successive readings) and `reading_ns` (their median distance: what one reading takes).
    """
    times = [now_ns() for _ in range(readings)]
    steps = [after - before for before, after in itertools.pairwise(times)]
    moved = [step for step in steps if step > 0] or [0]
    info = time.get_clock_info("perf_counter")
    return {
        "name": info.implementation,
        "stated_ns": round(info.resolution * 1e9, 3),
        "resolution_ns": min(moved),
        "reading_ns": int(statistics.median(moved)),
    }


@dataclass(frozen=True, slots=True)
class Precision:
    """What is known about the clocks of all sessions; None where no session tells.

    Attributes
    ----------
    resolution_ns : largest step of a clock
    refresh_hz : lowest refresh rate of a screen
    delivery_ms : (median, 95th percentile, largest) delay of inputs on their way to the window, beyond that of the
        fastest one; `delivered` of them carry a stamp of the window system
    late : inputs that were timed by that stamp therefore
    fallbacks : times that begin with a paint event in place of a frame swap
    claim_ms : differences of single times below this are not claimed
    """

    resolution_ns: float | None
    refresh_hz: float | None
    delivery_ms: tuple[float, float, float] | None
    delivered: int
    late: int
    fallbacks: int
    claim_ms: float


def precision_of(study: Study) -> Precision:
    """The facts of all timed sessions; nothing of the machine on which this runs enters."""
    sessions = [one for one in study.log.sessions if one.number in study.times]
    resolutions = [float(one.facts["clock"]["resolution_ns"]) for one in sessions if "clock" in one.facts]
    rates = [float(one.facts["screen_hz"]) for one in sessions if one.facts.get("screen_hz")]
    stamped = [
        moment for one in sessions for moment in one.moments if (moment.event.timing or {}).get("qt_ms") is not None
    ]
    delays = np.array([moment.delay / MS for moment in stamped])
    delivery = None
    if len(delays):
        middle, high, worst = np.quantile(delays, [0.5, 0.95, 1.0]).tolist()
        delivery = (middle, high, worst)
    return Precision(
        resolution_ns=max(resolutions, default=None),
        refresh_hz=min(rates, default=None),
        delivery_ms=delivery,
        delivered=len(delays),
        late=sum(moment.is_late for moment in stamped),
        fallbacks=sum("fallback" in item.flags for item in study.items),
        claim_ms=claim_ms(min(rates, default=None)),
    )


def claim_ms(refresh_hz: float | None) -> float:
    """Differences of single times below this are not claimed: the slowest keyboard, or two frames of the screen."""
    return max(KEYBOARD_MS[1], 0.0 if not refresh_hz else 2000.0 / refresh_hz)
