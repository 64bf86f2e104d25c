"""What a run says besides its curve: hints, the last validation by class, drawn predictions."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_pointanno._models.tables import Table
from napari_pointanno._views.qt_folding import Folding

MOST_SAMPLES = 4
MOST_ROWS = 9
"""Rows of a table that are seen at once."""

LARGE = 512
"""Longest side of a sample in its tool tip, pixels."""


class WordLabel(QLabel):
    """A label that breaks its lines and always has the room for all of them."""

    def __init__(self, name: str, color: str = "") -> None:
        super().__init__("")
        self.setObjectName(f"pointanno_{name}")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        if color:
            self.setStyleSheet(f"color: {color};")

    def setText(self, text: str) -> None:
        """Another text, which may need more lines."""
        super().setText(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, which may need more lines."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # layouts within a scroll area squeeze labels with broken lines to less than their height
        if self.width() > 1:
            height = max(0, self.heightForWidth(self.width()))
            if height != self.minimumHeight():
                self.setMinimumHeight(height)


def set_text(label: QLabel, text: str) -> None:
    """Text of a label that hides while it has none."""
    if label.text() != text:
        label.setText(text)
    label.setVisible(bool(text))


class WordTable(QTableWidget):
    """A table to read; never takes the keyboard."""

    def __init__(self, name: str, spoken: str) -> None:
        super().__init__()
        self._shown = Table()
        self.setObjectName(f"pointanno_{name}")
        self.setAccessibleName(spoken)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setWordWrap(False)
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None and horizontal is not None
        vertical.setVisible(False)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setStretchLastSection(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_table(self, table: Table) -> None:
        """Fill it, unless it shows the same already."""
        if table == self._shown:
            return
        self._shown = table
        self.setColumnCount(len(table.head))
        self.setRowCount(len(table.rows))
        self.setHorizontalHeaderLabels(list(table.head))
        for row, words in enumerate(table.rows):
            for column, text in enumerate(words):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.setItem(row, column, item)
        header = self.horizontalHeader()
        assert header is not None
        line = self.fontMetrics().height() + 4
        vertical = self.verticalHeader()
        assert vertical is not None
        vertical.setDefaultSectionSize(line)
        self.setFixedHeight(line * min(MOST_ROWS, len(table.rows)) + header.sizeHint().height() + 18)


class Samples(QWidget):
    """Up to four pictures in a row; pointing at one shows it large."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[Path, int], ...] = ()
        self._pictures: list[QPixmap] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        self.labels = [QLabel() for _ in range(MOST_SAMPLES)]
        for number, label in enumerate(self.labels, 1):
            label.setObjectName(f"pointanno_sample_{number}")
            label.setAccessibleName(f"Sample prediction {number}")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(label, 1)

    def show_samples(self, paths: tuple[Path, ...]) -> None:
        """Read those that changed since the last time."""
        found = tuple((path, _changed(path)) for path in paths[:MOST_SAMPLES])
        if found == self._shown:
            return
        self._shown = found
        self._pictures = [QPixmap(str(path)) for path, _ in found]
        for label, (path, _) in zip(self.labels, found, strict=False):
            label.setToolTip(f'<img src="{path}" width="{LARGE}">')
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = max(40, (self.width() - 3 * (MOST_SAMPLES - 1)) // MOST_SAMPLES)
        for number, label in enumerate(self.labels):
            has_one = number < len(self._pictures) and not self._pictures[number].isNull()
            label.setVisible(number < max(1, len(self._pictures)))
            label.setPixmap(
                self._pictures[number].scaled(
                    width, width, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                )
                if has_one
                else QPixmap()
            )
            label.setFixedHeight(label.pixmap().height() if has_one else 0)


class RunDetails(QWidget):
    """Hints, metrics, classes, samples: each hides while there is nothing to say."""

    def __init__(self, color: str, faint: str) -> None:
        super().__init__()
        self.hints = WordLabel("hints", color)
        self.metrics = WordLabel("metrics")
        self.classes = Folding("Classes", "classes")
        self.table = WordTable("per_class", "Metrics of each class")
        column = QVBoxLayout()
        column.addWidget(self.table)
        self.classes.set_layout(column)
        self.samples = Samples()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        for widget in (self.metrics, self.samples, self.classes, self.hints):
            column.addWidget(widget)

    def show_details(
        self, *, hints: tuple[str, ...], metrics: str, per_class: Table, samples: tuple[Path, ...]
    ) -> None:
        """All four."""
        set_text(self.hints, "\n".join(f"» {hint}" for hint in hints))
        set_text(self.metrics, metrics)
        self.table.show_table(per_class)
        self.classes.setVisible(bool(per_class.rows))
        self.samples.show_samples(samples)
        self.samples.setVisible(bool(samples))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
