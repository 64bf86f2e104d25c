"""Real keys and clicks at known times, some while the window draws or is stopped, and what the study makes of them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from pointanno.project import Project

EVENTS = 40
EXACT_MS = 5.0
"""What half of the reported durations differ by from the true ones at most."""

SECOND = 10**9


@pytest.mark.gui
@pytest.mark.slow
def test_reported_times_are_those_of_the_hand(scripts: Any, tmp_path: Path) -> None:
    result = scripts("bench_window_timing").measure(tmp_path, EVENTS, 1)
    rows = {(row["kind"], row["situation"]): row for row in result["rows"]}
    assert result["events"] >= EVENTS  # each is in the journal, in its order: `measure` ends otherwise
    whole = rows["every duration", "all"]
    assert whole["n"] >= EVENTS - result["undos"] and whole["without_time"] == 0
    assert whole["median_ms"] <= EXACT_MS
    assert rows["point", "all"]["median_ms"] <= EXACT_MS and rows["moment", "all"]["median_ms"] <= EXACT_MS

    # whatever reached the window late is timed by the stamp of the window system, and says so
    stopped = rows["moment", "stopped"]
    assert stopped["late"] == stopped["n"] > 0
    assert result["stalls_recorded"] >= result["stops"] > 0

    with Project.open(next(tmp_path.glob("*.pointanno")), writable=False) as project:
        events = list(project.events())
    (start,) = [event for event in events if event.kind == "session_start"]
    assert start.payload["clock"]["resolution_ns"] > 0 and start.payload["screen_hz"] > 0
    assert start.payload["mode"] == "single_point" and isinstance(start.payload["focus"], bool)
    assert events[-1].kind == "session_end"
    by_hand = ("answer", "press", "drag_start", "box", "click", "undo", "key")
    keyed = [event for event in events if event.kind in by_hand and event.session == start.session]
    assert keyed and all(event.timing is not None and event.timing["qt_ms"] > 0 for event in keyed)
    moves = sorted(event.payload["since_ns"] for event in events if event.kind == "pointer")
    assert moves and all(after - before >= SECOND for before, after in itertools.pairwise(moves))
