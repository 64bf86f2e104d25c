"""Said about an image: what is complete, and the strip that waits for a reason."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pointanno._models.reasons import Strip
from napari_pointanno._views.qt_line_edit import LineEdit
from napari_pointanno._views.qt_run_details import WordLabel

COLUMNS = 2
"""Answers in a row of the strip."""


class CompleteBoxes(QWidget):
    """Two boxes: every thing of the image is annotated, all of the stuff is."""

    chosen = Signal(bool, bool)
    """Things, stuff: as the person wants them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.things = self._box("things", "things", "Every thing on this image is annotated")
        self.stuff = self._box("stuff", "stuff", "All of the stuff on this image is annotated")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("complete:", self))
        layout.addWidget(self.things)
        layout.addWidget(self.stuff)

    def _box(self, name: str, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text, self)
        box.setObjectName(f"pointanno_complete_{name}")
        box.setToolTip(f"{tip}; models that learn from every click rely on it. Undo and a second click take it back")
        box.setAccessibleName(tip)
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.clicked.connect(lambda: self.chosen.emit(self.things.isChecked(), self.stuff.isChecked()))
        return box

    def show_complete(self, things: bool, stuff: bool) -> None:
        """What is declared."""
        self.things.setChecked(things)
        self.stuff.setChecked(stuff)


class ReasonStrip(QFrame):
    """A question with numbered answers; the keyboard stays on the canvas, which takes the digits."""

    digit_chosen = Signal(int)
    words_given = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_strip")
        self.setAccessibleName("Question about this image")
        self.setStyleSheet("#pointanno_strip { border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }")
        self.title = WordLabel("strip_title")
        self._grid = QGridLayout()
        self._grid.setSpacing(3)
        self.buttons: list[QPushButton] = []
        self.line = LineEdit(self)
        self.line.setObjectName("pointanno_strip_words")
        self.line.setAccessibleName("Reason in your own words")
        self.line.setPlaceholderText("reason, then Enter")
        self.line.setToolTip("Enter gives the reason, Esc leaves")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(self._grid)
        layout.addWidget(self.line)
        self.line.returnPressed.connect(lambda: self.words_given.emit(self.line.text()))
        self.line.escaped.connect(self.left)
        self.show_strip(None)

    def show_strip(self, strip: Strip | None) -> None:
        """Ask, or ask nothing any more."""
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        self.line.hide()
        self.line.clear()
        self.setVisible(strip is not None)
        if strip is None:
            return
        self.title.setText(strip.title)
        tail = f"Enter: {strip.default}.  Esc leaves" if strip.default else "Esc leaves"
        self.setToolTip(f"Press a digit.  {tail}")
        for number, (digit, words) in enumerate(strip.entries):
            button = QPushButton(f"{digit}  {words}", self)
            button.setObjectName(f"pointanno_strip_{digit}")
            button.setToolTip(f"{words} ({digit})")
            button.setAccessibleName(words)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _=False, digit=digit: self.digit_chosen.emit(digit))
            self._grid.addWidget(button, *divmod(number, COLUMNS))
            self.buttons.append(button)

    def ask_words(self) -> None:
        """Put the cursor into the line for a reason of one's own."""
        self.line.show()
        self.line.setFocus()
