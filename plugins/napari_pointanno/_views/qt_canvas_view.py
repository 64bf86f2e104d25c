"""The canvas of a real window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qtpy
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QWidget

from napari_pointanno._models.heart import BEAT_NS
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.canvas import CanvasFilter, FrameWatch, InputHandler
from napari_pointanno.drawing import Drawing
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import KeyMap
from napari_pointanno.napari_versions import camera_of
from napari_pointanno.overlay import CanvasOverlay
from napari_pointanno.view_transform import ViewTransform
from pointanno.timing.clock import now_ns

IDLE_MS = 1500
"""Pause after the last point before the layers catch up: a redraw that nobody waits for."""


FRAME_MS = 150
"""How long the dock waits for the frame of the canvas that it follows: none comes while the window is hidden."""


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
        self._waiting: list[Callable[[], None]] = []
        self._after_frame: Callable[[], None] | None = None
        self._frame = QTimer(canvas)
        self._frame.setSingleShot(True)
        self._frame.timeout.connect(self._framed)
        swapped = getattr(canvas, "frameSwapped", None)
        if swapped is not None:
            swapped.connect(self._on_swap)
        self._soon = QTimer(canvas)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._on_soon)

    def start(self, handler: InputHandler, keymap: KeyMap = DEFAULT_KEYS) -> None:
        """Send inputs to a session from now on; the map tells which keys are ours."""
        self.stop()
        self._filter = CanvasFilter(self._canvas, handler, keymap)
        self._filter.active = True
        self._overlay = CanvasOverlay(self._canvas, self.transform, keymap)
        self._heart = _Heartbeat(self._canvas, handler.on_beat)
        camera_of(self._viewer).events.connect(self._on_camera)

    def set_keymap(self, keymap: KeyMap) -> None:
        """Other keys from now on, in a session that goes on."""
        if self._filter is not None and self._overlay is not None:
            self._filter.keymap = keymap
            self._overlay.set_keymap(keymap)

    def stop(self) -> None:
        """Leave keys and clicks to napari again and remove the overlay."""
        self._frames.forget()
        self._idle.stop()
        self._on_idle = None
        self._soon.stop()
        self._waiting.clear()
        self._frame.stop()
        self._after_frame = None
        if self._filter is not None:
            self._filter.detach()
            self._filter.deleteLater()
        if self._heart is not None:
            self._heart.deleteLater()
        if self._overlay is not None:
            camera_of(self._viewer).events.disconnect(self._on_camera)
            self._overlay.set_drawing(Drawing())  # the sheet of keys is a widget of its own
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

    def when_shown(self, callback: Callable[[int, bool], None], *, picture: bool = True) -> None:
        """Call back with the time at which what was just set became visible: on the overlay, or the picture as well."""
        self._frames.when_shown(callback, over=None if picture else self._overlay)

    def after_frame(self, callback: Callable[[], None]) -> None:
        """Call back when what was just set is on the screen, or will not be soon; replaces what waits."""
        self._after_frame = callback
        self._frame.start(FRAME_MS)

    def _on_swap(self) -> None:
        if self._after_frame is not None:
            self._frame.start(0)  # not within the swap

    def _framed(self) -> None:
        callback, self._after_frame = self._after_frame, None
        if callback is not None:
            callback()

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once this has not been called again for a moment; replaces what waits."""
        self._on_idle = callback
        self._idle.start()

    def _idled(self) -> None:
        callback, self._on_idle = self._on_idle, None
        if callback is not None:
            callback()

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when what goes on now has ended, before the next input."""
        self._waiting.append(callback)
        self._soon.start()

    def _on_soon(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def view_changed(self) -> None:
        """Positions lie elsewhere on the canvas: paint them anew."""
        self._on_camera()

    def forget_shown(self) -> None:
        """Drop call-backs that wait."""
        self._frames.forget()

    def transform(self) -> ViewTransform:
        """Canvas pixels to pixels of the picture and back, as seen now."""
        return ViewTransform.of_viewer(self._viewer, (self._canvas.height(), self._canvas.width()))

    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def has_focus(self) -> bool:
        """Whether keys go to the canvas."""
        return self._canvas.hasFocus()

    def modal_dialog(self) -> str:
        """Name of a dialog that keeps every input from the canvas, "" while there is none."""
        dialog = QApplication.activeModalWidget()
        return "" if dialog is None else dialog.windowTitle() or dialog.objectName() or type(dialog).__name__

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
    """Beats in the window's thread."""

    def __init__(self, parent: QObject, on_beat: Callable[[int], None]) -> None:
        super().__init__(parent)
        self._on_beat = on_beat
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(BEAT_NS // 1_000_000)
        timer.timeout.connect(self._beat)
        timer.start()

    def _beat(self) -> None:
        self._on_beat(now_ns())
