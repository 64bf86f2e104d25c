from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton

from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._views.annotate_view import ClassRow, Now
from napari_pointanno._views.qt_annotate_view import QtAnnotateView
from napari_pointanno._views.qt_image_list import COUNT_ROLE, MARK_ROLE
from pointanno.project import Project

pytestmark = pytest.mark.gui

ROWS = [ClassRow(4, "car", True, (255, 0, 0), 2), ClassRow(9, "road", False, (0, 0, 255), absent=True)]


@pytest.fixture
def view(qtbot: Any) -> QtAnnotateView:
    made = QtAnnotateView()
    qtbot.addWidget(made.widget)
    made.widget.show()
    return made


def test_no_button_takes_the_keyboard(view: QtAnnotateView) -> None:
    buttons = view.widget.findChildren(QAbstractButton)
    ours = [button for button in buttons if button.objectName().startswith("pointanno_")]
    assert len(ours) > 8
    assert [button.objectName() for button in ours if button.focusPolicy() != Qt.FocusPolicy.NoFocus] == []


def test_every_button_says_what_it_wants(view: QtAnnotateView, project: Project) -> None:
    view.show_project("set", "/set.pointanno", ImagePages(project))
    view.show_now(Now(can_undo=True, can_redo=True))
    seen: list[str] = []
    for name in ("undo", "redo", "done", "next", "previous", "unlabelled", "keys", "demo"):
        getattr(view, f"{name}_requested").connect(lambda name=name: seen.append(name))
        getattr(view, name).click()
    assert seen == ["undo", "redo", "done", "next", "previous", "unlabelled", "keys", "demo"]


def test_classes(view: QtAnnotateView, project: Project) -> None:
    view.show_project("set", "/set.pointanno", ImagePages(project))
    view.show_classes(ROWS, 9)
    assert view.classes.list.currentRow() == 1
    chosen: list[int] = []
    view.category_chosen.connect(chosen.append)
    view.classes.search.setText("CA")
    QTest.keyClick(view.classes.search, Qt.Key.Key_Return)
    assert chosen == [4]
    assert view.classes.search.text() == ""


def test_escape_leaves_a_line(view: QtAnnotateView, project: Project) -> None:
    view.show_project("set", "/set.pointanno", ImagePages(project))
    left: list[bool] = []
    view.left.connect(lambda: left.append(True))
    QTest.keyClick(view.classes.search, Qt.Key.Key_Escape)
    view.show_form("open")
    QTest.keyClick(view.open_form.project.line, Qt.Key.Key_Escape)
    assert left == [True, True]
    assert not view.open_form.isVisible()


def test_the_image_list(view: QtAnnotateView, project: Project) -> None:
    pages = ImagePages(project)
    view.show_project("set", "/set.pointanno", pages)
    first = project.images()[0]
    project.record("click", {"uid": "0" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=first.id)
    pages.refresh(0)
    pages.unreadable.add(project.images()[2].id)
    view.show_row(1, 1, 3)
    model = view.images.images
    assert [model.index(row, 0).data(MARK_ROLE) for row in range(3)] == ["•", "▶", "!"]
    assert model.index(0, 0).data(COUNT_ROLE) == "1 pts"
    rows: list[int] = []
    view.row_chosen.connect(rows.append)
    view.images.clicked.emit(model.index(2, 0))
    assert rows == [2]
    assert "80 x 60" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_lights(view: QtAnnotateView) -> None:
    view.show_saved("saved 12:00:00", True)
    good = view._saved.styleSheet()
    view.show_saved("not saved", False)
    assert view._saved.styleSheet() != good
    view.show_keyboard(False)
    assert "click the picture" in view._keyboard.text()


def test_pasted_paths_are_cleaned(view: QtAnnotateView) -> None:
    view.show_form("new")
    created: list[tuple[str, str]] = []
    view.new_requested.connect(lambda images, project: created.append((images, project)))
    QTest.keyClick(view.new_form.images.line, Qt.Key.Key_Return)
    assert created == []
    view.new_form.images.line.setText(" file:///data/images ")
    QTest.keyClick(view.new_form.images.line, Qt.Key.Key_Return)
    assert created == [("/data/images", "")]
