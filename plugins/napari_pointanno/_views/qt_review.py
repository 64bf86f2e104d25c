"""The part *Review* of the dock in Qt."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_pointanno._models.review_queue import CONFIRM, DELETE, LATER, ReviewFilter
from napari_pointanno._views.qt_line_edit import LineEdit
from napari_pointanno._views.qt_parts import quiet_button
from napari_pointanno._views.review_view import ReviewView
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import Action, KeyMap

FILE = "file"
"""Data of the line of the list that asks for a file."""


class QtReviewView(ReviewView):
    """`widget` is there during a review only."""

    def __init__(self) -> None:
        self.widget = QFrame()
        self.widget.setObjectName("pointanno_review")
        self.widget.setAccessibleName("Review")
        self.widget.setStyleSheet(
            "#pointanno_review { border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }"
        )
        self.filters = QComboBox()
        self.filters.setObjectName("pointanno_review_filter")
        self.filters.setAccessibleName("What is reviewed")
        self.filters.setToolTip("What is reviewed, with the number of items that wait")
        self.filters.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.filters.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.filters.setMinimumContentsLength(10)
        self.progress = QLabel("")
        self.progress.setObjectName("pointanno_review_progress")
        self.progress.setAccessibleName("Item of the review")
        top = QHBoxLayout()
        top.addWidget(self.filters, 1)
        top.addWidget(self.progress)
        self.back = quiet_button("◀", "review_back", "Item before")
        self.next = quiet_button("▶", "review_next", "Next item")
        self.confirm = quiet_button("Confirm", "review_confirm", "It is right")
        self.later = quiet_button("Later", "review_later", "Put it off")
        self.delete = quiet_button("Delete", "review_delete", "Take it out; the original stays in the record")
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.back, self.confirm, self.later, self.delete, self.next):
            buttons.addWidget(button)
        self.file_form = self._build_file_form()
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(6, 4, 6, 6)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.file_form)
        column.addLayout(buttons)
        self._keys: list[str] = []
        self._current = ""
        self._connect()
        self.show_keys(DEFAULT_KEYS)
        self.show_item("", "")
        self.show(False)

    def _build_file_form(self) -> QWidget:
        form = QWidget()
        self.file = LineEdit()
        self.file.setObjectName("pointanno_review_file")
        self.file.setAccessibleName("File of predictions")
        self.file.setPlaceholderText("predictions.json of pointanno predict")
        self.file.setToolTip("COCO results list or panoptic JSON, as pointanno predict writes it")
        self.browse = quiet_button("…", "review_browse", "Browse for a file of predictions")
        row = QHBoxLayout(form)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.file, 1)
        row.addWidget(self.browse)
        form.setVisible(False)
        return form

    def _connect(self) -> None:
        self.filters.activated.connect(self._choose)
        self.file.returnPressed.connect(self._give_file)
        self.file.escaped.connect(self._close_file)
        self.browse.clicked.connect(self._browse)
        for button, verdict in ((self.confirm, CONFIRM), (self.later, LATER), (self.delete, DELETE)):
            button.clicked.connect(lambda _=False, verdict=verdict: self.verdict_given.emit(verdict))
        for button, delta in ((self.back, -1), (self.next, 1)):
            button.clicked.connect(lambda _=False, delta=delta: self.step_wanted.emit(delta))

    def show_keys(self, keymap: KeyMap) -> None:
        """Tooltips name the keys."""
        for button, tip, action in (
            (self.back, "Item before", Action.PREVIOUS),
            (self.next, "Next item", Action.NEXT),
            (self.confirm, "It is right", Action.CONFIRM),
            (self.later, "Put it off", Action.SKIP),
            (self.delete, "Take it out; the original stays in the record", Action.REJECT),
        ):
            button.setToolTip(f"{tip} ({keymap.text(action)})")

    def show_filters(self, filters: Sequence[ReviewFilter], current: str) -> None:
        """The list of filters, and the one in force."""
        self._current = current
        self._keys = [one.key for one in filters]
        self.filters.blockSignals(True)
        self.filters.clear()
        for number, one in enumerate(filters):
            count = "" if one.count is None else f"  ({one.count:,})"
            self.filters.addItem(f"{one.title}{count}", one.key)
            self.filters.setItemData(number, one.tip, Qt.ItemDataRole.ToolTipRole)
        self.filters.addItem("differs from predictions of a file…", FILE)
        self._show_current()
        self.filters.blockSignals(False)

    def _show_current(self) -> None:
        self.filters.setCurrentIndex(self._keys.index(self._current) if self._current in self._keys else -1)

    def show_item(self, text: str, progress: str) -> None:
        """What is reviewed now and how far it is; both empty outside of a review."""
        self.progress.setText(progress)
        self.progress.setAccessibleDescription(text)  # the eye finds the sentence below the lists
        for button in (self.back, self.next, self.confirm, self.later, self.delete):
            button.setEnabled(bool(progress))

    def show(self, is_reviewing: bool) -> None:
        """Show this part of the dock, or take it away."""
        self.widget.setVisible(is_reviewing)

    def ask_file(self) -> None:
        """Open the line for the path of a file of predictions."""
        self.show(True)
        self.file_form.setVisible(True)
        self.file.setFocus()
        self.file.selectAll()

    def _choose(self, index: int) -> None:
        key = self.filters.itemData(index)
        if key == FILE:
            self._show_current()
            self.ask_file()
        elif key:
            self.filter_chosen.emit(key)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.widget, "Predictions", self.file.text(), "JSON (*.json)")
        if path:
            self.file.setText(path)
            self._give_file()

    def _give_file(self) -> None:
        path = self.file.text().strip().strip("'\"").removeprefix("file://")
        if path:
            self._close_file()
            self.file_given.emit(path)

    def _close_file(self) -> None:
        self.file_form.setVisible(False)
        self.left.emit()
