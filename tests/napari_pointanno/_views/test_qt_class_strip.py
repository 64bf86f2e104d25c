from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from napari_pointanno._views.annotate_view import Choice, ClassQuestion
from napari_pointanno._views.qt_class_strip import COLUMNS, ClassStrip

pytestmark = pytest.mark.gui

WORDS = ClassQuestion(
    "34 clicks on 12 images would be deleted.",
    (Choice("delete", "Delete & go"), Choice("merge", "Merge instead"), Choice("", "Cancel")),
    2,
)
COLORS = ClassQuestion(
    "Colour",
    (
        *(Choice(str(n), f"colour {n}", (n, n, n)) for n in range(COLUMNS + 2)),
        Choice("other", "Other"),
        Choice("", "No"),
    ),
)


@pytest.fixture
def strip(qtbot: Any) -> Iterator[ClassStrip]:
    window = QWidget()
    qtbot.addWidget(window)
    made, other = ClassStrip(), QLineEdit()
    other.setObjectName("other")
    layout = QVBoxLayout(window)
    layout.addWidget(made)
    layout.addWidget(other)
    window.resize(300, 300)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    yield made


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ([Qt.Key.Key_Return], ""),
        ([Qt.Key.Key_Up, Qt.Key.Key_Return], "merge"),
        ([Qt.Key.Key_Tab, Qt.Key.Key_Space], "delete"),
        ([Qt.Key.Key_1], "delete"),
        ([Qt.Key.Key_2], "merge"),
        ([Qt.Key.Key_9, Qt.Key.Key_Escape], ""),
        ([Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Enter], "delete"),
    ],
)
def test_answers_by_keys(strip: ClassStrip, keys: list[Qt.Key], answer: str) -> None:
    answers: list[str] = []
    strip.answered.connect(answers.append)
    strip.ask(WORDS)
    assert strip.hasFocus() and strip.asks
    for key in keys:
        QTest.keyClick(strip, key)
    assert answers == [answer]
    assert not strip.isVisible()


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ([Qt.Key.Key_Right], "1"),
        ([Qt.Key.Key_Down], str(COLUMNS)),
        ([Qt.Key.Key_Down, Qt.Key.Key_Down], "other"),
        ([Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down], ""),
        ([Qt.Key.Key_Left], ""),
        ([Qt.Key.Key_Down, Qt.Key.Key_Up], "0"),
    ],
)
def test_swatches_are_a_grid(strip: ClassStrip, keys: list[Qt.Key], answer: str) -> None:
    answers: list[str] = []
    strip.answered.connect(answers.append)
    strip.ask(COLORS)
    for key in keys:
        QTest.keyClick(strip, key)
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert answers == [answer]


def test_buttons_say_what_they_are_and_take_no_keyboard(strip: ClassStrip) -> None:
    for question in (WORDS, COLORS):
        strip.ask(question)
        for choice in question.choices:
            button = strip.buttons[choice.name]
            assert button.accessibleName() == choice.text
            assert button.toolTip() and button.objectName().startswith("pointanno_class_")
            assert button.focusPolicy() == Qt.FocusPolicy.NoFocus
    strip.ask(WORDS)
    assert strip.buttons["delete"].text() == "Delete && go", "no letter is underlined"
    assert strip.accessibleDescription() == WORDS.text


def test_who_goes_on_elsewhere_answers_nothing(strip: ClassStrip) -> None:
    answers: list[str] = []
    strip.answered.connect(answers.append)
    strip.dropped.connect(lambda: answers.append("dropped"))
    strip.ask(WORDS)
    other = strip.window().findChild(QLineEdit, "other")
    assert other is not None
    QTest.mouseClick(other, Qt.MouseButton.LeftButton)
    assert answers == ["dropped"]
    assert other.hasFocus()
    assert not strip.isVisible() and not strip.asks


def test_a_note_asks_nothing(strip: ClassStrip) -> None:
    strip.ask(WORDS)
    strip.show_note("taken")
    assert strip.isVisible() and not strip.asks and strip.buttons == {}
    strip.show_note("")
    assert not strip.isVisible()
