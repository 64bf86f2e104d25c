"""Questions about classes, asked within the dock: what will happen, and what to do."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QIcon, QKeyEvent, QMouseEvent, QPixmap
from qtpy.QtWidgets import QAbstractButton, QFrame, QGridLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_pointanno._views.annotate_view import Choice, ClassQuestion
from napari_pointanno._views.qt_run_details import WordLabel

COLUMNS = 6
"""Swatches in a row."""

_STAYS = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Backtab)
_FORTH = (Qt.Key.Key_Right, Qt.Key.Key_Tab)
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class _Sentence(WordLabel):
    """As high as its lines: a label that breaks them asks for a square of its own."""

    def sizeHint(self) -> QSize:
        """What the lines need at the present width."""
        return QSize(0, self.minimumHeight())


class ClassStrip(QFrame):
    """A sentence and its answers below the list of classes.

    It has the keyboard while it asks: arrows and Tab move, Enter takes, a digit takes the answer of that number,
    Escape takes none. A click elsewhere takes none either.
    """

    answered = Signal(str)
    """Name of the choice, "" for none."""
    dropped = Signal()
    """The person went on with something else."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_class_strip")
        self.setAccessibleName("Question about a class")
        self.setToolTip("Arrows move, Enter or a digit takes an answer, Esc takes none")
        self.setStyleSheet("#pointanno_class_strip { border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._question: ClassQuestion | None = None
        self._buttons: list[QAbstractButton] = []
        self._swatches = 0
        self._current = 0
        self.text = _Sentence("class_strip_text")
        self._body = QWidget(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 4, 6, 6)
        self._column.setSpacing(4)
        self._column.addWidget(self.text)
        self._column.addWidget(self._body)
        self.hide()

    @property
    def asks(self) -> bool:
        """Whether it waits for an answer."""
        return self._question is not None

    @property
    def buttons(self) -> dict[str, QAbstractButton]:
        """The answers by name."""
        choices = self._question.choices if self._question is not None else ()
        return {choice.name: button for choice, button in zip(choices, self._buttons, strict=True)}

    def show_note(self, text: str) -> None:
        """A sentence that asks nothing; "" hides it."""
        self._fill(None)
        self._show(text)

    def ask(self, question: ClassQuestion) -> None:
        """Show a question and take the keyboard."""
        self._fill(question)
        self._show(question.text)
        self.setAccessibleDescription(question.text)
        self._mark(question.preferred)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self, text: str) -> None:
        self.text.setText(text)
        self.setVisible(bool(text))

    def _fill(self, question: ClassQuestion | None) -> None:
        """Other buttons."""
        self._question = None
        self._column.removeWidget(self._body)
        self._body.hide()
        self._body.deleteLater()
        self._body, self._buttons = QWidget(self), []
        self._column.addWidget(self._body)
        choices = question.choices if question is not None else ()
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        self._swatches = sum(choice.color is not None for choice in choices)
        rows = -(-self._swatches // COLUMNS)
        for number, choice in enumerate(choices):
            button = self._button(choice, number)
            if choice.color is not None:
                grid.addWidget(button, number // COLUMNS, number % COLUMNS)
            else:
                grid.addWidget(button, rows + number, 0, 1, COLUMNS)
            self._buttons.append(button)
        self._body.setVisible(bool(choices))
        self._question = question

    def _button(self, choice: Choice, number: int) -> QAbstractButton:
        button: QAbstractButton
        if choice.color is not None:
            button = QToolButton(self._body)
            side = self.fontMetrics().height()
            picture = QPixmap(side, side)
            picture.fill(QColor(*choice.color))
            button.setIcon(QIcon(picture))
            button.setIconSize(QSize(side, side))
            button.setToolTip(choice.text)
        else:
            button = QPushButton(choice.text.replace("&", "&&"), self._body)
            place = number - self._swatches + 1
            key = f"  ({place})" if not self._swatches else ""
            button.setToolTip(f"{choice.tip or choice.text}{key}")
        button.setStyleSheet(_frame("transparent"))  # the room for the frame is there from the beginning
        button.setAccessibleName(choice.text)
        button.setObjectName(f"pointanno_class_{choice.name or 'cancel'}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _=False, name=choice.name: self._answer(name))
        return button

    def _mark(self, number: int) -> None:
        """Frame the answer that Enter takes."""
        self._current = number
        # a style sheet of the window does not reach palette(text): the colour of the sentence is that of the theme
        color = self.text.palette().color(self.text.foregroundRole()).name()
        for place, button in enumerate(self._buttons):
            line = color if place == number else "transparent"
            button.setStyleSheet(_frame(line))
            button.updateGeometry()

    def _answer(self, name: str) -> None:
        if self._question is None:
            return
        self._question = None
        self._show("")
        self.answered.emit(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, take, leave."""
        key, count = event.key(), len(self._buttons)
        if self._question is None or not count:
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Escape:
            self._answer("")
        elif key in _TAKE:
            self._buttons[self._current].click()
        elif key in _BACK:
            self._mark((self._current - 1) % count)
        elif key in _FORTH:
            self._mark((self._current + 1) % count)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._mark(self._beside(1 if key == Qt.Key.Key_Down else -1))
        elif not self._swatches and 0 < key - int(Qt.Key.Key_0) <= count:
            self._buttons[key - int(Qt.Key.Key_0) - 1].click()
        else:
            super().keyPressEvent(event)

    def _beside(self, step: int) -> int:
        """The answer below or above the marked one."""
        last = len(self._buttons) - 1
        if self._current >= self._swatches:
            wanted = self._current + step
            return min(wanted, last) if wanted >= 0 else 0
        wanted = self._current + step * COLUMNS
        if wanted < 0:
            return self._current
        return wanted if wanted < self._swatches else min(self._swatches, last)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab stays within the question."""
        return False

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Somebody went on with something else."""
        super().focusOutEvent(event)
        if event.reason() not in _STAYS and self._question is not None:
            self._question = None
            self._show("")
            self.dropped.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the buttons does nothing."""
        event.accept()


def _frame(color: str) -> str:
    """Style of an answer in a frame of this colour."""
    return f"border: 2px solid {color}; padding: 2px;"
