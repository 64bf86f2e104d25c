"""A page of words over the whole canvas, as a study shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter

if TYPE_CHECKING:
    from napari_pointanno.drawing import Page

GROUND, INK, FAINT, WARNING = QColor(20, 22, 28), QColor(245, 245, 245), QColor(170, 176, 184), QColor(255, 190, 90)

SIZES = {"title": 1.9, "line": 1.25, "foot": 1.1}
"""Against the font of the window."""

COLUMN = 46.0
"""Width of the text, in widths of the letter x of a line: longer lines are hard to read."""


def paint_page(painter: QPainter, area: QRectF, page: Page) -> None:
    """Paint a page; the picture below it is not to be seen.

    Text that does not fit is made smaller, down to the font of the window.
    """
    painter.fillRect(area, GROUND)
    blocks = _blocks(page, 1.0)
    room = QRectF(area.adjusted(16, 16, -16, -16))
    for shrink in (1.0, 0.9, 0.8):
        blocks = _blocks(page, shrink)
        width = min(room.width(), 2 * COLUMN * QFontMetricsF(_font(SIZES["line"] * shrink)).averageCharWidth())
        if sum(_height(*one, width) for one in blocks) <= room.height():
            break
    top = max(room.top(), room.top() + 0.4 * (room.height() - sum(_height(*one, width) for one in blocks)))
    left = room.center().x() - width / 2
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap)
    for text, font, color in blocks:
        height = _height(text, font, color, width)
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(QRectF(left, top, width, height), flags, text)
        top += height


def _blocks(page: Page, shrink: float) -> list[tuple[str, QFont, QColor]]:
    """Paragraphs with their fonts and colours, from top to bottom."""
    line, foot = _font(SIZES["line"] * shrink), _font(SIZES["foot"] * shrink)
    found = [(page.title, _font(SIZES["title"] * shrink, bold=True), INK), ("", line, INK)]
    found += [(text, line, INK) for text in page.lines]
    if page.note:
        found += [("", line, INK), (page.note, line, WARNING)]
    return [*found, ("", line, INK), (page.foot, foot, FAINT)]


def _height(text: str, font: QFont, color: QColor, width: float) -> float:
    metrics = QFontMetricsF(font)
    if not text:
        return 0.8 * metrics.height()
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap)
    return metrics.boundingRect(QRectF(0, 0, width, 1e6), flags, text).height() + 0.35 * metrics.height()


def _font(factor: float, *, bold: bool = False) -> QFont:
    font = QFont()
    font.setPointSizeF(max(font.pointSizeF(), 8.0) * factor)
    font.setBold(bold)
    return font
