"""The rows of the list of classes, and the line that searches them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QHelpEvent, QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QListView, QWidget

from napari_pointanno._views.qt_class_model import ClassModel
from napari_pointanno._views.qt_line_edit import LineEdit

LEAST_ROWS = 4
"""Rows that are seen even where there is little room."""


class SearchLine(LineEdit):
    """The line above the list; some of its keys move in the list."""

    moved = Signal(int)
    shifted = Signal(int)
    rename_wanted = Signal()
    menu_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, F2 and the menu key belong to the list."""
        key, modifiers = event.key(), event.modifiers()
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(key))
        if step is not None:
            is_alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
            (self.shifted if is_alt else self.moved).emit(step)
        elif key == Qt.Key.Key_F2:
            self.rename_wanted.emit()
        elif key == Qt.Key.Key_Menu or (key == Qt.Key.Key_F10 and modifiers & Qt.KeyboardModifier.ShiftModifier):
            self.menu_wanted.emit()
        else:
            super().keyPressEvent(event)


class ClassView(QListView):
    """The rows; never takes the keyboard."""

    use_wanted = Signal(int)
    scrolled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_classes")
        self.setAccessibleName("Classes")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)

    def minimumSizeHint(self) -> QSize:
        """Room for some rows of the present font."""
        return QSize(80, LEAST_ROWS * (self.fontMetrics().height() + 8))

    def sizeHint(self) -> QSize:
        """No more: the list grows into whatever room is left."""
        return self.minimumSizeHint()

    def viewportEvent(self, event: QEvent) -> bool:
        """A tool tip is asked for: what it says is counted now."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.indexAt(event.pos())
            model = self.model()
            if index.isValid() and isinstance(model, ClassModel):
                self.use_wanted.emit(model.rows[index.row()].id)
                return True
        return bool(super().viewportEvent(event))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """What lies over a row must move along, or go."""
        super().scrollContentsBy(dx, dy)
        self.scrolled.emit()
