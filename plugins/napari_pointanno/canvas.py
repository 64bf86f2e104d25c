"""The one event filter on the canvas: keys, clicks, focus and the moment a frame became visible.

It belongs to the person's session only while `CanvasFilter.active` is True; then it consumes our keys and
every press of a pointer button, and leaves everything else (the wheel, napari's other keys) alone. It
decides nothing: what an input means is the controller's affair.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from qtpy.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from qtpy.QtWidgets import QWidget

from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.key_names import MODIFIERS, is_symbol
from napari_pointanno.keymap import HELD, Action, KeyInput, KeyMap, PointerInput, digit_action
from pointanno.timing.clock import now_ns

# Positions of the keys 1 ... 9, 0 by platform: Shift+digit and layouts that need Shift for a digit give
# other symbols than digits, so the place on the keyboard is asked first.
_SCAN_CODES = {
    "linux": {10 + i: (i + 1) % 10 for i in range(10)},
    "win32": {2 + i: (i + 1) % 10 for i in range(10)},
}
_MAC_VIRTUAL_KEYS = {18: 1, 19: 2, 20: 3, 21: 4, 23: 5, 22: 6, 26: 7, 28: 8, 25: 9, 29: 0}

REPEAT_AFTER_MS, SAME_MOMENT_MS = 50, 1
"""No keyboard repeats a key sooner; no finger lifts and presses again so fast."""

FRAME_TIMEOUT_MS = 250
"""How long to wait for the swap of a frame before its paint event counts instead."""


class InputHandler(Protocol):
    """Who receives the inputs of a session."""

    def on_key(self, key: KeyInput) -> None:
        """A key of ours went down, or up again if it is one that is held."""

    def on_press(self, pointer: PointerInput) -> None:
        """The left button went down."""

    def on_drag(self, pointer: PointerInput) -> None:
        """The pointer moved with the left button down."""

    def on_release(self, pointer: PointerInput) -> None:
        """The left button went up."""

    def on_hover(self, pointer: PointerInput) -> None:
        """The pointer moved with no button down."""

    def on_pan(self, dx: float, dy: float) -> None:
        """The picture is to be moved by canvas pixels."""

    def on_one_of_many(self, kind: str, at_ns: int) -> None:
        """A turn of the "wheel", which is napari's affair, or a part of a "pan"; told before what it does."""

    def on_focus(self, gained: bool, at_ns: int, reason: str) -> None:
        """The canvas received or lost the keyboard."""

    def on_beat(self, at_ns: int) -> None:
        """The window's thread is free: this is to come every 50 ms."""


_MODIFIERS = dict(
    zip(
        MODIFIERS,
        (
            Qt.KeyboardModifier.ControlModifier,
            Qt.KeyboardModifier.AltModifier,
            Qt.KeyboardModifier.MetaModifier,
            Qt.KeyboardModifier.ShiftModifier,
        ),
        strict=True,
    )
)


def key_text(event: QKeyEvent) -> str:
    """The key with its modifiers, as `napari_pointanno.key_names` writes it."""
    key = event.key()
    modifiers = event.modifiers()
    parts = [name for name, flag in _MODIFIERS.items() if modifiers & flag]
    name = {
        Qt.Key.Key_Escape.value: "Escape",
        Qt.Key.Key_Backspace.value: "Backspace",
        Qt.Key.Key_Delete.value: "Delete",
        Qt.Key.Key_Space.value: "Space",
    }.get(key) or QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    if parts == ["Shift"] and is_symbol(name):  # which signs need Shift depends on the keyboard
        return name
    return "+".join([*parts, name])


def digit_of(event: QKeyEvent) -> int | None:
    """The digit of a key of the number row or pad, by its place where the platform tells it."""
    others = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    if event.modifiers() & others:
        return None
    if sys.platform == "darwin":
        place = _MAC_VIRTUAL_KEYS.get(event.nativeVirtualKey()) if event.nativeScanCode() else None
    else:
        place = _SCAN_CODES.get(sys.platform, {}).get(event.nativeScanCode())
    if place is not None:
        return place
    key = event.key()
    if Qt.Key.Key_0.value <= key <= Qt.Key.Key_9.value:
        return key - Qt.Key.Key_0.value
    return None


