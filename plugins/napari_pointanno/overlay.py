"""What changes with every answer, drawn lightly over the canvas: question, drag, dots, sheet of keys.

`napari_pointanno.drawing.Drawing` says what is to be seen, `CanvasOverlay` paints it. No layer is touched, so
the cost of an answer does not depend on how much is annotated already.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, QSizeF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF, QTransform
from qtpy.QtWidgets import QWidget

from napari_pointanno.drawing import Cross, Disc, Dot, Drawing, Frame, FreshPoint, Path, Question
from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.key_sheet import KeySheet
from napari_pointanno.keymap import Action, KeyMap
from napari_pointanno.page_painting import paint_page
from napari_pointanno.palette import ANSWER_COLORS, CLICK_BORDER, POINT_CANVAS_LIMITS
from napari_pointanno.view_transform import ViewTransform

RING_DIAMETER = 14.0
"""Canvas pixels; grows with the pixel it surrounds, so that the pixel itself stays visible."""

TICK = 10.0
"""Length of the four ticks of the cross-hair, canvas pixels."""


class CanvasOverlay(QWidget):
    """Transparent child of the canvas that lets every input through.

    Parameters
    ----------
    canvas : QWidget
    view : callable
        The present `ViewTransform`; asked at every paint.
    keymap : KeyMap
        What the sheet of keys says.
    """

    def __init__(self, canvas: QWidget, view: Callable[[], ViewTransform], keymap: KeyMap = DEFAULT_KEYS) -> None:
        super().__init__(canvas)
        self.setObjectName("pointanno_overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the theme's style sheet would give every QWidget an opaque background
        self.setStyleSheet("background: transparent;")
        self._view = view
        self._keymap = keymap
        self._sheet: KeySheet | None = None
        self._drawing = Drawing()
        self.hidden_by_key = False
        canvas.installEventFilter(self)
        self.setGeometry(canvas.rect())
        self.show()
        self.raise_()

    @property
    def drawing(self) -> Drawing:
        """What is shown."""
        return self._drawing

    def set_drawing(self, drawing: Drawing) -> None:
        """Show something else; a repaint follows only if it differs."""
        if drawing != self._drawing:
            if drawing.key_sheet != self._drawing.key_sheet:
                self._show_sheet(drawing.key_sheet)
            self._drawing = drawing
            self.update()

    def set_keymap(self, keymap: KeyMap) -> None:
        """The keys have changed."""
        self._keymap = keymap
        if self._sheet is not None:
            self._sheet.set_keymap(keymap)
        self.update()

    def _show_sheet(self, shown: bool) -> None:
        if self._sheet is not None:
            self._sheet.leave()
        parent = self.parentWidget()
        self._sheet = KeySheet(parent, self._keymap) if shown and parent is not None else None

    def set_hidden(self, hidden: bool) -> None:
        """Hide everything for as long as a key is held."""
        self.hidden_by_key = hidden
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize:
            parent = self.parentWidget()
            if parent is not None:
                self.setGeometry(parent.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the drawing in the present view."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        try:
            if self._drawing.page is not None:
                paint_page(painter, QRectF(self.rect()), self._drawing.page)
                return
            self._paint(painter, self._view(), self._drawing)
        finally:
            painter.end()

    def _paint(self, painter: QPainter, view: ViewTransform, drawing: Drawing) -> None:
        if not self.hidden_by_key:
            for point in drawing.fresh:
                _paint_fresh(painter, view, point)
            for frame in drawing.frames:
                _paint_frame(painter, view, frame)
            for path in drawing.paths:
                _paint_path(painter, view, path)
            for disc in drawing.discs:
                _paint_disc(painter, view, disc)
            for cross in drawing.crosses:
                _paint_cross(painter, view, cross)
            for dot in drawing.dots:
                _paint_dot(painter, view, dot)
            if drawing.selected is not None:
                x, y = view.to_canvas(*drawing.selected)
                _double_stroke(painter, lambda: painter.drawEllipse(QPointF(x, y), 11, 11), QColor(255, 255, 255), 2)
            if drawing.question is not None:
                self._paint_question(painter, view, drawing.question)
        area = QRectF(self.rect())
        if drawing.paused:
            painter.fillRect(area, QColor(0, 0, 0, 120))
            text = f"Paused.  {self._keymap.text(Action.PAUSE)} goes on"
            _paint_text(painter, text, QPointF(area.center()), 18, centred=True)
        elif drawing.headline:
            _paint_text(painter, drawing.headline, QPointF(area.center().x(), 24), 12, centred=True, room=area.width())
        if drawing.hint:
            foot = area.bottom() - 8 - _text_size(drawing.hint, 11, area.width()).height()
            line = QFontMetricsF(_font(11)).height() + 8
            centre = QPointF(area.center().x(), foot + line / 2)
            _paint_text(painter, drawing.hint, centre, 11, centred=True, room=area.width())

    def _paint_question(self, painter: QPainter, view: ViewTransform, question: Question) -> None:
        x, y = view.to_canvas(question.row, question.column)
        radius = max(RING_DIAMETER / 2, view.largest_pixel * 0.75 + 2)
        color = QColor(*question.color)

        def ring() -> None:
            painter.drawEllipse(QPointF(x, y), radius, radius)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(
                    QPointF(x + dx * (radius + 2), y + dy * (radius + 2)),
                    QPointF(x + dx * (radius + 2 + TICK), y + dy * (radius + 2 + TICK)),
                )

        _double_stroke(painter, ring, color, 1.6)
        if not question.text:
            return
        # the words stand beside the point and stay inside the canvas, never on the point itself
        size = _text_size(question.text, 11, self.width() - 8)
        away = radius + TICK + 10
        top = min(max(y - radius - 34, 44.0), self.height() - 60.0)
        if x + away + size.width() <= self.width() - 4:
            left = x + away
        elif x - away - size.width() >= 4:
            left = x - away - size.width()
        else:
            left = min(max(4.0, x - size.width() / 2), self.width() - 4 - size.width())
            top = y - away - size.height() if y - away - size.height() >= 44 else y + away
        _paint_text(painter, question.text, QPointF(left, top), 11, room=self.width() - 8)


def _font(size: int) -> QFont:
    """The font of the window in a size that is legible over a picture."""
    font = QFont()
    font.setPointSize(size)
    return font


def _double_stroke(
    painter: QPainter, draw: Callable[[], object], color: QColor, width: float, *, dashed: bool = False
) -> None:
    """Draw twice, dark and wide below, so that the stroke is visible on every picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 220), width + 2.4))
    draw()
    pen = QPen(color, width)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    draw()


