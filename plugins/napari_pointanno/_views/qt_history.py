"""The runs of a project: one is shown, several can be compared."""

from __future__ import annotations

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
)

from napari_pointanno._views.qt_annotate_view import _button
from napari_pointanno._views.qt_folding import Folding
from napari_pointanno._views.qt_run_details import WordTable
from napari_pointanno._views.qt_train_form import combo
from napari_pointanno._views.train_view import RunRow

MOST_LINES = 6


class History(QObject):
    """The menu of runs, and the list below *Compare runs* whose checked ones are compared."""

    run_chosen = Signal(str)
    open_requested = Signal(str)
    compare_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[RunRow] = []
        self.runs = combo("runs", "Run that is shown")
        self.runs.setPlaceholderText("no run yet")
        self.runs.activated.connect(self._choose)
        self.open = _button("Open run…", "open_run", "Watch a run folder that lies anywhere")
        self.open.clicked.connect(self._ask_for_run)
        self.list = QListWidget()
        self.list.setObjectName("pointanno_compare")
        self.list.setAccessibleName("Runs to compare")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.itemChanged.connect(lambda _: self.compare_requested.emit(self.checked()))
        self.table = WordTable("comparison", "What differs between the runs")
        self.table.setVisible(False)
        self.comparing = Folding("Compare runs", "comparing")
        column = QVBoxLayout()
        column.addWidget(self.list)
        column.addWidget(self.table)
        self.comparing.set_layout(column)

    def top(self, state: QLabel) -> QHBoxLayout:
        """The line with menu and state."""
        row = QHBoxLayout()
        row.addWidget(self.runs, 1)
        row.addWidget(state)
        return row

    def show_runs(self, rows: list[RunRow], current: str) -> None:
        """Fill menu and list; what is checked stays checked."""
        paths = [row.path for row in rows]
        if rows != self._rows:
            checked = set(self.checked())
            same_paths = paths == [row.path for row in self._rows]
            self._rows = rows
            self.runs.blockSignals(True)
            if same_paths:
                for index, row in enumerate(rows):
                    self.runs.setItemText(index, row.label)
            else:
                self.runs.clear()
                self.runs.addItems([row.label for row in rows])
            self.runs.blockSignals(False)
            self._fill_list(checked)
        self.runs.setCurrentIndex(paths.index(current) if current in paths else -1)
        self.runs.setEnabled(bool(rows))
        self.comparing.setVisible(len(rows) > 1)

    def _fill_list(self, checked: set[str]) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for row in self._rows:
            item = QListWidgetItem(row.label)
            item.setToolTip(row.path)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if row.path in checked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        line = max(self.list.sizeHintForRow(0), self.list.fontMetrics().height() + 4)
        self.list.setFixedHeight(line * min(MOST_LINES, max(2, len(self._rows))) + 6)
        self.list.blockSignals(False)

    def checked(self) -> tuple[str, ...]:
        """Paths of the checked runs."""
        found = []
        for index, row in enumerate(self._rows):
            item = self.list.item(index)
            if item is not None and item.checkState() == Qt.CheckState.Checked:
                found.append(row.path)
        return tuple(found)

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._rows):
            self.run_chosen.emit(self._rows[index].path)

    def _ask_for_run(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.open, "Run folder")
        if chosen:
            self.open_requested.emit(chosen)
