from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QToolTip

from napari_pointanno._views.annotate_view import Choice, ClassQuestion, ClassRow
from napari_pointanno._views.qt_class_list import ClassList

pytestmark = pytest.mark.gui

ROWS = [
    ClassRow(4, "carpet", True, (255, 0, 0), 2, digit=1),
    ClassRow(9, "road", False, (0, 0, 255), absent=True, digit=2),
    ClassRow(7, "car", True, (0, 255, 0), digit=3),
]
SIGNALS = (
    "chosen picked added unknown renamed color_chosen kind_chosen digit_chosen reordered merge_wanted delete_wanted "
    "file_chosen use_wanted answered dialog_opened dialog_closed"
).split()


class Person:
    """The list in a window beside a line that stands for the canvas, and what the list said."""

    def __init__(self, classes: ClassList, canvas: QLineEdit) -> None:
        self.classes, self.canvas = classes, canvas
        self.said: list[tuple[Any, ...]] = []
        for name in SIGNALS:
            getattr(classes, name).connect(lambda *values, name=name: self.said.append((name, *values)))
        classes.left.connect(canvas.setFocus)

    def key(self, widget: Any, key: Qt.Key, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(widget, key, modifier)

    def rect(self, number: int) -> QPoint:
        return self.classes.list.visualRect(self.classes.model.index(number, 0)).center()

    def click(self, number: int) -> None:
        QTest.mouseClick(self.classes.list.viewport(), Qt.MouseButton.LeftButton, pos=self.rect(number))

    def take(self) -> list[tuple[Any, ...]]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def person(qtbot: Any) -> Iterator[Person]:
    from qtpy.QtWidgets import QVBoxLayout, QWidget

    window = QWidget()
    qtbot.addWidget(window)
    canvas, classes = QLineEdit(), ClassList()
    layout = QVBoxLayout(window)
    layout.addWidget(canvas)
    layout.addWidget(classes)
    window.resize(320, 400)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    classes.show_rows(ROWS, 9)
    canvas.setFocus()
    yield Person(classes, canvas)


def test_the_current_class_is_marked(person: Person) -> None:
    assert person.classes.list.currentIndex().row() == 1
    person.classes.show_rows(ROWS, 7)
    assert person.classes.list.currentIndex().row() == 2
    person.classes.show_rows(ROWS[:2], None)
    assert not person.classes.list.currentIndex().isValid()
    assert person.classes.list.selectedIndexes() == []


def test_a_click_chooses_and_leaves_the_keyboard_alone(person: Person) -> None:
    person.click(0)
    assert person.take() == [("chosen", 4)]
    assert person.canvas.hasFocus()


def test_the_search_marks_what_enter_takes(person: Person) -> None:
    search = person.classes.search
    person.classes.focus_search()
    QTest.keyClicks(search, "car")
    assert [person.classes.list.isRowHidden(number) for number in range(3)] == [False, True, False]
    assert person.classes.list.currentIndex().row() == 2, "the very name goes before one that begins so"
    person.key(search, Qt.Key.Key_Up)
    assert person.classes.list.currentIndex().row() == 0
    person.key(search, Qt.Key.Key_Up)
    person.key(search, Qt.Key.Key_Return)
    assert person.take() == [("chosen", 4)]
    assert search.text() == ""
    assert not any(person.classes.list.isRowHidden(number) for number in range(3))
    assert person.canvas.hasFocus()


def test_arrows_alone_choose_too(person: Person) -> None:
    person.classes.focus_search()
    person.key(person.classes.search, Qt.Key.Key_Down)
    person.key(person.classes.search, Qt.Key.Key_Return)
    assert person.take() == [("chosen", 7)]


def test_escape_leaves_the_search(person: Person) -> None:
    person.classes.focus_search()
    QTest.keyClicks(person.classes.search, "ro")
    person.key(person.classes.search, Qt.Key.Key_Escape)
    assert person.take() == []
    assert person.classes.search.text() == ""
    assert person.classes.list.currentIndex().row() == 1
    assert person.canvas.hasFocus()


def test_a_name_that_is_not_there_is_told(person: Person) -> None:
    person.classes.unknown.connect(
        lambda name: person.classes.ask(ClassQuestion(f"no {name}", (Choice("thing", "Add"), Choice("", "Cancel"))))
    )
    person.classes.focus_search()
    QTest.keyClicks(person.classes.search, "river")
    person.key(person.classes.search, Qt.Key.Key_Return)
    assert person.take() == [("unknown", "river")]
    assert person.classes.strip.hasFocus()
    person.key(person.classes.strip, Qt.Key.Key_Return)
    assert person.take() == [("answered", "thing")]
    assert not person.classes.strip.isVisible()
    assert person.canvas.hasFocus()


def test_f2_renames_in_place(person: Person) -> None:
    person.classes.focus_search()
    person.key(person.classes.search, Qt.Key.Key_F2)
    editor = person.classes.editor
    assert editor.hasFocus()
    assert (editor.text(), editor.selectedText()) == ("road", "road")
    assert person.classes.list.visualRect(person.classes.model.index(1, 0)).contains(editor.geometry().center())
    QTest.keyClicks(editor, "street")
    person.key(editor, Qt.Key.Key_Return)
    assert person.take() == [("renamed", 9, "street")]
    assert not editor.isVisible()
    assert person.canvas.hasFocus()


def test_a_double_click_renames_and_escape_does_not(person: Person) -> None:
    viewport = person.classes.list.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=person.rect(2))
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=person.rect(2))
    editor = person.classes.editor
    assert editor.hasFocus()
    assert person.take() == [("chosen", 7)], "the second click chooses nothing"
    QTest.keyClicks(editor, "x")
    person.key(editor, Qt.Key.Key_Escape)
    assert person.take() == []
    assert person.canvas.hasFocus()


