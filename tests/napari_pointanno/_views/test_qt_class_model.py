from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from napari_pointanno._views.annotate_view import ClassRow
from napari_pointanno._views.qt_class_model import ROW_ROLE, ClassDelegate, ClassModel

pytestmark = pytest.mark.gui

ROWS = [ClassRow(4, "car", True, (255, 0, 0), 2, digit=1), ClassRow(9, "road", False, (255, 0, 0), absent=True)]


def test_the_model_keeps_qt_s_rules(qtbot: Any, qtmodeltester: Any) -> None:
    model = ClassModel()
    model.set_rows(ROWS)
    qtmodeltester.check(model)


def test_only_what_changed_is_painted_again() -> None:
    model = ClassModel()
    seen: list[tuple[str, int]] = []
    model.modelReset.connect(lambda: seen.append(("reset", 0)))
    model.dataChanged.connect(lambda first, last: seen.append(("rows", first.row())))
    assert model.set_rows(ROWS)
    assert not model.set_rows(list(ROWS))
    assert not model.set_rows([ROWS[0], ClassRow(9, "street", False, (255, 0, 0))])
    assert model.set_rows(list(reversed(ROWS)))
    assert seen == [("reset", 0), ("rows", 1), ("reset", 0)]


def test_rows_are_spoken() -> None:
    model = ClassModel()
    model.set_rows(ROWS)
    words = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert words == ["car, thing, key 1, 2 on this image", "road, stuff, absent on this image"]
    assert model.index(0, 0).data(ROW_ROLE) == ROWS[0]
    assert model.index(5, 0).data() is None


def test_what_cannot_be_picked_is_dead() -> None:
    model = ClassModel()
    model.set_rows(ROWS)
    assert model.index(1, 0).flags() & Qt.ItemFlag.ItemIsDragEnabled
    model.allow(frozenset({4}))
    assert not model.index(1, 0).flags() & Qt.ItemFlag.ItemIsEnabled
    assert not model.index(0, 0).flags() & Qt.ItemFlag.ItemIsDragEnabled
    model.allow(None)
    assert model.index(1, 0).flags() & Qt.ItemFlag.ItemIsEnabled


def _painted(widget: QWidget, row: ClassRow, points: int, width: int = 280, *, selected: bool = False) -> Any:
    """RGB pixels of one row, and its height."""
    font = widget.font()
    font.setPointSize(points)
    widget.setFont(font)
    option = QStyleOptionViewItem()
    option.initFrom(widget)
    option.font, option.fontMetrics = font, widget.fontMetrics()
    delegate, model = ClassDelegate(), ClassModel()
    model.set_rows([row])
    height = delegate.sizeHint(option, model.index(0, 0)).height()
    option.rect = QRect(0, 0, width, height)
    if selected:
        option.state |= QStyle.StateFlag.State_Selected
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    delegate.paint(painter, option, model.index(0, 0))
    painter.end()
    memory = image.constBits()
    if hasattr(memory, "setsize"):  # PyQt does not know how much it is
        memory.setsize(image.sizeInBytes())
    pixels = np.frombuffer(memory, np.uint8).reshape(height, image.bytesPerLine() // 4, 4)
    return pixels[:, :width, 2::-1].copy()


@pytest.mark.parametrize("points", [9, 18, 30])
def test_stuff_is_hatched_and_everything_grows_with_the_font(qtbot: Any, points: int) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    thing = _painted(widget, ClassRow(1, "x", True, (255, 0, 0)), points)
    stuff = _painted(widget, ClassRow(1, "x", False, (255, 0, 0)), points)
    pure = [int((pixels == (255, 0, 0)).all(axis=2).sum()) for pixels in (thing, stuff)]
    side = widget.fontMetrics().ascent()
    assert pure[0] == pytest.approx(side * side, rel=0.3)
    assert 0 < pure[1] < 0.9 * pure[0]


@pytest.mark.parametrize("name", ["very long name " * 30, "اسم طويل جدا " * 30, "名" * 200, "a\nb\tc", "🚲" * 50])
def test_no_name_is_painted_over_kind_and_count(qtbot: Any, name: str) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    short = _painted(widget, ClassRow(1, "", True, (255, 0, 0), 12), 10)
    long = _painted(widget, ClassRow(1, name, True, (255, 0, 0), 12), 10)
    metrics = widget.fontMetrics()
    right = max(metrics.horizontalAdvance("absent"), metrics.horizontalAdvance("99999"))
    right += metrics.horizontalAdvance("thing") + 12
    assert (short[:, -right:] == long[:, -right:]).all()
    assert (short != long).any()


def test_the_selected_row_differs(qtbot: Any) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    assert (_painted(widget, ROWS[0], 10) != _painted(widget, ROWS[0], 10, selected=True)).any()
