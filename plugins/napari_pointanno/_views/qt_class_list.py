"""The list of classes with search, colours, and a line to add one."""

from __future__ import annotations

from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QKeyEvent, QPainter
from qtpy.QtWidgets import (
    QColorDialog,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._views.annotate_view import ClassRow

_ROW = int(Qt.ItemDataRole.UserRole) + 1
_DIGIT = int(Qt.ItemDataRole.UserRole) + 2


class LineEdit(QLineEdit):
    """A line that says when the person leaves it by Escape."""

    escaped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves, everything else is typed."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            return
        super().keyPressEvent(event)


class _Delegate(QStyledItemDelegate):
    """Digit, swatch (hatched for stuff), name, kind, count."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: object) -> None:
        """Paint one class."""
        row: ClassRow = index.data(_ROW)  # type: ignore[attr-defined]
        digit: str = index.data(_DIGIT)  # type: ignore[attr-defined]
        rect = QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, option.palette.highlight())
        text = option.palette.text().color()
        faint = QColor(text)
        faint.setAlpha(150)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(faint)
        painter.drawText(rect.adjusted(6, 0, 0, 0), middle, digit)
        swatch = QRect(rect.left() + 22, rect.center().y() - 6, 13, 13)
        painter.setPen(QColor(0, 0, 0, 120))
        painter.setBrush(QColor(*row.color))
        painter.drawRect(swatch)
        if not row.isthing:
            painter.setBrush(QBrush(QColor(0, 0, 0, 170), Qt.BrushStyle.BDiagPattern))
            painter.drawRect(swatch)
        painter.setPen(text)
        room = rect.width() - 42 - 84
        name = option.fontMetrics.elidedText(row.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect.adjusted(42, 0, 0, 0), middle, name)
        painter.setPen(faint)
        painter.drawText(rect.adjusted(rect.width() - 84, 0, 0, 0), middle, "thing" if row.isthing else "stuff")
        count = "absent" if row.absent else str(row.count or "")
        painter.drawText(rect.adjusted(0, 0, -6, 0), middle | Qt.AlignmentFlag.AlignRight, count)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        """All rows are equally high."""
        return QSize(80, option.fontMetrics.height() + 8)


class ClassList(QWidget):
    """Classes of the project; a right click changes colour or kind."""

    chosen = Signal(int)
    added = Signal(str, bool)
    color_chosen = Signal(int, tuple)
    kind_chosen = Signal(int, bool)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[ClassRow] = []
        self._shown: tuple[list[ClassRow], int | None] | None = None
        self.search = LineEdit(self)
        self.search.setObjectName("pointanno_search")
        self.search.setPlaceholderText("search class  (0)")
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget(self)
        self.list.setObjectName("pointanno_classes")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setMinimumHeight(80)
        self.name = LineEdit(self)
        self.name.setObjectName("pointanno_class_name")
        self.name.setPlaceholderText("new class")
        self.kind = QComboBox(self)
        self.kind.setObjectName("pointanno_class_kind")
        self.kind.addItems(["thing", "stuff"])
        self.kind.setToolTip("thing: countable objects; stuff: regions without instances")
        self.add = QPushButton("Add", self)
        self.add.setObjectName("pointanno_class_add")
        self.add.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.name, 1)
        line.addWidget(self.kind)
        line.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addLayout(line)
        self.search.textChanged.connect(lambda _: self._filter())
        self.search.returnPressed.connect(self._on_search)
        self.search.escaped.connect(self._on_leave)
        self.name.returnPressed.connect(self._on_add)
        self.name.escaped.connect(self._on_leave)
        self.add.clicked.connect(self._on_add)
        self.list.itemClicked.connect(lambda item: self.chosen.emit(item.data(_ROW).id))
        self.list.customContextMenuRequested.connect(self._on_menu)

    def show_rows(self, rows: list[ClassRow], current: int | None) -> None:
        """Show these classes, the current one highlighted."""
        if (rows, current) == self._shown:
            return
        self._shown = (list(rows), current)
        if len(rows) != self.list.count():
            self.list.clear()
            for _ in rows:
                self.list.addItem(QListWidgetItem())
        self._rows = rows
        self.list.clearSelection()
        for index, row in enumerate(rows):
            item = self.list.item(index)
            item.setData(_ROW, row)
            item.setData(_DIGIT, str(index + 1) if index < 9 else "")
            item.setToolTip(f"{row.name} (id {row.id})")
            if row.id == current:
                self.list.setCurrentItem(item)
        self._filter()

    def _filter(self) -> None:
        words = self.search.text().casefold().split()
        for index, row in enumerate(self._rows):
            self.list.item(index).setHidden(not all(word in row.name.casefold() for word in words))

    def _on_search(self) -> None:
        words = self.search.text().casefold().split()
        found = [row for row in self._rows if all(word in row.name.casefold() for word in words)]
        self.search.clear()
        if words and found:
            self.chosen.emit(found[0].id)
        self.left.emit()

    def _on_add(self) -> None:
        name = self.name.text().strip()
        if not name:
            self.name.setFocus()
            return
        self.name.clear()
        self.added.emit(name, self.kind.currentIndex() == 0)

    def _on_leave(self) -> None:
        self.search.clear()
        self.left.emit()

    def _on_menu(self, position: object) -> None:
        item = self.list.itemAt(position)  # type: ignore[call-overload]
        if item is None:
            return
        row: ClassRow = item.data(_ROW)
        menu = QMenu(self)
        color = menu.addAction("Colour…")
        kind = menu.addAction("Make it stuff" if row.isthing else "Make it a thing")
        chosen = menu.exec(self.list.mapToGlobal(position))  # type: ignore[call-overload]
        if chosen is color:
            picked = QColorDialog.getColor(QColor(*row.color), self, f"Colour of {row.name}")
            if picked.isValid():
                self.color_chosen.emit(row.id, (picked.red(), picked.green(), picked.blue()))
        elif chosen is kind:
            self.kind_chosen.emit(row.id, not row.isthing)
        self.left.emit()
