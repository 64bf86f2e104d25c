"""A line that unfolds what lies below it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLayout, QToolButton, QVBoxLayout, QWidget


class Folding(QWidget):
    """A button with an arrow, and a body that it shows and hides; closed at first.

    Parameters
    ----------
    title : str
    name : str
        Of the object, for tests and assistive technology.
    """

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self.setObjectName(f"pointanno_{name}")
        self.head = QToolButton()
        self.head.setObjectName(f"pointanno_{name}_head")
        self.head.setAccessibleName(title)
        self.head.setText(title)
        self.head.setToolTip(f"{title}: show or hide")
        self.head.setCheckable(True)
        self.head.setAutoRaise(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.head.setStyleSheet("QToolButton { border: none; padding: 1px; background: transparent; }")
        self.body = QWidget()
        self.body.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.head)
        column.addWidget(self.body)
        self.head.toggled.connect(self._fold)

    def set_layout(self, layout: QLayout) -> None:
        """What the body shows."""
        layout.setContentsMargins(14, 0, 0, 4)
        self.body.setLayout(layout)

    def _fold(self, is_open: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.body.setVisible(is_open)
