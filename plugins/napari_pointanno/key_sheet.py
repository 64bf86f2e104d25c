"""The sheet of keys over the window: what it says follows from the keys of the session, how it lies from the room.

Lines are laid out in as many columns as give the largest letters; letters follow the font of the window and
shrink only where it is too small for them. Beside napari's own docks little is left of a small window for the
picture, so the sheet may cover them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from qtpy.QtCore import QEvent, QObject, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QLabel, QWidget

from napari_pointanno.keymap import Action, KeyMap

GROUPS: Final[tuple[tuple[str, tuple[tuple[tuple[Action, ...] | str, str], ...]], ...]] = (
    (
        "Answers",
        (
            ((Action.OBJECT, Action.BACKGROUND, Action.UNSURE), "object / background / unsure"),
            ((Action.STEP_BACK,), "one step back"),
            ((Action.RESAMPLE,), "draw new points in this box"),
        ),
    ),
    (
        "Classes",
        (
            ("1 - 9", "choose a class"),
            ("0", "search a class"),
            ("Shift + 1 - 9", "this class is absent here"),
        ),
    ),
    (
        "Ways to annotate",
        (
            ((Action.SINGLE_POINT, Action.MULTI_POINT), "one point / several points"),
            ((Action.BOX_POINTS, Action.MASK), "box + points / mask"),
            ((Action.REVIEW,), "review"),
        ),
    ),
    (
        "Images",
        (
            ((Action.NEXT, Action.PREVIOUS), "next / previous image"),
            ((Action.NEXT_UNLABELLED,), "next unlabelled image"),
            ((Action.GO_TO,), "go to an image"),
            ((Action.DONE,), "image done, go on"),
            ((Action.COMPLETE,), "things or stuff complete"),
            ((Action.SKIP, Action.FLAG), "skip / flag for review"),
        ),
    ),
    (
        "Undo",
        (
            ((Action.UNDO, Action.REDO), "undo / redo, also after a restart"),
            ((Action.CANCEL,), "cancel, leave the object"),
            ((Action.DELETE,), "delete selected or hovered"),
        ),
    ),
    (
        "Objects, masks, review",
        (
            ((Action.CONFIRM, Action.REJECT), "accept, finish / reject"),
            ((Action.NEW_OBJECT,), "new object"),
            ((Action.ERASE, Action.POLYGON), "eraser / polygon"),
            ((Action.SMALLER, Action.LARGER), "brush smaller / larger"),
        ),
    ),
    (
        "View",
        (
            ("Wheel", "zoom"),
            ("Space / right drag", "move the picture"),
            ((Action.HIDE,), "hide everything while held"),
            ((Action.PREVIEW,), "preview on / off"),
            ((Action.INSTANT,), "masks from clicks on / off"),
            ((Action.FAINTER, Action.STRONGER), "preview fainter / stronger"),
            ((Action.PAUSE,), "pause the clock"),
            ((Action.KEYS,), "this sheet"),
        ),
    ),
)
"""Headings, and for each line its actions (or a key that nobody can change) and what they do."""

SMALLEST, STEP = 5.5, 0.5
"""Points of the smallest letters, and by how much they shrink at a time."""

COLUMNS: Final = (1, 2, 3)
MARGIN, GAP, PADDING = 8.0, 18.0, 14.0
"""Around the sheet, between its columns, and inside of it; canvas pixels."""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line of the sheet; a heading has no keys."""

    keys: str
    meaning: str

    @property
    def is_heading(self) -> bool:
        """Whether it stands above a group."""
        return not self.keys


