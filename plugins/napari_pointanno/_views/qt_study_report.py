"""The dock *Study report* in Qt."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QKeyEvent, QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.study_digest import SENTENCES, TABLES, ReportChoice, StudyDigest
from napari_pointanno._models.tables import Table
from napari_pointanno._views.qt_annotate_view import FAINT, _button, _heading, _rule
from napari_pointanno._views.qt_background import QtBackground
from napari_pointanno._views.qt_folding import Folding
from napari_pointanno._views.qt_notify import notify
from napari_pointanno._views.qt_run_details import WordLabel, WordTable, set_text
from napari_pointanno._views.qt_scrolling import Scrolling
from napari_pointanno._views.qt_study_plots import StudyPlots
from napari_pointanno._views.study_view import StudyView

TICK_MS = 2000

NUMBERS = 3
"""Numbers at the top: work, idle, excluded."""

ANSWER_CHOICES = (("first", "first answers"), ("final", "final answers"))

TITLES = {
    "times": "Times, with 95 % bootstrap intervals",
    "conditions": "Conditions compared",
    "agreement": "Agreement with known answers and second opinions",
    "corrections": "Corrections",
    "flags": "What was counted, and what was flagged",
    "left": "What is left",
}


class _Panel(Scrolling):
    """The widget of the dock; ticks while it is seen."""

    def __init__(self, view: QtStudyView, timer: QTimer) -> None:
        super().__init__("study_report")
        self._view = view
        self._timer = timer
        timer.setParent(self)
        timer.timeout.connect(self._tick)  # a method of the widget: PyQt would call a lambda after it was collected

    def _tick(self) -> None:
        self._view.ticked.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the journal from now on."""
        super().showEvent(event)
        if not self._timer.isActive():
            self._timer.start()
            self._view.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees it."""
        super().hideEvent(event)
        self._timer.stop()


class _Number(QSpinBox):
    """A whole number; Enter and Escape give the keyboard back."""

    def __init__(self, view: QtStudyView) -> None:
        super().__init__()
        self._view = view

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Escape end the typing."""
        super().keyPressEvent(event)
        _leave(self._view, event)


