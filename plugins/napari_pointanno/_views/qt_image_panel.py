"""The part of the dock about images: where one is, filters, search, and the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QFocusEvent, QFont, QKeyEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_pointanno._models.image_filters import CHOICES, label_with_count, list_heading
from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._views.qt_image_list import ImageList
from napari_pointanno._views.qt_line_edit import LineEdit
from napari_pointanno.keymap import Action, KeyMap
from pointanno.project.image_list import EVERY_IMAGE, ImageFilter

TYPING_MS = 150
"""Pause of the typing after which the list follows."""

ANY_SET, NO_SET = "all sets", "no set"


class _FilterBox(QComboBox):
    """A list of choices that never takes the keyboard."""

    opened = Signal()
    closed = Signal()

    def showPopup(self) -> None:
        """The choices are about to be seen."""
        self.opened.emit()
        super().showPopup()

    def hidePopup(self) -> None:
        """The choices are gone."""
        super().hidePopup()
        self.closed.emit()


class _SearchLine(LineEdit):
    """The line that searches; the arrow keys step through the filters, Escape takes back what was typed."""

    stepped = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._before = ""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Remember what Escape goes back to."""
        super().focusInEvent(event)
        self.begin()

    def begin(self) -> None:
        """What stands here now is what Escape goes back to."""
        self._before = self.text()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down choose a filter."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None:
            self.stepped.emit(step)
            return
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self._before)
        super().keyPressEvent(event)


