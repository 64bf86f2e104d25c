from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QAbstractItemModelTester, QTest

from napari_pointanno._models.image_pages import PAGE, ImagePages
from napari_pointanno._views.qt_image_list import (
    ATTENTION_ROLE,
    COUNT_ROLE,
    MARK_ROLE,
    SHOWN_ROLE,
    ImageList,
    ImageListModel,
)
from pointanno.project import Project, ProjectImage
from pointanno.project.image_list import ImageFilter

pytestmark = pytest.mark.gui


class _Many(ImagePages):
    """A hundred thousand rows out of three; remembers which were asked for."""

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self.asked: set[int] = set()

    def __len__(self) -> int:
        return 100_000

    def row(self, index: int) -> ProjectImage:
        self.asked.add(index)
        return super().row(index % 3)

    def is_guest(self, index: int) -> bool:
        return False


@pytest.fixture
def images(qtbot: Any, project: Project) -> ImageList:
    made = ImageList()
    qtbot.addWidget(made)
    made.resize(300, 400)
    made.show()
    return made


def _texts(model: ImageListModel, role: int) -> list[Any]:
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def test_a_row_says_what_it_knows(images: ImageList, project: Project) -> None:
    first, second, third = project.images()
    project.record("click", {"uid": "0" * 32, "category_id": 1, "x": 1, "y": 1}, image_id=first.id)
    project.record("complete", {"things": True, "stuff": True}, image_id=second.id)
    project.record("flag", {"flagged": True}, image_id=second.id)
    pages = ImagePages(project)
    pages.unreadable.add(third.id)
    images.images.set_pages(pages)
    images.show_row(1)
    model = images.images
    assert _texts(model, int(Qt.ItemDataRole.DisplayRole)) == ["a.png", "b.png", "c.png"]
    assert [mark.symbol for mark in _texts(model, MARK_ROLE)] == ["•", "✓", "!"]
    assert [mark.symbol for mark in _texts(model, ATTENTION_ROLE)] == ["", "⚑", ""]
    assert _texts(model, COUNT_ROLE) == ["1 pt", "", ""]
    assert _texts(model, SHOWN_ROLE) == [False, True, False]
    spoken = _texts(model, int(Qt.ItemDataRole.AccessibleTextRole))
    assert spoken == [
        "a.png, in progress, 1 pt",
        "b.png, complete: things and stuff, 1 flag",
        "c.png, this picture cannot be read",
    ]
    assert "80 x 60 pixels" in model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_the_model_keeps_qt_informed(images: ImageList, project: Project) -> None:
    """Qt's own tester fails a test as soon as rows change without being announced."""
    model = images.images
    _ = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    pages = ImagePages(project)
    model.set_pages(pages)
    first, second, third = project.images()
    images.show_row(2)
    project.record("flag", {"flagged": True}, image_id=first.id)
    pages.select(ImageFilter(attention="flagged"), keep=third)
    assert (model.rowCount(), model.shown) == (2, -1)
    images.show_row(1)
    assert pages.let_in(second.id) == 1
    assert (model.rowCount(), model.shown) == (3, 2), "the row that is shown moved down"
    assert pages.let_go(second)
    assert (model.rowCount(), model.shown) == (2, 1)
    assert pages.let_go(third)
    assert (model.rowCount(), model.shown) == (1, -1)
    model.set_pages(None)
    pages.select(ImageFilter(), keep=None)
    assert model.rowCount() == 0, "the former pages are not listened to any more"


def test_only_visible_rows_are_asked_for(qtbot: Any, images: ImageList, project: Project) -> None:
    pages = _Many(project)
    images.images.set_pages(pages)
    QTest.qWait(50)
    images.grab()
    assert pages.asked and max(pages.asked) < PAGE
    pages.asked.clear()
    images.show_row(50_000)
    images.grab()
    assert len(pages.asked) < 60
    assert all(abs(row - 50_000) < 60 for row in pages.asked if row > 60)
    pages.asked.clear()
    images.images.refresh(50_000)
    images.images.refresh_all()
    images.grab()
    assert len(pages.asked) < 60, "a change of a row, or of all, reads what is visible"


def test_rows_are_as_high_as_the_font(images: ImageList, project: Project) -> None:
    images.images.set_pages(ImagePages(project))
    before = images.rowHeight(0)
    font = images.font()
    font.setPointSize(font.pointSize() * 2)
    images.setFont(font)
    assert images.rowHeight(0) > 1.5 * before


def test_a_click_says_the_row_and_takes_no_keyboard(images: ImageList, project: Project) -> None:
    images.images.set_pages(ImagePages(project))
    rows: list[int] = []
    images.row_clicked.connect(rows.append)
    rect = images.visualRect(images.images.index(2, 0))
    QTest.mouseClick(images.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.center()))
    assert rows == [2]
    assert images.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert not images.hasFocus()