class _Seconds(QDoubleSpinBox):
    """Seconds; Enter and Escape give the keyboard back."""

    def __init__(self, view: QtStudyView) -> None:
        super().__init__()
        self._view = view

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Escape end the typing."""
        super().keyPressEvent(event)
        _leave(self._view, event)


def _leave(view: QtStudyView, event: QKeyEvent) -> None:
    if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
        view.left.emit()


class QtStudyView(StudyView):
    """Builds the dock; `widget` is what napari shows."""

    def __init__(self) -> None:
        self.background = QtBackground()
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._shown_choice = ReportChoice()
        self.widget = _Panel(self, self._timer)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addWidget(_heading("Study report"))
        layout.addLayout(self._build_buttons())
        layout.addWidget(self._build_choices())
        layout.addWidget(_rule())
        self._state = WordLabel("study_state", FAINT)
        self._busy = QProgressBar()
        self._busy.setObjectName("pointanno_study_busy")
        self._busy.setAccessibleName("The report is being computed")
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setFixedHeight(6)
        layout.addWidget(self._state)
        layout.addWidget(self._busy)
        self.body = QWidget()
        self.body.setLayout(self._build_body())
        layout.addWidget(self.body)
        layout.addStretch(1)
        self.widget.setWidget(content)
        self.show_state("")
        self.show_digest(None)

    def _build_buttons(self) -> QHBoxLayout:
        self.refresh = _button("Refresh", "study_refresh", "Compute the numbers of now; in pauses it is done unasked")
        self.save = _button("Save report…", "study_save", "Write a page (HTML) that opens in any browser, and tables")
        row = QHBoxLayout()
        row.addWidget(self.refresh)
        row.addWidget(self.save)
        self.refresh.clicked.connect(self._ask)
        self.save.clicked.connect(self._ask_for_page)
        return row

    def _build_choices(self) -> Folding:
        self.idle = _Seconds(self)
        self.idle.setRange(0.5, 600)
        self.idle.setDecimals(1)
        self.idle.setSuffix(" s")
        self.idle.setValue(self._shown_choice.idle_s)
        self.warm_up = _Number(self)
        self.warm_up.setRange(0, 10_000)
        self.warm_up.setValue(self._shown_choice.warm_up)
        self.answers = QComboBox()
        for value, words in ANSWER_CHOICES:
            self.answers.addItem(words, value)
        self.trimmed = QCheckBox("compare without idle time")
        for widget, name, spoken, tip in (
            (self.idle, "study_idle", "Idle after", "Seconds without any input from which on time counts as idle"),
            (self.warm_up, "study_warm_up", "Warm-up",
             "So many actions at the beginning of each session and condition are left out"),
            (self.answers, "study_answers", "Answers", "What was answered first, or what stands in the end"),
            (self.trimmed, "study_trimmed", "Compare without idle time", "Compare conditions without idle time"),
        ):  # fmt: skip
            widget.setObjectName(f"pointanno_{name}")
            widget.setAccessibleName(spoken)
            widget.setToolTip(tip)
            typed = widget in (self.idle, self.warm_up)
            widget.setFocusPolicy(Qt.FocusPolicy.ClickFocus if typed else Qt.FocusPolicy.NoFocus)
        form = QFormLayout()
        form.setSpacing(3)
        form.addRow("Idle after", self.idle)
        form.addRow("Warm-up", self.warm_up)
        form.addRow("Answers", self.answers)
        form.addRow(self.trimmed)
        self.choices = Folding("What counts", "study_choices")
        self.choices.set_layout(form)
        self.idle.editingFinished.connect(self._choose)
        self.warm_up.editingFinished.connect(self._choose)
        self.answers.activated.connect(self._choose_and_leave)
        self.trimmed.clicked.connect(self._choose_and_leave)
        return self.choices

    def _build_body(self) -> QVBoxLayout:
        self._values = [QLabel("") for _ in range(NUMBERS)]
        self._meanings = [WordLabel(f"study_meaning_{number}", FAINT) for number in range(NUMBERS)]
        grid = QGridLayout()
        for number, (value, meaning) in enumerate(zip(self._values, self._meanings, strict=True)):
            font = value.font()
            font.setBold(True)
            value.setFont(font)
            value.setObjectName(f"pointanno_study_number_{number}")
            grid.addWidget(value, number, 0)
            grid.addWidget(meaning, number, 1)
            grid.setColumnStretch(1, 1)
        self.tables = {name: WordTable(f"study_{name}", TITLES[name]) for name in TABLES}
        self.sentences = {name: WordLabel(f"study_{name}") for name in SENTENCES}
        self._headings = {name: WordLabel(f"study_{name}_title") for name in TITLES}
        self.plots = StudyPlots()
        self._claim = WordLabel("study_claim", FAINT)
        for label in self._headings.values():
            font = label.font()
            font.setBold(True)
            label.setFont(font)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid)
        column.addWidget(self._headings["times"])
        column.addWidget(self.tables["times"])
        column.addWidget(self.plots)
        for name in ("conditions", "agreement", "corrections", "flags", "left"):
            column.addWidget(self._headings[name])
            column.addWidget(self.tables[name] if name in self.tables else self.sentences[name])
        column.addWidget(self._claim)
        return column

    def _ask(self) -> None:
        self.refresh_requested.emit()
        self.left.emit()

    def _choose_and_leave(self) -> None:
        self._choose()
        self.left.emit()

    def _choose(self) -> None:
        if self.choice != self._shown_choice:
            self._shown_choice = self.choice
            self.choice_changed.emit(self.choice)

    def _ask_for_page(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self.widget, "Report", "report.html", "Web page (*.html)")
        if chosen:
            self.save_requested.emit(chosen)
        self.left.emit()

    @property
    def choice(self) -> ReportChoice:
        """What is chosen now."""
        return ReportChoice(
            self.idle.value(), self.warm_up.value(), str(self.answers.currentData()), self.trimmed.isChecked()
        )

    def show_state(self, sentence: str, *, busy: bool = False) -> None:
        """What is going on, or why there is nothing to see."""
        set_text(self._state, sentence)
        self._busy.setVisible(busy)

    def show_digest(self, digest: StudyDigest | None) -> None:
        """Numbers and figures."""
        self.body.setVisible(digest is not None)
        digest = digest or StudyDigest()
        for number, (value, meaning) in enumerate(zip(self._values, self._meanings, strict=True)):
            words = digest.numbers[number] if number < len(digest.numbers) else ("", "")
            value.setText(words[0])
            value.setAccessibleName(words[1] or "Number of the report")
            set_text(meaning, words[1])
        for name, table in self.tables.items():
            rows = digest.tables.get(name, Table())
            table.show_table(rows)
            table.setVisible(bool(rows.rows))
            set_text(self._headings[name], TITLES[name] if rows.rows else "")
        for name, label in self.sentences.items():
            lines = digest.sentences.get(name, ())
            set_text(label, "\n".join(lines))
            set_text(self._headings[name], TITLES[name] if lines else "")
        self.plots.show_digest(digest)
        set_text(
            self._claim,
            f"Differences of single times below {digest.claim_ms:.0f} ms are not claimed: keyboard and screen are no "
            "finer. The saved report says more."
            if digest.timed
            else "",
        )

    def enable(self, *, refresh: bool, save: bool) -> None:
        """What can be asked for."""
        self.refresh.setEnabled(refresh)
        self.save.setEnabled(save)

    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person, by napari's own notifications."""
        notify(sentence, error=error)
