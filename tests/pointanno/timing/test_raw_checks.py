"""Times that are none are refused by name; what the window writes passes."""

from __future__ import annotations

from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.timing.clock_facts import measure_clock
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.raw_checks import LONGEST_NS, check_times


@pytest.mark.parametrize(
    ("kind", "payload", "timing", "field"),
    [
        ("session_start", {"clock": 3}, None, "clock.resolution_ns"),
        ("session_start", {"clock": {"resolution_ns": "x"}}, None, "clock.resolution_ns"),
        ("session_start", {"screen_hz": "60"}, None, "screen_hz"),
        ("session_start", {"screen_hz": -60}, None, "screen_hz"),
        ("suspend", {"since_ns": None}, None, "since_ns"),
        ("suspend", {"slept_ns": LONGEST_NS + 1}, None, "slept_ns"),
        ("ui_stall", {"ns": True}, None, "ns"),
        ("ui_stall", {"ms": float("nan")}, None, "ms"),
        ("pan", {"since_ns": []}, None, "since_ns"),
        ("key", {}, {"qt_ms": "x"}, "timing.qt_ms"),
        ("click", {}, {"release_ns": "y"}, "timing.release_ns"),
    ],
)
def test_refused(kind: str, payload: dict[str, Any], timing: dict[str, Any] | None, field: str) -> None:
    journal = FakeJournal()
    event = journal.write(kind, payload, timing=timing)
    with pytest.raises(InputError, match=rf"event 1 \({kind}\), {field}: expected a number"):
        check_times(event)


def test_clock_beyond_all_times() -> None:
    with pytest.raises(InputError, match="t_mono_ns"):
        check_times(FakeJournal().write("key", at_ns=2**63 - 1))


def test_what_the_window_writes_passes() -> None:
    journal = FakeJournal()
    journal.begin("anon-1", clock=measure_clock(100), screen_hz=59.94)
    journal.begin("anon-1", screen_hz=None)
    journal.write("suspend", {"since_ns": 5, "slept_ns": 7})
    journal.write("ui_stall", {"ms": 3.5})
    journal.write("wheel", {"since_ns": 5})
    journal.write("click", {}, timing={"qt_ms": 2**32 - 1, "release_ns": None})
    journal.write("key", {}, timing={"qt_ms": None, "repeat": True})
    for event in journal.events:
        check_times(event)
