from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pointanno._models.reasons import FLAG_REASONS, reason_strip
from napari_pointanno._views.qt_image_facts import CompleteBoxes, ReasonStrip

pytestmark = pytest.mark.gui


def test_boxes_say_both_and_follow_what_holds(qtbot: Any) -> None:
    boxes = CompleteBoxes()
    qtbot.addWidget(boxes)
    wanted: list[tuple[bool, bool]] = []
    boxes.chosen.connect(lambda things, stuff: wanted.append((things, stuff)))
    boxes.things.click()
    boxes.show_complete(True, True)
    boxes.things.click()
    assert wanted == [(True, False), (False, True)], "telling them something is no wish"
    for box in (boxes.things, boxes.stuff):
        assert box.focusPolicy() == Qt.FocusPolicy.NoFocus
        assert box.toolTip() and box.accessibleName()


def test_a_strip_offers_its_digits_and_goes(qtbot: Any) -> None:
    strip = ReasonStrip()
    qtbot.addWidget(strip)
    assert strip.isHidden()
    asked = reason_strip("Why?", FLAG_REASONS, default="no reason", take_back="no flag")
    strip.show_strip(asked)
    assert strip.isVisible()
    assert [button.text()[0] for button in strip.buttons] == ["1", "2", "3", "4", "5", "6", "9", "0"]
    assert all(button.focusPolicy() == Qt.FocusPolicy.NoFocus for button in strip.buttons)
    digits: list[int] = []
    strip.digit_chosen.connect(digits.append)
    strip.buttons[1].click()
    strip.buttons[-1].click()
    assert digits == [2, 0]
    strip.show_strip(None)
    assert not strip.isVisible() and strip.buttons == []
    assert asked.text() == (
        "Why?   1 class unclear   2 border unclear   3 too small or hidden   4 several objects in one   "
        "5 picture is bad   6 ask somebody   9 other…   0 no flag   Esc"
    )


def test_a_reason_is_typed_or_left(qtbot: Any) -> None:
    strip = ReasonStrip()
    qtbot.addWidget(strip)
    strip.show_strip(reason_strip("Why?", FLAG_REASONS, default=""))
    strip.activateWindow()
    assert not strip.line.isVisible()
    strip.ask_words()
    qtbot.waitUntil(strip.line.hasFocus)
    given: list[str] = []
    left: list[bool] = []
    strip.words_given.connect(given.append)
    strip.left.connect(lambda: left.append(True))
    QTest.keyClicks(strip.line, "odd")
    QTest.keyClick(strip.line, Qt.Key.Key_Return)
    QTest.keyClick(strip.line, Qt.Key.Key_Escape)
    assert (given, left) == (["odd"], [True])
