"""The list of images: a lazy model over `ImagePages` and its view."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_pointanno._models.image_pages import ImagePages, is_complete, is_touched
from pointanno.project import ProjectImage

_Index = QModelIndex | QPersistentModelIndex

COUNT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
MARK_ROLE = int(Qt.ItemDataRole.UserRole) + 2


class ImageListModel(QAbstractListModel):
    """Rows of the image list; asks the pages only for rows that are visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: ImagePages | None = None
        self._shown = -1

    def set_pages(self, pages: ImagePages | None) -> None:
        """Show another project's images."""
        self.beginResetModel()
        self._pages = pages
        self._shown = -1
        self.endResetModel()

    @property
    def shown(self) -> int:
        """The row whose image is on the canvas, -1 for none."""
        return self._shown

    def set_shown(self, row: int) -> None:
        """Mark the row whose image is on the canvas."""
        before, self._shown = self._shown, row
        for changed in {before, row}:
            self.refresh(changed)

    def refresh(self, row: int) -> None:
        """Repaint a row."""
        if 0 <= row < self.rowCount():
            index = self.index(row, 0)
            self.dataChanged.emit(index, index)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Number of images."""
        return 0 if parent.isValid() or self._pages is None else len(self._pages)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What a row shows."""
        if self._pages is None or not index.isValid() or index.row() >= len(self._pages):
            return None
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, COUNT_ROLE, MARK_ROLE):
            return None
        image = self._pages.row(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return image.file_name
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{image.path}\n{image.width} x {image.height}, {image.clicks} clicks, {image.boxes} boxes"
        if role == COUNT_ROLE:
            return _count_text(image)
        if image.id in self._pages.unreadable:
            return "!"
        if index.row() == self._shown:
            return "▶"
        if is_complete(image):
            return "✓"
        return "•" if is_touched(image) else ""


def _count_text(image: ProjectImage) -> str:
    """Points of an image in few letters."""
    points = image.clicks + image.answers
    if not points and not image.boxes:
        return ""
    return f"{points} pts" + (f" · {image.boxes} box" if image.boxes else "")


class _Delegate(QStyledItemDelegate):
    """Mark, name (shortened in the middle), counters."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        rect = QRect(option.rect)
        painter.save()
        if selected:
            painter.fillRect(rect, option.palette.highlight())
        mark = str(index.data(MARK_ROLE) or "")
        color = option.palette.text().color()
        painter.setPen(QColor(235, 90, 80) if mark == "!" else QColor(110, 210, 130) if mark in "✓•" else color)
        painter.drawText(rect.adjusted(4, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, mark)
        counts = str(index.data(COUNT_ROLE) or "")
        metrics = option.fontMetrics
        right = metrics.horizontalAdvance(counts) + 8 if counts else 4
        painter.setPen(color)
        room = rect.width() - 22 - right
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(rect.adjusted(20, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name)
        faint = QColor(color)
        faint.setAlpha(150)
        painter.setPen(faint)
        painter.drawText(
            rect.adjusted(0, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, counts
        )
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """All rows are equally high."""
        return QSize(80, option.fontMetrics.height() + 6)


class ImageList(QListView):
    """The view; never takes the keyboard."""

    row_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_images")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(90)
        self.images = ImageListModel(self)
        self.setModel(self.images)
        self.setItemDelegate(_Delegate(self))
        self.clicked.connect(lambda index: self.row_clicked.emit(index.row()))

    def show_row(self, row: int) -> None:
        """Mark a row as shown and scroll to it."""
        if self.images.shown == row:
            return
        self.images.set_shown(row)
        index = self.images.index(row, 0)
        self.setCurrentIndex(index)
        self.scrollTo(index)
