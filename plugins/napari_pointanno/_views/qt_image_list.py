"""The list of images: a lazy model over `ImagePages` and its view.

The view is a table of one column without headers. Nothing in it depends on the number of rows; a list view measures
every row again whenever one of them changes, and that takes 0.15 s with a hundred thousand.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from napari_pointanno._models.image_filters import Mark, attention_of, mark_of, points_text, tip_of
from napari_pointanno._models.image_pages import ImagePages

_Index = QModelIndex | QPersistentModelIndex

COUNT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
MARK_ROLE = int(Qt.ItemDataRole.UserRole) + 2
ATTENTION_ROLE = int(Qt.ItemDataRole.UserRole) + 3
SHOWN_ROLE = int(Qt.ItemDataRole.UserRole) + 4
GUEST_ROLE = int(Qt.ItemDataRole.UserRole) + 5

_ROLES = {
    int(role)
    for role in (
        *(Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole),
        *(COUNT_ROLE, MARK_ROLE, ATTENTION_ROLE, SHOWN_ROLE, GUEST_ROLE),
    )
}
_COLORS = {
    "good": QColor(95, 211, 141),
    "begun": QColor(110, 180, 240),
    "bad": QColor(255, 107, 107),
    "flag": QColor(240, 190, 80),
}
"""Colours of the marks; "faint" is the colour of the text."""

_FAINT_ALPHA = 150


class ImageListModel(QAbstractListModel):
    """Rows of the image list; asks the pages only for rows that are visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: ImagePages | None = None
        self._shown = -1

    def set_pages(self, pages: ImagePages | None) -> None:
        """Show another project's images."""
        if self._pages is not None:
            self._pages.changing.disconnect(self._on_changing)
            self._pages.changed.disconnect(self._on_changed)
        self.beginResetModel()
        self._pages = pages
        self._shown = -1
        self.endResetModel()
        if pages is not None:
            pages.changing.connect(self._on_changing)
            pages.changed.connect(self._on_changed)

    @property
    def pages(self) -> ImagePages | None:
        """What the rows come from."""
        return self._pages

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

    def refresh_all(self) -> None:
        """Repaint what is visible."""
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 0))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        """Number of rows."""
        return 0 if parent.isValid() or self._pages is None else len(self._pages)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What a row shows."""
        pages, row = self._pages, index.row()
        if pages is None or int(role) not in _ROLES or not index.isValid() or row >= len(pages):
            return None
        if role == SHOWN_ROLE:
            return row == self._shown
        if role == GUEST_ROLE:
            return pages.is_guest(row)
        image = pages.row(row)
        unreadable = image.id in pages.unreadable
        if role == Qt.ItemDataRole.DisplayRole:
            return image.file_name
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_of(image, unreadable=unreadable, guest=pages.is_guest(row))
        if role == COUNT_ROLE:
            return points_text(image)
        if role == ATTENTION_ROLE:
            return attention_of(image)
        mark = mark_of(image, unreadable=unreadable)
        if role == MARK_ROLE:
            return mark
        words = (image.file_name, mark.words, attention_of(image).words, points_text(image))
        return ", ".join(word for word in words if word)

    def _on_changing(self, row: int, delta: int) -> None:
        if delta > 0:
            self.beginInsertRows(QModelIndex(), row, row)
        elif delta < 0:
            self.beginRemoveRows(QModelIndex(), row, row)
        else:
            self.beginResetModel()

    def _on_changed(self, row: int, delta: int) -> None:
        if delta > 0:
            self._shown += row <= self._shown
            self.endInsertRows()
        elif delta < 0:
            self._shown = -1 if row == self._shown else self._shown - (row < self._shown)
            self.endRemoveRows()
        else:
            self._shown = -1
            self.endResetModel()


class _Delegate(QStyledItemDelegate):
    """Arrow of the row that is shown, mark, name (shortened in the middle), what it wants, counters."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        rect, metrics = QRect(option.rect), option.fontMetrics
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, option.palette.highlight())
        text = option.palette.text().color()
        faint = QColor(text)
        faint.setAlpha(_FAINT_ALPHA)
        middle, slot = Qt.AlignmentFlag.AlignVCenter, metrics.horizontalAdvance("✓") + 8
        left, right = rect.left() + 4, rect.right() - 6
        painter.setPen(text)
        if index.data(SHOWN_ROLE):
            painter.drawText(QRect(left, rect.top(), slot, rect.height()), middle, "▶")
        left += slot
        mark: Mark = index.data(MARK_ROLE)
        painter.setPen(_COLORS.get(mark.role, faint))
        painter.drawText(QRect(left, rect.top(), slot, rect.height()), middle, mark.symbol)
        left += slot
        counts = str(index.data(COUNT_ROLE))
        painter.setPen(faint)
        painter.drawText(
            QRect(left, rect.top(), right - left, rect.height()), middle | Qt.AlignmentFlag.AlignRight, counts
        )
        right -= metrics.horizontalAdvance(counts) + 6 if counts else 0
        attention: Mark = index.data(ATTENTION_ROLE)
        if attention.symbol:
            right -= slot
            painter.setPen(_COLORS[attention.role])
            painter.drawText(QRect(right, rect.top(), slot, rect.height()), middle, attention.symbol)
        painter.setPen(faint if mark.role == "faint" and mark.symbol else text)
        if index.data(GUEST_ROLE):  # it is listed only because it is shown
            font = painter.font()
            font.setItalic(True)
            painter.setFont(font)
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, right - left)
        painter.drawText(QRect(left, rect.top(), right - left, rect.height()), middle, name)
        painter.restore()


class ImageList(QTableView):
    """The view; never takes the keyboard."""

    row_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_images")
        self.setAccessibleName("Images of the project")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.images = ImageListModel(self)
        self.setModel(self.images)
        self.setItemDelegate(_Delegate(self))
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.clicked.connect(lambda index: self.row_clicked.emit(index.row()))
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Rows are as high as the font asks for."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "images"):
            self._fit()

    def _fit(self) -> None:
        height = self.fontMetrics().height() + 6
        self.verticalHeader().setDefaultSectionSize(height)
        self.setMinimumHeight(4 * height)

    def sizeHint(self) -> QSize:
        """No more than is needed: the list grows into whatever room is left."""
        return QSize(80, self.minimumHeight())

    def show_row(self, row: int) -> None:
        """Mark a row as shown and scroll to it."""
        if self.images.shown == row:
            return
        self.images.set_shown(row)
        index = self.images.index(row, 0)
        self.setCurrentIndex(index)
        self.scrollTo(index)
