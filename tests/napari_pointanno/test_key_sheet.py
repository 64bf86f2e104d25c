from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRectF, Qt
from qtpy.QtGui import QFont, QImage, QRegion
from qtpy.QtWidgets import QWidget

from napari_pointanno.key_choice import DEFAULT_KEYS, choose_keys
from napari_pointanno.key_layouts import LAYOUTS
from napari_pointanno.key_sheet import GROUPS, SMALLEST, KeySheet, lay_out, sheet_lines
from napari_pointanno.keymap import Action

pytestmark = pytest.mark.gui

DIGITS_AND_SPACE = {Action.CLASS, Action.ABSENT, Action.SEARCH, Action.PAN}


@pytest.fixture
def font(qapp: Any) -> Iterator[QFont]:
    yield QFont("DejaVu Sans", 10)


def test_every_action_is_on_the_sheet() -> None:
    told = {action for _, lines in GROUPS for keys, _ in lines if not isinstance(keys, str) for action in keys}
    assert told | DIGITS_AND_SPACE == set(Action)


def test_the_sheet_says_the_keys_of_the_session() -> None:
    keymap = choose_keys("left-qwerty", wishes={"go_to": "none", "unsure": "F12"})
    lines = {line.meaning: line.keys for group in sheet_lines(keymap) for line in group}
    assert lines["object / background / unsure"] == "F / D / F12"
    assert lines["go to an image"] == "no key"
    assert lines["Answers"] == ""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("points", [8, 10, 13, 18])
def test_it_fits_a_small_window(font: QFont, layout: str, points: int) -> None:
    font.setPointSize(points)
    for width, height in ((1000, 700), (390, 600), (1000, 400)):
        area = QRectF(0, 0, width, height)
        found = lay_out(sheet_lines(choose_keys(layout)), area, font)
        assert found.fits
        assert area.contains(found.area)
        assert found.font.pointSizeF() >= SMALLEST


def test_letters_stay_as_they_are_in_a_window_of_1000_by_700(font: QFont) -> None:
    assert lay_out(sheet_lines(DEFAULT_KEYS), QRectF(0, 0, 1000, 700), font).font.pointSizeF() >= 9.5


def test_letters_follow_the_font_where_there_is_room(font: QFont) -> None:
    room = QRectF(0, 0, 2400, 1600)
    for points in (9, 16):
        font.setPointSize(points)
        assert lay_out(sheet_lines(DEFAULT_KEYS), room, font).font.pointSizeF() == pytest.approx(points, abs=0.5)


def test_columns_are_used_where_the_canvas_is_low(font: QFont) -> None:
    lines = sheet_lines(DEFAULT_KEYS)
    assert len(lay_out(lines, QRectF(0, 0, 500, 1400), font).columns) == 1
    wide = lay_out(lines, QRectF(0, 0, 1500, 420), font)
    assert len(wide.columns) > 1
    shown = [line for column in wide.columns for line in column]
    assert shown == [line for group in lines for line in group]  # all of them, in order


def test_too_small_a_canvas_shows_the_smallest(font: QFont) -> None:
    found = lay_out(sheet_lines(DEFAULT_KEYS), QRectF(0, 0, 60, 40), font)
    assert not found.fits
    assert found.font.pointSizeF() == SMALLEST


@pytest.fixture
def window(qtbot: Any) -> Iterator[QWidget]:
    """A window of 900 x 700 whose canvas is narrow and to the right."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    canvas = QWidget(made)
    canvas.setObjectName("canvas")
    canvas.setGeometry(700, 50, 150, 600)
    made.show()
    qtbot.waitExposed(made)
    yield made


def _sheet(window: QWidget) -> KeySheet:
    canvas = window.findChild(QWidget, "canvas")
    assert canvas is not None
    return KeySheet(canvas, DEFAULT_KEYS)


def test_it_lies_inside_the_window_and_follows_its_size(qtbot: Any, window: QWidget) -> None:
    sheet = _sheet(window)
    assert window.rect().contains(sheet.geometry())
    assert sheet.geometry().right() >= 850  # as near to the canvas as it can
    before = sheet.font().pointSizeF()
    window.resize(420, 380)
    qtbot.waitUntil(lambda: window.rect().contains(sheet.geometry()))
    assert sheet.font().pointSizeF() == before
    assert sheet.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    sheet.leave()
    assert not sheet.isVisible()


def test_it_shows_the_keys_and_reads_them_out(window: QWidget) -> None:
    sheet = _sheet(window)
    picture = _picture(sheet)
    bright = (picture[..., :3] > 200).any(axis=2) & (picture[..., 3] > 200)
    assert bright.sum() > 1000
    assert "F / J / U: object / background / unsure" in sheet.accessibleDescription()
    sheet.set_keymap(choose_keys("left-qwerty"))
    assert "F / D / S: object / background / unsure" in sheet.accessibleDescription()
    assert not np.array_equal(_picture(sheet)[:200, :200], picture[:200, :200])


def _picture(sheet: KeySheet) -> Any:
    image = QImage(sheet.size(), QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    sheet.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    memory = image.constBits()
    if hasattr(memory, "setsize"):  # PyQt does not know how much it is
        memory.setsize(image.sizeInBytes())
    return np.frombuffer(memory, np.uint8).reshape(image.height(), image.width(), 4).copy()
