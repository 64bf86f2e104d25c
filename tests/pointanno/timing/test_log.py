"""At which time an event stands, by examples that can be checked in the head."""

from __future__ import annotations

from typing import Any

import pytest

from pointanno.timing.activity import session_time
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.items import Item
from pointanno.timing.log import MS, STAMP_TURNS, delivery_delays, make_log, moments_of
from pointanno.timing.study import study_of

OFFSET_MS = 77_000
"""The clock of the window system is ahead by this."""


def stamped(journal: FakeJournal, kind: str, payload: dict[str, Any], *, at_ms: float, delay_ms: float = 0) -> None:
    """An input that was made at `at_ms` and reached the window later."""
    journal.write(
        kind, payload, image_id=1, at_ns=round((at_ms + delay_ms) * MS), timing={"qt_ms": round(at_ms + OFFSET_MS)}
    )


def answered(journal: FakeJournal, *, at_ms: float, delay_ms: float = 0, point: int = 0) -> None:
    stamped(journal, "answer", {"uid": "b", "point": point, "value": "object"}, at_ms=at_ms, delay_ms=delay_ms)


def the_point(journal: FakeJournal) -> Item:
    study = study_of(make_log(journal.events, journal.annotators))
    (item,) = [item for item in study.items if item.kind == "point"]
    return item


def began() -> FakeJournal:
    journal = FakeJournal()
    journal.begin("anon-1")
    journal.write("image_shown", image_id=1, at_ns=10 * MS)
    for at_ms in (20, 30, 40):  # so that it is known how fast an input can be
        stamped(journal, "key", {}, at_ms=at_ms, delay_ms=1)
    journal.write("point_shown", {"uid": "b", "point": 0}, image_id=1, at_ns=100 * MS)
    return journal


def test_late_input_is_timed_by_its_stamp() -> None:
    journal = began()
    answered(journal, at_ms=600, delay_ms=301)
    item = the_point(journal)
    assert item.time is not None and item.time.raw == 501 * MS  # the fastest input took 1 ms as well
    assert "late" in item.flags


def test_small_delays_are_left_alone() -> None:
    journal = began()
    answered(journal, at_ms=600, delay_ms=8)
    item = the_point(journal)
    assert item.time is not None and item.time.raw == 508 * MS and "late" not in item.flags


def test_answer_given_while_the_window_stood_still() -> None:
    """The person saw the question and answered; only the wait after that was ours."""
    journal = began()
    journal.write("ui_stall", {"ns": 500 * MS, "reason": "stopped"}, at_ns=400 * MS)
    answered(journal, at_ms=600, delay_ms=301)  # delivered at 901, when the process went on
    journal.write("session_end", at_ns=1000 * MS)
    item = the_point(journal)
    assert item.time is not None and item.time.raw == 501 * MS and not item.time.excluded
    whole = session_time(make_log(journal.events, journal.annotators).sessions[0]).whole()
    assert whole.excluded == {"stopped": 299 * MS}  # from 601, when the key went down, to 900


def test_thinking_during_a_stall_is_excluded() -> None:
    journal = began()
    journal.write("ui_stall", {"ns": 200 * MS, "reason": "busy"}, at_ns=300 * MS)
    answered(journal, at_ms=900, delay_ms=1)
    item = the_point(journal)
    assert item.time is not None
    assert (item.time.elapsed, item.time.excluded, item.time.raw) == (801 * MS, {"stall": 200 * MS}, 601 * MS)


@pytest.mark.parametrize(("delay_ms", "worked"), [(3, True), (8, True), (1.5, False)])
def test_an_input_at_the_end_of_a_stall_was_waited_for_by_nobody(delay_ms: float, worked: bool) -> None:
    """It is too little late to be timed by its stamp, but it was made while the window stood still."""
    journal = began()
    journal.write("ui_stall", {"ns": round((499 + delay_ms) * MS), "reason": "stopped"}, at_ns=400 * MS)
    answered(journal, at_ms=898, delay_ms=1 + delay_ms)  # delivered when the stall ended
    item = the_point(journal)
    assert item.time is not None and "late" not in item.flags
    assert item.time.raw == (799 if worked else 300) * MS  # until it was made


