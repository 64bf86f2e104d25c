"""The measured channels of a picture: which are visible, and between which values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget
from superqt import QDoubleRangeSlider

from napari_pointanno._models.picture_look import ChannelLook, Limits

MOST_LINES = 5
"""Channels that are seen without scrolling."""

SETTLE_MS = 40
"""Pause of a slider after which the picture is drawn anew."""


class ChannelBar(QWidget):
    """One line for each channel; hidden for pictures without."""

    shown = Signal(int, bool)
    alone = Signal(int)
    limits = Signal(int, float, float)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("pointanno_channels")
        self._lines: list[_Line] = []
        heading = QLabel("Channels")
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setToolTip("Click on a channel: visible or not. Double click: this one alone, in grey")
        self._inner = QWidget()
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._area = QScrollArea()
        self._area.setObjectName("pointanno_channel_area")
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(heading)
        layout.addWidget(self._area)
        self.hide()

    def show_channels(self, channels: Sequence[ChannelLook]) -> None:
        """Show a line for each of these channels.

        Lines are never taken down, those that are too many are hidden: the toolkit keeps a part of every control
        that Python was connected to, and pictures of several kinds in turn would let the window grow.
        """
        while len(self._lines) < len(channels):
            line = _Line(len(self._lines), self)
            for column, widget in enumerate((line.button, line.slider, line.fit)):
                self._grid.addWidget(widget, len(self._lines), column)
            self._lines.append(line)
        for index, line in enumerate(self._lines):
            line.set_visible(index < len(channels))
        for line, channel in zip(self._lines, channels, strict=False):
            line.show_look(channel)
        if channels:
            height = max(line.button.sizeHint().height() for line in self._lines) + self._grid.verticalSpacing()
            self._area.setFixedHeight(height * min(len(channels), MOST_LINES) + 4)
        self.setVisible(bool(channels))


class _Line(QObject):
    """The controls of one channel."""

    def __init__(self, index: int, bar: ChannelBar) -> None:
        super().__init__(bar)
        self._index, self._bar, self.name = index, bar, ""
        self._range: Limits | None = None
        self.button = QToolButton()
        self.button.setObjectName(f"pointanno_channel_{index}")
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.clicked.connect(self._on_clicked)
        self.button.installEventFilter(self)
        self.slider: Any = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.slider.setObjectName(f"pointanno_channel_limits_{index}")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        self.slider.valueChanged.connect(lambda _: self._settle.start())
        self.slider.sliderReleased.connect(bar.left.emit)
        self.fit = QToolButton()
        self.fit.setObjectName(f"pointanno_channel_fit_{index}")
        self.fit.setText("fit")
        self.fit.clicked.connect(self._on_fit)
        for widget in (self.button, self.slider, self.fit):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_look(self, channel: ChannelLook) -> None:
        """Set the controls without sending anything."""
        if channel.name != self.name:
            self._name(channel.name)
        swatch = QPixmap(QSize(10, 10))
        swatch.fill(QColor(*channel.color))
        self.button.setIcon(QIcon(swatch))
        self.button.setChecked(channel.visible)
        self._settle.stop()
        self.slider.blockSignals(True)
        low, high = channel.limits
        known = self._range
        if known is None or low < known[0] or high > known[1]:
            margin = high - low
            self._range = known = (low - margin / 2 if low else 0.0, high + margin)
            self.slider.setRange(*known)
        self.slider.setValue(channel.limits)
        self.slider.blockSignals(False)

    def set_visible(self, visible: bool) -> None:
        """Show or hide the controls."""
        if not visible:
            self._settle.stop()
        for widget in (self.button, self.slider, self.fit):
            widget.setVisible(visible)

    def _name(self, name: str) -> None:
        """The line is that of another channel now."""
        self.name, self._range = name, None
        self.button.setText(name)
        self.button.setToolTip(f"{name}: visible or not. Double click: this channel alone, in grey")
        self.button.setAccessibleName(f"channel {name} visible")
        self.slider.setToolTip(f"Values of {name} that are shown as black and as the full colour")
        self.slider.setAccessibleName(f"limits of channel {name}")
        self.fit.setToolTip(f"Limits that fit the values of {name} in this picture")
        self.fit.setAccessibleName(f"fit limits of channel {name}")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click shows one channel alone."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self._bar.alone.emit(self._index)
            self._bar.left.emit()
            return True
        return False

    def _on_clicked(self, checked: bool) -> None:
        self._bar.shown.emit(self._index, checked)
        self._bar.left.emit()

    def _on_fit(self) -> None:
        self._range = None
        self._bar.limits.emit(self._index, 0.0, 0.0)
        self._bar.left.emit()

    def _on_settled(self) -> None:
        low, high = self.slider.value()
        if high > low:
            self._bar.limits.emit(self._index, float(low), float(high))
