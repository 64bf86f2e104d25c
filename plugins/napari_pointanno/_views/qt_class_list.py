"""The list of classes: choose, search, add, rename, recolour, order, merge, delete."""

from __future__ import annotations

from qtpy.QtCore import QPoint, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStyleOptionViewItem,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.class_search import best_match, matches
from napari_pointanno._views.annotate_view import ClassQuestion, ClassRow
from napari_pointanno._views.qt_class_dialogs import ask_for_color, ask_for_file, color_question
from napari_pointanno._views.qt_class_menu import ClassMenu
from napari_pointanno._views.qt_class_model import ClassDelegate, ClassModel
from napari_pointanno._views.qt_class_strip import ClassStrip
from napari_pointanno._views.qt_class_view import ClassView, SearchLine
from napari_pointanno._views.qt_line_edit import LineEdit
from napari_pointanno.palette import Color

SETTLED_MS = 60
"""By then every part of the dock has its place: words that break their lines get their height in a second pass."""

_SEARCH_TIP = (
    "Any part of a name. Enter chooses, ↑ ↓ move, F2 renames, Alt+↑ ↓ moves the class in the list, "
    "the menu key or Shift+F10 offers everything else, Esc goes back to the picture"
)


class ClassList(QWidget):
    """Shows classes and says what the person wants of them; changes nothing."""

    chosen = Signal(int)
    picked = Signal(int)
    added = Signal(str, bool)
    unknown = Signal(str)
    """Searched for, not found, Enter."""
    renamed = Signal(int, str)
    color_chosen = Signal(int, tuple)
    kind_chosen = Signal(int, bool)
    digit_chosen = Signal(int, int)
    reordered = Signal(list)
    merge_wanted = Signal(int)
    delete_wanted = Signal(int)
    file_chosen = Signal(str)
    use_wanted = Signal(int)
    answered = Signal(str)
    dialog_opened = Signal(str)
    dialog_closed = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._current: int | None = None
        self._shown: tuple[list[ClassRow], int | None] | None = None
        self._recoloured: int | None = None
        self._renaming: int | None = None
        self.menu: ClassMenu | None = None
        self.model = ClassModel(self)
        self.list = ClassView(self)
        self.list.setModel(self.model)
        self._delegate = ClassDelegate(self.list)
        self.list.setItemDelegate(self._delegate)
        self.strip = ClassStrip(self)
        self.editor = LineEdit(self.list.viewport())
        self.editor.setObjectName("pointanno_class_rename")
        self.editor.setAccessibleName("Name of the class")
        self.editor.setToolTip("Enter renames, Esc leaves the name as it is")
        self.editor.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._build_search())
        layout.addWidget(self.list, 1)
        layout.addWidget(self.strip)
        layout.addLayout(self._build_add())
        self._connect()

    def _build_search(self) -> QHBoxLayout:
        self.search = SearchLine(self)
        self.search.setObjectName("pointanno_search")
        self.search.setAccessibleName("Search class")
        self.search.setPlaceholderText("search class  (0)")
        self.search.setToolTip(_SEARCH_TIP)
        self.search.setClearButtonEnabled(True)
        self.more = QToolButton(self)
        self.more.setObjectName("pointanno_class_menu")
        self.more.setAccessibleName("Change the class")
        self.more.setText("⋯")
        self.more.setToolTip("Rename, colour, order, merge, delete; classes from a file (also by a right click)")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.search, 1)
        line.addWidget(self.more)
        return line

    def _build_add(self) -> QHBoxLayout:
        self.name = LineEdit(self)
        self.name.setObjectName("pointanno_class_name")
        self.name.setAccessibleName("Name of a new class")
        self.name.setPlaceholderText("new class")
        self.name.setToolTip("Name of a new class; Enter adds it")
        self.kind = QComboBox(self)
        self.kind.setObjectName("pointanno_class_kind")
        self.kind.setAccessibleName("Kind of the new class")
        self.kind.addItems(["thing", "stuff"])
        self.kind.setToolTip("thing: countable objects; stuff: regions without instances")
        self.kind.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.add = QPushButton("Add", self)
        self.add.setObjectName("pointanno_class_add")
        self.add.setAccessibleName("Add the class")
        self.add.setToolTip("Add the class of this name")
        self.add.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.name, 1)
        line.addWidget(self.kind)
        line.addWidget(self.add)
        return line

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _: self._on_typed())
        self.search.returnPressed.connect(self._on_search)
        self.search.escaped.connect(self._on_leave)
        self.search.left.connect(self._drop_pick)
        self.search.moved.connect(self._move_mark)
        self.search.shifted.connect(self._shift)
        self.search.rename_wanted.connect(lambda: self.edit_name(self._marked()))
        self.search.menu_wanted.connect(lambda: self._open_menu(self._marked(), None))
        self.name.returnPressed.connect(self._on_add)
        self.name.escaped.connect(self._on_leave)
        self.name.textEdited.connect(lambda _: self._clear_note())
        self.add.clicked.connect(self._on_add)
        self.more.clicked.connect(lambda: self._open_menu(self._marked(), None))
        self.editor.returnPressed.connect(self._rename)
        self.editor.escaped.connect(self._end_edit)
        self.editor.left.connect(self._rename_if_visible)
        self.editor.textEdited.connect(lambda _: self._clear_note())
        self.list.clicked.connect(lambda index: self._on_clicked(index.row()))
        self.list.doubleClicked.connect(lambda index: self.edit_name(self.model.rows[index.row()].id))
        self.list.customContextMenuRequested.connect(self._on_context)
        self.list.use_wanted.connect(self.use_wanted)
        self.list.scrolled.connect(self._place_editor)
        # not within the drop: the list is filled anew by what follows
        self.model.dropped.connect(self._drop, Qt.ConnectionType.QueuedConnection)
        self.strip.answered.connect(self._on_answer)
        self.strip.dropped.connect(self._on_dropped)

    # ------------------------------------------------------------------ what is shown

    def show_rows(self, rows: list[ClassRow], current: int | None) -> None:
        """Show these classes, the current one marked."""
        if (rows, current) == self._shown:
            return
        self._shown = (list(rows), current)
        is_other = self.model.set_rows(rows)
        is_moved, self._current = current != self._current, current
        if is_other:
            self._end_edit(silently=True)
            self._filter()
        if is_other or is_moved:
            self._mark(current)

    def ask(self, question: ClassQuestion | None) -> None:
        """Ask below the list; None takes a question back."""
        self._recoloured = None
        if question is None:
            self.strip.show_note("")
        else:
            self.strip.ask(question)
            self._bring_into_view(self.strip)

    def show_note(self, sentence: str) -> None:
        """A sentence below the list, until something is typed."""
        self.strip.show_note(sentence)

    def pick(self, sentence: str, ids: frozenset[int] | None) -> None:
        """Let the person pick one of these classes, by a click or the search; None ends that."""
        self.model.allow(ids)
        if not self.strip.asks:
            self.strip.show_note(sentence)
        if ids is not None:
            self.search.clear()
            self.search.setFocus()
            self._mark(next((row.id for row in self.model.rows if row.id in ids), None))

    def edit_name(self, category_id: int | None) -> None:
        """Put a line for a new name over the old one."""
        number = self.model.number_of(category_id)
        if number < 0 or self.model.allowed is not None:
            return
        self._clear_note()
        self._renaming = category_id
        index = self.model.index(number, 0)
        self.list.scrollTo(index)
        self.editor.setText(self.model.rows[number].name)
        self._place_editor()
        self.editor.show()
        self.editor.setFocus()
        self.editor.selectAll()

    def show_use(self, category_id: int, text: str) -> None:
        """The tool tip of a class."""
        index = self.model.index(max(0, self.model.number_of(category_id)), 0)
        rect = self.list.visualRect(index)
        QToolTip.showText(self.list.viewport().mapToGlobal(rect.bottomLeft()), text, self.list.viewport(), rect)

    def focus_search(self) -> None:
        """Begin to search."""
        self._bring_into_view(self.search)
        self.search.setFocus()
        self.search.selectAll()
        self._mark(self._current)

    # ------------------------------------------------------------------ search

    def _filter(self) -> None:
        text = self.search.text()
        for number, row in enumerate(self.model.rows):
            is_hidden = not matches(text, row.name)
            if self.list.isRowHidden(number) != is_hidden:
                self.list.setRowHidden(number, is_hidden)

    def _on_typed(self) -> None:
        if self.model.allowed is None:
            self._clear_note()
        self._filter()
        text = self.search.text()
        rows = [row for row in self.model.rows if self.model.is_allowed(row)]
        found = best_match(text, [row.name for row in rows]) if text.split() else None
        if found is not None:
            self._mark(rows[found].id)
        elif not text.split():
            self._mark(self._current)

    def _visible(self) -> list[int]:
        return [
            number
            for number, row in enumerate(self.model.rows)
            if not self.list.isRowHidden(number) and self.model.is_allowed(row)
        ]

    def _move_mark(self, step: int) -> None:
        visible, here = self._visible(), self.list.currentIndex().row()
        beyond = [number for number in visible if (number - here) * step > 0]
        if beyond:
            self._mark(self.model.rows[min(beyond) if step > 0 else max(beyond)].id)

    def _mark(self, category_id: int | None) -> None:
        number = self.model.number_of(category_id)
        index = self.model.index(number, 0)
        self.list.setCurrentIndex(index)
        if index.isValid():
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()

    def _marked(self) -> int | None:
        """The class that the keys of the search line mean."""
        number = self.list.currentIndex().row()
        return self.model.rows[number].id if 0 <= number < len(self.model.rows) else None

    def _on_search(self) -> None:
        text, number = self.search.text(), self.list.currentIndex().row()
        if number in self._visible():
            row = self.model.rows[number]
            self.search.clear()
            self._take(row)
        elif text.split() and self.model.allowed is None:
            self.unknown.emit(text)
            if self.strip.asks:
                self.search.clear()
        elif not text.split():
            self._on_leave()

    def _on_clicked(self, number: int) -> None:
        """A click; that which ends a double click is none."""
        if self._renaming is None:
            self._take(self.model.rows[number])

    def _drop_pick(self) -> None:
        """The person went on with something else than picking a class."""
        if self.model.allowed is not None:
            self.answered.emit("")

    def _on_dropped(self) -> None:
        """The person went on with something else than answering."""
        if self._recoloured is None:
            self.answered.emit("")
        self._recoloured = None

    def _take(self, row: ClassRow) -> None:
        """A class was clicked or found."""
        if self.model.allowed is None:
            self.chosen.emit(row.id)
            self._mark(self._current)
            self.left.emit()
        elif self.model.is_allowed(row):
            self.picked.emit(row.id)
            self._settle()

    def _on_leave(self) -> None:
        """Escape in a line."""
        self.search.clear()
        self._mark(self._current)
        if self.model.allowed is not None:
            self.answered.emit("")
        self.left.emit()

    # ------------------------------------------------------------------ changes

    def _on_add(self) -> None:
        name = self.name.text()
        if not name.strip():
            self.name.setFocus()
            return
        self.strip.show_note("")
        self.added.emit(name, self.kind.currentIndex() == 0)
        if self.strip.isVisible():  # it was refused: the name is there to be corrected
            self.name.setFocus()
            return
        self.name.clear()
        self.left.emit()

    def _rename(self) -> None:
        category_id, name = self._renaming, self.editor.text()
        number = self.model.number_of(category_id)
        if category_id is not None and number >= 0 and name != self.model.rows[number].name:
            self.strip.show_note("")
            self.renamed.emit(category_id, name)
            if self.strip.isVisible():  # it was refused
                return
        self._end_edit()

    def _rename_if_visible(self) -> None:
        """A click elsewhere: what was typed counts, but the keyboard stays where it went."""
        if self._renaming is not None and self.editor.isVisible():
            category_id, self._renaming = self._renaming, None
            self.editor.hide()
            number = self.model.number_of(category_id)
            if number >= 0 and self.editor.text() != self.model.rows[number].name:
                self.renamed.emit(category_id, self.editor.text())

    def _end_edit(self, *, silently: bool = False) -> None:
        if self._renaming is None:
            return
        self._renaming = None
        self.editor.hide()
        if not silently:
            self._clear_note()
            self.left.emit()

    def _place_editor(self) -> None:
        number = self.model.number_of(self._renaming)
        if number < 0:
            return
        option = QStyleOptionViewItem()
        option.rect = self.list.visualRect(self.model.index(number, 0))
        option.fontMetrics = self.list.fontMetrics()
        self.editor.setGeometry(self._delegate.name_rect(option))

    def _shift(self, step: int) -> None:
        """Move the marked class up or down."""
        ids = [row.id for row in self.model.rows]
        number = self.list.currentIndex().row()
        if not self.search.text() and 0 <= number < len(ids) and 0 <= number + step < len(ids):
            marked = ids[number]
            ids.insert(number + step, ids.pop(number))
            self.reordered.emit(ids)
            self._mark(marked)

    def _drop(self, row: int, before: int) -> None:
        ids = [one.id for one in self.model.rows]
        if row < len(ids):
            moved = ids.pop(row)
            ids.insert(before - (before > row), moved)
            self.reordered.emit(ids)
        self._mark(self._current)
        self.left.emit()

    def _on_context(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        category_id = self.model.rows[index.row()].id if index.isValid() else None
        self._open_menu(category_id, self.list.viewport().mapToGlobal(position))

    def _open_menu(self, category_id: int | None, at: QPoint | None) -> None:
        """Everything that can be done with a class; by default below its row."""
        if self.model.allowed is not None:
            return
        number = self.model.number_of(category_id)
        if at is None:
            rect = self.list.visualRect(self.model.index(max(number, 0), 0))
            at = self.list.viewport().mapToGlobal(rect.bottomLeft())
        row = self.model.rows[number] if number >= 0 else None
        self.menu = ClassMenu(self, row, number, len(self.model.rows))
        self.menu.chosen.connect(lambda what: self._do(what, row, number))
        self.menu.cancelled.connect(self._after_menu)
        self.menu.popup(at)

    def _after_menu(self) -> None:
        if not self.search.hasFocus():
            self.left.emit()

    def _do(self, what: str, row: ClassRow | None, number: int) -> None:
        """An entry of the menu was chosen."""
        if what == "file":
            ask_for_file(self, self._dialog, self.file_chosen.emit)
        if row is None:
            return
        if what == "rename":
            self.edit_name(row.id)
        elif what == "color":
            self._recoloured = row.id
            self.strip.ask(color_question(row, self.model.rows))
            self._bring_into_view(self.strip)
        elif what == "kind":
            self.kind_chosen.emit(row.id, not row.isthing)
            self._settle()
        elif what in ("up", "down"):
            self._drop(number, number - 1 if what == "up" else number + 2)
        elif what == "merge":
            self.merge_wanted.emit(row.id)
            self._settle()
        elif what == "delete":
            self.delete_wanted.emit(row.id)
            self._settle()
        elif what.startswith("digit"):
            self.digit_chosen.emit(row.id, int(what.removeprefix("digit")))
            self.left.emit()

    def _on_answer(self, name: str) -> None:
        """An answer below the list; colours are asked for by the list itself."""
        recoloured, self._recoloured = self._recoloured, None
        if recoloured is None:
            self.answered.emit(name)
            self._settle()
            return
        number = self.model.number_of(recoloured)
        if number < 0 or not name:
            self.left.emit()
        elif name == "other":
            ask_for_color(self, self.model.rows[number], self._dialog, lambda color: self._recolor(recoloured, color))
        else:
            red, green, blue = (int(part) for part in name.split(","))
            self._recolor(recoloured, (red, green, blue))

    def _recolor(self, category_id: int, color: Color) -> None:
        self.color_chosen.emit(category_id, color)
        self.left.emit()

    def _dialog(self, name: str, is_open: bool) -> None:
        """A dialog of the system opens or closes: the clock must know."""
        (self.dialog_opened if is_open else self.dialog_closed).emit(name)
        if not is_open:
            self.left.emit()

    def _bring_into_view(self, widget: QWidget) -> None:
        """Scroll the dock to a part of the list, once that has its place."""
        parent = self.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        if isinstance(parent, QScrollArea):
            area = parent
            later = QTimer(area)  # goes with the area; PyQt's singleShot takes no receiver
            later.setSingleShot(True)
            later.timeout.connect(lambda: area.ensureWidgetVisible(widget, 0, 4))
            later.timeout.connect(later.deleteLater)
            later.start(SETTLED_MS)

    def _settle(self) -> None:
        """Give the keyboard back, unless something is still asked."""
        if not self.strip.asks and self.model.allowed is None:
            self.left.emit()

    def _clear_note(self) -> None:
        if not self.strip.asks and self.model.allowed is None:
            self.strip.show_note("")
