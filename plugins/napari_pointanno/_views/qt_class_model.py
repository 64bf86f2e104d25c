"""The classes as a Qt model, and how a row of them is painted."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QPainter
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_pointanno._views.annotate_view import ClassRow

_Index = QModelIndex | QPersistentModelIndex
_NOTHING = QModelIndex()

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1

LEAST_LETTERS = 6
"""Room that a name has at least, where that is possible."""


class ClassModel(QAbstractListModel):
    """Rows as they are shown; where one is dropped is told, not done."""

    dropped = Signal(int, int)
    """Row that was moved, row before which it was dropped."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.rows: list[ClassRow] = []
        self.allowed: frozenset[int] | None = None
        """Classes that can be picked, None for all."""

    def set_rows(self, rows: list[ClassRow]) -> bool:
        """Show these; True if there are other classes now, or another order."""
        before, rows = self.rows, list(rows)
        if [row.id for row in before] != [row.id for row in rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return True
        self.rows = rows
        for number, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.repaint_row(number)
        return False

    def allow(self, ids: frozenset[int] | None) -> None:
        """Grey out all classes but these; None allows all."""
        if ids != self.allowed:
            self.allowed = ids
            if self.rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 0))

    def repaint_row(self, number: int) -> None:
        """Tell that a row looks otherwise now."""
        index = self.index(number, 0)
        self.dataChanged.emit(index, index)

    def number_of(self, category_id: int | None) -> int:
        """The row of a class, -1 for none."""
        return next((number for number, row in enumerate(self.rows) if row.id == category_id), -1)

    def is_allowed(self, row: ClassRow) -> bool:
        """Whether a class can be picked now."""
        return self.allowed is None or row.id in self.allowed

    def rowCount(self, parent: _Index = _NOTHING) -> int:
        """Number of classes."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What a row shows; tool tips come from elsewhere, because they are counted first."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(row)
        return row if role == ROW_ROLE else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Rows are dragged, and dropped between others; those that cannot be picked are dead."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        if not self.is_allowed(self.rows[index.row()]):
            return Qt.ItemFlag.ItemNeverHasChildren
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsDragEnabled if self.allowed is None else flags

    def supportedDropActions(self) -> Qt.DropAction:
        """Rows are moved only."""
        return Qt.DropAction.MoveAction

    def moveRows(self, parent: _Index, row: int, count: int, target: _Index, before: int) -> bool:
        """A row was dropped; the project decides, and shows the new order."""
        if count == 1 and before not in (row, row + 1):
            self.dropped.emit(row, before)
        return False


def spoken(row: ClassRow) -> str:
    """A row as a screen reader says it."""
    words = [row.name, "thing" if row.isthing else "stuff"]
    if row.digit is not None:
        words.append(f"key {row.digit}")
    words.append("absent on this image" if row.absent else f"{row.count} on this image")
    return ", ".join(words)


class ClassDelegate(QStyledItemDelegate):
    """Digit, swatch (hatched for stuff), name, kind, count; every size follows the font."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one class."""
        row: ClassRow = index.data(ROW_ROLE)
        model = index.model()
        metrics = option.fontMetrics
        rect, place = QRect(option.rect), _Places(option.rect, metrics)
        painter.save()
        painter.setFont(option.font)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_selected:
            painter.fillRect(rect, option.palette.highlight())
        text = (option.palette.highlightedText() if is_selected else option.palette.text()).color()
        if isinstance(model, ClassModel) and not model.is_allowed(row):
            text.setAlpha(80)
        faint = QColor(text)
        faint.setAlpha(min(text.alpha(), 170))
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.setPen(faint)
        if row.digit is not None:
            painter.drawText(place.digit, flags | int(Qt.AlignmentFlag.AlignLeft), str(row.digit))
        painter.setPen(QColor(0, 0, 0, 120))
        painter.setBrush(QColor(*row.color))
        painter.drawRect(place.swatch)
        if not row.isthing:
            painter.setBrush(QBrush(QColor(0, 0, 0, 170), Qt.BrushStyle.BDiagPattern))
            painter.drawRect(place.swatch)
        painter.setPen(text)
        name = metrics.elidedText(" ".join(row.name.split()), Qt.TextElideMode.ElideRight, place.name.width())
        painter.drawText(place.name, flags | int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute), name)
        painter.setPen(faint)
        right = flags | int(Qt.AlignmentFlag.AlignRight)
        if place.kind.width():
            painter.drawText(place.kind, flags | int(Qt.AlignmentFlag.AlignLeft), "thing" if row.isthing else "stuff")
        painter.drawText(place.count, right, "absent" if row.absent else str(row.count or ""))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """All rows are equally high."""
        return QSize(80, option.fontMetrics.height() + 8)

    def name_rect(self, option: QStyleOptionViewItem) -> QRect:
        """Where the name stands, with the room to the right of it: the place of a line that edits it."""
        place = _Places(option.rect, option.fontMetrics).name
        return QRect(place.left() - 4, option.rect.top(), option.rect.right() - place.left(), option.rect.height())


class _Places:
    """The columns of a row, by the size of the font; where there is little room the name goes before the kind."""

    def __init__(self, rect: QRect, metrics: Any) -> None:
        gap, height = 6, rect.height()
        side = metrics.ascent()
        x, top = rect.left() + gap, rect.top()
        digit = metrics.horizontalAdvance("8")
        self.digit = QRect(x, top, digit + gap, height)
        x += digit + gap
        self.swatch = QRect(x, rect.center().y() - side // 2, side, side)
        x += side + gap
        count = max(metrics.horizontalAdvance("absent"), metrics.horizontalAdvance("99999"))
        self.count = QRect(rect.right() - gap - count, top, count, height)
        kind = metrics.horizontalAdvance("thing") + gap
        if self.count.left() - gap - kind - x < LEAST_LETTERS * metrics.averageCharWidth():
            kind = 0  # the hatching of the swatch says it too
        self.kind = QRect(self.count.left() - gap - kind, top, kind, height)
        self.name = QRect(x, top, max(0, self.kind.left() - gap - x), height)
