"""How exact the reported times are: real keys and clicks at known times, beside what the study core makes of them.

    python tests/benchmarks/bench_window_timing.py [--events 500] [--seed 0] [--json FILE] [--keep FOLDER]

Prints Markdown tables; asserts nothing but that no input was lost. Needs Linux with Xvfb, xdotool and fluxbox and
starts its own display. Keys and buttons come from another process through the XTest extension; it reads the monotonic
clock, which all processes share, just before each leaves. Some are sent while the window draws its picture again and
again, some while it is stopped by SIGSTOP, before some the window was stopped; some keys are held until they repeat,
some answers are undone. Then the window is closed and `pointanno.timing` reads the journal.

What is compared:

| kind | the true duration |
|---|---|
| point | from the X server's own stamp of the new frame with the question to the key |
| click | from the action before to the press |
| box | from the action before (a key, an answer, ...) to the release |
| drag | from press to release |
| moment | none: the instant itself, as it was sent and as it stands in the journal |
| display | none: the frame with a question, as it stands in the journal, beside that stamp |

Which frame that is, a witness in the window tells after its swap; where libXdamage is missing, the witness is believed.

Time in which the window stood still and after the last input that was sent meanwhile belongs to no duration, as the
README of `pointanno.timing` says; the truth of it is the time of SIGSTOP, SIGCONT, and the beginning and end of the
drawing. Stalls that nobody here made (a machine that is busy with other things) are taken from the journal; the first
table counts them.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import json
import os
import random
import select
import signal
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench_window_scene import grid, small_project  # type: ignore[import-not-found]
from real_window import Display, Fingers, Window, need  # type: ignore[import-not-found]
from timing_differences import (  # type: ignore[import-not-found]
    MS,
    SITUATIONS,
    Action,
    Record,
    differences,
    displays,
    rows,
    seen,
    table,
)

from pointanno.project import Project
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

SHARES = (0.64, 0.16, 0.14, 0.06)
THINKING_S = (0.16, 0.35)
SHORT_MS, LONG_MS = (40, 90), (220, 420)
"""Drawing that is too short for a stall, and that is long enough for one wherever the heart was."""

STOP_S = (0.2, 2.0)
HOLD_S = 0.9
"""Longer than what an X server waits before a held key repeats."""


LARGE = 400
"""Pixels of width and height of a change that is a new frame of the window."""

PICTURE = 512
BOX_POINTS = 10


class _Damage(ctypes.Structure):
    """What Xlib gives for an event of the Damage extension, with room for other events."""

    _fields_ = (
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
        ("drawable", ctypes.c_ulong), ("damage", ctypes.c_ulong), ("level", ctypes.c_int), ("more", ctypes.c_int),
        ("timestamp", ctypes.c_ulong), ("area", ctypes.c_short * 4), ("geometry", ctypes.c_short * 4),
        ("rest", ctypes.c_char * 192),
    )  # fmt: skip


class Eye:
    """Notes when the X server says that a large part of the screen has changed, on a connection of its own.

    Its stamps are whole milliseconds of the monotonic clock, as X servers for Linux make them.
    """

    def __init__(self, display: str) -> None:
        self.changes_ns: list[int] = []
        names = [ctypes.util.find_library(name) for name in ("X11", "Xdamage")]
        self.can_see = None not in names
        self._is_open = self.can_see
        if not self.can_see:
            return
        self._x11, self._damage = ctypes.CDLL(names[0]), ctypes.CDLL(names[1])
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self._x11.XPending.argtypes = self._x11.XConnectionNumber.argtypes = [ctypes.c_void_p]
        self._x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        self._x11.XNextEvent.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self._damage.XDamageQueryExtension.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._damage.XDamageCreate.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int]
        self._display = self._x11.XOpenDisplay(display.encode())
        base, error = ctypes.c_int(), ctypes.c_int()
        self.can_see = bool(self._damage.XDamageQueryExtension(self._display, ctypes.byref(base), ctypes.byref(error)))
        if self.can_see:
            self._damage.XDamageCreate(self._display, self._x11.XDefaultRootWindow(self._display), 0)  # each rectangle
            self._x11.XSync(self._display, 0)
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def _look(self) -> None:
        event = _Damage()
        while self._is_open:
            select.select([self._x11.XConnectionNumber(self._display)], [], [], 0.2)
            while self._x11.XPending(self._display):
                self._x11.XNextEvent(self._display, ctypes.byref(event))
                if event.area[2] >= LARGE and event.area[3] >= LARGE:
                    self.changes_ns.append(event.timestamp * MS + MS // 2)

    def close(self) -> None:
        """Look no more; the server must still be there."""
        if self._is_open:
            self._is_open = False
            if self.can_see:
                self._thread.join()
            self._x11.XCloseDisplay(self._display)


class Person:
    """Works at the window and takes down when it did what.

    Parameters
    ----------
    window, fingers : the window and the hands
    draw : random.Random
    """

    def __init__(self, window: Any, fingers: Any, draw: random.Random) -> None:
        self._window, self._fingers, self._draw = window, fingers, draw
        self.record = Record()
        self._places = iter(grid(PICTURE))  # a click on a point would select it

    # what is done -----------------------------------------------------------------------------------------------

    def work(self, events: int) -> None:
        """Two thirds boxes with their answers, one third clicks."""
        if self._window.state[1] == "box_points":
            self._go("q")
        self._go("w")
        while len(self.record.actions) < events * 2 // 3:
            if self._window.state[2] is None:
                self._box(self._situation())
            elif self._draw.random() < 0.04 and self.record.actions[-1].kind == "point":
                self._undo()
            elif self._draw.random() < 0.03:
                self._answer("held")
            else:
                self._answer(self._situation())
        while self._window.state[2] is not None:
            self._answer("quiet")
        self._go("q")
        while len(self.record.actions) < events:
            if self._draw.random() < 0.04 and self.record.actions[-1].kind == "click":
                self._undo()
            else:
                self._click(self._situation())

    def _situation(self) -> str:
        situation: str = self._draw.choices(SITUATIONS, SHARES)[0]
        return situation

    def _go(self, key: str) -> None:
        """A key that arms a tool."""
        before = self._window.state
        self.record.end_ns = self._fingers.key(key)
        line = self._window.until(lambda line: line["what"] == "swap" and line["state"] != before)
        self._shown_ns = line["t"]
        self._window.rest()

    def _answer(self, situation: str) -> None:
        since, before = self._shown_ns, self._window.state
        key = self._draw.choice("fju")
        self._think()
        if situation == "held":
            at_ns = self._fingers.hold(key, True)
            time.sleep(HOLD_S)
            self._fingers.hold(key, False)
        else:
            (at_ns,) = self._in(situation, lambda: (self._fingers.key(key),))
        self._done(Action("point", situation, at_ns, since), before)

    def _undo(self) -> None:
        before = self._window.state
        self._think()
        self._done(Action("undo", "quiet", self._fingers.key("ctrl+z"), self.record.end_ns), before)

    def _click(self, situation: str) -> None:
        before = self._window.state
        self._fingers.move(*self._place(*next(self._places)))
        self._think()

        def act() -> tuple[int, int]:
            pressed = self._fingers.button(True)
            time.sleep(self._draw.uniform(0.03, 0.09))
            return pressed, self._fingers.button(False)

        at_ns, _ = self._in(situation, act)
        self._done(Action("click", situation, at_ns, self.record.end_ns), before)

    def _box(self, situation: str) -> None:
        before = self._window.state
        x, y = (self._draw.randrange(20, PICTURE - 120) for _ in range(2))
        start, *path = [self._place(x + step, y + step) for step in (0, 30, 60, 90)]
        self._fingers.move(*start)
        self._think()

        def act() -> tuple[int, int]:
            pressed = self._fingers.button(True)
            for place in path:
                time.sleep(self._draw.uniform(0.02, 0.05))
                self._fingers.move(*place)
            time.sleep(0.02)
            return pressed, self._fingers.button(False)

        press, release = self._in(situation, act)
        self._done(Action("box", situation, release, self.record.end_ns, press), before)

    # how --------------------------------------------------------------------------------------------------------

    _shown_ns = 0

    def _done(self, action: Action, before: Any) -> None:
        """Wait until a frame shows what was done; that is where the next answer begins."""
        self.record.actions.append(action)
        self.record.end_ns = action.at_ns
        line = self._window.until(lambda line: line["what"] == "swap" and line["state"] != before)
        self._shown_ns = line["t"]

    def _think(self) -> None:
        time.sleep(self._draw.uniform(*THINKING_S))

    def _place(self, x: int, y: int) -> tuple[int, int]:
        found = self._window.ask(f"where {x} {y}", "where")
        return found["x"], found["y"]

    def _in(self, situation: str, act: Any) -> tuple[int, ...]:
        """Act while the window draws or stands still, and note for how long it did."""
        if situation == "redraw":
            ms = round(self._draw.uniform(*self._draw.choice((SHORT_MS, LONG_MS))))
            self._window.say(f"busy {ms}")
            began = self._window.until(lambda line: line["what"] == "redrawing")["t"]
            time.sleep(self._draw.uniform(0.0, 0.8) * ms / 1e3)
            times: tuple[int, ...] = act()
            ended = self._window.until(lambda line: line["what"] == "redrawn")["t"]
            if ms >= LONG_MS[0]:
                self._stood_still(began, ended, times)
        elif situation in ("stopped", "stopped before"):
            pid, length = self._window.process.pid, self._draw.uniform(*STOP_S)
            began = time.perf_counter_ns()
            os.kill(pid, signal.SIGSTOP)
            times = ()
            if situation == "stopped":
                time.sleep(length * self._draw.uniform(0.1, 0.8))
                times = act()
            left = length - (time.perf_counter_ns() - began) / 1e9
            time.sleep(max(0.02, left))
            ended = time.perf_counter_ns()
            os.kill(pid, signal.SIGCONT)
            self._stood_still(began, ended, times)
            if situation == "stopped before":
                self._think()
                times = act()
        else:
            times = act()
        return times

    def _stood_still(self, began: int, ended: int, times: Iterable[int]) -> None:
        meanwhile = [at_ns for at_ns in times if began < at_ns < ended]
        self.record.all_stops.append((began, ended))
        self.record.stops.append((max([began, *meanwhile]), ended))


def measure(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """A window, so many inputs, and what the journal says of them."""
    project = small_project(folder, 0, BOX_POINTS)
    path = project.path
    project.close()
    with Display(folder) as display:
        eye = Eye(display.name)
        window = Window(display, path, folder / "window.log")
        fingers = Fingers(display.name)
        try:
            window.wait_until_ready()
            fingers.move(700, 5)
            person = Person(window, fingers, random.Random(seed))
            person.work(events)
            window.rest()
        finally:
            fingers.close()
            window.close()
            eye.close()
    with Project.open(path, writable=False) as opened:
        study = study_of(read_log(opened))
    record = person.record
    record.actions = [
        replace(one, since_ns=seen(one.since_ns, eye.changes_ns)) if one.kind == "point" else one
        for one in record.actions
    ]
    found, stalls, stalled_ms = differences(study, record)
    found += displays(study, record)
    kinds = [one.event.kind for session in study.log.sessions for one in session.moments]
    return {
        "events": len(record.actions),
        "undos": sum(one.kind == "undo" for one in record.actions),
        "held": sum(one.situation == "held" for one in record.actions),
        "stops": len(record.stops),
        "stalls_recorded": kinds.count("ui_stall"),
        "stalls_of_nobody": stalls,
        "stalls_of_nobody_ms": stalled_ms,
        "rows": rows(found),
        "differences": [[one.kind, one.situation, one.ms, sorted(one.flags), one.seq] for one in found],
        "standstills": record.all_stops,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--keep", type=Path, help="work here and leave the project, an empty or new folder")
    options = parser.parse_args()
    need()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        result = measure(folder, options.events, options.seed)
    print(
        "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in result.items() if not isinstance(value, list)),
        end="\n\n",
    )
    print(table(result["rows"]))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
