"""The clock of all durations."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from pointanno.timing import SessionAnchor, now_ns
from pointanno.timing.clock import slept_ns
from pointanno.timing.clock_facts import claim_ms, measure_clock, precision_of
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.log import MS, make_log
from pointanno.timing.study import study_of


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


def test_anchor_in_nanoseconds() -> None:
    assert SessionAnchor(datetime(1970, 1, 2, 0, 0, 0, 5, tzinfo=UTC), 0).utc_ns == 86_400_000_005_000
    assert abs(SessionAnchor.take().utc_ns - time.time_ns()) < 10**9


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long it slept")
def test_sleep_is_the_difference_of_two_clocks() -> None:
    readings = [slept_ns() for _ in range(100)]
    told = [one for one in readings if one is not None]
    assert len(told) == 100 and max(told) - min(told) < 20 * MS  # nobody sleeps meanwhile
    uptime = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert abs(told[-1] - uptime) < 20 * MS


def test_without_such_clocks_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert slept_ns() is None


def test_facts_of_the_clock() -> None:
    facts = measure_clock(2000)
    assert 0 < facts["resolution_ns"] <= facts["reading_ns"] < 1_000_000 and facts["stated_ns"] > 0


def test_nothing_finer_is_claimed_than_keyboard_and_screen_allow() -> None:
    assert claim_ms(None) == 30 and claim_ms(60.0) == pytest.approx(100 / 3) and claim_ms(144.0) == 30


def test_precision_comes_from_the_sessions_not_from_this_machine() -> None:
    journal = FakeJournal()
    for resolution, hertz in ((100, 60.0), (15_000, 30.0)):
        journal.begin("anon-1", clock={"resolution_ns": resolution}, screen_hz=hertz)
        for at_ms, delay_ms in ((0, 1), (10, 1), (20, 1), (30, 41)):
            journal.write("key", at_ns=(at_ms + delay_ms) * MS, timing={"qt_ms": 500 + at_ms})
    found = precision_of(study_of(make_log(journal.events, journal.annotators)))
    assert (found.resolution_ns, found.refresh_hz, found.delivered, found.late) == (15_000, 30.0, 8, 2)
    assert found.delivery_ms is not None and found.delivery_ms[2] == 40 and found.claim_ms == pytest.approx(200 / 3)
    empty = precision_of(study_of(make_log([], {})))
    assert (empty.resolution_ns, empty.delivery_ms, empty.claim_ms) == (None, None, 30.0)
