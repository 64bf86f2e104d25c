"""The part *People* of the dock in Qt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._views.people_view import AnnotatorRow, ConflictRow, PeopleView
from napari_pointanno._views.qt_folding import Folding
from napari_pointanno._views.qt_line_edit import LineEdit
from napari_pointanno._views.qt_parts import FRAMED, quiet_button, words

SHARES = (5, 10, 20, 50, 100, 0)
"""Percent of the images that are annotated twice."""

LISTED = 4
"""Lines of the list of conflicts that are visible at once."""

GOLD, COPY = "gold", "copy"
_PLACEHOLDERS = {GOLD: "known_answers.json", COPY: "copy.pointanno"}


class Greeting(QFrame):
    """What is recorded, once, with a line for the name; work goes on without an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("pointanno_greeting")
        self.setAccessibleName("What is recorded")
        self.setStyleSheet(FRAMED.format("pointanno_greeting"))
        self.sentence = words("greeting_sentence", "What is recorded")
        self.name = LineEdit()
        self.name.setObjectName("pointanno_greeting_name")
        self.name.setAccessibleName("Your name, if you like")
        self.name.setToolTip("Your name, if you like; it stays in this project")
        self.name.setPlaceholderText("name (optional)")
        self.ok = quiet_button("OK", "greeting_ok", "Go on")
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.ok)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 6)
        column.setSpacing(4)
        column.addWidget(self.sentence)
        column.addLayout(row)
        self.setVisible(False)