def _paint_frame(painter: QPainter, view: ViewTransform, frame: Frame) -> None:
    (r0, c0), (r1, c1) = frame.corner, frame.opposite
    # a box of the picture is no upright rectangle of the canvas where its layer is turned or sheared
    outline = QPolygonF([QPointF(*view.to_canvas(*corner)) for corner in ((r0, c0), (r0, c1), (r1, c1), (r1, c0))])
    _double_stroke(painter, lambda: painter.drawPolygon(outline), QColor(*frame.color), 1.6, dashed=frame.dashed)
    if frame.text:
        bounds = outline.boundingRect()
        _paint_text(painter, frame.text, QPointF(bounds.left(), bounds.top() - 24), 10)


def _paint_dot(painter: QPainter, view: ViewTransform, dot: Dot) -> None:
    x, y = view.to_canvas(dot.row, dot.column)
    color = QColor(*ANSWER_COLORS[dot.value])

    def symbol() -> None:
        if dot.value == "object":
            painter.drawEllipse(QPointF(x, y), 4, 4)
        elif dot.value == "background":
            painter.drawLine(QPointF(x - 3.5, y - 3.5), QPointF(x + 3.5, y + 3.5))
            painter.drawLine(QPointF(x - 3.5, y + 3.5), QPointF(x + 3.5, y - 3.5))
        else:
            painter.drawPolygon([QPointF(x, y - 4), QPointF(x + 4, y), QPointF(x, y + 4), QPointF(x - 4, y)])

    _double_stroke(painter, symbol, color, 2)


