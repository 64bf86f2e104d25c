"""A real window seen from outside: keys and buttons of its display go in, what its frames show comes out."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "napari_pointanno" / "real_input"))

from real_display import Display, Fingers, missing, stop  # type: ignore[import-not-found]

__all__ = ["Display", "Fingers", "Window", "need"]

REST_S = 0.08
"""Without a frame for so long, the window is at rest."""

PATIENCE_S = 60.0
START_S = 180.0


def need(*programs: str) -> None:
    """End with a sentence if this machine cannot give real input."""
    lacks = missing(*programs)
    if lacks:
        raise SystemExit(f"real input needs Linux with Xvfb, xdotool, fluxbox, libX11 and libXtst; missing: {lacks}")


class Window:
    """The window of ``real_window_app.py`` in a process of its own.

    Parameters
    ----------
    display : Display
    project : Path
    log : Path
        Takes what the process prints.
    before : sequence of str
        Words before the command, such as those of a tracer.
    """

    def __init__(self, display: Any, project: Path, log: Path, before: Sequence[str] = ()) -> None:
        to_read, to_answer = os.pipe()
        from_command, self._command = os.pipe()
        script = Path(__file__).with_name("real_window_app.py")
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [*before, sys.executable, str(script), str(project), str(from_command), str(to_answer)],
                env=display.environment, pass_fds=[from_command, to_answer], stdout=errors, stderr=errors,
            )  # fmt: skip
        os.close(to_answer)
        os.close(from_command)
        self._display, self._log = display, log
        self._pipe = to_read
        self._half = b""
        self._lines: list[dict[str, Any]] = []
        self.state: Any = None
        """[row, mode, [box uid, index] of the question or None, number of clicks] of the last frame."""
        self.frames_ns: list[int] = []

    def wait_until_ready(self) -> None:
        """The project is shown, the window is in front, has the keyboard and is at rest."""
        self.until(lambda line: line["what"] == "swap" and line["state"] is not None, START_S)
        self._display.activate("pointanno")
        while not self.ask("state", "state")["focus"]:
            time.sleep(0.1)
        self.rest()

    def say(self, command: str) -> None:
        """Ask for something."""
        os.write(self._command, f"{command}\n".encode())

    def ask(self, command: str, what: str) -> dict[str, Any]:
        """Ask and wait for the answer."""
        self.say(command)
        return self.until(lambda line: line["what"] == what)

    def until(self, condition: Callable[[dict[str, Any]], object], seconds: float = PATIENCE_S) -> dict[str, Any]:
        """The first line that fulfils a condition; those before it are taken note of."""
        end = time.monotonic() + seconds
        while True:
            line = self.next(max(0.0, end - time.monotonic()))
            if line is None:
                raise SystemExit(f"the window was waited for in vain; its last state: {self.state}")
            if condition(line):
                return line

    def rest(self) -> None:
        """Wait until no frame has come for a moment."""
        while self.next(REST_S) is not None:
            pass

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next thing that the window tells, None if it tells nothing for so long."""
        while not self._lines:
            ready, _, _ = select.select([self._pipe], [], [], seconds)
            if not ready:
                return None
            if not self._read():
                raise SystemExit(f"the window ended by itself:\n{self._log.read_text()[-3000:]}")
        line = self._lines.pop(0)
        if line["what"] == "swap":
            self.state = line["state"]
            self.frames_ns.append(line["t"])
        return line

    def _read(self) -> bool:
        data = os.read(self._pipe, 1 << 16)
        *lines, self._half = (self._half + data).split(b"\n")
        self._lines += [json.loads(line) for line in lines]
        return bool(data)

    def kill(self) -> None:
        """SIGKILL; what it told before can still be read by `last_words`."""
        self.process.kill()
        self.process.wait()

    def last_words(self) -> list[dict[str, Any]]:
        """What a killed window had told and nobody had read."""
        while self._read():
            pass
        lines, self._lines = self._lines, []
        return lines

    def close(self) -> None:
        """End the process if it still runs, and the pipes."""
        if self.process.poll() is None:
            self.say("stop")
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                stop(self.process)
        os.close(self._pipe)
        os.close(self._command)
