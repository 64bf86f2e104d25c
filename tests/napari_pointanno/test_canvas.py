"""The event filter on a plain widget, with synthetic Qt events; real ones are in `real_input`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_pointanno.canvas import CanvasFilter, FrameWatch, InputHandler
from napari_pointanno.key_choice import choose_keys
from napari_pointanno.keymap import Action, KeyMap

pytestmark = pytest.mark.gui


class Canvas(QWidget):
    """Remembers what reached it in spite of the filter."""

    frameSwapped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.reached: list[str] = []

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text():  # a modifier alone is nobody's key
            self.reached.append(event.text())

    def mousePressEvent(self, event: Any) -> None:
        self.reached.append("press")

    def wheelEvent(self, event: Any) -> None:
        self.reached.append("wheel")


@pytest.fixture
def canvas(qtbot: Any) -> Iterator[Canvas]:
    widget = Canvas()
    qtbot.addWidget(widget)
    widget.resize(200, 100)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget


@pytest.fixture
def handler() -> Any:
    return MagicMock(spec=InputHandler)


@pytest.fixture
def canvas_filter(canvas: Canvas, handler: Any) -> CanvasFilter:
    made = CanvasFilter(canvas, handler)
    made.active = True
    return made


def _keys(handler: Any) -> list[tuple[Action, int | None, bool]]:
    return [(c.args[0].action, c.args[0].digit, c.args[0].released) for c in handler.on_key.call_args_list]


@pytest.mark.parametrize(
    ("key", "modifier", "action", "number"),
    [
        (Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier, Action.OBJECT, None),
        (Qt.Key.Key_1, Qt.KeyboardModifier.NoModifier, Action.CLASS, 1),
        (Qt.Key.Key_0, Qt.KeyboardModifier.NoModifier, Action.SEARCH, 0),
        (Qt.Key.Key_3, Qt.KeyboardModifier.ShiftModifier, Action.ABSENT, 3),
        (Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier, Action.NEXT_UNLABELLED, None),
        (Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier, Action.UNDO, None),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier, Action.CANCEL, None),
        (Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier, Action.STEP_BACK, None),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, Action.DELETE, None),
        (Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier, Action.KEYS, None),
        (Qt.Key.Key_F10, Qt.KeyboardModifier.NoModifier, Action.PAUSE, None),
    ],
)
def test_our_keys_are_consumed(
    canvas: Canvas,
    canvas_filter: CanvasFilter,
    handler: Any,
    key: Any,
    modifier: Any,
    action: Action,
    number: int | None,
) -> None:
    QTest.keyClick(canvas, key, modifier)
    assert _keys(handler) == [(action, number, False)]
    assert canvas.reached == []


def test_redo_has_two_modifiers(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(canvas, Qt.Key.Key_Z, both)
    assert _keys(handler)[0][0] is Action.REDO


def test_other_keys_are_left_alone(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_V)
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    assert canvas.reached == ["v", "z"]
    handler.on_key.assert_not_called()


def test_held_keys_tell_their_release(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_H)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert _keys(handler) == [(Action.HIDE, None, False), (Action.HIDE, None, True), (Action.OBJECT, None, False)]


def test_auto_repeat_is_dropped(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier, "f", True)
    QApplication.sendEvent(canvas, event)
    handler.on_key.assert_not_called()
    assert canvas.reached == []


class Stroke(QKeyEvent):
    """A key event with a time stamp of the window system, which PyQt cannot set."""

    at_ms = 0

    def timestamp(self) -> int:
        return self.at_ms


def _stroke(canvas: Canvas, ms: int, *, up: bool = False, repeats: bool = False, key: Any = Qt.Key.Key_F) -> None:
    """A key event with a time stamp of the window system."""
    kind = QEvent.Type.KeyRelease if up else QEvent.Type.KeyPress
    event = Stroke(kind, key, Qt.KeyboardModifier.NoModifier, "f", repeats)
    event.at_ms = ms
    QApplication.sendEvent(canvas, event)


def test_a_repeat_that_qt_takes_for_a_stroke_is_dropped(
    canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    """Under X11 Qt now and then delivers a repeat as a real release and a real press at the same time."""
    _stroke(canvas, 1000)
    for ms in (1660, 1700, 1740):
        _stroke(canvas, ms, up=True)
        _stroke(canvas, ms)
    _stroke(canvas, 1780, up=True, repeats=True)
    _stroke(canvas, 1780, repeats=True)
    _stroke(canvas, 1800, up=True)
    assert len(_keys(handler)) == 1
    _stroke(canvas, 1900)
    assert len(_keys(handler)) == 2


def test_strokes_within_a_millisecond_are_strokes(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    """Qt flags the same key, typed by a program without a pause, as a repeat."""
    _stroke(canvas, 1000)
    for ms in (1000, 1001, 1001):
        _stroke(canvas, ms, up=True, repeats=True)
        _stroke(canvas, ms, repeats=True)
    assert len(_keys(handler)) == 4


def test_a_held_key_that_repeats_stays_held(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    _stroke(canvas, 1000, key=Qt.Key.Key_H)
    _stroke(canvas, 1660, key=Qt.Key.Key_H, up=True)
    _stroke(canvas, 1660, key=Qt.Key.Key_H)
    assert [released for _, _, released in _keys(handler)] == [False, True, False]


def test_what_is_hidden_by_a_key_comes_back_when_the_keyboard_goes(
    canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    """The release goes to whatever has the keyboard by then."""
    lost = QFocusEvent(QEvent.Type.FocusOut)
    QApplication.sendEvent(canvas, lost)
    assert _keys(handler) == []
    _stroke(canvas, 1000, key=Qt.Key.Key_H)
    QApplication.sendEvent(canvas, lost)
    assert _keys(handler) == [(Action.HIDE, None, False), (Action.HIDE, None, True)]


def test_a_combination_that_is_held_ends_whatever_goes_up_first(
    canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    canvas_filter.keymap = choose_keys(wishes={"hide": "Shift+Y"})
    QTest.keyPress(canvas, Qt.Key.Key_Y, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyRelease(canvas, Qt.Key.Key_Y, Qt.KeyboardModifier.NoModifier)
    assert _keys(handler) == [(Action.HIDE, None, False), (Action.HIDE, None, True)]
    assert canvas.reached == []


def test_the_keys_are_those_of_the_map(canvas: Canvas, handler: Any) -> None:
    keymap: KeyMap = choose_keys("left-qwerty", wishes={"flag": "Ctrl+K"})
    CanvasFilter(canvas, handler, keymap).active = True
    QTest.keyClick(canvas, Qt.Key.Key_D)
    QTest.keyClick(canvas, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(canvas, Qt.Key.Key_J)
    assert [action for action, _, _ in _keys(handler)] == [Action.BACKGROUND, Action.FLAG]
    assert canvas.reached == ["j"]


def test_other_keys_hold_at_once(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    canvas_filter.keymap = choose_keys(swap_answers=True)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert _keys(handler)[0][0] is Action.BACKGROUND


@pytest.mark.parametrize(
    ("key", "text", "scan_code", "shift", "action"),
    [
        (Qt.Key.Key_Minus, "-", 15, False, Action.CLASS),  # AZERTY: the key of the digit 6 gives a minus
        (Qt.Key.Key_Minus, "-", 20, False, Action.SMALLER),
        (Qt.Key.Key_Exclam, "!", 10, True, Action.ABSENT),
        (Qt.Key.Key_Plus, "+", 21, True, Action.LARGER),  # QWERTY: Shift and the key of the equals sign
        (Qt.Key.Key_Plus, "+", 35, False, Action.LARGER),  # QWERTZ: a key of its own
    ],
)
def test_digits_are_places_and_signs_are_signs(
    canvas: Canvas,
    canvas_filter: CanvasFilter,
    handler: Any,
    key: Any,
    text: str,
    scan_code: int,
    shift: bool,
    action: Action,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")  # scan codes are those of X11 and Wayland
    modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifier, scan_code, 0, 0, text)
    QApplication.sendEvent(canvas, event)
    assert _keys(handler)[0][0] is action


def test_menus_do_not_take_our_keys(canvas: Canvas, canvas_filter: CanvasFilter) -> None:
    ours = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier, "z")
    theirs = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier, "s")
    for event in (ours, theirs):
        event.ignore()
        QApplication.sendEvent(canvas, event)
    assert ours.isAccepted()
    assert not theirs.isAccepted()


def test_the_left_button_never_pans(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    QTest.mouseMove(canvas, QPoint(40, 30))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 30))
    pointer = handler.on_press.call_args.args[0]
    assert (pointer.x, pointer.y) == (20, 30)
    assert handler.on_release.call_args.args[0].x == 60
    handler.on_pan.assert_not_called()
    assert canvas.reached == []


def test_the_second_press_of_a_double_click_is_a_press(
    canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    assert handler.on_press.call_count == 2


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
def test_other_buttons_pan(qtbot: Any, canvas: Canvas, canvas_filter: CanvasFilter, handler: Any, button: Any) -> None:
    QTest.mousePress(canvas, button, pos=QPoint(20, 30))
    QTest.mouseMove(canvas, QPoint(50, 35))
    qtbot.waitUntil(lambda: handler.on_pan.called)
    QTest.mouseRelease(canvas, button, pos=QPoint(50, 35))
    assert handler.on_pan.call_args.args == (30, 5)
    handler.on_press.assert_not_called()


def test_turns_of_the_wheel_are_told_and_left_to_napari(
    canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    place = QPointF(20, 30)
    for _ in range(3):
        event = QWheelEvent(
            place, place, QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(canvas, event)
    assert [call.args[0] for call in handler.on_one_of_many.call_args_list] == ["wheel"] * 3
    assert canvas.reached == ["wheel"] * 3


def test_a_pan_is_told_from_its_press_to_its_release(
    qtbot: Any, canvas: Canvas, canvas_filter: CanvasFilter, handler: Any
) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.RightButton, pos=QPoint(20, 30))
    QTest.mouseMove(canvas, QPoint(50, 35))
    qtbot.waitUntil(lambda: handler.on_pan.called)
    QTest.mouseRelease(canvas, Qt.MouseButton.RightButton, pos=QPoint(50, 35))
    told = [call.args for call in handler.on_one_of_many.call_args_list]
    assert len(told) >= 3 and {kind for kind, _ in told} == {"pan"}
    assert [at_ns for _, at_ns in told] == sorted(at_ns for _, at_ns in told)


def test_space_makes_the_left_button_pan(qtbot: Any, canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    QTest.mouseMove(canvas, QPoint(10, 30))
    qtbot.waitUntil(lambda: handler.on_pan.called)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(10, 30))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    handler.on_press.assert_not_called()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    handler.on_press.assert_called_once()


def test_inactive_or_detached_it_sees_nothing(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    canvas_filter.active = False
    QTest.keyClick(canvas, Qt.Key.Key_F)
    canvas_filter.active = True
    canvas_filter.detach()
    QTest.keyClick(canvas, Qt.Key.Key_J)
    assert canvas.reached == ["f", "j"]
    handler.on_key.assert_not_called()


def test_times_never_run_backwards(canvas: Canvas, canvas_filter: CanvasFilter, handler: Any) -> None:
    for key in (Qt.Key.Key_F, Qt.Key.Key_J) * 2:
        QTest.keyClick(canvas, key)
    times = [call.args[0].at_ns for call in handler.on_key.call_args_list]
    assert times == sorted(times)
    assert len(set(times)) == 4


def test_shown_means_the_next_swap(canvas: Canvas) -> None:
    watch = FrameWatch(canvas)
    seen: list[tuple[int, bool]] = []
    canvas.frameSwapped.emit()
    watch.when_shown(lambda at_ns, swapped: seen.append((at_ns, swapped)))
    assert seen == []
    canvas.frameSwapped.emit()
    canvas.frameSwapped.emit()
    assert [swapped for _, swapped in seen] == [True]


def test_without_a_swap_the_paint_counts_and_is_flagged(qtbot: Any, canvas: Canvas) -> None:
    watch = FrameWatch(canvas)
    seen: list[bool] = []
    watch.when_shown(lambda _, swapped: seen.append(swapped))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [False]


def test_what_is_forgotten_is_never_shown(canvas: Canvas) -> None:
    watch = FrameWatch(canvas)
    seen: list[bool] = []
    watch.when_shown(lambda _, swapped: seen.append(swapped))
    watch.forget()
    canvas.frameSwapped.emit()
    assert seen == []


def test_what_is_painted_over_the_canvas_needs_no_new_picture_from_it(qtbot: Any, canvas: Canvas) -> None:
    over = QWidget(canvas)
    over.show()
    watch, updates, seen = FrameWatch(canvas), [], []
    canvas.update = lambda: updates.append(1)  # type: ignore[assignment, method-assign]
    watch.when_shown(lambda _, swapped: seen.append(swapped), over=over)
    assert updates == []
    qtbot.waitUntil(lambda: bool(seen))  # by its own paint, where no swap comes
    assert seen == [False]
    watch.when_shown(lambda _, swapped: seen.append(swapped))
    assert updates == [1]
