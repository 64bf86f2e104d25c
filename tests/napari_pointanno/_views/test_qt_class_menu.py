from __future__ import annotations

from typing import Any

import pytest

from napari_pointanno._views.annotate_view import ClassRow
from napari_pointanno._views.qt_class_menu import ClassMenu

pytestmark = pytest.mark.gui


def test_a_single_class_can_neither_move_nor_merge(qtbot: Any) -> None:
    from qtpy.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    menu = ClassMenu(parent, ClassRow(1, "car", True, (1, 2, 3)), 0, 1)
    enabled = {name for name, action in menu.entries.items() if action.isEnabled()}
    assert not enabled & {"up", "down", "merge"}
    assert {"rename", "color", "kind", "delete", "file", "digit1", "digit9"} <= enabled
    assert menu.accessibleName() == "Change car"


def test_without_a_class_files_can_be_read(qtbot: Any) -> None:
    from qtpy.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    menu = ClassMenu(parent, None, -1, 0)
    assert list(menu.entries) == ["file"]
    said: list[str] = []
    menu.chosen.connect(said.append)
    menu.cancelled.connect(lambda: said.append("cancelled"))
    menu.popup(parent.pos())
    menu.entries["file"].trigger()
    menu.close()
    qtbot.wait(1)
    assert said == ["file"]
    other = ClassMenu(parent, None, -1, 0)
    other.cancelled.connect(lambda: said.append("cancelled"))
    other.popup(parent.pos())
    other.close()
    qtbot.waitUntil(lambda: said == ["file", "cancelled"])