def test_a_name_that_is_refused_stays_to_be_corrected(person: Person) -> None:
    person.classes.renamed.connect(lambda *_: person.classes.show_note("the name is taken"))
    person.classes.edit_name(4)
    editor = person.classes.editor
    editor.setText("car")
    person.key(editor, Qt.Key.Key_Return)
    assert editor.hasFocus() and editor.text() == "car"
    assert person.classes.strip.text.text() == "the name is taken"
    QTest.keyClicks(editor, "t")
    assert not person.classes.strip.isVisible()


def test_a_click_elsewhere_renames_without_taking_the_keyboard_back(person: Person) -> None:
    person.classes.edit_name(4)
    person.classes.editor.setText("rug")
    QTest.mouseClick(person.classes.name, Qt.MouseButton.LeftButton)
    assert person.take() == [("renamed", 4, "rug")]
    assert person.classes.name.hasFocus()


def test_a_new_name_that_is_refused_stays(person: Person) -> None:
    name = person.classes.name
    name.setFocus()
    QTest.keyClicks(name, "car")

    def refuse(*_: Any) -> None:
        person.classes.show_note("there is one")

    person.classes.added.connect(refuse)
    person.key(name, Qt.Key.Key_Return)
    assert person.take() == [("added", "car", True)]
    assert name.hasFocus() and name.text() == "car"
    person.classes.added.disconnect(refuse)
    QTest.keyClicks(name, "2")
    person.classes.kind.setCurrentText("stuff")
    person.key(name, Qt.Key.Key_Return)
    assert person.take() == [("added", "car2", False)]
    assert name.text() == ""
    assert person.canvas.hasFocus()


