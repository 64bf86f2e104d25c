"""The figures of the dock *Study report*: answer times, learning curve, what sessions went into."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_pointanno._models.study_digest import StudyDigest
from napari_pointanno._views.qt_run_details import WordLabel
from napari_pointanno._views.qt_run_plot import RUN_COLORS

ANSWER_COLORS = {"object": (0, 158, 115), "background": (230, 120, 20), "unsure": (150, 150, 150)}

STATE_COLORS = {
    "work": (0, 158, 115), "idle": (240, 228, 66), "pause": (86, 180, 233), "break": (86, 180, 233),
    "loading": (138, 138, 138), "dialog": (204, 121, 167), "window": (230, 159, 0), "dock": (247, 199, 115),
    "stall": (213, 94, 0), "stopped": (213, 94, 0), "suspend": (90, 90, 90),
}  # fmt: skip
"""As in the figures of the page: Okabe and Ito's colours."""

DASHES = {"object": Qt.PenStyle.SolidLine, "background": Qt.PenStyle.DashLine, "unsure": Qt.PenStyle.DotLine}

HEIGHT, ROW_HEIGHT = 165, 24
"""Of a plot, and of a session in the strip, pixels."""


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


class StudyPlot(QWidget):
    """A title, a plot and its legend in words.

    Parameters
    ----------
    name : of the object
    spoken : accessible name
    title : above the plot
    bottom, left : labels of the axes
    """

    def __init__(self, name: str, spoken: str, title: str, bottom: str, left: str) -> None:
        super().__init__()
        self.title = WordLabel(f"{name}_title")
        self.title.setText(title)
        self.plot: Any = pyqtgraph.PlotWidget()
        self.plot.setObjectName(f"pointanno_{name}")
        self.plot.setAccessibleName(spoken)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setBackground(None)
        self.plot.setFixedHeight(HEIGHT)
        # pyqtgraph asks for 640 x 480 pixels, which would make the dock that wide
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.item = self.plot.getPlotItem()
        self.item.setLabel("bottom", bottom)
        if left:
            self.item.setLabel("left", left)
        self.item.showGrid(x=True, y=bool(left), alpha=0.2)
        self.item.hideButtons()
        for side in ("left", "bottom"):
            self.item.getAxis(side).enableAutoSIPrefix(False)
        self.legend = WordLabel(f"{name}_legend")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 4)
        column.setSpacing(1)
        for widget in (self.title, self.plot, self.legend):
            column.addWidget(widget)

    def explain(self, entries: list[tuple[tuple[int, int, int], str]]) -> None:
        """Colours in words."""
        words = [f'<span style="color:{_hex(color)}">■</span>&nbsp;{_plain(text)}' for color, text in entries]
        self.legend.setText("&nbsp;&nbsp; ".join(words))


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(" ", "&nbsp;")