class ImagePanel(QWidget):
    """Shows `ImagePages` and says what the person wants to see of them."""

    row_clicked = Signal(int)
    filter_chosen = Signal(object)
    """The `ImageFilter` that is wanted."""
    sought = Signal(str)
    """Enter in the search line."""
    left = Signal()
    """The keyboard is to go back to the canvas."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._where = EVERY_IMAGE
        self.heading = QLabel("Images", self)
        self.heading.setObjectName("pointanno_images_heading")
        font = QFont(self.heading.font())
        font.setBold(True)
        self.heading.setFont(font)
        self.progress = QProgressBar(self)
        self.progress.setObjectName("pointanno_images_progress")
        self.progress.setAccessibleName("Images on which anything was done")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(max(4, self.fontMetrics().height() // 3))
        self.previous = self._button("◀", "previous", "Previous image")
        self.next = self._button("▶", "next", "Next image")
        self.unlabelled = self._button("unlabelled", "unlabelled", "Next unlabelled image")
        self.search = _SearchLine(self)
        self.search.setObjectName("pointanno_image_search")
        self.search.setAccessibleName("Search an image by its name")
        self.search.setClearButtonEnabled(True)
        self.filter = self._box("filter", "Which images the list shows", "Filter of the images")
        for choice in CHOICES:
            self.filter.addItem(choice.label, choice.key)
            self.filter.setItemData(self.filter.count() - 1, choice.tip, Qt.ItemDataRole.ToolTipRole)
        self.sets = self._box("image_set", "Images of which set", "Image set")
        self.list = ImageList(self)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._lay_out()
        self._connect()
        self.set_pages(None)

    def _button(self, text: str, name: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"pointanno_{name}")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _box(self, name: str, tip: str, accessible: str) -> _FilterBox:
        box = _FilterBox(self)
        box.setObjectName(f"pointanno_{name}")
        box.setToolTip(tip)
        box.setAccessibleName(accessible)
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.setMinimumContentsLength(8)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return box

    def _lay_out(self) -> None:
        top, choose = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.heading, 1)
        for button in (self.previous, self.next, self.unlabelled):
            top.addWidget(button)
        choose.addWidget(self.search, 1)
        choose.addWidget(self.filter, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.progress)
        layout.addLayout(choose)
        layout.addWidget(self.sets)
        layout.addWidget(self.list, 1)

    def _connect(self) -> None:
        self.list.row_clicked.connect(self.row_clicked)
        self._typing.timeout.connect(self._choose)
        self.search.textEdited.connect(lambda _: self._typing.start())
        # the cross at the end of the line empties it without the keyboard
        self.search.textChanged.connect(lambda text: None if text or self.search.hasFocus() else self._choose())
        self.search.returnPressed.connect(self._on_return)
        self.search.escaped.connect(self._on_escape)
        self.search.stepped.connect(self._on_step)
        for box in (self.filter, self.sets):
            box.activated.connect(lambda _: self._choose())
            box.closed.connect(self.left)
        self.filter.opened.connect(lambda: self._show_counts(self._counts()))
        self.filter.closed.connect(lambda: self._show_counts({}))

    # what it is told ----------------------------------------------------------------------------------------------

    def set_pages(self, pages: ImagePages | None) -> None:
        """Another project, or none."""
        self.list.images.set_pages(pages)
        self.setEnabled(pages is not None)
        self.show_filter(EVERY_IMAGE)
        self.refresh_sets()
        if pages is None:
            self.heading.setText("Images")
            self.progress.setRange(0, 1)
            self.progress.setValue(0)

    def show_filter(self, where: ImageFilter) -> None:
        """The filter in force."""
        self._typing.stop()
        self._where = where
        plain = replace(where, text="", image_set="")
        index = next((number for number, choice in enumerate(CHOICES) if choice.where == plain), 0)
        self.filter.setCurrentIndex(index)
        if self.search.text() != where.text:
            self.search.blockSignals(True)
            self.search.setText(where.text)
            self.search.blockSignals(False)
            self.search.begin()
        self.sets.setCurrentIndex(self._set_index(where.image_set))

    def refresh_sets(self) -> None:
        """Read the image sets again; without any their box is not there."""
        pages = self.list.images.pages
        names = [] if pages is None else pages.image_sets()
        self.sets.clear()
        self.sets.addItem(ANY_SET, "")
        for name in names:
            self.sets.addItem(name, name)
        self.sets.addItem(NO_SET, None)
        self.sets.setVisible(bool(names))
        self.sets.setCurrentIndex(self._set_index(self._where.image_set))

    def show_row(self, row: int, touched: int, count: int) -> None:
        """The image in this row is shown; something was done on `touched` of `count` images."""
        self.list.show_row(row)  # costs nothing if it is shown already
        pages = self.list.images.pages
        if pages is None:
            return
        self.heading.setText(list_heading(pages.number_of(row), pages.matching, count))
        self.progress.setRange(0, max(count, 1))
        self.progress.setValue(touched)
        self.progress.setToolTip(f"{touched:,} of {count:,} images are annotated, or left out")

    def show_keys(self, keymap: KeyMap) -> None:
        """The keys that the search line names."""
        self.search.setPlaceholderText(f"search image  ({keymap.text(Action.GO_TO)})")
        self.search.setToolTip(
            "Part of a name, or # and a number. Enter goes there, Esc goes back, ↑ ↓ choose a filter"
        )

    def focus_search(self) -> None:
        """Put the cursor into the search line."""
        self.search.begin()
        self.search.setFocus()
        self.search.selectAll()

    # what the person does -----------------------------------------------------------------------------------------

    def _set_index(self, name: str | None) -> int:
        return next((i for i in range(self.sets.count()) if self.sets.itemData(i) == name), 0)

    def _counts(self) -> Mapping[str, int]:
        pages = self.list.images.pages
        return {} if pages is None else pages.counts()

    def _show_counts(self, counts: Mapping[str, int]) -> None:
        for number, choice in enumerate(CHOICES):
            self.filter.setItemText(number, label_with_count(choice, counts))

    def _wanted(self) -> ImageFilter:
        chosen = CHOICES[max(self.filter.currentIndex(), 0)].where
        # a number is a place to go to, not a part of a name
        text = "" if self.search.text().startswith("#") else self.search.text()
        return replace(chosen, text=text, image_set=self.sets.currentData())

    def _choose(self) -> None:
        self._typing.stop()
        wanted = self._wanted()
        if wanted != self._where:
            self._where = wanted
            self.filter_chosen.emit(wanted)

    def _on_return(self) -> None:
        self._choose()
        self.sought.emit(self.search.text())

    def _on_escape(self) -> None:
        self._choose()
        self.left.emit()

    def _on_step(self, step: int) -> None:
        self.filter.setCurrentIndex(min(max(self.filter.currentIndex() + step, 0), len(CHOICES) - 1))
        self._choose()