def test_a_click_works_until_its_release() -> None:
    """Press and release were made while the window stood still; only what follows the release is the window's."""
    journal = began()
    journal.write("ui_stall", {"ns": 900 * MS, "reason": "busy"}, at_ns=200 * MS)
    stamped(journal, "press", {"x": 1}, at_ms=500, delay_ms=601)
    payload = {"uid": "c", "category_id": 1, "x": 1, "y": 1, "instance": 1}
    timing = {"release_ns": 1102 * MS, "qt_ms": 580 + OFFSET_MS}
    journal.write("click", payload, image_id=1, at_ns=1101 * MS, timing=timing)
    stamped(journal, "press", {"x": 1}, at_ms=2000, delay_ms=1)
    timing = {"release_ns": 2061 * MS, "qt_ms": 2060 + OFFSET_MS}
    payload = {"uid": "d", "category_id": 1, "x": 1, "y": 1, "instance": 2}
    journal.write("click", payload, image_id=1, at_ns=2001 * MS, timing=timing)
    study = study_of(make_log(journal.events, journal.annotators))
    _, second = [item for item in study.items if item.kind == "click"]
    assert second.time is not None
    assert second.time.excluded == {"stall": (1100 - 581) * MS}
    assert second.time.elapsed == 1500 * MS


def test_key_before_its_question_has_no_time() -> None:
    journal = began()
    answered(journal, at_ms=90, delay_ms=301)  # delivered at 391, made 10 ms before the question was shown
    item = the_point(journal)
    assert item.time is None and {"unseen", "late"} <= item.flags


def test_clicks_are_timed_by_their_press() -> None:
    journal = FakeJournal()
    journal.begin("anon-1")
    journal.write("image_shown", image_id=1, at_ns=0)
    stamped(journal, "press", {"x": 1}, at_ms=1000)
    payload = {"uid": "c", "category_id": 1, "x": 1, "y": 1, "instance": 1}
    timing = {"release_ns": 1080 * MS, "qt_ms": 1080 + OFFSET_MS}
    journal.write("click", payload, image_id=1, at_ns=1000 * MS, timing=timing)
    stamped(journal, "press", {"x": 1}, at_ms=2000, delay_ms=400)
    payload = {"uid": "d", "category_id": 1, "x": 1, "y": 1, "instance": 2}
    timing = {"release_ns": 2400 * MS, "qt_ms": 2090 + OFFSET_MS}
    journal.write("click", payload, image_id=1, at_ns=2400 * MS, timing=timing)
    study = study_of(make_log(journal.events, journal.annotators))
    raw = [item.time.raw / MS for item in study.items if item.kind == "click" and item.time is not None]
    assert raw == [1000, 1000]


def test_stamps_that_begin_anew() -> None:
    journal = FakeJournal()
    journal.begin("anon-1")
    for at_ms in (0, 1000, 2000, 3000):
        stamp = (STAMP_TURNS - 1500 + at_ms) % STAMP_TURNS
        journal.write("key", at_ns=at_ms * MS, timing={"qt_ms": stamp})
    assert delivery_delays(journal.events) == [0] * 5


def test_clocks_that_drift_apart() -> None:
    """Fifty microseconds a second for two hours: 360 ms in all, and nobody is late."""
    journal = FakeJournal()
    journal.begin("anon-1")
    for second in range(0, 7200, 5):
        journal.write("key", at_ns=round(second * 1000.05 * MS), timing={"qt_ms": 1000 * second + OFFSET_MS})
    assert max(delivery_delays(journal.events)) < 5 * MS
    assert not any(one.is_late for one in moments_of(journal.events))


def test_repeats_of_a_held_key_are_nobody() -> None:
    journal = FakeJournal()
    journal.begin("anon-1")
    journal.write("image_shown", image_id=1, at_ns=0)
    for at_ms in range(0, 30_000, 30):
        journal.write("key", at_ns=at_ms * MS, timing={"repeat": True})
    journal.write("key", at_ns=30_000 * MS)
    whole = session_time(make_log(journal.events, journal.annotators).sessions[0]).whole()
    assert whole.idle == 30_000 * MS


@pytest.mark.parametrize("has_window", [True, False])
def test_sessions_of_commands_have_no_clock(has_window: bool) -> None:
    journal = FakeJournal()
    journal.begin("anon-1")
    journal.wait(5000)
    journal.write("category_added", {"id": 1, "name": "cell", "isthing": True})
    events = journal.events if has_window else journal.events[1:]
    study = study_of(make_log(events, journal.annotators))
    assert len(study.times) == has_window