class StudyPlots(QWidget):
    """The three of them; each hides while it has nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        self.shares = StudyPlot(
            "answer_shares", "Cumulated share of the answers by their time", "Answer times", "seconds", "share"
        )
        self.counts = StudyPlot("answer_counts", "Number of answers by their time", "", "seconds", "answers")
        self.learning = StudyPlot("learning", "Learning curve", "Learning curve", "number", "seconds")
        self.strip = StudyPlot("session_strip", "What the time of the sessions went into", "Sessions", "minutes", "")
        self.strip.item.hideAxis("left")
        self.counts.title.setVisible(False)
        self.counts.legend.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for plot in (self.shares, self.counts, self.learning, self.strip):
            column.addWidget(plot)

    def show_digest(self, digest: StudyDigest) -> None:
        """Draw everything anew."""
        for plot in (self.shares, self.counts, self.learning, self.strip):
            plot.item.clear()
        self._draw_answers(digest)
        self._draw_learning(digest)
        self._draw_strip(digest)

    def _draw_answers(self, digest: StudyDigest) -> None:
        has_any = bool(digest.answers)
        self.shares.setVisible(has_any)
        self.counts.setVisible(has_any)
        if not has_any:
            return
        entries = []
        edges = np.array(digest.edges_s)
        for name, one in digest.answers.items():
            color = ANSWER_COLORS[name]
            pen = pyqtgraph.mkPen(color, width=2, style=DASHES[name])
            x, y = np.array([0.0, *one.seconds]), np.array([0.0, *one.share])
            self.shares.item.plot(x, y, pen=pen)
            self.shares.item.addItem(
                pyqtgraph.InfiniteLine(one.median_s, pen=pyqtgraph.mkPen(color, width=1, style=Qt.PenStyle.DotLine))
            )
            self.counts.item.plot(np.repeat(edges, 2)[1:-1], np.repeat(np.array(one.count, float), 2), pen=pen)
            entries.append((color, f"{name} ({one.n}): median {one.median_s:.2f} s"))
        for plot in (self.shares, self.counts):
            plot.item.setXRange(0, digest.edges_s[-1], padding=0)
        self.shares.item.setYRange(0, 1, padding=0.02)
        self.counts.item.enableAutoRange(axis="y")
        self.shares.explain(entries)

    def _draw_learning(self, digest: StudyDigest) -> None:
        self.learning.setVisible(bool(digest.learners))
        entries, top = [], 0.0
        for number, (name, one) in enumerate(digest.learners.items()):
            red, green, blue = RUN_COLORS[number % len(RUN_COLORS)]
            self.learning.item.plot(
                np.array(one.number), np.array(one.seconds), pen=pyqtgraph.mkPen((red, green, blue), width=2)
            )
            if one.warm_up and number == 0:
                shade = pyqtgraph.LinearRegionItem(
                    (0.5, one.warm_up + 0.5), movable=False, brush=(128, 128, 128, 60), pen=(0, 0, 0, 0)
                )
                self.learning.item.addItem(shade)
            for begin in one.begins:
                pen = pyqtgraph.mkPen((red, green, blue), style=Qt.PenStyle.DashLine)
                self.learning.item.addItem(pyqtgraph.InfiniteLine(begin - 0.5, pen=pen))
            entries.append(((red, green, blue), f"{name} ({one.n})"))
            top = max(top, *one.seconds)
        self.learning.title.setText(f"Learning curve: rolling median of the time by {digest.learned}; shaded: warm-up")
        self.learning.item.setLabel("bottom", f"number of the {digest.learned}")
        self.learning.item.setYRange(0, top * 1.1 or 1.0, padding=0)
        self.learning.explain(entries)

    def _draw_strip(self, digest: StudyDigest) -> None:
        self.strip.setVisible(bool(digest.stretches))
        rows = len(digest.sessions)
        states = [state for state in STATE_COLORS if any(one.state == state for one in digest.stretches)]
        for state in states:
            these = [one for one in digest.stretches if one.state == state]
            self.strip.item.addItem(
                pyqtgraph.BarGraphItem(
                    x0=[one.start for one in these],
                    x1=[one.stop for one in these],
                    y0=[rows - one.session - 0.95 for one in these],
                    y1=[rows - one.session - 0.45 for one in these],
                    brush=STATE_COLORS[state],
                    pen=None,
                )
            )
        for number, name in enumerate(digest.sessions):
            label = pyqtgraph.TextItem(name, anchor=(0, 1))
            label.setPos(0, rows - number - 0.5)
            self.strip.item.addItem(label)
        height = 50 + ROW_HEIGHT * 2 * rows
        self.strip.plot.setFixedHeight(max(90, height))
        self.strip.item.setYRange(0, rows, padding=0.02)
        self.strip.item.enableAutoRange(axis="x")
        before = f"; {digest.sessions_left_out} earlier ones are in the report" if digest.sessions_left_out else ""
        self.strip.title.setText(f"What the time of the sessions went into (starts in UTC{before})")
        self.strip.explain([(STATE_COLORS[state], state) for state in states])
