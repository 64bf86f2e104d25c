"""The line of the dock that begins a study, and tells where one is."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_pointanno._views.annotate_view import StudyState
from napari_pointanno._views.qt_parts import quiet_button, words

MARGIN = 16
"""Of a button beside its words, pixels."""

BEGIN, LEAVE = "Run a study", "Leave the study"


class StudyStrip(QWidget):
    """A button and a line of words; puts away what a study locks."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_study")
        self._locked: Sequence[QWidget] = ()
        self._put_away: list[QWidget] = []
        self.text = words("study_text", "Where you are in the study")
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = quiet_button(BEGIN, "study_button", "Take part in the study that is planned for this project")
        self.button.clicked.connect(lambda: self.pressed.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self.show_study(StudyState())

    def locks(self, *widgets: QWidget) -> None:
        """Put these away while a study runs; they come back as they were."""
        self._locked = widgets

    def show_study(self, state: StudyState) -> None:
        """A study runs, or none."""
        self.text.setText(state.text if state.runs else "Study: off")
        title = LEAVE if state.runs else BEGIN
        if self.button.text() != title:
            self.button.setText(title)
            self.button.setMinimumWidth(self.button.fontMetrics().horizontalAdvance(title) + MARGIN)
            tip = (
                "Stop; it goes on where you stopped when you begin again"
                if state.runs
                else "Take part in the study that is planned for this project"
            )
            self.button.setToolTip(tip)
            self.button.setAccessibleName(f"{title}: {tip}")
        if state.runs and not self._put_away:
            self._put_away = [widget for widget in self._locked if not widget.isHidden()]
            for widget in self._put_away:
                widget.hide()
        elif not state.runs:
            for widget in self._put_away:
                widget.show()
            self._put_away = []
