"""The dock *Train & preview* in Qt."""

from __future__ import annotations

from typing import Any

import pyqtgraph
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFontDatabase, QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.curves import Curve
from napari_pointanno._views.qt_annotate_view import BAD, FAINT, GOOD, _button, _heading, _rule
from napari_pointanno._views.qt_notify import notify
from napari_pointanno._views.train_view import RunPanel, SystemChoice, TrainForm, TrainView

TICK_MS = 250
LOSS_COLOR, VAL_COLOR = (86, 180, 233), (230, 159, 0)


class _Panel(QWidget):
    """The widget of the dock; watches runs from its first showing on, also behind the other tab."""

    def __init__(self, timer: QTimer) -> None:
        super().__init__()
        self._timer = timer
        timer.setParent(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Start to watch."""
        super().showEvent(event)
        self._timer.start()


class QtTrainView(TrainView):
    """Builds the dock; `widget` is what napari shows."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(lambda: self.ticked.emit())
        self.widget = _Panel(self._timer)
        self.widget.setObjectName("pointanno_train")
        self.widget.setMinimumWidth(300)
        self._systems: list[SystemChoice] = []
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addWidget(_heading("Train on this project"))
        layout.addLayout(self._build_form())
        layout.addWidget(_rule())
        layout.addLayout(self._build_run())
        layout.addWidget(self._build_plot(), 1)
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._log.setMaximumHeight(130)
        self._log.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        layout.addWidget(self._log)
        layout.addWidget(_rule())
        layout.addLayout(self._build_preview())
        self.show_run(RunPanel())

    def _build_form(self) -> QVBoxLayout:
        self.system, self.recipe, self.device = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.system, "system"), (self.recipe, "recipe"), (self.device, "device")):
            box.setObjectName(f"pointanno_{name}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.steps = QSpinBox()
        self.steps.setObjectName("pointanno_steps")
        self.steps.setRange(0, 10_000_000)
        self.steps.setSingleStep(100)
        self.steps.setSpecialValueText("as the recipe says")
        self.go_on = QCheckBox("from the weights of the run below")
        self.go_on.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("System", self.system)
        form.addRow("Recipe", self.recipe)
        form.addRow("Device", self.device)
        form.addRow("Steps", self.steps)
        form.addRow("Start", self.go_on)
        self.start = _button("Train", "start", "Freeze the annotations of now and train on them in the background")
        self.stop = _button("■ Stop && keep", "stop", "End after the current step and keep a checkpoint")
        self.resume = _button("Resume", "resume", "Go on from the last checkpoint")
        buttons = QHBoxLayout()
        for button in (self.start, self.stop, self.resume):
            buttons.addWidget(button)
        self._reason = QLabel("")
        self._reason.setWordWrap(True)
        self._reason.setStyleSheet(f"color: {FAINT};")
        column = QVBoxLayout()
        column.setSpacing(5)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self._reason)
        self.system.currentIndexChanged.connect(self._fill_recipes)
        self.start.clicked.connect(lambda: self.request_start())
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.resume.clicked.connect(lambda: self.resume_requested.emit())
        return column

    def _build_run(self) -> QVBoxLayout:
        self.runs = QComboBox()
        self.runs.setObjectName("pointanno_runs")
        self.runs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.runs.textActivated.connect(lambda name: self.run_chosen.emit(name))
        self._state = QLabel("")
        self._state.setObjectName("pointanno_state")
        top = QHBoxLayout()
        top.addWidget(self.runs, 1)
        top.addWidget(self._state)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setRange(0, 1000)
        self._line = QLabel("")
        self._line.setObjectName("pointanno_step_line")
        self._line.setWordWrap(True)
        self._message = QLabel("")
        self._message.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(4)
        for item in (self._bar, self._line, self._message):
            if item is self._bar:
                column.addLayout(top)
            column.addWidget(item)
        return column

    def _build_plot(self) -> QWidget:
        self.plot: Any = pyqtgraph.PlotWidget()
        self.plot.setObjectName("pointanno_curve")
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setBackground(None)
        self.plot.setMinimumHeight(160)
        # pyqtgraph asks for 640 pixels of width, which would make both docks that wide
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.plot.setMenuEnabled(False)
        item = self.plot.getPlotItem()
        item.setLabel("bottom", "step")
        item.setLabel("left", "loss")
        item.showGrid(x=True, y=True, alpha=0.2)
        item.hideButtons()
        # every step in pale, their average on top: the steps alone are a band of noise
        self._loss_curve = item.plot([], [], pen=pyqtgraph.mkPen((*LOSS_COLOR, 80), width=1))
        self._smoothed_curve = item.plot([], [], pen=pyqtgraph.mkPen(LOSS_COLOR, width=2))
        # validation has another scale, hence an axis of its own on the right
        self._val_box = pyqtgraph.ViewBox()
        item.showAxis("right")
        item.scene().addItem(self._val_box)
        item.getAxis("right").linkToView(self._val_box)
        item.getAxis("right").setLabel("val", color="#e69f00")
        self._val_box.setXLink(item)
        self._val_curve = pyqtgraph.PlotDataItem(
            [], [], pen=pyqtgraph.mkPen(VAL_COLOR, width=1), symbol="o", symbolSize=6, symbolBrush=VAL_COLOR,
            symbolPen=None,
        )  # fmt: skip
        self._val_box.addItem(self._val_curve)
        item.vb.sigResized.connect(self._fit_val_box)
        box: QWidget = self.plot
        return box

    def _fit_val_box(self) -> None:
        item = self.plot.getPlotItem()
        self._val_box.setGeometry(item.vb.sceneBoundingRect())
        self._val_box.linkedViewChanged(item.vb, self._val_box.XAxis)

    def _build_preview(self) -> QVBoxLayout:
        self.preview = QCheckBox("Preview  (P)")
        self.preview.setObjectName("pointanno_preview")
        self.preview.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity.setRange(5, 100)
        self.opacity.setValue(45)
        self.opacity.setFixedWidth(90)
        self.opacity.setToolTip("Opacity of the preview")
        line = QHBoxLayout()
        line.addWidget(self.preview, 1)
        line.addWidget(self.opacity)
        self._preview_text = QLabel("")
        self._preview_text.setObjectName("pointanno_preview_text")
        self._preview_text.setWordWrap(True)
        self._preview_text.setStyleSheet(f"color: {FAINT};")
        column = QVBoxLayout()
        column.addLayout(line)
        column.addWidget(self._preview_text)
        self.preview.clicked.connect(lambda on: self.preview_switched.emit(on))
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        return column

    def _fill_recipes(self) -> None:
        index = self.system.currentIndex()
        self.recipe.clear()
        if 0 <= index < len(self._systems):
            recipes = self._systems[index].recipes
            self.recipe.addItems(recipes)
            if "small" in recipes:
                self.recipe.setCurrentText("small")

    def request_start(self) -> None:
        """Emit `start_requested` with what the form says."""
        index = self.system.currentIndex()
        if 0 <= index < len(self._systems):
            self.start_requested.emit(
                TrainForm(
                    system=self._systems[index].name,
                    recipe=self.recipe.currentText(),
                    device=self.device.currentText(),
                    steps=self.steps.value() or None,
                    go_on_from_shown=self.go_on.isChecked(),
                )
            )

    def show_systems(self, systems: list[SystemChoice], devices: list[str]) -> None:
        """Fill the menus."""
        self._systems = systems
        self.system.clear()
        self.system.addItems([system.title for system in systems])
        self.device.clear()
        self.device.addItems(devices)

    def show_ready(self, ready: bool, reason: str) -> None:
        """Whether a training can be started, and why not."""
        self.start.setEnabled(ready)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))

    def show_runs(self, names: list[str], current: str) -> None:
        """The history and the run that is shown."""
        if [self.runs.itemText(i) for i in range(self.runs.count())] != names:
            self.runs.clear()
            self.runs.addItems(names)
        self.runs.setCurrentText(current)
        self.runs.setEnabled(bool(names))
        self.runs.setPlaceholderText("no run yet")
        if not names:
            self.runs.setCurrentIndex(-1)

    def show_run(self, panel: RunPanel) -> None:
        """State of the run that is shown."""
        self._state.setText(panel.state)
        good = panel.state in ("running", "starting", "finished")
        color = GOOD if good else BAD if panel.state in ("failed", "lost") else FAINT
        self._state.setStyleSheet(f"color: {color};")
        self._bar.setValue(round(1000 * panel.progress))
        self._line.setText(panel.line)
        self._message.setText(panel.message)
        self._message.setVisible(bool(panel.message))
        if self._log.toPlainText() != panel.log:
            self._log.setPlainText(panel.log)
            bar = self._log.verticalScrollBar()
            bar.setValue(bar.maximum())
        self._log.setVisible(bool(panel.log))
        self.stop.setEnabled(panel.can_stop)
        self.resume.setEnabled(panel.can_resume)
        self.go_on.setEnabled(bool(panel.title))

    def show_curve(self, curve: Curve) -> None:
        """Its curve."""
        self._loss_curve.setData(curve.steps, curve.losses)
        self._smoothed_curve.setData(curve.steps, curve.smoothed)
        self._val_curve.setData(curve.val_steps, curve.val_values)
        self._val_box.enableAutoRange(axis=self._val_box.YAxis)

    def show_preview(self, on: bool, text: str) -> None:
        """Whether the preview is on, and what it is doing."""
        self.preview.setChecked(on)
        self._preview_text.setText(text)
        self._preview_text.setVisible(bool(text))

    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person, by napari's own notifications."""
        notify(sentence, error=error)