def _paint_path(painter: QPainter, view: ViewTransform, path: Path) -> None:
    """An outline, or the broad trace of a brush."""
    if not path.positions:
        return
    color = QColor(*path.color)
    if path.width is not None:
        color.setAlpha(110)
        pen = QPen(color, max(path.width, 1.0 / view.largest_pixel))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # in pixels of the picture: a round brush is an ellipse on the canvas where pixels are no squares
        painter.save()
        painter.setTransform(QTransform(*view.matrix()), combine=True)
        trace = [QPointF(column, row) for row, column in path.positions]
        if len(trace) == 1:
            painter.drawPoint(trace[0])
        else:
            painter.drawPolyline(QPolygonF(trace))
        painter.restore()
        return
    line = QPolygonF([QPointF(*view.to_canvas(row, column)) for row, column in path.positions])
    draw = painter.drawPolygon if path.closed else painter.drawPolyline
    _double_stroke(painter, lambda: draw(line), color, 1.6, dashed=path.dashed)


def _paint_disc(painter: QPainter, view: ViewTransform, disc: Disc) -> None:
    radius = max(disc.radius, 1.0 / view.largest_pixel)
    angles = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    rim = np.stack([disc.row + radius * np.sin(angles), disc.column + radius * np.cos(angles)], axis=1).tolist()
    outline = QPolygonF([QPointF(*view.to_canvas(row, column)) for row, column in rim])
    _double_stroke(
        painter,
        lambda: painter.drawPolygon(outline),
        QColor(*disc.color),
        1.2,
        dashed=disc.dashed,
    )


def _paint_cross(painter: QPainter, view: ViewTransform, cross: Cross) -> None:
    x, y = view.to_canvas(cross.row, cross.column)

    def arms() -> None:
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(QPointF(x + 2 * dx, y + 2 * dy), QPointF(x + 8 * dx, y + 8 * dy))

    _double_stroke(painter, arms, QColor(*cross.color), 1.8)
    if cross.text:
        _paint_text(painter, cross.text, QPointF(x + 10, y + 6), 9)


def _paint_fresh(painter: QPainter, view: ViewTransform, point: FreshPoint) -> None:
    """Like a point of the Points layer, whose border lies half outside of its diameter."""
    x, y = view.to_canvas(point.row, point.column)
    low, high = POINT_CANVAS_LIMITS
    diameter = min(max(point.diameter * view.zoom, low), high)
    area = QRectF(x - diameter / 2, y - diameter / 2, diameter, diameter)
    painter.setBrush(QColor(*point.color))
    painter.setPen(QPen(QColor(255, 255, 255), CLICK_BORDER * diameter))
    if point.square:
        painter.drawRect(area)
    else:
        painter.drawEllipse(area)


def _text_size(text: str, size: int, room: float) -> QSizeF:
    """Of the ground of a text that is broken into lines where it is wider than `room`."""
    lines = QFontMetricsF(_font(size)).boundingRect(
        QRectF(0, 0, max(room - 16, 40.0), 1e6), int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap), text
    )
    return QSizeF(math.ceil(lines.width()) + 17, lines.height() + 8)


def _paint_text(
    painter: QPainter, text: str, position: QPointF, size: int, *, centred: bool = False, room: float = math.inf
) -> None:
    """White words on a dark ground; `position` is the top left or, if centred, the middle of the first line."""
    extent = _text_size(text, size, min(room, 1e6))
    left = position.x() - extent.width() / 2 if centred else position.x()
    top = position.y() - (QFontMetricsF(_font(size)).height() + 8) / 2 if centred else position.y()
    ground = QRectF(QPointF(left, top), extent)
    painter.setFont(_font(size))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 28, 215))
    painter.drawRoundedRect(ground, 6, 6)
    painter.setPen(QColor(245, 245, 245))
    painter.drawText(ground.adjusted(8, 4, -8, -4), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
