"""The canvas of a real window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qtpy
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget

from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.canvas import CanvasFilter, FrameWatch, InputHandler
from napari_pointanno.drawing import Drawing
from napari_pointanno.overlay import CanvasOverlay
from napari_pointanno.view_transform import ViewTransform
from pointanno.timing.clock import now_ns

HEARTBEAT_MS, STALL_MS = 50, 150
"""A beat that comes this late means that the window stood still."""

IDLE_MS = 1500
"""Pause after the last point before the layers catch up: a redraw that nobody waits for."""


def find_canvas(widget: QWidget) -> QWidget | None:
    """The widget that napari draws on, in the same window as `widget`."""
    found = widget.window().findChildren(QOpenGLWidget)
    return found[0] if found else None


class QtCanvasView(CanvasView):
    """Filter, overlay and frame watch on napari's canvas.

    Parameters
    ----------
    viewer : ViewerModel
        Its camera says where things are.
    canvas : QWidget
        The native widget.
    """

    def __init__(self, viewer: ViewerModel, canvas: QWidget) -> None:
        self._viewer = viewer
        self._canvas = canvas
        self._filter: CanvasFilter | None = None
        self._overlay: CanvasOverlay | None = None
        self._frames = FrameWatch(canvas)
        self._heart: _Heartbeat | None = None
        self._on_idle: Callable[[], None] | None = None
        self._idle = QTimer(canvas)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self._idled)

    def start(self, handler: InputHandler) -> None:
        """Send inputs to a session from now on."""
        self.stop()
        self._filter = CanvasFilter(self._canvas, handler)
        self._filter.active = True
        self._overlay = CanvasOverlay(self._canvas, self.transform)
        self._heart = _Heartbeat(self._canvas, handler.on_stall)
        self._viewer.scene.camera.events.connect(self._on_camera)

    def stop(self) -> None:
        """Leave keys and clicks to napari again and remove the overlay."""
        self._frames.forget()
        self._idle.stop()
        self._on_idle = None
        if self._filter is not None:
            self._filter.detach()
            self._filter.deleteLater()
        if self._heart is not None:
            self._heart.deleteLater()
        if self._overlay is not None:
            self._viewer.scene.camera.events.disconnect(self._on_camera)
            self._overlay.hide()
            self._overlay.deleteLater()
        self._filter = self._overlay = self._heart = None

    def _on_camera(self) -> None:
        if self._overlay is not None:
            self._overlay.update()

    def draw(self, drawing: Drawing) -> None:
        """Show this on the overlay."""
        if self._overlay is not None:
            self._overlay.set_drawing(drawing)

    def set_hidden(self, hidden: bool) -> None:
        """Hide the overlay while a key is held."""
        if self._overlay is not None:
            self._overlay.set_hidden(hidden)

    def when_shown(self, callback: Callable[[int, bool], None]) -> None:
        """Call back with the time at which what was just set became visible."""
        self._frames.when_shown(callback)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once this has not been called again for a moment; replaces what waits."""
        self._on_idle = callback
        self._idle.start()

    def _idled(self) -> None:
        callback, self._on_idle = self._on_idle, None
        if callback is not None:
            callback()

    def forget_shown(self) -> None:
        """Drop call-backs that wait."""
        self._frames.forget()

    def transform(self) -> ViewTransform:
        """Canvas pixels to world and back, as seen now."""
        return ViewTransform.of_viewer(self._viewer, (self._canvas.height(), self._canvas.width()))

    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def has_focus(self) -> bool:
        """Whether keys go to the canvas."""
        return self._canvas.hasFocus()

    def screen(self) -> dict[str, Any]:
        """Versions of the toolkit, refresh rate and size of the screen: for the log."""
        screen = self._canvas.screen()
        size = screen.size()
        return {
            "qt": f"{qtpy.API_NAME} {qtpy.QT_VERSION}",
            "screen_hz": round(float(screen.refreshRate()), 2),
            "screen_size": [size.width(), size.height()],
            "pixel_ratio": float(screen.devicePixelRatio()),
        }


class _Heartbeat(QObject):
    """Beats in the window's thread; a late beat is reported as a stall."""

    def __init__(self, parent: QObject, on_stall: Callable[[int, int], None]) -> None:
        super().__init__(parent)
        self._on_stall = on_stall
        self._last_ns = now_ns()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(HEARTBEAT_MS)
        timer.timeout.connect(self._beat)
        timer.start()

    def _beat(self) -> None:
        now = now_ns()
        if now - self._last_ns > STALL_MS * 1_000_000:
            self._on_stall(self._last_ns, now)
        self._last_ns = now
