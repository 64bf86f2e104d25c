from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication

from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._models.reasons import Strip
from napari_pointanno._views.annotate_view import ClassRow, Now
from napari_pointanno._views.qt_annotate_view import QtAnnotateView
from pointanno.project import Project
from pointanno.project.image_list import ImageFilter

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
    assert view.classes.list.currentIndex().row() == 1
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


def test_what_is_said_about_images(view: QtAnnotateView, project: Project) -> None:
    view.show_project("set", "/set.pointanno", ImagePages(project))
    said: list[Any] = []
    view.row_chosen.connect(said.append)
    view.filter_chosen.connect(said.append)
    view.image_sought.connect(said.append)
    view.complete_chosen.connect(lambda things, stuff: said.append((things, stuff)))
    view.strip_digit.connect(said.append)
    view.images.clicked.emit(view.images.images.index(2, 0))
    view.image_panel.search.setText("c")
    QTest.keyClick(view.image_panel.search, Qt.Key.Key_Return)
    view.complete.stuff.click()
    view.show_strip(Strip("Why?", ((1, "dark"),)))
    view.strip.buttons[0].click()
    assert said == [2, ImageFilter(text="c"), "c", (False, True), 1]
    view.show_now(Now(answered=1, complete_things=True, note="flagged: odd"))
    assert (view.complete.things.isChecked(), view.complete.stuff.isChecked()) == (True, False)
    assert view._answered.text() == "1 point · flagged: odd"


def test_a_drop_is_passed_on(view: QtAnnotateView, tmp_path: Path) -> None:
    dropped: list[str] = []
    view.dropped.connect(dropped.append)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(view.widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(view.widget, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, left, none))
    assert dropped == [str(tmp_path)]


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
