"""A display of our own, a window manager, and hands: xdotool."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _beside(name: str) -> ModuleType:
    """A module beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


real_display = _beside("real_display")

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

PATIENCE_S = 120.0
"""Nothing is asserted about time; this only ends a test that hangs, also on a busy machine."""


class Hands:
    """Mouse and keyboard of the display, and eyes: the state that the window writes."""

    def __init__(self, environment: dict[str, str], state_file: Path, shots: Path) -> None:
        self._environment = environment
        self._state_file = state_file
        self._shots = shots
        self.window: subprocess.Popen[bytes] | None = None

    def xdotool(self, *words: str | int) -> None:
        subprocess.run(["xdotool", *map(str, words)], check=True, env=self._environment, capture_output=True)

    def open(self, *arguments: str) -> None:
        """Start the window and wait until it is drawn and active."""
        self._state_file.unlink(missing_ok=True)
        script = Path(__file__).with_name("window_under_test.py")
        with (self._shots / "window.log").open("ab") as log:
            self.window = subprocess.Popen(
                [sys.executable, str(script), str(self._state_file), *arguments],
                env=self._environment, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.wait("the window", lambda state: state["canvas"] is not None)
        found = subprocess.run(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", "pointanno"],
            check=True, env=self._environment, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        self.xdotool("windowactivate", "--sync", found[-1])
        self.wait("an active window", lambda state: state["active"])
        self._wait_until_still()

    def _wait_until_still(self) -> None:
        """The window manager has placed the window and the docks have found their size."""
        before, since = None, time.monotonic()
        while time.monotonic() - since < 0.5:
            now = self.state()["widgets"]
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: no handler, no farewell."""
        assert self.window is not None
        self.window.send_signal(signal.SIGKILL)
        self.window.wait()

    def state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (OSError, ValueError):
            return {"canvas": None, "session": None, "widgets": {}, "focus": ""}
        return state

    def wait(self, what: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self.window is not None
            assert self.window.poll() is None, f"the window ended while waiting for {what}; see window.log"
            state = self.state()
            if condition(state):
                return state
            time.sleep(0.02)
        self.photograph("gave_up")
        raise AssertionError(f"waited in vain for {what}; last state: {self.state()}")

    def wait_session(self, what: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        state = self.wait(what, lambda state: state["session"] is not None and condition(state["session"]))
        session: dict[str, Any] = state["session"]
        return session

    def photograph(self, name: str) -> Path:
        path = self._shots / f"{name}.png"
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", str(path)], check=False, env=self._environment)
        return path

    def key(self, *keys: str) -> None:
        self.xdotool("key", *keys)

    def type(self, text: str) -> None:
        self.xdotool("type", "--delay", 5, text)

    def click_widget(self, name: str) -> None:
        state = self.wait(name, lambda state: f"pointanno_{name}" in state["widgets"])
        x, y, width, height = state["widgets"][f"pointanno_{name}"]
        self.xdotool("mousemove", x + width // 2, y + height // 2, "click", 1)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Screen position of an image pixel."""
        state = self.state()
        left, top, width, height = state["canvas"]
        (row, column), zoom = state["center"], state["zoom"]
        return round(left + width / 2 + (x - column) * zoom), round(top + height / 2 + (y - row) * zoom)

    def click(self, x: float, y: float) -> None:
        self.xdotool("mousemove", *self.at(x, y), "click", 1)

    def press_and_move(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Half a drag: the button stays down."""
        self.xdotool("mousemove", *self.at(x0, y0), "mousedown", 1)
        for part in (0.3, 0.7, 1.0):
            self.xdotool("mousemove", *self.at(x0 + part * (x1 - x0), y0 + part * (y1 - y0)))

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.press_and_move(x0, y0, x1, y1)
        self.xdotool("mouseup", 1)


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    """A person at a display that belongs to this test alone."""
    lacks = real_display.missing()
    if lacks:
        pytest.skip(f"real input needs Linux with Xvfb, xdotool, fluxbox, libX11 and libXtst; missing: {lacks}")
    shots = Path(os.environ.get("POINTANNO_SHOTS", tmp_path))
    shots.mkdir(parents=True, exist_ok=True)
    with real_display.Display(tmp_path) as display:
        person = Hands(display.environment, tmp_path / "state.json", shots)
        try:
            yield person
        finally:
            real_display.stop(person.window)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scripts of the measurements, which import each other from their own folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    display = importlib.import_module("real_display")
    lacks = display.missing()
    if lacks:
        pytest.skip(f"real input needs Linux with Xvfb, xdotool, fluxbox, libX11 and libXtst; missing: {lacks}")
    return importlib.import_module
