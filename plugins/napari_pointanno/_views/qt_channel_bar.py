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
        """Show the lines of these channels; lines of the same names are kept and set."""
        if [line.name for line in self._lines] != [channel.name for channel in channels]:
            self._build(channels)
        for line, channel in zip(self._lines, channels, strict=True):
            line.show_look(channel)
        self.setVisible(bool(channels))

    def _build(self, channels: Sequence[ChannelLook]) -> None:
        for line in self._lines:
            line.discard()
        self._lines = []
        for index, channel in enumerate(channels):
            line = _Line(index, channel, self)
            self._lines.append(line)
            for column, widget in enumerate((line.button, line.slider, line.fit)):
                self._grid.addWidget(widget, index, column)
        if self._lines:
            height = max(line.button.sizeHint().height() for line in self._lines) + self._grid.verticalSpacing()
            self._area.setFixedHeight(height * min(len(self._lines), MOST_LINES) + 4)


class _Line(QObject):
    """The controls of one channel."""

    def __init__(self, index: int, channel: ChannelLook, bar: ChannelBar) -> None:
        super().__init__(bar)
        self._index, self._bar, self.name = index, bar, channel.name
        self._range: Limits | None = None
        self.button = QToolButton()
        self.button.setObjectName(f"pointanno_channel_{index}")
        self.button.setCheckable(True)
        self.button.setText(channel.name)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setToolTip(f"{channel.name}: visible or not. Double click: this channel alone, in grey")
        self.button.setAccessibleName(f"channel {channel.name} visible")
        self.button.clicked.connect(self._on_clicked)
        self.button.installEventFilter(self)
        self.slider: Any = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.slider.setObjectName(f"pointanno_channel_limits_{index}")
        self.slider.setToolTip(f"Values of {channel.name} that are shown as black and as the full colour")
        self.slider.setAccessibleName(f"limits of channel {channel.name}")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        self.slider.valueChanged.connect(lambda _: self._settle.start())
        self.slider.sliderReleased.connect(bar.left.emit)
        self.fit = QToolButton()
        self.fit.setObjectName(f"pointanno_channel_fit_{index}")
        self.fit.setText("fit")
        self.fit.setToolTip(f"Limits that fit the values of {channel.name} in this picture")
        self.fit.setAccessibleName(f"fit limits of channel {channel.name}")
        self.fit.clicked.connect(self._on_fit)
        for widget in (self.button, self.slider, self.fit):
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_look(self, channel: ChannelLook) -> None:
        """Set the controls without sending anything."""
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

    def discard(self) -> None:
        """Take the controls down."""
        self._settle.stop()
        for widget in (self.button, self.slider, self.fit):
            widget.setParent(None)
            widget.deleteLater()
        self.deleteLater()

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