def test_alt_and_arrows_move_a_class(person: Person) -> None:
    person.classes.focus_search()
    person.key(person.classes.search, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert person.take() == [("reordered", [9, 4, 7])]
    assert person.classes.search.hasFocus()
    person.classes.show_rows([ROWS[1], ROWS[0], ROWS[2]], 9)
    person.key(person.classes.search, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert person.take() == []
    person.key(person.classes.search, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert person.take() == [("reordered", [4, 9, 7])]


@pytest.mark.parametrize(
    ("row", "before", "order"), [(0, 3, [9, 7, 4]), (2, 0, [7, 4, 9]), (0, 2, [9, 4, 7]), (1, 1, None), (1, 2, None)]
)
def test_a_dropped_class_is_told_not_moved(
    qtbot: Any, person: Person, row: int, before: int, order: list[int] | None
) -> None:
    model = person.classes.model
    model.moveRows(person.classes.list.rootIndex(), row, 1, person.classes.list.rootIndex(), before)
    QApplication.processEvents()
    assert person.take() == ([("reordered", order)] if order else [])
    assert [one.id for one in model.rows] == [4, 9, 7]


def _menu(person: Person, number: int) -> Any:
    person.classes.list.customContextMenuRequested.emit(person.rect(number))
    menu = person.classes.menu
    assert menu is not None
    return menu


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("kind", ("kind_chosen", 4, False)),
        ("down", ("reordered", [9, 4, 7])),
        ("merge", ("merge_wanted", 4)),
        ("delete", ("delete_wanted", 4)),
        ("digit5", ("digit_chosen", 4, 5)),
        ("digit-1", ("digit_chosen", 4, -1)),
    ],
)
def test_the_menu(person: Person, entry: str, said: tuple[Any, ...]) -> None:
    menu = _menu(person, 0)
    assert not menu.entries["up"].isEnabled()
    assert menu.entries["digit1"].isChecked()
    assert all(action.toolTip() and action.text() for action in menu.entries.values())
    menu.entries[entry].trigger()
    menu.close()
    assert person.take() == [said]
    assert person.canvas.hasFocus()


def test_the_menu_by_keys(person: Person) -> None:
    person.classes.focus_search()
    person.key(person.classes.search, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu: Any = person.classes.menu
    assert menu.isVisible()
    assert menu.entries["kind"].text() == "Make it a thing…"
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert person.classes.editor.isVisible()


def test_suggested_colours(person: Person) -> None:
    _menu(person, 2).entries["color"].trigger()
    strip = person.classes.strip
    assert strip.hasFocus()
    assert strip.text.text() == "Colour of car"
    assert "136,0,204" in strip.buttons
    strip.buttons["136,0,204"].click()
    assert person.take() == [("color_chosen", 7, (136, 0, 204))]
    assert person.canvas.hasFocus()
    _menu(person, 2).entries["color"].trigger()
    person.key(strip, Qt.Key.Key_Right)
    person.key(strip, Qt.Key.Key_Return)
    assert person.take() == [("color_chosen", 7, (86, 180, 233))]
    _menu(person, 2).entries["color"].trigger()
    person.key(strip, Qt.Key.Key_Escape)
    assert person.take() == []
    assert person.canvas.hasFocus()


def test_any_other_colour(qtbot: Any, person: Person) -> None:
    from qtpy.QtGui import QColor
    from qtpy.QtWidgets import QColorDialog

    _menu(person, 2).entries["color"].trigger()
    person.classes.strip.buttons["other"].click()
    (dialog,) = person.classes.findChildren(QColorDialog)
    assert person.take() == [("dialog_opened", "colour")]
    dialog.setCurrentColor(QColor(9, 8, 7))
    dialog.accept()
    assert person.take() == [("color_chosen", 7, (9, 8, 7)), ("dialog_closed", "colour")]
    qtbot.waitUntil(lambda: not person.classes.findChildren(QColorDialog))


def test_a_class_is_picked_among_those_allowed(person: Person) -> None:
    person.classes.pick("Merge carpet into which class?", frozenset({7}))
    assert person.classes.search.hasFocus()
    assert person.classes.strip.text.text().startswith("Merge carpet")
    assert person.classes.list.currentIndex().row() == 2
    person.click(1)
    assert person.take() == []
    person.key(person.classes.search, Qt.Key.Key_Up)
    person.key(person.classes.search, Qt.Key.Key_Return)
    assert person.take() == [("picked", 7)]
    person.click(2)
    assert person.take() == [("picked", 7)]
    person.classes.answered.connect(lambda _: person.classes.pick("", None))
    person.key(person.classes.search, Qt.Key.Key_Escape)
    assert person.take() == [("answered", "")]
    person.click(1)
    assert person.take() == [("chosen", 9)]


def test_who_clicks_elsewhere_picks_nothing(person: Person) -> None:
    person.classes.answered.connect(lambda _: person.classes.pick("", None))
    person.classes.pick("Merge carpet into which class?", frozenset({7}))
    QTest.mouseClick(person.canvas, Qt.MouseButton.LeftButton)
    assert person.take() == [("answered", "")]
    assert person.canvas.hasFocus()
    assert not person.classes.strip.isVisible()


def test_a_tool_tip_is_counted_when_it_is_asked_for(person: Person) -> None:
    person.classes.use_wanted.connect(lambda uid: person.classes.show_use(uid, "34 clicks"))
    place = person.rect(2)
    viewport = person.classes.list.viewport()
    QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, place, viewport.mapToGlobal(place)))
    assert person.take() == [("use_wanted", 7)]
    assert QToolTip.text() == "34 clicks"
    QToolTip.hideText()


