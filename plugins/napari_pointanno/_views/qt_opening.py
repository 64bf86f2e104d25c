"""What is on its way, and pictures that are not where they were: both told within the dock."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_pointanno._models.opening import OpeningJob
from napari_pointanno._views.qt_project_form import PathLine

LOOK_MS = 100
"""How often the progress is read."""

QUIET_MS = 300
"""What is done sooner is not worth a word."""


def _words(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(f"pointanno_{name}")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


class OpeningStrip(QFrame):
    """Progress of a project on its way, and the way to give it up."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: OpeningJob | None = None
        self.text = _words("opening_text", self)
        self.bar = QProgressBar(self)
        self.bar.setObjectName("pointanno_opening_bar")
        self.bar.setAccessibleName("Pictures that were looked at")
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setObjectName("pointanno_opening_cancel")
        self.cancel.setToolTip("Give it up; nothing is left behind")
        self.cancel.setAccessibleName("Give up")
        self.cancel.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cancel.clicked.connect(self._on_cancel)
        line = QHBoxLayout()
        line.addWidget(self.bar, 1)
        line.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self.text)
        layout.addLayout(line)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(QUIET_MS)
        self._late.timeout.connect(self.show)
        self.show_job(None)

    def show_job(self, job: OpeningJob | None) -> None:
        """Follow a job, or none."""
        self._job = job
        if job is None:
            self._timer.stop()
            self._late.stop()
            self.hide()
            return
        self.cancel.setEnabled(True)
        self._look()
        self._timer.start()
        self._late.start()

    def _look(self) -> None:
        if self._job is not None:
            self.text.setText(self._job.text())
            self.bar.setRange(0, self._job.total)  # 0 to 0 shows that nobody knows
            self.bar.setValue(self._job.done)

    def _on_cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.cancelled.emit()
        self._look()


class MissingStrip(QFrame):
    """Asks for the folder that holds the pictures now."""

    given = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_missing")
        self.setAccessibleName("Pictures are not where they were")
        self.setToolTip("Type, paste or browse for the folder, then Enter. Annotations are all there")
        self.setStyleSheet("#pointanno_missing { border: 1px solid rgba(255, 107, 107, 160); border-radius: 4px; }")
        self.text = _words("missing_text", self)
        self.folder = PathLine("pointanno_missing_folder", "folder of the pictures, then Enter", self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addWidget(self.text)
        layout.addWidget(self.folder)
        self.folder.submitted.connect(lambda: self.given.emit(self.folder.text()))
        self.folder.escaped.connect(self.left)
        self.hide()

    def show_missing(self, folder: str) -> None:
        """Where the pictures were; "" if they are there."""
        self.setVisible(bool(folder))
        self.text.setText(
            f"Pictures are not where they were: {folder}. Choose the folder that holds them now." if folder else ""
        )
