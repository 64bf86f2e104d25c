from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QWidget

from napari_pointanno._views.people_view import AnnotatorRow, ConflictRow
from napari_pointanno._views.qt_people import QtPeopleView

pytestmark = pytest.mark.gui


def heard(signal: Any) -> list[Any]:
    """What a signal emits from now on."""
    found: list[Any] = []
    signal.connect(lambda *values: found.append(values[0] if len(values) == 1 else values))
    return found


@pytest.fixture
def people(qtbot: Any) -> QtPeopleView:
    view = QtPeopleView()
    qtbot.addWidget(view.widget)
    qtbot.addWidget(view.greeting)
    return view


def test_annotators_and_names(people: QtPeopleView, qtbot: Any) -> None:
    rows = [AnnotatorRow("anon-1", "Anna"), AnnotatorRow("anon-7f")]
    people.show_annotators(rows, "anon-7f")
    assert [people.annotators.itemText(n) for n in range(2)] == ["anon-1 · Anna", "anon-7f"]
    assert people.annotators.currentIndex() == 1 and "anon-7f" in people.widget.head.text()
    chosen, names = heard(people.annotator_chosen), heard(people.name_given)
    people.annotators.activated.emit(0)
    people.name.setText("Ben")
    qtbot.keyClick(people.name, Qt.Key.Key_Return)
    people.greet("You are recorded.")
    assert not people.greeting.isHidden()
    people.greeting.name.setText("Cleo")
    people.greeting.ok.click()
    assert chosen == ["anon-1"] and names == ["Ben", "Cleo"]
    people.greet("")
    assert people.greeting.isHidden()


def test_plans_and_files(people: QtPeopleView, qtbot: Any) -> None:
    people.show_annotators([AnnotatorRow("anon-1")], "anon-1")
    plans, gold, copies = heard(people.second_pass_wanted), heard(people.gold_given), heard(people.copy_given)
    people.share.setCurrentIndex(2)
    people.plan.click()
    people.scope.setCurrentIndex(1)
    people.share.setCurrentIndex(people.share.count() - 1)
    people.plan.click()
    assert plans == [(0.2, False), (0.0, True)]
    people.gold.click()
    people.file.setText("gold.json")
    qtbot.keyClick(people.file, Qt.Key.Key_Return)
    people.join.click()
    people.file.setText("copy.pointanno")
    qtbot.keyClick(people.file, Qt.Key.Key_Return)
    assert (gold, copies) == (["gold.json"], ["copy.pointanno"])


def test_conflicts_lead_to_their_images(people: QtPeopleView) -> None:
    people.show_annotators([AnnotatorRow("anon-1")], "anon-1")
    people.show_joining("Joining …", (), is_busy=True)
    assert not people.join.isEnabled()
    people.show_joining("Joined.", [ConflictRow("a class was changed"), ConflictRow("a box", 3)], is_busy=False)
    assert people.join.isEnabled() and people.widget.head.isChecked()
    chosen = heard(people.conflict_chosen)
    for row in range(2):
        people.conflicts.itemClicked.emit(people.conflicts.item(row))
    assert chosen == [3]


def test_nothing_takes_the_keyboard_and_everything_has_a_name(people: QtPeopleView) -> None:
    for root in (people.widget, people.greeting):
        for widget in root.findChildren(QWidget):
            if isinstance(widget, (QAbstractButton, QComboBox)):
                assert widget.focusPolicy() == Qt.FocusPolicy.NoFocus, widget.objectName()
                assert widget.objectName().startswith("pointanno_"), widget
                assert widget.accessibleName(), widget.objectName()
                assert widget.toolTip() or widget is people.widget.head, widget.objectName()
