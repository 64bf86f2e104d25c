"""Numbers of raw events that are no times: a journal that somebody changed by hand, or that another program wrote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError

if TYPE_CHECKING:
    from pointanno.project import Event

LONGEST_NS = 2**61
"""73 years: beyond that, sums of times do not fit in 64 bits."""

_OF_PAYLOAD = {"suspend": ("since_ns", "slept_ns"), "ui_stall": ("ns", "ms")} | dict.fromkeys(
    ("wheel", "pan", "pointer"), ("since_ns",)
)
"""Fields that are numbers, by kind of event."""


def check_times(event: Event) -> None:
    """Refuse an event whose times cannot be computed with; no number is guessed in their place.

    Raises
    ------
    InputError
        Naming the event, the field and what stands there.
    """
    _check(event, "t_mono_ns", event.t_mono_ns, LONGEST_NS)
    timing = event.timing or {}
    _check(event, "timing.qt_ms", timing.get("qt_ms") or 0, LONGEST_NS // 10**6)
    if timing.get("release_ns") is not None:
        _check(event, "timing.release_ns", timing["release_ns"], LONGEST_NS)
    for field in _OF_PAYLOAD.get(event.kind, ()):
        if field in event.payload:
            _check(event, field, event.payload[field], LONGEST_NS if field != "ms" else LONGEST_NS // 10**6)
    if event.kind == "session_start":
        _check(event, "screen_hz", event.payload.get("screen_hz") or 0, 10**6, lowest=0)
        if "clock" in event.payload:
            clock = event.payload["clock"]
            resolution = clock.get("resolution_ns") if isinstance(clock, dict) else None
            _check(event, "clock.resolution_ns", resolution, LONGEST_NS, lowest=0)


def _check(event: Event, field: str, value: Any, limit: int, *, lowest: int | None = None) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not (-limit if lowest is None else lowest) <= value <= limit:
        raise InputError(
            f"event {event.seq} ({event.kind}), {field}: expected a number of a time that can be, received "
            f"{value!r:.60}. The journal was changed by other means; use a backup, or export with --no-times"
        )
