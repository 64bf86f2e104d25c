"""The dock *Train & preview* in Qt."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFontDatabase, QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.curves import Curve
from napari_pointanno._models.machine_words import DeviceChoice
from napari_pointanno._models.tables import Table
from napari_pointanno._views.qt_activity import Activity
from napari_pointanno._views.qt_annotate_view import BAD, FAINT, GOOD, _button, _heading, _rule, _set_color
from napari_pointanno._views.qt_background import QtBackground
from napari_pointanno._views.qt_findings import WARN, FindingsPanel
from napari_pointanno._views.qt_history import History
from napari_pointanno._views.qt_notify import notify
from napari_pointanno._views.qt_run_details import RunDetails, WordLabel, set_text
from napari_pointanno._views.qt_run_plot import RunPlot
from napari_pointanno._views.qt_scrolling import Scrolling
from napari_pointanno._views.qt_train_form import FormPanel
from napari_pointanno._views.train_view import RunPanel, RunRow, SystemChoice, TrainView
from pointanno.runs.preflight import Finding

TICK_MS = 250

LOG_LINES, LOG_ROOM = 6, 36
"""Lines of the log that are shown, and the room around them in pixels."""


class _Panel(Scrolling):
    """The widget of the dock; watches runs from its first showing on, also behind the other tab."""

    def __init__(self, view: QtTrainView, timer: QTimer) -> None:
        super().__init__("train")
        self._view = view
        self._timer = timer
        timer.setParent(self)
        timer.timeout.connect(self._tick)  # a method of the widget: PyQt would call a lambda after it was collected

    def _tick(self) -> None:
        self._view.ticked.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Start to watch."""
        super().showEvent(event)
        if not self._timer.isActive():
            self._timer.start()
            self._view.shown.emit()