def _qt_ms(event: QKeyEvent | QMouseEvent) -> int | None:
    """Time stamp of the window system; 0 (synthetic events) counts as none."""
    return int(event.timestamp()) or None


class _Repeats:
    """Tells the repeats of a held key from strokes, by the window system's time stamps.

    Under X11 a repeat is a release and a press at the same time, and Qt takes every such pair for one. It
    misses those whose press has not arrived when it looks at the release: they would answer a point that
    nobody saw. And it takes strokes that follow each other within a millisecond for repeats.
    """

    def __init__(self) -> None:
        self._key: int | None = None
        self._down_ms = 0
        self._up_ms: int | None = None

    def note(self, event: QKeyEvent, *, released: bool) -> bool:
        """Take down a key's event; True if no finger moved."""
        at_ms, key, flagged = int(event.timestamp()), event.key(), event.isAutoRepeat()
        if not at_ms:
            return flagged
        if released:
            if not flagged:
                self._up_ms = at_ms if key == self._key else None
            return flagged
        up_ms, self._up_ms = self._up_ms, None
        if key != self._key:
            repeats = flagged
        else:
            at_once = up_ms is not None and 0 <= at_ms - up_ms <= SAME_MOMENT_MS
            repeats = (flagged or at_once) and at_ms - self._down_ms >= REPEAT_AFTER_MS
        if not repeats:
            self._key, self._down_ms = key, at_ms
        return repeats


