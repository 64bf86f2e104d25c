"""What holds a dock: as wide as its words, scrolling where a small screen or large letters leave no room below."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea

LEAST_WIDTH = 300
"""Of a dock, pixels."""


class Scrolling(QScrollArea):
    """Scrolls up and down only; never takes the keyboard.

    Parameters
    ----------
    name : str
        Of the object.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(f"pointanno_{name}")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def minimumSizeHint(self) -> QSize:
        """Room for every word, whatever the font: a fixed width would cut large letters."""
        hint, content, bar = super().minimumSizeHint(), self.widget(), self.verticalScrollBar()
        if content is None or bar is None:
            return hint
        room = content.minimumSizeHint()
        scrolls = room.height() > self.height()
        width = room.width() + (bar.sizeHint().width() if scrolls else 0)
        return QSize(max(LEAST_WIDTH, width), hint.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The content may need another width."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))
