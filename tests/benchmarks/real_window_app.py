"""The window that is watched, in a process of its own: ``real_window_app.py PROJECT COMMANDS_FD ANSWERS_FD``.

It tells of every frame, with the time of its swap and what the frame shows, and obeys a few commands. All
annotating comes from outside, as keys and buttons of the display.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QPoint, QSocketNotifier, QTimer
from qtpy.QtWidgets import QWidget

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_window
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import workbench
from pointanno.timing.clock import now_ns

REST_MS = 60
"""After the overlay went, before a bare redraw: the window must have come to rest."""


class Witness:
    """Writes a line for each frame and answers commands."""

    def __init__(self, viewer: Any, commands: int, answers: int) -> None:
        self._viewer = viewer
        self._bench = workbench(viewer)
        canvas: Any = find_canvas(self._bench.annotate_widget())
        self._canvas = canvas
        self._answers = os.fdopen(answers, "w")
        self._commands = commands
        self._redraw_ns: int | None = None
        self._canvas.frameSwapped.connect(self._on_swap)
        self._notifier = QSocketNotifier(commands, QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._on_command)

    def _tell(self, **facts: Any) -> None:
        self._answers.write(json.dumps(facts) + "\n")
        self._answers.flush()

    def _state(self) -> list[Any] | None:
        """What the frame shows: the question and the clicks."""
        session: Any = self._bench.annotate.session
        if session is None or session.annotations is None:
            return None
        asked = None if session.asked is None else [session.asked.box_uid, session.asked.index]
        return [session.row, session.mode, asked, len(session.annotations.clicks)]

    def _on_swap(self) -> None:
        at_ns = now_ns()
        began, self._redraw_ns = self._redraw_ns, None
        self._tell(what="swap", t=at_ns, state=self._state())
        if began is not None:
            self._tell(what="redraw", ns=at_ns - began)
            self._overlay.show()

    @property
    def _overlay(self) -> QWidget:
        found: QWidget | None = self._canvas.findChild(QWidget, "pointanno_overlay")
        assert found is not None
        return found

    def _on_command(self) -> None:
        for line in os.read(self._commands, 65536).decode().splitlines():
            word, *arguments = line.split()
            commands: dict[str, Callable[..., None]] = {
                "redraw": self._redraw, "where": self._where, "state": self._say_state, "stop": self._stop,
                "announce": self._announce, "busy": self._busy,
            }  # fmt: skip
            commands[word](*arguments)

    def _announce(self) -> None:
        """Tell of each frame before it is put together as well, not only when it is on the screen."""
        self._canvas.aboutToCompose.connect(lambda: self._tell(what="compose", state=self._state()))
        self._tell(what="announced")

    def _busy(self, ms: str) -> None:
        """Draw the picture again and again for so long, without letting an input in."""
        began = now_ns()
        self._tell(what="redrawing", t=began)
        while now_ns() - began < int(ms) * 1_000_000:
            self._canvas.grabFramebuffer()
        self._tell(what="redrawn", t=now_ns())

    def _redraw(self) -> None:
        """A frame of the canvas alone, without anything of ours painted over it."""
        self._overlay.hide()

        def begin() -> None:
            self._redraw_ns = now_ns()
            self._canvas.update()

        QTimer.singleShot(REST_MS, begin)

    def _where(self, x: str, y: str) -> None:
        """Screen position of a pixel of the picture."""
        view = ViewTransform.of_viewer(self._viewer, (self._canvas.height(), self._canvas.width()))
        place = self._canvas.mapToGlobal(QPoint(*(round(value) for value in view.to_canvas(float(y), float(x)))))
        self._tell(what="where", x=place.x(), y=place.y())

    def _say_state(self) -> None:
        session: Any = self._bench.annotate.session
        fresh = session is not None and any(session.fresh)
        points = next((len(layer.data) for layer in self._viewer.layers if layer.name == "points"), 0)
        self._tell(what="state", state=self._state(), fresh=fresh, points=points, focus=self._canvas.hasFocus())

    def _stop(self) -> None:
        self._bench.annotate.close()
        os._exit(0)


def main() -> None:
    """Open the window and stay until the command comes."""
    import napari

    viewer = open_window(Path(sys.argv[1]))
    witness = Witness(viewer, int(sys.argv[2]), int(sys.argv[3]))
    napari.run()
    del witness


if __name__ == "__main__":
    main()
