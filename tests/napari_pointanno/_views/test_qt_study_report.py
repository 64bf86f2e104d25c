"""The dock *Study report*: what it shows, what it asks for, and that the keyboard goes back."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_pointanno._models.study_digest import (
    SENTENCES,
    TABLES,
    Answers,
    Learner,
    ReportChoice,
    Stretch,
    StudyDigest,
    parse_digest,
)
from napari_pointanno._models.tables import Table
from napari_pointanno._views.qt_study_report import QtStudyView

pytestmark = pytest.mark.gui

DIGEST = StudyDigest(
    timed=True,
    claim_ms=33.4,
    numbers=(("4.0 s", "work"), ("0 s", "idle (no input for 10 s)"), ("0 s", "excluded")),
    tables={name: Table(("", "n"), (("answers & <b>", "3"),)) for name in TABLES},
    sentences={name: (f"one of {name}", "two") for name in SENTENCES},
    edges_s=(0.0, 1.0, 2.0, 3.0),
    answers={"object": Answers(4, (0.5, 1.5, 1.6, 2.5), (0.25, 0.5, 0.75, 1.0), (1, 2, 1), 1.55)},
    learned="answer",
    learners={"Żółw <i>": Learner(3, (1, 2, 3), (0.5, 1.5, 1.0), 1, (3,)), "anon-2": Learner(1, (1,), (2.0,), 0, ())},
    sessions=("a", "b"),
    stretches=(Stretch(0, 0.0, 2.0, "work"), Stretch(0, 2.0, 3.0, "idle"), Stretch(1, 0.0, 1.0, "work")),
    sessions_left_out=4,
)


@pytest.fixture
def view(qtbot: Any) -> QtStudyView:
    made = QtStudyView()
    qtbot.addWidget(made.widget)
    return made


def test_it_shows_numbers_words_and_figures(view: QtStudyView, qtbot: Any) -> None:
    view.show_digest(DIGEST)
    view.widget.show()
    assert not view.body.isHidden()
    assert [value.text() for value in view._values] == ["4.0 s", "0 s", "0 s"]
    cell = view.tables["times"].item(0, 0)
    assert cell is not None and cell.text() == "answers & <b>"
    assert view.sentences["left"].text() == "one of left\ntwo"
    assert "below 33 ms" in view._claim.text()
    counts = view.plots.counts.item.listDataItems()
    assert counts[0].getData()[1].tolist() == [1, 1, 2, 2, 1, 1]
    assert counts[0].getData()[0].tolist() == [0, 1, 1, 2, 2, 3]
    assert len(view.plots.learning.item.listDataItems()) == 2
    assert "&lt;i>" in view.plots.learning.legend.text() and "4 earlier ones" in view.plots.strip.title.text()
    view.show_digest(DIGEST)  # again: nothing is drawn twice
    assert len(view.plots.counts.item.listDataItems()) == 1


def test_nothing_leaves_nothing_on_the_screen(view: QtStudyView) -> None:
    view.show_digest(DIGEST)
    view.show_digest(None)
    assert view.body.isHidden()
    assert not any(value.text() for value in view._values) and view.sentences["left"].text() == ""
    assert not view.plots.shares.item.listDataItems() and view.tables["times"].rowCount() == 0
    view.show_state("computing …", busy=True)
    assert view._state.text() == "computing …" and not view._busy.isHidden()


def test_one_answer_and_no_session_are_drawn(view: QtStudyView) -> None:
    view.show_digest(StudyDigest(timed=True, numbers=(("0 s", "work"),)))
    assert view.plots.shares.isHidden() and view.plots.learning.isHidden() and view.plots.strip.isHidden()


def test_choices_are_told_once_and_give_the_keyboard_back(view: QtStudyView, qtbot: Any) -> None:
    told: list[ReportChoice] = []
    left: list[int] = []
    view.choice_changed.connect(told.append)
    view.left.connect(lambda: left.append(1))
    view.widget.show()
    view.choices.head.click()
    assert view.choice == ReportChoice()
    view.idle.setFocus()
    view.idle.setValue(4.5)
    qtbot.keyClick(view.idle, Qt.Key.Key_Return)
    assert told == [ReportChoice(idle_s=4.5)] and left == [1]
    qtbot.keyClick(view.warm_up, Qt.Key.Key_Escape)
    assert len(told) == 1 and left == [1, 1]
    view.answers.setCurrentIndex(1)
    view.answers.activated.emit(1)
    view.trimmed.click()
    assert told[1:] == [ReportChoice(4.5, 10, "final"), ReportChoice(4.5, 10, "final", True)] and len(left) == 4


def test_buttons(view: QtStudyView, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    view.refresh_requested.connect(lambda: asked.append("refresh"))
    view.save_requested.connect(asked.append)
    view.enable(refresh=False, save=False)
    view.refresh.click()
    view.save.click()
    assert asked == []
    view.enable(refresh=True, save=True)
    for answer in ("", "/somewhere/r.html"):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, answer=answer: (answer, ""))
        view.save.click()
    view.refresh.click()
    assert asked == ["/somewhere/r.html", "refresh"]


def test_it_looks_at_the_journal_only_while_it_is_seen(view: QtStudyView, qtbot: Any) -> None:
    shown: list[int] = []
    view.shown.connect(lambda: shown.append(1))
    assert not view._timer.isActive()
    view.widget.show()
    assert view._timer.isActive() and shown == [1]
    view.widget.hide()
    assert not view._timer.isActive()


def test_what_the_child_prints_is_read_exactly() -> None:
    text = b"""{"timed": true, "claim_ms": 30.0, "numbers": [["1 s", "work"]],
        "times": {"head": ["", "n"], "rows": [["boxes", "1"]]}, "corrections": {"head": [], "rows": []},
        "flags": {"head": [], "rows": []}, "agreement": [], "conditions": ["x"], "left": [],
        "answers": {"edges_s": [0, 1], "groups": {"unsure": {"n": 1, "seconds": [0.5], "share": [1.0], "count": [1],
        "median_s": [0.5, null, null]}}},
        "learning": {"what": "box", "people": {"a": {"n": 1, "number": [1], "seconds": [2.0], "warm_up": 1,
        "begins": []}}}, "sessions": {"names": ["a"], "spans": [[0, 0.0, 1.0, "work"]], "left_out": 0}}"""
    found = parse_digest(text)
    assert found.answers["unsure"] == Answers(1, (0.5,), (1.0,), (1,), 0.5)
    assert found.learners["a"] == Learner(1, (1,), (2.0,), 1, ()) and found.learned == "box"
    assert found.stretches == (Stretch(0, 0.0, 1.0, "work"),) and found.sentences["conditions"] == ("x",)
    assert found.tables["times"].rows == (("boxes", "1"),)
