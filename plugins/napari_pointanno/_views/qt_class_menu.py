"""The menu of one class."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from napari_pointanno._views.annotate_view import ClassRow

BY_ORDER = -1
"""In place of a digit: the class gets the one of its place in the list."""


class ClassMenu(QMenu):
    """What can be done with a class; without one, classes can still be read from a file.

    Parameters
    ----------
    parent : QWidget
    row : ClassRow or None
    number, count : int
        Place of the class, and how many there are.
    """

    chosen = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QWidget, row: ClassRow | None, number: int, count: int) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_class_actions")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setToolTipsVisible(True)
        self.entries: dict[str, QAction] = {}
        if row is not None:
            self.setAccessibleName(f"Change {row.name}")
            self._add("rename", "Rename", "F2 or a double click")
            self._add("color", "Colour…", "Colours that colour-blind people tell apart, or any other")
            self._add("kind", "Make it stuff…" if row.isthing else "Make it a thing…", "Says first what will happen")
            self._add("up", "Move up", "Alt+↑ in the search line").setEnabled(number > 0)
            self._add("down", "Move down", "Alt+↓ in the search line").setEnabled(number + 1 < count)
            self._add_digits(row)
            self._add("merge", "Merge into…", "Says first what will happen").setEnabled(count > 1)
            self._add("delete", "Delete…", "Says first what will happen")
            self.addSeparator()
        self._add("file", "Add classes from file…", "A text with one name a line, or a COCO JSON")
        self._has_chosen = False
        self.triggered.connect(self._on_triggered)
        self.aboutToHide.connect(self._on_hide, Qt.ConnectionType.QueuedConnection)

    def _add(self, name: str, text: str, tip: str, menu: QMenu | None = None) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"pointanno_class_{name}")
        action.setToolTip(tip)
        action.setData(name)
        (menu or self).addAction(action)
        self.entries[name] = action
        return action

    def _add_digits(self, row: ClassRow) -> None:
        digits = QMenu("Key", self)
        digits.setObjectName("pointanno_class_digits")
        self._add(f"digit{BY_ORDER}", "by its place in the list", "Digits follow the order of the classes", digits)
        for digit in range(1, 10):
            action = self._add(
                f"digit{digit}", str(digit), f"{row.name} by the key {digit}, wherever it stands", digits
            )
            action.setCheckable(True)
            action.setChecked(digit == row.digit)
        self.addMenu(digits)

    def _on_triggered(self, action: QAction) -> None:
        self._has_chosen = True
        self.chosen.emit(str(action.data()))

    def _on_hide(self) -> None:
        if not self._has_chosen:
            self.cancelled.emit()
