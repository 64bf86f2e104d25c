"""The clock of all durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pointanno.timing import SessionAnchor, now_ns


def test_clock_never_goes_back() -> None:
    readings = [now_ns() for _ in range(1000)]
    assert readings == sorted(readings) and all(isinstance(one, int) for one in readings)


def test_anchor_ties_the_clock_to_the_calendar() -> None:
    before = now_ns()
    anchor = SessionAnchor.take()
    assert before <= anchor.mono <= now_ns() and anchor.utc.tzinfo is UTC
    fixed = SessionAnchor(datetime(2026, 1, 1, tzinfo=UTC), 5_000_000_000)
    assert fixed.utc_at(5_000_000_000) == fixed.utc
    assert fixed.utc_at(6_500_000_000) == fixed.utc + timedelta(seconds=1.5)
    assert fixed.utc_at(4_000_000_000) == fixed.utc - timedelta(seconds=1)