NAMES: list[Callable[[int], str]] = [
    lambda n: f"class number {n}",
    lambda n: "very long name " * 30 + str(n),
    lambda n: f"فئة رقم {n}",
    lambda n: f"類別 {n} 🚲",
    lambda n: f"two\nlines {n}",
]


def test_many_classes_with_any_names(person: Person) -> None:
    rows = [
        ClassRow(n, NAMES[n % 5](n), n % 2 == 0, (n % 256, 90, 90), digit=n if n < 10 else None) for n in range(1, 1204)
    ]
    classes = person.classes
    classes.show_rows(rows, 600)
    classes.grab()
    begin = time.perf_counter()
    for count in range(20):  # what every click does
        rows = list(rows)
        rows[600] = ClassRow(601, "counted", True, (1, 2, 3), count)
        classes.show_rows(rows, 600)
    per_click = (time.perf_counter() - begin) / 20
    begin = time.perf_counter()
    QTest.keyClicks(classes.search, "number 1200")
    per_letter = (time.perf_counter() - begin) / 11
    visible = [number for number in range(len(rows)) if not classes.list.isRowHidden(number)]
    assert [rows[number].name for number in visible] == ["class number 1200"]
    assert per_click < 0.05
    assert per_letter < 0.2


def test_a_question_is_scrolled_into_view(qtbot: Any) -> None:
    from qtpy.QtWidgets import QVBoxLayout, QWidget

    from napari_pointanno._views.qt_scrolling import Scrolling

    area, content, classes = Scrolling("test"), QWidget(), ClassList()
    qtbot.addWidget(area)
    layout = QVBoxLayout(content)
    filler = QWidget()
    filler.setMinimumHeight(600)
    layout.addWidget(filler)
    layout.addWidget(classes)
    area.setWidget(content)
    area.resize(320, 300)
    area.show()
    qtbot.waitExposed(area)
    classes.show_rows(ROWS, 9)
    assert classes.strip.visibleRegion().isEmpty()
    classes.ask(ClassQuestion("34 clicks would be deleted.", (Choice("a", "Delete"), Choice("", "Cancel"))))
    qtbot.waitUntil(lambda: classes.strip.visibleRegion().boundingRect().height() == classes.strip.height())
    area.verticalScrollBar().setValue(0)
    classes.focus_search()
    qtbot.waitUntil(lambda: not classes.search.visibleRegion().isEmpty())