class QtPeopleView(PeopleView):
    """`widget` is a line that unfolds; `greeting` is for the top of the dock."""

    def __init__(self) -> None:
        self.greeting = Greeting()
        self.widget = Folding("People", "people")
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(self._build_annotator())
        column.addLayout(self._build_second_pass())
        column.addLayout(self._build_comparison())
        column.addWidget(self._build_file_form())
        self.joining = words("joining", "Joining of copies")
        self.conflicts = self._build_conflicts()
        column.addWidget(self.joining)
        column.addWidget(self.conflicts)
        self.widget.set_layout(column)
        self._purpose = GOLD
        self._connect()
        self.show_annotators((), "")
        self.show_second_pass("")
        self.show_agreement("")
        self.show_joining("", (), is_busy=False)

    def _build_annotator(self) -> QGridLayout:
        self.annotators = _menu("annotator", "Who annotates", "Who annotates now; each has a session of their own")
        self.new = quiet_button("New", "annotator_new", "Somebody who has not annotated here yet")
        self.name = LineEdit()
        self.name.setObjectName("pointanno_annotator_name")
        self.name.setAccessibleName("Name of the annotator")
        self.name.setPlaceholderText("name, stays in this project")
        self.name.setToolTip("Name behind the pseudonym; left out of exports unless somebody asks for it")
        grid = QGridLayout()
        grid.addWidget(QLabel("Annotator"), 0, 0)
        grid.addWidget(self.annotators, 0, 1)
        grid.addWidget(self.new, 0, 2)
        grid.addWidget(self.name, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        return grid

    def _build_second_pass(self) -> QVBoxLayout:
        tip = "Share of the images that somebody annotates again without seeing the first answers"
        self.share = _menu("second_share", "Share of the images", tip)
        for percent in SHARES:
            self.share.addItem(f"{percent} %" if percent else "none", percent / 100)
        self.share.setCurrentIndex(1)
        self.scope = _menu("second_scope", "Of which images", "Of all images, or of those that the list shows")
        self.scope.addItems(["of all images", "of the list"])
        self.plan = quiet_button("Plan", "second_plan", "Choose the images, at random but always the same ones")
        self.second_pass = words("second_state", "How far the second pass is")
        row = QHBoxLayout()
        row.addWidget(self.share)
        row.addWidget(self.scope, 1)
        row.addWidget(self.plan)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.second_pass)
        column.addLayout(row)
        return column

    def _build_comparison(self) -> QVBoxLayout:
        self.compare = quiet_button("Agreement", "agreement", "Compare with the second opinion and the known answers")
        self.gold = quiet_button("Known answers…", "gold", "Import known answers, to be asked among the others, unseen")
        self.join = quiet_button("Join a copy…", "join", "Join another copy of this project; nothing of either is lost")
        self.practice = QCheckBox("practice")
        self.practice.setObjectName("pointanno_practice")
        self.practice.setAccessibleName("Practice: tell known answers at once")
        self.practice.setToolTip("Tell known answers as soon as they were asked, to learn the task")
        self.practice.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.agreement = words("agreement_words", "How far people agree")
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.addWidget(self.gold, 0, 0)
        grid.addWidget(self.practice, 0, 1)
        grid.addWidget(self.compare, 1, 0)
        grid.addWidget(self.join, 1, 1)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(grid)
        column.addWidget(self.agreement)
        return column

    def _build_file_form(self) -> QWidget:
        self.file_form = QWidget()
        self.file = LineEdit()
        self.file.setObjectName("pointanno_people_file")
        self.file.setAccessibleName("Path")
        self.file.setToolTip("Path; Enter goes on, Esc leaves")
        self.browse = quiet_button("…", "people_browse", "Browse")
        row = QHBoxLayout(self.file_form)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.file, 1)
        row.addWidget(self.browse)
        self.file_form.setVisible(False)
        return self.file_form

    def _build_conflicts(self) -> QListWidget:
        found = QListWidget()
        found.setObjectName("pointanno_conflicts")
        found.setAccessibleName("What two copies disagree about")
        found.setToolTip("A click shows the image")
        found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        found.setWordWrap(True)
        found.setMaximumHeight(found.fontMetrics().height() * 2 * LISTED)
        return found

    def _connect(self) -> None:
        self.annotators.activated.connect(lambda index: self.annotator_chosen.emit(self.annotators.itemData(index)))
        self.new.clicked.connect(lambda: self.newcomer_wanted.emit())
        self.plan.clicked.connect(
            lambda: self.second_pass_wanted.emit(float(self.share.currentData()), self.scope.currentIndex() == 1)
        )
        self.compare.clicked.connect(lambda: self.agreement_wanted.emit())
        self.practice.clicked.connect(lambda tells: self.practice_chosen.emit(bool(tells)))
        self.gold.clicked.connect(lambda: self.ask_file(GOLD))
        self.join.clicked.connect(lambda: self.ask_file(COPY))
        self.browse.clicked.connect(self._browse)
        self.file.returnPressed.connect(self._give_file)
        self.file.escaped.connect(self._close_file)
        self.name.returnPressed.connect(lambda: self.name_given.emit(self.name.text()))
        self.greeting.ok.clicked.connect(lambda: self.name_given.emit(self.greeting.name.text()))
        self.greeting.name.returnPressed.connect(lambda: self.name_given.emit(self.greeting.name.text()))
        for line in (self.name, self.greeting.name):
            line.escaped.connect(lambda: self.left.emit())
        self.conflicts.itemClicked.connect(self._choose_conflict)

    def show_annotators(self, rows: Sequence[AnnotatorRow], current: str) -> None:
        """Everybody, and who annotates now; "" without a project."""
        self.annotators.blockSignals(True)
        self.annotators.clear()
        for row in rows:
            self.annotators.addItem(f"{row.pseudonym} · {row.name}" if row.name else row.pseudonym, row.pseudonym)
        self.annotators.setCurrentIndex(next((n for n, row in enumerate(rows) if row.pseudonym == current), -1))
        self.annotators.blockSignals(False)
        self.name.setText(next((row.name for row in rows if row.pseudonym == current), ""))
        self.widget.head.setText(f"People · {current}" if current else "People")
        for widget in (self.annotators, self.new, self.name, self.plan, self.compare, self.gold, self.join):
            widget.setEnabled(bool(current))

    def greet(self, sentence: str) -> None:
        """Somebody is here for the first time; "" takes the strip away."""
        self.greeting.sentence.setText(sentence)
        self.greeting.name.clear()
        self.greeting.setVisible(bool(sentence))

    def show_second_pass(self, text: str) -> None:
        """How far the second pass is."""
        self.second_pass.setText(f"Second opinion: {text}" if text else "Second opinion")

    def show_agreement(self, text: str) -> None:
        """How far people agree, in words."""
        _say(self.agreement, text)

    def show_joining(self, text: str, conflicts: Sequence[ConflictRow], *, is_busy: bool) -> None:
        """How joining a copy goes, or went, and what two copies disagreed about."""
        _say(self.joining, text)
        if text:
            self.widget.head.setChecked(True)
        self.conflicts.clear()
        for row in conflicts:
            item = QListWidgetItem(row.sentence)
            item.setData(Qt.ItemDataRole.UserRole, row.image_id)
            self.conflicts.addItem(item)
        self.conflicts.setVisible(bool(conflicts))
        self.join.setEnabled(not is_busy and self.annotators.count() > 0)

    def ask_file(self, purpose: str) -> None:
        """Open the line for a path."""
        self._purpose = purpose
        self.widget.head.setChecked(True)
        meaning = "File of known answers" if purpose == GOLD else "Another copy of this project"
        self.file.setAccessibleName(meaning)
        self.file.setToolTip(f"{meaning}; Enter takes it, Escape leaves")
        self.file.setPlaceholderText(_PLACEHOLDERS[purpose])
        self.file.clear()
        self.file_form.setVisible(True)
        self.file.setFocus()

    def _browse(self) -> None:
        start = self.file.text() or str(Path.home())
        if self._purpose == GOLD:
            path, _ = QFileDialog.getOpenFileName(self.widget, "Known answers", start, "JSON (*.json)")
        else:
            path = QFileDialog.getExistingDirectory(self.widget, "Copy of this project", start)
        if path:
            self.file.setText(path)
            self._give_file()

    def _give_file(self) -> None:
        path = self.file.text().strip().strip("'\"").removeprefix("file://")
        if path:
            self._close_file()
            (self.gold_given if self._purpose == GOLD else self.copy_given).emit(path)

    def _close_file(self) -> None:
        self.file_form.setVisible(False)
        self.left.emit()

    def _choose_conflict(self, item: QListWidgetItem) -> None:
        image_id = item.data(Qt.ItemDataRole.UserRole)
        if image_id is not None:
            self.conflict_chosen.emit(int(image_id))


def _menu(name: str, meaning: str, tip: str) -> QComboBox:
    """A menu that never takes the keyboard."""
    menu = QComboBox()
    menu.setObjectName(f"pointanno_{name}")
    menu.setAccessibleName(meaning)
    menu.setToolTip(tip)
    menu.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    menu.setMinimumContentsLength(5)
    return menu


def _say(label: QLabel, text: str) -> None:
    """Words that take no room while there are none."""
    label.setText(text)
    label.setVisible(bool(text))