def sheet_lines(keymap: KeyMap) -> tuple[tuple[SheetLine, ...], ...]:
    """The groups of the sheet, each beginning with its heading."""
    return tuple(
        (
            SheetLine("", heading),
            *(
                SheetLine(keys if isinstance(keys, str) else keymap.texts(keys), meaning)
                for keys, meaning in lines
            ),
        )
        for heading, lines in GROUPS
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where the sheet lies and how large its letters are."""

    font: QFont
    columns: tuple[tuple[SheetLine, ...], ...]
    key_widths: tuple[float, ...]
    widths: tuple[float, ...]
    line: float
    area: QRectF
    fits: bool
    """False if the window is too small even for the smallest letters."""


def lay_out(groups: Sequence[Sequence[SheetLine]], area: QRectF, font: QFont) -> SheetLayout:
    """The arrangement with the largest letters; of equal ones that with the fewest columns.

    Parameters
    ----------
    groups : sequence
        Of `sheet_lines`; a group stays together.
    area : QRectF
        The window.
    font : QFont
        Of the window: letters are never larger.
    """
    size = max(QFontInfo(font).pointSizeF(), SMALLEST)  # a style sheet may have said it in pixels
    while True:
        tried = [_arranged(groups, area, _sized(font, size), count) for count in COLUMNS]
        found = next((layout for layout in tried if layout.fits), None)
        if found is not None:
            return found
        if size <= SMALLEST:
            return max(tried, key=lambda layout: -layout.area.height())
        size = max(size - STEP, SMALLEST)


def _sized(font: QFont, size: float) -> QFont:
    sized = QFont(font)
    sized.setPointSizeF(size)
    return sized


def _arranged(groups: Sequence[Sequence[SheetLine]], area: QRectF, font: QFont, count: int) -> SheetLayout:
    """The groups in columns of about the same length."""
    columns = _split(groups, count)
    metrics = QFontMetricsF(font)
    line, blank = metrics.height() * 1.15, metrics.horizontalAdvance("nn")
    key_widths, widths = [], []
    for column in columns:
        key_widths.append(max(metrics.horizontalAdvance(one.keys) for one in column) + blank)
        meanings = max(metrics.horizontalAdvance(one.meaning) for one in column if not one.is_heading)
        widths.append(key_widths[-1] + meanings)
    width = sum(widths) + GAP * (len(columns) - 1) + 2 * PADDING
    height = max(len(column) for column in columns) * line + 2 * PADDING
    sheet = QRectF(area.center().x() - width / 2, max(MARGIN, area.center().y() - height / 2), width, height)
    fits = width <= area.width() - 2 * MARGIN and height <= area.height() - 2 * MARGIN
    return SheetLayout(font, columns, tuple(key_widths), tuple(widths), line, sheet, fits)


def _split(groups: Sequence[Sequence[SheetLine]], count: int) -> tuple[tuple[SheetLine, ...], ...]:
    """Whole groups in `count` columns, in order, the longest column as short as can be."""
    if count == 1:
        return (tuple(line for group in groups for line in group),)
    best: tuple[tuple[SheetLine, ...], ...] = ()
    for first in range(1, len(groups) - count + 2):
        head = tuple(line for group in groups[:first] for line in group)
        columns = (head, *_split(groups[first:], count - 1))
        if not best or max(map(len, columns)) < max(map(len, best)):
            best = columns
    return best


class KeySheet(QLabel):
    """Lies over the window of the canvas, in the middle of the canvas if there is room, and lets every click through.

    Parameters
    ----------
    canvas : QWidget
    keymap : KeyMap
    """

    def __init__(self, canvas: QWidget, keymap: KeyMap) -> None:
        super().__init__(canvas.window())
        self.setObjectName("pointanno_key_sheet")
        self.setAccessibleName("Sheet of keys")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the theme's style sheet would give it an opaque background
        self.setStyleSheet("background: transparent;")
        self._canvas, self._window = canvas, canvas.window()
        self.ensurePolished()  # napari's style sheet tells labels, not plain widgets, the size of letters
        self.set_keymap(keymap)
        self._window.installEventFilter(self)
        self.show()
        self.raise_()

    def set_keymap(self, keymap: KeyMap) -> None:
        """Say these keys."""
        self._keymap = keymap
        self._arrange()
        lines = [line for group in sheet_lines(keymap) for line in group]
        self.setAccessibleDescription(
            "; ".join(f"{line.keys}: {line.meaning}" for line in lines if not line.is_heading)
        )
        self.update()

    def leave(self) -> None:
        """Go away for good."""
        self._window.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window."""
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return False

    def _arrange(self) -> None:
        room = self._window.rect()
        self._layout = lay_out(sheet_lines(self._keymap), QRectF(room), self.font())
        width, height = (math.ceil(side) for side in (self._layout.area.width(), self._layout.area.height()))
        middle = self._canvas.mapTo(self._window, self._canvas.rect().center())
        left = min(max(middle.x() - width // 2, 0), max(room.width() - width, 0))
        top = min(max(middle.y() - height // 2, 0), max(room.height() - height, 0))
        self.setGeometry(left, top, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        try:
            self._paint(painter, self._layout)
        finally:
            painter.end()

    def _paint(self, painter: QPainter, layout: SheetLayout) -> None:
        painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
        painter.setBrush(QColor(20, 22, 28, 240))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        bold = QFont(layout.font)
        bold.setBold(True)
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        left = PADDING
        for column, key_width, width in zip(layout.columns, layout.key_widths, layout.widths, strict=True):
            for number, line in enumerate(column):
                row = QRectF(left, PADDING + number * layout.line, width, layout.line)
                painter.setFont(bold if line.is_heading else layout.font)
                painter.setPen(QColor(255, 255, 255) if line.is_heading else QColor(225, 225, 225))
                painter.drawText(row if line.is_heading else row.adjusted(key_width, 0, 0, 0), side, line.meaning)
                painter.setPen(QColor(255, 205, 110))
                painter.drawText(row, side, line.keys)
            left += width + GAP
