from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractItemView, QWidget

from napari_pointanno._views.annotate_view import ClassRow
from napari_pointanno._views.qt_class_model import ClassDelegate, ClassModel
from napari_pointanno._views.qt_class_view import LEAST_ROWS, ClassView, SearchLine

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("points", [9, 18])
def test_some_rows_are_always_seen(qtbot: Any, points: int) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    view, model = ClassView(parent), ClassModel(parent)
    model.set_rows([ClassRow(number, f"class {number}", True, (1, 2, 3)) for number in range(20)])
    view.setModel(model)
    view.setItemDelegate(ClassDelegate(view))
    font = view.font()
    font.setPointSize(points)
    view.setFont(font)
    assert view.minimumSizeHint().height() >= LEAST_ROWS * view.sizeHintForRow(0)
    assert view.sizeHint() == view.minimumSizeHint()


def test_rows_are_dragged_and_never_typed_into(qtbot: Any) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    view = ClassView(parent)
    assert view.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert view.dragDropMode() == QAbstractItemView.DragDropMode.InternalMove
    assert view.editTriggers() == QAbstractItemView.EditTrigger.NoEditTriggers


def test_keys_of_the_search_line(qtbot: Any) -> None:
    line = SearchLine()
    qtbot.addWidget(line)
    line.show()
    said: list[Any] = []
    line.moved.connect(lambda step: said.append(("moved", step)))
    line.shifted.connect(lambda step: said.append(("shifted", step)))
    line.rename_wanted.connect(lambda: said.append("rename"))
    line.menu_wanted.connect(lambda: said.append("menu"))
    line.escaped.connect(lambda: said.append("escaped"))
    alt, shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
    for key, modifier in (
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Up, alt),
        (Qt.Key.Key_F2, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Menu, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F10, shift),
        (Qt.Key.Key_F10, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
    ):
        QTest.keyClick(line, key, modifier)
    QTest.keyClicks(line, "car 2")
    assert said == [("moved", 1), ("shifted", -1), "rename", "menu", "menu", "escaped"]
    assert line.text() == "car 2"