class CanvasFilter(QObject):
    """Turns the canvas's Qt events into inputs of a session.

    Parameters
    ----------
    canvas : QWidget
        The native widget that draws the picture.
    handler : InputHandler
    keymap : KeyMap
        Which keys are ours.
    """

    def __init__(self, canvas: QWidget, handler: InputHandler, keymap: KeyMap = DEFAULT_KEYS) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._handler = handler
        self.keymap = keymap
        self.active = False
        self._pan_from: QPointF | None = None
        self._space = False
        self._held: dict[int, tuple[Action, str]] = {}
        self._left_down = False
        self._repeats = _Repeats()
        canvas.installEventFilter(self)

    def detach(self) -> None:
        """Leave the canvas as it was."""
        self.active = False
        self._canvas.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Consume what is ours; Qt calls this before the canvas sees the event."""
        at_ns = now_ns()  # first of all: this is the time of the input
        if not self.active or watched is not self._canvas:
            return False
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if self._action(event) is not None:
                event.accept()  # menus with the same shortcut must not take the key away
                return True
            return False
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            assert isinstance(event, QKeyEvent)
            return self._on_key(event, at_ns, released=kind == QEvent.Type.KeyRelease)
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event, kind, at_ns)
        if kind == QEvent.Type.Wheel:
            self._handler.on_one_of_many("wheel", at_ns)
            return False
        if kind == QEvent.Type.FocusIn:
            self._handler.on_focus(True, at_ns, "canvas")
        elif kind == QEvent.Type.FocusOut:
            self._space = False
            held, self._held = self._held, {}  # these keys will go up somewhere else
            for action, text in held.values():
                self._handler.on_key(KeyInput(action, at_ns, None, text, released=True))
            window = self._canvas.window()
            self._handler.on_focus(False, at_ns, "dock" if window.isActiveWindow() else "window")
        return False

    def _action(self, event: QKeyEvent) -> tuple[Action, int | None, str] | None:
        """The action a key stands for, its digit and its text; None if the key is not ours."""
        digit = digit_of(event)  # first: on some keyboards the signs of the number row are keys of their own
        if digit is not None:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            return digit_action(digit, shift=shift), digit, f"Shift+{digit}" if shift else str(digit)
        text = key_text(event)
        action = self.keymap.action(text)
        return None if action is None else (action, None, text)

    def _on_key(self, event: QKeyEvent, at_ns: int, *, released: bool) -> bool:
        held = self._held.get(event.key()) if released else None  # whatever modifiers are down by now
        found = self._action(event) if held is None else (held[0], None, held[1])
        if found is None:
            return False
        repeats = self._repeats.note(event, released=released)
        action, digit, text = found
        if event.isAutoRepeat() if action in HELD else repeats:
            return True
        if action in HELD:
            if released and held is None:
                return True
            if released:
                del self._held[event.key()]
            else:
                self._held[event.key()] = (action, text)
            self._space = self._space if action is not Action.PAN else not released
        elif released:
            return True
        self._handler.on_key(KeyInput(action, at_ns, digit, text, released, _qt_ms(event)))
        return True

    def _on_mouse(self, event: QMouseEvent, kind: QEvent.Type, at_ns: int) -> bool:
        position = event.position()
        pointer = PointerInput(position.x(), position.y(), at_ns, _qt_ms(event))
        button = event.button()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
            if button != Qt.MouseButton.LeftButton or self._space:
                self._pan_from = position
                self._handler.on_one_of_many("pan", at_ns)
            else:  # the second press of a double click is a press like any other
                self._left_down = True
                self._handler.on_press(pointer)
            return True
        if kind == QEvent.Type.MouseMove:
            if self._pan_from is not None:
                self._handler.on_one_of_many("pan", at_ns)
                self._handler.on_pan(position.x() - self._pan_from.x(), position.y() - self._pan_from.y())
                self._pan_from = position
                return True
            if self._left_down:
                self._handler.on_drag(pointer)
                return True
            self._handler.on_hover(pointer)
            return False  # napari shows the value under the pointer
        if kind == QEvent.Type.MouseButtonRelease:
            if self._left_down and button == Qt.MouseButton.LeftButton:
                self._left_down = False
                self._handler.on_release(pointer)
            elif self._pan_from is not None:
                self._pan_from = None
                self._handler.on_one_of_many("pan", at_ns)
            return True
        return False


class FrameWatch(QObject):
    """Tells when what was set has become visible: at the first swap of the canvas's frames after it.

    A canvas without such a signal, or one whose swap does not come, answers with the time of its next
    paint event and the flag False.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._waiting: list[Callable[[int, bool], None]] = []
        self._painted_ns: int | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_TIMEOUT_MS)
        self._timer.timeout.connect(self._on_timeout)
        swapped = getattr(canvas, "frameSwapped", None)
        if swapped is not None:
            swapped.connect(self._on_swap)
        canvas.installEventFilter(self)

    def when_shown(self, callback: Callable[[int, bool], None], *, over: QWidget | None = None) -> None:
        """Call `callback(t_ns, swapped)` once the next frame is on the screen; replaces nothing.

        What is painted `over` the canvas alone needs no new picture from it, which is most of the cost of a frame.
        """
        self._waiting.append(callback)
        self._painted_ns = None
        self._timer.stop()
        if over is None:
            self._canvas.update()
        else:
            over.installEventFilter(self)
            over.update()

    def forget(self) -> None:
        """Drop what still waits: it will never be shown."""
        self._waiting.clear()
        self._timer.stop()

    def _on_swap(self) -> None:
        if self._waiting:
            self._deliver(now_ns(), True)

    def _on_timeout(self) -> None:
        if self._waiting and self._painted_ns is not None:
            self._deliver(self._painted_ns, False)

    def _deliver(self, at_ns: int, swapped: bool) -> None:
        waiting, self._waiting = self._waiting, []
        self._timer.stop()
        for callback in waiting:
            callback(at_ns, swapped)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remember the first paint after something was set."""
        if self._waiting and self._painted_ns is None and event.type() == QEvent.Type.Paint:
            self._painted_ns = now_ns()
            self._timer.start()
        return False
