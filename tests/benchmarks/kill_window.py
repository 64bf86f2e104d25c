"""Kills the window at random moments while somebody works in it; nothing that it acknowledged may be lost.

    python tests/benchmarks/kill_window.py [--kills 20] [--seed 0]

A real window on one project is given real keys and clicks: answers, undos, points, changes of mode and of image. A
step is acknowledged when a frame with what follows it was on the screen: the next question, the new point. At a
random moment, often between a key and its frame, the process gets SIGKILL. Then the project is opened: it must open,
SQLite must find the file whole, the tables must be what the events say, and every acknowledged step must be there.
Then the window is opened again on the same project. Ends with status 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench_window_scene import grid, small_project  # type: ignore[import-not-found]
from real_window import Display, Fingers, Window, need  # type: ignore[import-not-found]

from pointanno.errors import InputError
from pointanno.project import Project

LONGEST_S = 8.0
"""The latest moment of a kill, from the first key on."""

STEP_S = 5.0
"""A step whose frame has not come by then is taken for one that changes nothing that is seen."""

VALUES = {"f": "object", "j": "background", "u": "unsure"}

Thing = tuple[str, str, int, str]
"""("answer", uid of the box, index, value) or ("click", "", number of the click, "")."""


@dataclass
class Acknowledged:
    """What the window has shown to be done, in order, and the step that was on its way."""

    done: list[Thing] = field(default_factory=list)
    undoing: bool = False
    """Whether the newest one may be gone already: its undo was on its way."""

    def certain(self) -> set[Thing]:
        """What must be in the project."""
        return set(self.done[:-1] if self.undoing else self.done)


class Worker:
    """Somebody at the window, who takes down what it acknowledges."""

    def __init__(self, window: Any, fingers: Any, draw: random.Random, known: Acknowledged) -> None:
        self._window, self._fingers, self._draw = window, fingers, draw
        self._known = known
        self._places = iter(grid(512))
        self._end = time.monotonic() + draw.uniform(0.0, LONGEST_S)

    def work(self) -> None:
        """Until the moment has come; then SIGKILL, whatever is going on."""
        steps = self._steps()
        while time.monotonic() < self._end and next(steps, None) is not None:
            pass
        self._window.kill()
        for line in self._window.last_words():
            self._note(line)

    def _steps(self) -> Iterator[bool]:
        while True:
            _, mode, asked, clicks = self._window.state
            choice = self._draw.random()
            if choice < 0.08:
                self._press("q" if mode == "box_points" else "w", None)
            elif choice < 0.12:
                self._press("n", None)
                self._press("b", None)
            elif choice < 0.22 and self._known.done:
                self._undo()
            elif mode == "box_points" and asked is not None:
                key = self._draw.choice("fju")
                self._press(key, ("answer", asked[0], asked[1], VALUES[key]))
            elif mode == "single_point":
                self._click(clicks)
            yield True

    def _undo(self) -> None:
        """Take the newest acknowledged step back, if it was made in this mode, so that a frame shows it."""
        what, mode = self._known.done[-1][0], self._window.state[1]
        if (what == "click") != (mode == "single_point"):
            return
        self._known.undoing = True
        if self._press("ctrl+z", None):
            self._known.done.pop()
            self._known.undoing = False

    def _click(self, clicks: int) -> None:
        place = next(self._places, None)
        if place is None:
            return
        self._window.say("where {} {}".format(*place))
        where = self._wait(lambda line: line["what"] == "where")
        if where is None:
            return
        self._fingers.move(where["x"], where["y"])
        self._pending = ("click", "", clicks, "")
        self._before = self._window.state
        self._fingers.click()
        self._shown()

    _pending: Thing | None = None
    _before: Any = None

    def _press(self, key: str, thing: Thing | None) -> bool:
        """One key; True if its frame came before the end."""
        self._pending, self._before = thing, self._window.state
        self._fingers.key(key)
        return self._shown()

    def _shown(self) -> bool:
        return self._wait(lambda line: self._note(line)) is not None

    def _note(self, line: dict[str, Any]) -> bool:
        """Take what a frame acknowledges; True if it shows the step that was on its way."""
        if line["what"] != "swap" or line["state"] == self._before or line["state"] is None:
            return False
        if self._pending is not None:
            self._known.done.append(self._pending)
        self._pending, self._before = None, line["state"]
        return True

    def _wait(self, condition: Any) -> dict[str, Any] | None:
        patience = time.monotonic() + STEP_S
        while time.monotonic() < min(self._end, patience):
            line = self._window.next(min(0.02, max(0.0, self._end - time.monotonic())))
            if line is not None and condition(line):
                return dict(line)
        return None


def check(path: Path, known: Acknowledged) -> str:
    """What is wrong after a kill, "" if nothing is."""
    try:
        project = Project.open(path)
    except InputError as error:
        return f"the project does not open: {error}"
    with project:
        if project.store.pragma("integrity_check") != "ok":
            return "SQLite finds the file damaged"
        if project.repaired:
            return "the current state contradicted the events"
        held = project.annotations(project.images()[0].id)
        things: set[Thing] = {("click", "", number, "") for number in range(len(held.clicks))}
        for box in held.boxes:
            things |= {("answer", box.uid, index, value) for index, value in enumerate(box.answers) if value}
        lost = known.certain() - things
        if lost:
            return f"{len(lost)} acknowledged steps are lost: {sorted(lost)[:3]}"
        # what was on its way may be there or not; from here on it counts as what it is
        known.done = [thing for thing in known.done if thing in things]
        known.undoing = False
        state = project.projection_hash()
        project.rebuild()
        return "" if project.projection_hash() == state else "the tables are not what the events say"


def kill(display: Any, folder: Path, path: Path, known: Acknowledged, draw: random.Random) -> str:
    """One window, one kill; what is wrong after it."""
    window, fingers = Window(display, path, folder / "window.log"), Fingers(display.name)
    try:
        window.wait_until_ready()
        Worker(window, fingers, draw, known).work()
    finally:
        fingers.close()
        window.close()
    return check(path, known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    need()
    draw, known, problems = random.Random(options.seed), Acknowledged(), []
    with tempfile.TemporaryDirectory() as name, Display(Path(name)) as display:
        project = small_project(Path(name), 0, 2000, pictures=2)
        path = project.path
        project.close()
        for number in range(options.kills):
            problem = kill(display, Path(name), path, known, draw)
            if problem:
                problems.append(f"kill {number}: {problem}")
    print(f"{options.kills} kills, {len(known.done)} acknowledged steps that stand, {len(problems)} problems")
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
