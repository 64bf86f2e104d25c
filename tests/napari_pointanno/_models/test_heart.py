"""What the beats of a session's heart tell, on clocks that are set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from napari_pointanno._models.heart import Heart

MS = 1_000_000
HOUR = 3_600_000


def told(heart: Heart, at_ms: float, *, cpu_ms: float = 0, slept_ms: float | None = 0) -> list[tuple[Any, ...]]:
    slept = None if slept_ms is None else round(slept_ms * MS)
    return [(one.kind, one.at_ns / MS, one.payload) for one in heart.beat(round(at_ms * MS), round(cpu_ms * MS), slept)]


def test_beats_in_time_tell_nothing() -> None:
    heart = Heart(0, 0, 0)
    for beat in range(1, 100):
        assert told(heart, 50 * beat) == []
    assert told(heart, 50 * 99 + 150) == []  # 100 ms late are borne


@pytest.mark.parametrize(
    ("cpu_ms", "reason"), [(0, "stopped"), (90, "stopped"), (110, "busy"), (1000, "busy"), (3000, "busy")]
)
def test_a_late_beat_is_a_stall_from_when_it_was_due(cpu_ms: float, reason: str) -> None:
    heart = Heart(0, 0, 0)
    assert told(heart, 50, cpu_ms=7) == []
    found = told(heart, 1100, cpu_ms=7 + cpu_ms)
    assert found == [("ui_stall", 100, {"ns": 1000 * MS, "reason": reason})]
    assert told(heart, 1150, cpu_ms=7 + cpu_ms) == []


def test_an_input_ends_a_stall_before_the_beat() -> None:
    heart = Heart(0, 0, 0)
    assert heart.is_late(160 * MS) and not heart.is_late(150 * MS)
    assert [(one.at_ns, one.payload["ns"]) for one in heart.alive(400 * MS, 0)] == [(50 * MS, 350 * MS)]
    assert told(heart, 480) == []  # the rest of it is no stall of its own
    assert list(heart.alive(500 * MS, 0)) == []
    assert told(heart, 700) == [("ui_stall", 530, {"ns": 170 * MS, "reason": "stopped"})]  # an input in time is no beat


def test_sleep_is_what_the_boot_clock_gained() -> None:
    heart = Heart(0, 0, 5000 * MS)
    assert told(heart, 50, slept_ms=5000.002) == []
    gained = 65_000 * MS - 5_000_002_000
    assert told(heart, 110, slept_ms=65_000) == [("suspend", 110, {"since_ns": 50 * MS, "slept_ns": gained})]
    assert told(heart, 160, slept_ms=65_000) == []


def test_without_a_boot_clock_no_sleep_is_told() -> None:
    heart = Heart(0, 0, None)
    assert told(heart, 50, slept_ms=None) == []
    assert told(heart, 100, slept_ms=70_000) == []  # a clock that appears says nothing about the time before


def test_an_anchor_every_hour() -> None:
    heart = Heart(0, 0, None)
    hours = [
        at
        for at in range(50, 3 * HOUR, 50)
        for kind, *_ in told(heart, at, cpu_ms=at, slept_ms=None)
        if kind == "clock_anchor"
    ]
    assert hours == [HOUR, 2 * HOUR]
