"""What changes with every answer, drawn lightly over the canvas: question, drag, dots, sheet of keys.

`napari_pointanno.drawing.Drawing` says what is to be seen, `CanvasOverlay` paints it. No layer is touched, so
the cost of an answer does not depend on how much is annotated already.
"""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_pointanno.drawing import Dot, Drawing, Frame, FreshPoint, Question
from napari_pointanno.keymap import SHEET
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
    """

    def __init__(self, canvas: QWidget, view: Callable[[], ViewTransform]) -> None:
        super().__init__(canvas)
        self.setObjectName("pointanno_overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # the theme's style sheet would give every QWidget an opaque background
        self.setStyleSheet("background: transparent;")
        self._view = view
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
            self._drawing = drawing
            self.update()

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
            self._paint(painter, self._view(), self._drawing)
        finally:
            painter.end()

    def _paint(self, painter: QPainter, view: ViewTransform, drawing: Drawing) -> None:
        if not self.hidden_by_key:
            for point in drawing.fresh:
                _paint_fresh(painter, view, point)
            for frame in drawing.frames:
                _paint_frame(painter, view, frame)
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
            _paint_text(painter, "Paused.  F10 goes on", QPointF(area.center()), 18, centred=True)
        elif drawing.headline:
            _paint_text(painter, drawing.headline, QPointF(area.center().x(), 24), 12, centred=True)
        if drawing.hint:
            _paint_text(painter, drawing.hint, QPointF(area.center().x(), area.bottom() - 26), 11, centred=True)
        if drawing.key_sheet:
            _paint_sheet(painter, area)

    def _paint_question(self, painter: QPainter, view: ViewTransform, question: Question) -> None:
        x, y = view.to_canvas(question.row, question.column)
        radius = max(RING_DIAMETER / 2, view.zoom * 0.75 + 2)
        color = QColor(*question.color)

        def ring() -> None:
            painter.drawEllipse(QPointF(x, y), radius, radius)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(
                    QPointF(x + dx * (radius + 2), y + dy * (radius + 2)),
                    QPointF(x + dx * (radius + 2 + TICK), y + dy * (radius + 2 + TICK)),
                )

        _double_stroke(painter, ring, color, 1.6)
        # the words stand beside the point and stay inside the canvas
        width = QFontMetricsF(_font(11)).horizontalAdvance(question.text) + 16
        left = x + radius + TICK + 10
        if left + width > self.width() - 4:
            left = max(4.0, x - radius - TICK - 10 - width)
        top = min(max(y - radius - 34, 44.0), self.height() - 60.0)
        _paint_text(painter, question.text, QPointF(left, top), 11)


def _font(size: int) -> QFont:
    """The font of the window in a size that is legible over a picture."""
    font = QFont()
    font.setPointSize(size)
    return font


def _double_stroke(painter: QPainter, draw: Callable[[], None], color: QColor, width: float) -> None:
    """Draw twice, dark and wide below, so that the stroke is visible on every picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 220), width + 2.4))
    draw()
    painter.setPen(QPen(color, width))
    draw()


def _paint_frame(painter: QPainter, view: ViewTransform, frame: Frame) -> None:
    x0, y0 = view.to_canvas(*frame.corner)
    x1, y1 = view.to_canvas(*frame.opposite)
    rectangle = QRectF(QPointF(x0, y0), QPointF(x1, y1)).normalized()
    _double_stroke(painter, lambda: painter.drawRect(rectangle), QColor(*frame.color), 1.6)
    if frame.text:
        _paint_text(painter, frame.text, QPointF(rectangle.left(), rectangle.top() - 24), 10)


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


def _paint_text(painter: QPainter, text: str, position: QPointF, size: int, *, centred: bool = False) -> None:
    """White words on a dark, rounded ground; `position` is the top left or, if centred, the middle."""
    font = _font(size)
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 16, metrics.height() + 8
    left = position.x() - width / 2 if centred else position.x()
    top = position.y() - height / 2 if centred else position.y()
    ground = QRectF(left, top, width, height)
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 28, 215))
    painter.drawRoundedRect(ground, 6, 6)
    painter.setPen(QColor(245, 245, 245))
    painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, text)


def _paint_sheet(painter: QPainter, area: QRectF) -> None:
    """The table of keys in the middle of the canvas."""
    font = _font(11)
    metrics = QFontMetricsF(font)
    line = metrics.height() + 6
    width = min(area.width() - 20, 460.0)
    height = line * len(SHEET) + 56
    sheet = QRectF(area.center().x() - width / 2, max(4.0, area.center().y() - height / 2), width, height)
    painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
    painter.setBrush(QColor(20, 22, 28, 235))
    painter.drawRoundedRect(sheet, 10, 10)
    painter.setFont(_font(13))
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(QRectF(sheet.left(), sheet.top() + 8, width, 28), Qt.AlignmentFlag.AlignCenter, "Keys")
    painter.setFont(font)
    for index, (keys, meaning) in enumerate(SHEET):
        top = sheet.top() + 44 + index * line
        painter.setPen(QColor(255, 205, 110))
        painter.drawText(
            QRectF(sheet.left() + 20, top, 160, line), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, keys
        )
        painter.setPen(QColor(240, 240, 240))
        painter.drawText(
            QRectF(sheet.left() + 190, top, width - 200, line),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            meaning,
        )
