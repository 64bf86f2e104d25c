"""Small pieces that the parts of the dock share."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy

FRAMED = "#{} {{ border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }}"
"""Style of a framed part, to be filled with the name of the object."""


def quiet_button(text: str, name: str, tip: str) -> QPushButton:
    """A narrow button that never takes the keyboard."""
    button = QPushButton(text)
    button.setObjectName(f"pointanno_{name}")
    button.setAccessibleName(tip)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    margin = 10
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + margin)
    return button


def words(name: str, meaning: str) -> QLabel:
    """A label that wraps its words and lets them be copied."""
    label = QLabel("")
    label.setObjectName(f"pointanno_{name}")
    label.setAccessibleName(meaning)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return label