class QtTrainView(TrainView):
    """Builds the dock; `widget` is what napari shows."""

    def __init__(self) -> None:
        self.background = QtBackground()
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._activity = Activity()
        self._can_resume_from: int | None = None
        self.widget = _Panel(self, self._timer)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addWidget(_heading("Train on this project"))
        layout.addLayout(self._build_form())
        layout.addWidget(_rule())
        layout.addLayout(self._build_run())
        self.curves = RunPlot()
        self.plot = self.curves.plot
        layout.addWidget(self.curves, 1)
        self.details = RunDetails(WARN, FAINT)
        layout.addWidget(self.details)
        layout.addWidget(self._build_log())
        layout.addLayout(self._build_uses())
        layout.addWidget(self.history.comparing)
        layout.addWidget(_rule())
        layout.addLayout(self._build_preview())
        self.widget.setWidget(content)
        self.show_run(RunPanel())
        self.show_machine("")
        self.show_news("")
        self.show_busy("")

    def _build_form(self) -> QVBoxLayout:
        self.form = FormPanel()
        self.start = _button("Train", "start", "Freeze the annotations of now and train on them in the background")
        self.rehearse = _button(
            "Dry run", "rehearse", "Check the data and try some steps: seconds a step, memory, time; nothing is kept"
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.start, 2)
        buttons.addWidget(self.rehearse, 1)
        self._reason = WordLabel("reason", FAINT)
        self._busy = QProgressBar()
        self._busy.setObjectName("pointanno_busy")
        self._busy.setAccessibleName("Preparation")
        self._busy.setRange(0, 0)
        self.findings = FindingsPanel()
        column = QVBoxLayout()
        column.setSpacing(5)
        column.addWidget(self.form)
        column.addLayout(buttons)
        for widget in (self._reason, self._busy, self.findings):
            column.addWidget(widget)
        self.start.clicked.connect(lambda: self.request_start())
        self.rehearse.clicked.connect(lambda: self._request_rehearsal())
        self.findings.anyway.clicked.connect(lambda: self.start_anyway_requested.emit())
        self.findings.dismiss.clicked.connect(lambda: self.findings_dismissed.emit())
        return column

    def _build_run(self) -> QVBoxLayout:
        self.history = History()
        self.runs = self.history.runs
        self.history.run_chosen.connect(lambda path: self.run_chosen.emit(path))
        self.history.open_requested.connect(lambda path: self.open_requested.emit(path))
        self.history.compare_requested.connect(lambda paths: self.compare_requested.emit(paths))
        self._state = QLabel("")
        self._state.setObjectName("pointanno_state")
        self.stop = _button("■ Stop && keep", "stop", "End after the current step and keep a checkpoint")
        self.pause = _button("Pause", "pause", "Wait after the current step; nothing is lost")
        self.resume = _button("Resume", "resume", "Go on from the last checkpoint")
        buttons = QHBoxLayout()
        for button in (self.stop, self.pause, self.resume):
            buttons.addWidget(button)
        self._bar = QProgressBar()
        self._bar.setObjectName("pointanno_progress")
        self._bar.setAccessibleName("Progress of the stage")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setRange(0, 1000)
        self._about, self._stage = WordLabel("about", FAINT), WordLabel("stage")
        self._line, self._machine = WordLabel("step_line"), WordLabel("machine", FAINT)
        self._message = WordLabel("message")
        self.news = _button("", "news", "Train again on the annotations of now")
        self.news.setAccessibleName("Train again on the annotations of now")
        self.news.setFlat(True)
        self.news.setStyleSheet(f"QPushButton {{ color: {GOOD}; text-align: left; padding: 1px; border: none; }}")
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(self.history.top(self._state))
        column.addLayout(buttons)
        for widget in (self._about, self._bar, self._stage, self._line, self._machine, self._message, self.news):
            column.addWidget(widget)
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.pause.clicked.connect(lambda: self.pause_requested.emit())
        self.resume.clicked.connect(lambda: self.resume_requested.emit())
        self.news.clicked.connect(lambda: self.request_start())
        return column

    def _build_log(self) -> QPlainTextEdit:
        self._log = QPlainTextEdit()
        self._log.setObjectName("pointanno_log")
        self._log.setAccessibleName("Last lines of the log")
        self._log.setReadOnly(True)
        self._log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._log.setToolTip("Last lines of the log")
        self._log.setMinimumHeight(LOG_LINES * self._log.fontMetrics().lineSpacing())
        self._log.setMaximumHeight(LOG_LINES * self._log.fontMetrics().lineSpacing() + LOG_ROOM)
        self._log.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        return self._log

    def _build_uses(self) -> QHBoxLayout:
        self.use = _button("Use for preview", "use_for_preview", "Show the predictions of this run over the image")
        self.export = _button("Export…", "export_curve", "Write the curve as a CSV file")
        row = QHBoxLayout()
        row.addWidget(self.use)
        row.addWidget(self.export)
        row.addWidget(self.history.open)
        self.use.clicked.connect(lambda: self.use_for_preview_requested.emit())
        self.export.clicked.connect(self._ask_for_csv)
        return row

    def _build_preview(self) -> QVBoxLayout:
        self.preview = QCheckBox("Preview  (P)")
        self.preview.setObjectName("pointanno_preview")
        self.preview.setToolTip("Show what the run that is used for it predicts on the image")
        self.preview.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setObjectName("pointanno_opacity")
        self.opacity.setAccessibleName("Opacity of the preview")
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity.setRange(5, 100)
        self.opacity.setValue(45)
        self.opacity.setFixedWidth(90)
        self.opacity.setToolTip("Opacity of the preview")
        line = QHBoxLayout()
        line.addWidget(self.preview, 1)
        line.addWidget(self.opacity)
        self._preview_text = WordLabel("preview_text", FAINT)
        column = QVBoxLayout()
        column.addLayout(line)
        column.addWidget(self._preview_text)
        self.preview.clicked.connect(lambda on: self.preview_switched.emit(on))
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        return column

    def _ask_for_csv(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self.widget, "Curve as CSV", "curve.csv", "CSV (*.csv)")
        if chosen:
            self.export_requested.emit(chosen)

    def _request_rehearsal(self) -> None:
        form = self.form.value()
        if form is not None:
            self.rehearsal_requested.emit(form)

    def request_start(self) -> None:
        """Emit `start_requested` with what the form says."""
        form = self.form.value()
        if form is not None:
            self.start_requested.emit(form)

    @property
    def stops_with_window(self) -> bool:
        """Whether a training that runs is to be stopped when the window closes."""
        return self.form.stop_with_window.isChecked()

    def show_systems(self, systems: list[SystemChoice], devices: list[DeviceChoice]) -> None:
        """Fill the menus."""
        self.form.show_systems(systems, devices)

    def show_ready(self, ready: bool, reason: str) -> None:
        """Whether a training can be started, and why not."""
        self.start.setEnabled(ready)
        self.rehearse.setEnabled(ready)
        set_text(self._reason, reason)

    def show_busy(self, text: str) -> None:
        """What is being prepared in the background."""
        self._busy.setFormat(text)
        self._busy.setAccessibleName(text or "Preparation")
        self._busy.setVisible(bool(text))

    def show_findings(self, findings: tuple[Finding, ...], *, can_start: bool, summary: str = "") -> None:
        """What the check before a training found."""
        self.findings.show_findings(findings, can_start=can_start, summary=summary)

    def show_runs(self, rows: list[RunRow], current: str) -> None:
        """The history and the run that is shown."""
        self.history.show_runs(rows, current)

    def show_run(self, panel: RunPanel) -> None:
        """State of the run that is shown."""
        good = panel.state in ("running", "starting", "finished")
        _set_color(self._state, GOOD if good else BAD if panel.state in ("failed", "lost") else FAINT)
        self._state.setText(panel.state)
        self._bar.setValue(round(1000 * panel.progress))
        self._bar.setVisible(bool(panel.title))
        set_text(self._about, panel.about)
        set_text(self._stage, panel.stage)
        set_text(self._line, panel.line)
        set_text(self._message, panel.message)
        if self._log.toPlainText() != panel.log:
            self._log.setPlainText(panel.log)
            bar = self._log.verticalScrollBar()
            assert bar is not None
            bar.setValue(bar.maximum())
        self._log.setVisible(bool(panel.log))
        self.stop.setEnabled(panel.can_stop)
        self.pause.setEnabled(panel.can_pause)
        self.pause.setText("Go on" if panel.paused else "Pause")
        self.resume.setEnabled(panel.can_resume)
        self.resume.setText("Resume" if panel.resume_from is None else f"Resume from {panel.resume_from:,}")
        self.form.go_on.setEnabled(bool(panel.title))
        self.use.setEnabled(bool(panel.title))
        self.export.setEnabled(bool(panel.title))
        self.details.show_details(
            hints=panel.hints, metrics=panel.metrics, per_class=panel.per_class, samples=panel.samples
        )

    def show_machine(self, text: str) -> None:
        """Load of the machine."""
        set_text(self._machine, text)

    def show_news(self, text: str) -> None:
        """Objects that came since the run was started."""
        self.news.setText(text)
        self.news.setVisible(bool(text))

    def show_curve(self, curve: Curve) -> None:
        """Its curve."""
        self.curves.show_curve(curve)

    def show_comparison(self, curves: Mapping[str, Curve], table: Table) -> None:
        """Several runs over one another, and what differs."""
        self.curves.compare(curves)
        self.history.table.show_table(table)
        self.history.table.setVisible(bool(table.rows))

    def show_activity(self, text: str) -> None:
        """Tell napari that something runs."""
        self._activity.show(text)

    def show_preview(self, on: bool, text: str) -> None:
        """Whether the preview is on, and what it is doing."""
        self.preview.setChecked(on)
        set_text(self._preview_text, text)

    def show_opacity(self, opacity: float) -> None:
        """The opacity of the preview, after a key has changed it."""
        self.opacity.setValue(round(opacity * 100))

    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person, by napari's own notifications."""
        notify(sentence, error=error)
