"""Ten thousand events at known times: every duration is counted again, millisecond by millisecond.

`Script` plays a person on a clock that is moved by hand. It knows when everything happened, so it writes down the truth
beside the journal: what each item's start and stop are, and, on a strip of one cell a millisecond, what held when. The
expected durations are counts of cells; nothing of the code under test is used for them.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.formats.rle import mask_to_rle
from pointanno.timing.activity import REASONS
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.items import Item
from pointanno.timing.log import MS, make_log
from pointanno.timing.study import Study, study_of

BOX = {"box": [10.0, 20.0, 60.0, 100.0], "point_coords": [[20, 30], [30, 40], [40, 50]], "category_id": 1}
RLE = mask_to_rle(np.eye(4, dtype=bool))
IDLE_MS = 10_000
STATES = ("work", *REASONS, "idle")


@dataclass
class Truth:
    """What happened in one session, in milliseconds of its clock."""

    first: int
    last: int = 0
    spans: list[tuple[str, int, int]] = field(default_factory=list)
    inputs: list[tuple[int, int]] = field(default_factory=list)
    items: list[tuple[str, str, int | None, int | None, int]] = field(default_factory=list)
    """Kind, uid, point, start (None: not measurable), stop."""
    owned: list[tuple[str, int, int]] = field(default_factory=list)
    """Which object a piece of time belongs to."""
    visits: list[tuple[int, int, int]] = field(default_factory=list)

    def strip(self) -> np.ndarray:
        """One number a millisecond, an index into `STATES`."""
        cells = np.zeros(self.last - self.first, dtype=np.int8)
        for reason in reversed(REASONS):  # the first reason wins, so it is painted last
            for why, start, stop in self.spans:
                if why == reason:
                    cells[max(0, start - self.first) : max(0, stop - self.first)] = STATES.index(reason)
        there = np.zeros(self.last - self.first + 1, dtype=bool)
        for start, stop in [(self.first, self.first), (self.last, self.last), *self.inputs]:
            there[max(0, start - self.first) : stop - self.first + 1] = True
        marks = np.flatnonzero(there).tolist()
        for before, after in itertools.pairwise(marks):
            part = cells[before:after]
            if np.count_nonzero(part == 0) >= IDLE_MS:
                part[part == 0] = STATES.index("idle")
        return cells


class Script:
    """A person who does everything that can happen, at whole milliseconds."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.journal = FakeJournal()
        self.truth: dict[int, Truth] = {}
        self.undone: dict[str, str] = {}
        self.resampled: dict[str, tuple[int, str]] = {}
        self.uids = 0
        self.image = 0
        self.tools = [self._click, self._boxes, self._strokes, self._extremes, self._other, self._pause, self._rest]
        self.tools += [self._away, self._stall, self._suspended, self._clock_change, self._blind_answer, self._faults]

    # time

    @property
    def now(self) -> int:
        return self.journal.now // MS

    def wait(self, low: int, high: int) -> int:
        self.journal.wait(self.random.randint(low, high))
        return self.now

    def touch(self, since: int | None = None) -> None:
        """An input at this moment."""
        self.here.inputs.append((self.now if since is None else since, self.now))

    def uid(self) -> str:
        self.uids += 1
        return f"object-{self.uids}"

    def write(self, kind: str, payload: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.journal.write(kind, payload, image_id=self.image, **more)

    # a session

    def session(self, annotator: str, events: int) -> None:
        number = len(self.truth)
        start = self.random.randint(0, 10**6)
        self.journal.begin(annotator, at_ms=start, mode="box_points")
        self.here = self.truth[number] = Truth(start)
        goal = len(self.journal.events) + events
        while len(self.journal.events) < goal:
            self._picture()
            for _ in range(self.random.randint(1, 12)):
                self.random.choice(self.tools)()
        self.wait(0, 3000)
        self._leave()
        self.journal.write("session_end")
        self.here.last = self.now

    def _leave(self) -> None:
        if self.image and self.entered is not None:
            self.here.visits.append((self.image, self.entered, self.now))
        self.entered = None

    entered: int | None = None

    def _picture(self) -> None:
        self.wait(50, 900)
        self._leave()
        self.image = self.random.randint(1, 8)
        self.write("image_load_start")
        since = self.now
        self.wait(1, 700)
        self.write("image_shown", {"swapped": True})
        self.here.spans.append(("loading", since, self.now))
        self.entered = self.end = self.now

    def own(self, uid: str) -> None:
        """What was done since the last action belongs to this object."""
        self.here.owned.append((f"{self.image}/{uid}", self.end, self.now))
        self.end = self.now

    def item(self, kind: str, uid: str, point: int | None, start: int | None) -> None:
        self.here.items.append((kind, uid, point, start, self.now))

    # what the person does

    def _click(self) -> None:
        self.wait(200, 3000)
        press, pressed = self.journal.now, self.now
        self.touch()
        self.write("press", {"x": 1})
        self.wait(30, 200)
        self.touch()
        uid = self.uid()
        event = self.write(
            "click",
            {"uid": uid, "category_id": 2, "x": 1, "y": 1, "instance": self.uids},
            at_ns=press,
            timing={"release_ns": self.journal.now},
        )
        self.here.items.append(("click", uid, None, self.end, pressed))
        self.here.owned.append((f"{self.image}/instance {self.uids}", self.end, pressed))
        self.end = pressed
        if self.random.random() < 0.2:
            self._undo(event, f"instance {self.uids}")

    def _undo(self, event: Any, uid: str) -> None:
        self.wait(200, 1500)
        self.touch()
        turned = self.journal.turn("undo", event)
        self.undone[event.uuid] = turned.uuid
        self.own(uid)

    def _drag(self) -> None:
        self.wait(100, 2500)
        self.touch()
        self.write("drag_start", {"x": 3})
        self.wait(50, 900)

    def _boxes(self) -> None:
        self._drag()
        uid = self.uid()
        self.touch()
        start = self.end
        self.write("box", {"uid": uid, **BOX})
        self.item("box", uid, None, start)
        self.own(uid)
        for point in range(3):
            self._question(uid, point)
        if self.random.random() < 0.2:
            self.wait(100, 900)
            self.touch()
            event = self.write("resample", {"uid": uid, "point_coords": [[1, 1], [2, 2], [3, 3]]})
            self.resampled[uid] = (event.seq, event.uuid)
            self.own(uid)
            for point in range(3):
                self._question(uid, point)

    def _question(self, uid: str, point: int) -> None:
        self.wait(5, 60)
        self.write("point_shown", {"uid": uid, "point": point, "swapped": self.random.random() < 0.9})
        shown = self.now
        if self.random.random() < 0.1:
            self.random.choice([self._pause, self._away, self._rest, self._stall])()
        self.wait(90, 2500)
        self.touch()
        event = self.write("answer", {"uid": uid, "point": point, "value": "object"}, timing={"key": "F"})
        self.item("point", uid, point, shown)
        self.own(uid)
        for _ in range(self.random.choice([0, 0, 0, 4])):  # the key is held
            self.wait(30, 33)
            self.write("key", {"key": "F"}, timing={"repeat": True})
        if self.random.random() < 0.15:
            self._undo(event, uid)
            self._question(uid, point)

    def _blind_answer(self) -> None:
        """The key came before the question was on the screen."""
        self.wait(100, 400)
        self.touch()
        uid = self.uid()
        self.write("answer", {"uid": uid, "point": 0, "value": "unsure"})
        self.item("point", uid, 0, None)
        self.own(uid)

    def _strokes(self) -> None:
        uid = self.uid()
        for number in range(self.random.randint(1, 3)):
            self._drag()
            self.touch()
            start = self.end
            self.write("mask", {"uid": uid, "rle": RLE, **({} if number else {"category_id": 1})})
            self.item("stroke", uid, None, start)
            self.own(uid)
            if self.random.random() < 0.3:
                self._other()

    def _extremes(self) -> None:
        uid, begun, before = self.uid(), self.end, self.end
        for number in range(4):
            self.wait(300, 2000)
            self.touch()
            if number == 3:
                self.write("box", {"uid": uid, **BOX, "extreme_points": [[0, 0]] * 4})
                self.item("box", uid, None, begun)
            else:
                self.write("extreme", {"x": 1, "y": 1, "category_id": 1})
            self.here.items.append(("extreme", uid if number == 3 else "", None, before, self.now))
            before = self.now
        self.own(uid)
        for point in range(3):
            self._question(uid, point)

    def _other(self) -> None:
        """Inputs that end no item, and a declaration that belongs to no object."""
        for kind in ("class_set", "select", "wheel", "pan", "pointer", "key"):
            if self.random.random() < 0.5:
                since = self.now
                self.wait(0, 1500)
                burst = kind in ("wheel", "pan", "pointer")
                self.touch(since if burst else None)
                self.write(kind, {"since_ns": since * MS} if burst else {})
        if self.random.random() < 0.3:
            self.wait(50, 500)
            self.touch()
            self.write("flag", {"flagged": True})
            self.end = self.now
        self.write("clock_anchor", {})

    def _pause(self) -> None:
        self.wait(10, 500)
        self.touch()
        reason = self.random.choice(["pause", "break"])
        self.write("pause", {"reason": reason})
        since = self.now
        if self.random.random() < 0.3:
            self._away()
        self.wait(100, 60_000)
        self.touch()
        self.write("resume", {"reason": reason})
        self.here.spans.append((reason, since, self.now))

    def _away(self) -> None:
        self.wait(10, 500)
        kind, reason = self.random.choice(
            [("focus", "window"), ("focus", "dock"), ("dialog", "classes"), ("dialog", "file")]
        )
        self.touch()
        self.write("focus_lost" if kind == "focus" else "dialog_open", {"reason": reason})
        since = self.now
        if self.random.random() < 0.3:
            self._stall()
        self.wait(10, 20_000)
        self.touch()
        self.write("focus_gained" if kind == "focus" else "dialog_close", {"reason": reason})
        self.here.spans.append((reason if kind == "focus" else "dialog", since, self.now))

    def _rest(self) -> None:
        """Nobody there, for a time on either side of the limit, with an input right before and after."""
        self.touch()
        self.write("key", {"key": "H"})
        self.journal.wait(self.random.choice([9_999, 10_000, 10_001, 45_000]))
        self.touch()
        self.write("key", {"key": "H"})

    def _stall(self) -> None:
        since, at = self.now, self.journal.now
        self.wait(101, 1500)
        reason = self.random.choice(["busy", "stopped"])
        self.write("ui_stall", {"ns": (self.now - since) * MS, "reason": reason}, at_ns=at)
        self.here.spans.append(("stall" if reason == "busy" else "stopped", since, self.now))

    def _suspended(self) -> None:
        """The lid was closed: the monotonic clock stood still, the wall clock did not."""
        since = self.now
        self.wait(20, 70)
        self.journal.wall += 3_600_000 * MS
        self.write("suspend", {"since_ns": since * MS, "slept_ns": 3_600_000 * MS})
        self.here.spans.append(("suspend", since, self.now))

    def _clock_change(self) -> None:
        self.journal.wall += self.random.choice([-7_200_000, 86_400_000, -1]) * MS

    def _faults(self) -> None:
        """A drag that came to nothing, a mode chosen again."""
        self._drag()
        self.touch()
        self.write("drag_cancelled", {"reason": "too small"})
        self.wait(50, 500)
        self.touch()
        self.write("mode_set", {"mode": "box_points"})
        self.end = self.now


def play(seed: int, events: int, sessions: int = 3) -> tuple[Script, Study]:
    script = Script(seed)
    for number in range(sessions):
        script.session(f"anon-{number % 2 + 1}", events // sessions)
    return script, study_of(make_log(script.journal.events, script.journal.annotators))


def counted(cells: np.ndarray, first: int, start: int, stop: int) -> Counter[str]:
    """Milliseconds by state, counted cell by cell."""
    part = cells[start - first : stop - first]
    return Counter({STATES[state]: int(n) for state, n in enumerate(np.bincount(part, minlength=len(STATES))) if n})


def as_counter(item: Item) -> Counter[str]:
    assert item.time is not None
    found = Counter({**item.time.excluded, "idle": item.time.idle, "work": item.time.trimmed})
    return Counter({state: ns // MS for state, ns in found.items() if ns})


def check(script: Script, study: Study) -> None:
    """Everything that the script knows, against everything that was computed."""
    objects: Counter[tuple[str, str]] = Counter()
    visits: Counter[tuple[str, str]] = Counter()
    for number, truth in script.truth.items():
        cells, who = truth.strip(), script.journal.annotators[number]
        whole = study.times[number].whole()
        expected = counted(cells, truth.first, truth.first, truth.last)
        assert _nonzero(whole) == {state: ms * MS for state, ms in expected.items()}
        timeline = study.times[number].timeline()
        painted = np.concatenate([np.full((b - a) // MS, STATES.index(state)) for a, b, state in timeline])
        np.testing.assert_array_equal(painted, cells)
        mine = [
            item for item in study.items if item.session == number and item.kind not in ("object", "image", "review")
        ]
        found = sorted((i.kind, i.uid, i.point if i.point is not None else -1, i.start_ns, i.stop_ns) for i in mine)
        wanted = sorted(
            (kind, uid, point if point is not None else -1, None if start is None else start * MS, stop * MS)
            for kind, uid, point, start, stop in truth.items
        )
        assert sorted(map(str, found)) == sorted(map(str, wanted))
        for item in mine:
            if item.time is None:
                assert "unseen" in item.flags
                continue
            assert item.start_ns is not None and item.stop_ns is not None
            start, stop = item.start_ns // MS, item.stop_ns // MS
            assert as_counter(item) == counted(cells, truth.first, start, stop)
            work = counted(cells, truth.first, start, stop)
            assert ("fast" in item.flags) == (item.kind == "point" and work["work"] + work["idle"] < 150)
        for uid, start, stop in truth.owned:
            for state, ms in counted(cells, truth.first, start, stop).items():
                objects[f"{who}/{uid}", state] += ms
        for image, start, stop in truth.visits:
            for state, ms in counted(cells, truth.first, start, stop).items():
                visits[f"{who}/{image}", state] += ms
        for threshold in (1, 5, 10, 60):
            gaps = _work_with(truth, threshold)
            assert study.times[number].trimmed_at(threshold * 1000 * MS) == gaps * MS
    assert {
        (f"{i.annotator}/{i.image_id}/{_key(i, script)}", state): ms
        for i in study.items
        if i.kind == "object"
        for state, ms in as_counter(i).items()
    } == {key: ms for key, ms in objects.items() if ms}
    assert {
        (f"{i.annotator}/{i.image_id}", state): ms
        for i in study.items
        if i.kind == "image"
        for state, ms in as_counter(i).items()
    } == {key: ms for key, ms in visits.items() if ms}
    given = set()
    for item in study.items:
        if item.kind in ("point", "click", "box"):
            seq, resampled = script.resampled.get(item.uid, (0, None))
            drawn_anew = resampled if item.kind == "point" and item.seq < seq else None
            assert item.superseded_by == (script.undone.get(item.event) or drawn_anew)
        if item.kind == "point":
            question = (item.image_id, item.uid, item.point, item.seq > seq)
            assert item.is_first == (question not in given)
            given.add(question)


def _nonzero(whole: Any) -> dict[str, int]:
    return {k: v for k, v in {**whole.excluded, "idle": whole.idle, "work": whole.trimmed}.items() if v}


def _key(item: Item, script: Script) -> str:
    clicks = {e.payload["uid"]: e.payload["instance"] for e in script.journal.events if e.kind == "click"}
    return f"instance {clicks[item.uid]}" if item.uid in clicks else item.uid


def _work_with(truth: Truth, seconds: int) -> int:
    """Milliseconds of work at another idle time, on a strip of its own."""
    global IDLE_MS
    before, IDLE_MS = IDLE_MS, seconds * 1000
    try:
        return int(np.count_nonzero(truth.strip() == 0))
    finally:
        IDLE_MS = before


def test_ten_thousand_events_to_the_millisecond() -> None:
    script, study = play(seed=1, events=10_000)
    assert len(script.journal.events) >= 10_000
    kinds = Counter(event.kind for event in script.journal.events)
    assert min(kinds[kind] for kind in ("pause", "focus_lost", "undo", "suspend", "ui_stall", "resample")) > 20
    assert sum(bool((event.timing or {}).get("repeat")) for event in script.journal.events) > 100
    check(script, study)


@pytest.mark.parametrize("seed", range(3))
def test_other_people(seed: int) -> None:
    check(*play(seed=100 + seed, events=600, sessions=2))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_any_person(seed: int) -> None:
    check(*play(seed=seed, events=120, sessions=1))
