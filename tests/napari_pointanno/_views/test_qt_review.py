from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QWidget

from napari_pointanno._models.review_queue import ReviewFilter
from napari_pointanno._views.qt_review import QtReviewView

pytestmark = pytest.mark.gui

FILTERS = [ReviewFilter("unsure", "unsure answers", "tip", 1200), ReviewFilter("run:/r", "doubtful in run r")]


def heard(signal: Any) -> list[Any]:
    """What a signal emits from now on."""
    found: list[Any] = []
    signal.connect(lambda *values: found.append(values[0] if len(values) == 1 else values))
    return found


@pytest.fixture
def review(qtbot: Any) -> QtReviewView:
    view = QtReviewView()
    qtbot.addWidget(view.widget)
    return view


def test_filters_have_counts_and_are_chosen_by_key(review: QtReviewView) -> None:
    review.show_filters(FILTERS, "run:/r")
    assert [review.filters.itemText(n) for n in range(3)] == [
        "unsure answers  (1,200)", "doubtful in run r", "differs from predictions of a file…"
    ]  # fmt: skip
    assert review.filters.currentIndex() == 1
    chosen = heard(review.filter_chosen)
    review.filters.activated.emit(0)
    assert chosen == ["unsure"]


def test_a_file_is_asked_for_inline(review: QtReviewView, qtbot: Any) -> None:
    review.show(True)
    review.show_filters(FILTERS, "unsure")
    review.filters.activated.emit(2)
    assert review.filters.currentIndex() == 0, "the filter in force stays until there is a file"
    assert not review.file_form.isHidden()
    given, left = heard(review.file_given), heard(review.left)
    review.file.setText("'/a/predictions.json'")
    qtbot.keyClick(review.file, Qt.Key.Key_Return)
    assert given == ["/a/predictions.json"] and review.file_form.isHidden() and len(left) == 1
    review.ask_file()
    qtbot.keyClick(review.file, Qt.Key.Key_Escape)
    assert len(given) == 1 and review.file_form.isHidden()


def test_buttons_give_verdicts_while_there_is_an_item(review: QtReviewView) -> None:
    verdicts, steps = heard(review.verdict_given), heard(review.step_wanted)
    assert not review.confirm.isEnabled()
    review.show_item("Is it right?", "7/31")
    assert review.progress.text() == "7/31"
    for button in (review.confirm, review.later, review.delete, review.next, review.back):
        button.click()
    assert verdicts == ["confirm", "later", "delete"] and steps == [1, -1]


def test_it_is_there_during_a_review_only(review: QtReviewView) -> None:
    assert review.widget.isHidden()
    review.show(True)
    assert not review.widget.isHidden()


def test_nothing_takes_the_keyboard_and_everything_has_a_name(review: QtReviewView) -> None:
    for root in (review.widget,):
        for widget in root.findChildren(QWidget):
            if isinstance(widget, (QAbstractButton, QComboBox)):
                assert widget.focusPolicy() == Qt.FocusPolicy.NoFocus, widget.objectName()
                assert widget.objectName().startswith("pointanno_"), widget
                assert widget.accessibleName(), widget.objectName()
                assert widget.toolTip(), widget.objectName()
