"""The curves of a run, or of several over one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_pointanno._models.curves import NO_POINTS, Curve
from napari_pointanno._views.qt_run_details import WordLabel

LOSS_COLOR, VAL_COLOR = (86, 180, 233), (230, 159, 0)

RUN_COLORS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0))
"""Colours that colour-blind people tell apart, after Okabe and Ito."""

Values = NDArray[np.float64]

LOWEST, LEGEND_LINE = 245, 20
"""Height of menus and plot, and of one more line of the legend, pixels."""

ALL_LOSSES, EACH_LOSS = "loss", "each loss"


_DOTTED = Qt.PenStyle.DotLine

Color = tuple[int, ...]


class _Line(NamedTuple):
    """A line on the left axis; without a name it is not in the legend."""

    x: Values
    y: Values
    color: Color
    width: float
    name: str


class _Dots(NamedTuple):
    """Validations of a run, and its best one where the shown metric decides about it."""

    values: Values
    color: Color
    best: tuple[float, float] | None


class RunPlot(QWidget):
    """Losses on the left axis, the validation on the right one."""

    def __init__(self) -> None:
        super().__init__()
        self._curve: Curve | None = None
        self._compared: Mapping[str, Curve] = {}
        self._lines: list[Any] = []
        self._val_lines: list[Any] = []
        self._looks: list[Any] = []
        self._shown_dots: list[Any] = []
        self._part_names: tuple[str, ...] = ()
        self._metric_names: tuple[str, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(self._build_choices())
        column.addWidget(self._build_plot(), 1)
        self.legend = WordLabel("legend")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setVisible(False)
        column.addWidget(self.legend)
        self.setMinimumHeight(LOWEST)

    def _build_choices(self) -> QHBoxLayout:
        self.series = self._menu("series", "Loss that is drawn")
        self.metrics = self._menu("metric", "Metric that is drawn")
        self.logarithmic = QCheckBox("log y")
        self.logarithmic.setObjectName("pointanno_log_y")
        self.logarithmic.setAccessibleName("Logarithmic loss axis")
        self.logarithmic.setToolTip("Logarithmic loss axis")
        self.logarithmic.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = QHBoxLayout()
        row.addWidget(self.series, 1)
        row.addWidget(self.metrics, 1)
        row.addWidget(self.logarithmic)
        self.series.addItem(ALL_LOSSES)
        self.series.currentIndexChanged.connect(lambda _: self._draw())
        self.metrics.currentIndexChanged.connect(lambda _: self._draw())
        self.logarithmic.toggled.connect(self._set_log)
        return row

    def _set_log(self, on: bool) -> None:
        self.plot.setLogMode(y=on)
        self.plot.getPlotItem().getAxis("right").setLogMode(False)  # the metric keeps its own scale
        self._draw()

    def _menu(self, name: str, spoken: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(f"pointanno_{name}")
        box.setAccessibleName(spoken)
        box.setToolTip(spoken)
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return box

    def _build_plot(self) -> QWidget:
        self.plot: Any = pyqtgraph.PlotWidget()
        self.plot.setObjectName("pointanno_curve")
        self.plot.setAccessibleName("Curve of the training")
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setBackground(None)
        self.plot.setMinimumHeight(210)
        # pyqtgraph asks for 640 x 480 pixels, which would make both docks that wide and hide what lies below
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.plot.setMenuEnabled(False)
        item = self.plot.getPlotItem()
        item.setLabel("bottom", "step")
        item.setLabel("left", "loss")
        item.showGrid(x=True, y=True, alpha=0.2)
        item.hideButtons()
        # validation has another scale, hence an axis of its own on the right
        self._val_box = pyqtgraph.ViewBox()
        item.showAxis("right")
        item.scene().addItem(self._val_box)
        item.getAxis("right").linkToView(self._val_box)
        for side in ("left", "right", "bottom"):  # "ap (x0.001)" is no way to write 0.335
            item.getAxis(side).enableAutoSIPrefix(False)
        self._val_box.setXLink(item)
        item.vb.sigResized.connect(self._fit_val_box)
        box: QWidget = self.plot
        return box

    def _fit_val_box(self) -> None:
        item = self.plot.getPlotItem()
        self._val_box.setGeometry(item.vb.sceneBoundingRect())
        self._val_box.linkedViewChanged(item.vb, self._val_box.XAxis)

    def show_curve(self, curve: Curve) -> None:
        """One run."""
        self._curve = curve
        self._fill_menus(curve)
        if not self._compared:
            self._draw()

    def compare(self, curves: Mapping[str, Curve]) -> None:
        """Several runs over one another; an empty mapping goes back to the one."""
        self._compared = curves
        for curve in curves.values():
            self._fill_menus(curve)
        self._draw()

    def _fill_menus(self, curve: Curve) -> None:
        series = tuple(dict.fromkeys((*self._part_names, *curve.parts)))
        metrics = tuple(dict.fromkeys((*self._metric_names, *curve.metrics)))
        if series != self._part_names:
            self._part_names = series
            _fill(self.series, [ALL_LOSSES, *([EACH_LOSS] if series else []), *series])
        if metrics != self._metric_names:
            self._metric_names = metrics
            _fill(self.metrics, list(metrics))
            self.metrics.setCurrentText(curve.metric)
        self.metrics.setVisible(bool(metrics))

    def _draw(self) -> None:
        """Draw what is there; lines are made anew only where others are wanted."""
        curves = self._compared or ({} if self._curve is None else {"": self._curve})
        metric = self.metrics.currentText()
        lines: list[_Line] = []
        dots: list[_Dots] = []
        for index, (name, curve) in enumerate(curves.items()):
            color = RUN_COLORS[index % len(RUN_COLORS)] if self._compared else LOSS_COLOR
            lines += self._lines_of(name, curve, color)
            values = curve.metrics.get(metric, np.stack([curve.val_steps, curve.val_values], axis=1))
            best = curve.best if metric in ("", curve.metric) else None
            dots.append(_Dots(values, color if self._compared else VAL_COLOR, best))
        self._set_lines(lines)
        self._set_dots(dots, metric)

    def _lines_of(self, name: str, curve: Curve, color: Color) -> list[_Line]:
        """What the menu asks for, of one run."""
        chosen = self.series.currentText()
        if chosen == EACH_LOSS and not self._compared:
            return [
                _Line(points[:, 0], points[:, 1], RUN_COLORS[number % len(RUN_COLORS)], 1.5, part.removeprefix("loss_"))
                for number, (part, points) in enumerate(curve.parts.items())
            ]
        if chosen in self._part_names:
            points = curve.parts.get(chosen, NO_POINTS)
            return [_Line(points[:, 0], points[:, 1], color, 2, name)]
        smoothed = _Line(curve.steps, curve.smoothed, color, 2, name)
        # every step in pale, their average on top: the steps alone are a band of noise
        return [smoothed] if self._compared else [_Line(curve.steps, curve.losses, (*color, 80), 1, ""), smoothed]

    def _set_lines(self, lines: list[_Line]) -> None:
        item = self.plot.getPlotItem()
        looks = [(line.color, line.width, line.name) for line in lines]
        if looks != self._looks:
            self._looks = looks
            for drawn in self._lines:
                item.removeItem(drawn)
            self._lines = [
                item.plot([], [], pen=pyqtgraph.mkPen(line.color, width=line.width), skipFiniteCheck=True)
                for line in lines
            ]
            self._show_legend(lines)
        for drawn, line in zip(self._lines, lines, strict=True):
            drawn.setData(line.x, line.y)
        left = self.plot.getPlotItem().getAxis("left")
        left.setTicks(log_ticks([line.y for line in lines]) if self.logarithmic.isChecked() else None)

    def _show_legend(self, lines: list[_Line]) -> None:
        """Names in their colours below the plot, where they cover nothing."""
        named = [line for line in lines if line.name]
        words = (
            f'<span style="color: rgb{line.color[:3]};">&#9644;</span> {line.name.replace("<", "&lt;")}'
            for line in named
        )
        self.legend.setText(" &nbsp; ".join(words))
        self.legend.setVisible(bool(named))
        self.setMinimumHeight(LOWEST + (self.legend.sizeHint().height() + LEGEND_LINE if named else 0))

    def _set_dots(self, dots: list[_Dots], metric: str) -> None:
        """Validations as dots on thin lines, the best of each run as a star; they come rarely."""
        shown = [(tuple(one.values[:, 1].tolist()), one.color, one.best, metric) for one in dots]
        if shown == self._shown_dots:
            return
        self._shown_dots = shown
        for drawn in self._val_lines:
            self._val_box.removeItem(drawn)
        self._val_lines = []
        for one in dots:
            self._val_lines.append(
                pyqtgraph.PlotDataItem(
                    one.values[:, 0],
                    one.values[:, 1],
                    pen=pyqtgraph.mkPen(one.color, width=1, style=_DOTTED),
                    symbol="o",
                    symbolSize=5,
                    symbolBrush=one.color,
                    symbolPen=None,
                )
            )
            if one.best is not None:
                step, value = one.best
                star = pyqtgraph.PlotDataItem(
                    [step], [value], pen=None, symbol="star", symbolSize=15, symbolBrush=one.color, symbolPen="w"
                )
                self._val_lines.append(star)
        for drawn in self._val_lines:
            self._val_box.addItem(drawn)
        axis = self.plot.getPlotItem().getAxis("right")
        axis.setVisible(any(len(one.values) for one in dots))
        axis.setLabel(metric or "validation", color="#e69f00")
        self._val_box.enableAutoRange(axis=self._val_box.YAxis)


def log_ticks(values: list[Values]) -> list[list[tuple[float, str]]]:
    """Ticks at 1, 2 and 5 times powers of ten within the values; pyqtgraph's own overlap on a low plot."""
    known = np.concatenate([one[one > 0] for one in values]) if values else np.zeros(0)
    if not len(known):
        return [[]]
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max()))
    wide = high - low > 2
    steps = [k * 10.0**power for power in np.arange(low, high + 1) for k in ((1,) if wide else (1, 2, 5))]
    return [[(float(np.log10(step)), f"{step:.3g}") for step in steps]]


def _fill(box: QComboBox, names: list[str]) -> None:
    """New entries; the chosen one stays if it is among them."""
    was = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(names)
    box.setCurrentText(was if was in names else names[0] if names else "")
    box.blockSignals(False)
