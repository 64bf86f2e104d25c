from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pointanno._models.image_filters import CHOICES
from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._views.qt_image_panel import ImagePanel
from napari_pointanno.key_choice import DEFAULT_KEYS
from pointanno.project import Project
from pointanno.project.image_list import EVERY_IMAGE, ImageFilter

pytestmark = pytest.mark.gui


class _Listener:
    def __init__(self, panel: ImagePanel) -> None:
        self.filters: list[ImageFilter] = []
        self.sought: list[str] = []
        self.left = 0
        panel.filter_chosen.connect(self.filters.append)
        panel.sought.connect(self.sought.append)
        panel.left.connect(self._on_left)

    def _on_left(self) -> None:
        self.left += 1


@pytest.fixture
def panel(qtbot: Any, project: Project) -> ImagePanel:
    made = ImagePanel()
    qtbot.addWidget(made)
    made.set_pages(ImagePages(project))
    made.show_keys(DEFAULT_KEYS)
    made.show()
    made.activateWindow()
    return made


def test_typing_filters_after_a_pause(qtbot: Any, panel: ImagePanel) -> None:
    heard = _Listener(panel)
    panel.focus_search()
    QTest.keyClicks(panel.search, "b.p")
    assert heard.filters == []
    qtbot.waitUntil(lambda: heard.filters == [ImageFilter(text="b.p")])


def test_enter_does_not_wait(panel: ImagePanel) -> None:
    heard = _Listener(panel)
    panel.focus_search()
    QTest.keyClicks(panel.search, "c")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert (heard.filters, heard.sought) == ([ImageFilter(text="c")], ["c"])
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert heard.sought == ["c", "c"], "the same again is no other filter, but goes there again"
    assert len(heard.filters) == 1


def test_escape_takes_back_what_was_typed(qtbot: Any, panel: ImagePanel) -> None:
    heard = _Listener(panel)
    panel.show_filter(ImageFilter(text="png"))
    panel.focus_search()
    qtbot.waitUntil(panel.search.hasFocus)
    QTest.keyClicks(panel.search, "zebra")
    qtbot.waitUntil(lambda: len(heard.filters) == 1)
    QTest.keyClick(panel.search, Qt.Key.Key_Escape)
    assert heard.filters == [ImageFilter(text="zebra"), ImageFilter(text="png")]
    assert (panel.search.text(), heard.left, heard.sought) == ("png", 1, [])


def test_a_number_does_not_filter(panel: ImagePanel) -> None:
    heard = _Listener(panel)
    panel.focus_search()
    QTest.keyClicks(panel.search, "#2")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert (heard.filters, heard.sought) == ([], ["#2"])


def test_the_cross_of_the_line_ends_the_search(panel: ImagePanel) -> None:
    panel.show_filter(ImageFilter(text="c"))
    heard = _Listener(panel)
    panel.search.clearFocus()
    panel.search.clear()
    assert heard.filters == [EVERY_IMAGE]


def test_arrows_choose_a_filter_without_the_mouse(panel: ImagePanel) -> None:
    heard = _Listener(panel)
    panel.focus_search()
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(panel.search, key)
    assert heard.filters == [CHOICES[1].where, CHOICES[2].where, CHOICES[1].where]


def test_the_list_of_filters_has_numbers_while_it_is_open(panel: ImagePanel, project: Project) -> None:
    project.record("flag", {"flagged": True}, image_id=project.images()[0].id)
    panel.filter.opened.emit()
    texts = [panel.filter.itemText(row) for row in range(panel.filter.count())]
    assert texts[:2] == ["all images  (3)", "unlabelled  (3)"]
    assert "flagged  (1)" in texts
    panel.filter.closed.emit()
    assert panel.filter.itemText(0) == "all images"
    heard = _Listener(panel)
    panel.filter.setCurrentIndex(1)
    panel.filter.activated.emit(1)
    assert heard.filters == [ImageFilter(state="unlabelled")]


def test_image_sets_are_offered_where_there_are_any(panel: ImagePanel, project: Project) -> None:
    assert not panel.sets.isVisible()
    project.set_protocol("street", "single_point", [project.images()[0].id])
    panel.refresh_sets()
    assert panel.sets.isVisible()
    assert [panel.sets.itemText(row) for row in range(panel.sets.count())] == ["all sets", "street", "no set"]
    heard = _Listener(panel)
    for row in (1, 2):
        panel.sets.setCurrentIndex(row)
        panel.sets.activated.emit(row)
    assert heard.filters == [ImageFilter(image_set="street"), ImageFilter(image_set=None)]
    panel.show_filter(ImageFilter(image_set="street", state="complete"))
    assert (panel.sets.currentText(), panel.filter.currentText()) == ("street", "complete")


def test_the_heading_counts_what_is_listed(panel: ImagePanel, project: Project) -> None:
    pages = panel.list.images.pages
    assert pages is not None
    panel.show_row(1, 1, 3)
    assert panel.heading.text() == "Images 2/3"
    assert (panel.progress.value(), panel.progress.maximum()) == (1, 3)
    pages.select(ImageFilter(text="c.png"), keep=project.images()[0])
    panel.show_row(0, 1, 3)
    assert panel.heading.text() == "Images -/1 of 3"
    panel.show_row(1, 1, 3)
    assert panel.heading.text() == "Images 1/1 of 3"


def test_every_control_has_a_name_and_a_tip_and_only_the_line_takes_keys(panel: ImagePanel) -> None:
    for control in (panel.previous, panel.next, panel.unlabelled, panel.filter, panel.sets, panel.list):
        assert control.objectName().startswith("pointanno_")
        assert control.accessibleName()
        assert control.focusPolicy() == Qt.FocusPolicy.NoFocus
    for titled in (panel.previous, panel.next, panel.unlabelled, panel.filter, panel.sets, panel.search):
        assert titled.toolTip()
    assert panel.search.placeholderText() == "search image  (G)"
