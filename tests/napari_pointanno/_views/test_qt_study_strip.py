"""The line of the dock about a study, and what it puts away."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_pointanno._views.annotate_view import StudyState
from napari_pointanno._views.qt_study_strip import BEGIN, LEAVE, StudyStrip

pytestmark = pytest.mark.gui


def test_what_is_locked_is_put_away_and_comes_back_as_it_was(qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    strip, seen, closed, free = StudyStrip(), QLabel("seen"), QLabel("closed"), QLabel("free")
    for widget in (strip, seen, closed, free):
        layout.addWidget(widget)
    closed.hide()
    strip.locks(seen, closed)
    window.show()
    for _ in range(2):
        assert strip.button.text() == BEGIN and seen.isVisible() and not closed.isVisible()
        strip.show_study(StudyState(True, "block 1 of 2"))
        strip.show_study(StudyState(True, "block 2 of 2"))
        assert strip.text.text() == "block 2 of 2" and strip.button.text() == LEAVE
        assert not seen.isVisible() and not closed.isVisible() and free.isVisible()
        words = strip.button.fontMetrics().horizontalAdvance(LEAVE)
        assert strip.button.minimumWidth() > words, "its words are not cut"
        strip.show_study(StudyState())


def test_the_button_asks_and_never_takes_the_keyboard(qtbot: Any) -> None:
    strip = StudyStrip()
    qtbot.addWidget(strip)
    pressed: list[bool] = []
    strip.pressed.connect(lambda: pressed.append(True))
    QTest.mouseClick(strip.button, Qt.MouseButton.LeftButton)
    assert pressed == [True] and strip.button.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert strip.button.accessibleName() and strip.button.toolTip()
