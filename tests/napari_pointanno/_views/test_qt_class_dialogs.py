from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_pointanno._views.annotate_view import ClassRow
from napari_pointanno._views.qt_class_dialogs import ask_for_file, color_question
from pointanno.project.palette import NAMED_COLORS, PALETTE


def test_colours_that_others_have_come_last_and_are_named() -> None:
    rows = [ClassRow(1, "car", True, PALETTE[0]), ClassRow(2, "road", False, PALETTE[3])]
    asked = color_question(rows[1], rows)
    swatches = [choice for choice in asked.choices if choice.color is not None]
    assert len(swatches) == len(NAMED_COLORS)
    assert swatches[-1].text == "orange (car)"
    assert swatches[-1].color == PALETTE[0]
    assert asked.choices[asked.preferred].color == PALETTE[3]
    assert [choice.name for choice in asked.choices[-2:]] == ["other", ""]
    assert color_question(ClassRow(3, "x", True, (1, 1, 1)), rows).preferred == 0


@pytest.mark.gui
def test_a_file_is_asked_for_without_stopping_the_window(qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("car")
    parent = QWidget()
    qtbot.addWidget(parent)
    said: list[Any] = []
    ask_for_file(parent, lambda name, is_open: said.append((name, is_open)), said.append)
    (dialog,) = parent.findChildren(QFileDialog)
    assert said == [("class file", True)]
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile(str(path))
    dialog.accept()
    assert said == [("class file", True), str(path), ("class file", False)]
    qtbot.waitUntil(lambda: not parent.findChildren(QFileDialog))
    said.clear()
    ask_for_file(parent, lambda name, is_open: said.append((name, is_open)), said.append)
    parent.findChildren(QFileDialog)[0].reject()
    assert said == [("class file", True), ("class file", False)]
