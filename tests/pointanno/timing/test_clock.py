"""The clock of all durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pointanno.timing import SessionAnchor, now_ns
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
