"""A line of text that says when it is left."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QLineEdit

_STILL_HERE = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)


class LineEdit(QLineEdit):
    """A line that says when the person leaves it by Escape, or by a click elsewhere."""

    escaped = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves, everything else is typed."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A menu, or another window in front, is no leaving."""
        super().focusOutEvent(event)
        if event.reason() not in _STILL_HERE:
            self.left.emit()
