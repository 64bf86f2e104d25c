"""From the key to the next point on the screen: real keys and clicks, beside bare redraws of the same window.

    python tests/benchmarks/bench_window.py [--answers 300] [--cells 512:10:10 512:1000:10000 ...] [--starts 5]

Prints Markdown tables; asserts nothing. Needs Linux with Xvfb, xdotool and fluxbox and starts its own display. A
cell is a size of the picture, a number of points on it and a number of annotations in the project; each has a
window of its own. Keys and buttons come from another process through the XTest extension and are stamped just before
they leave; the time ends with the swap of the first frame that shows what they did. Between them the window comes to
rest, and every few of them it is asked for a bare redraw: overlay away, `update()` of the canvas, its next swap.

| row | what is measured |
|---|---|
| answer | F, J or U; the next point of the same box is asked |
| undo | Ctrl+Z; the point before is asked again |
| next box | the answer that ends a box; the camera goes to another box, which is there already |
| new point | the release of the button; the point is drawn |
| layers catch up | how long the window stands still when the layers take over what the overlay drew, in a pause |
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_window_scene import grid, scene  # type: ignore[import-not-found]
from real_window import Display, Fingers, Window, need  # type: ignore[import-not-found]

CELLS = ("512:10:10", "512:1000:10000", "4096:10:10", "4096:1000:10000")
REDRAW_EVERY = 3
PLAIN = """
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show_welcome_screen=False)
viewer.window.resize(1400, 860)
"""
PLUGIN = """
from napari_pointanno.application import open_window
from qtpy.QtWidgets import QApplication
viewer = open_window()
"""
UNTIL_DRAWN = """
import os
from qtpy.QtOpenGLWidgets import QOpenGLWidget
canvas = viewer.window._qt_window.findChildren(QOpenGLWidget)[0]
swaps = []
canvas.frameSwapped.connect(lambda: swaps.append(1))
canvas.update()
while not swaps:
    QApplication.processEvents()
os._exit(0)
"""


class Hand:
    """Presses, waits for the frame that shows it, and takes down how long that took."""

    def __init__(self, window: Any, fingers: Any) -> None:
        self.window, self.fingers = window, fingers
        self.times: dict[str, list[float]] = {}
        self.redraws: dict[str, list[float]] = {}

    def press(self, name: str, act: Callable[[], int]) -> None:
        """One input; every few times a bare redraw follows, of the view that the input led to."""
        times, redraws = self.times.setdefault(name, []), self.redraws.setdefault(name, [])
        before = self.window.state
        sent_ns = act()
        shown = self.window.until(lambda line: line["what"] == "swap" and line["state"] != before)
        times.append((shown["t"] - sent_ns) / 1e6)
        self.window.rest()
        if len(times) % REDRAW_EVERY == 1:
            redraws.append(self.window.ask("redraw", "redraw")["ns"] / 1e6)
            self.window.rest()

    def key(self, name: str, text: str) -> None:
        """A key of the keyboard."""
        self.press(name, lambda: int(self.fingers.key(text)))

    def go(self, text: str) -> None:
        """A key that is not measured; returns when the window shows what it did and is at rest."""
        before = self.window.state
        self.fingers.key(text)
        self.window.until(lambda line: line["what"] == "swap" and line["state"] != before)
        self.window.rest()

    def click(self, name: str, x: int, y: int) -> None:
        """The left button over a pixel of the picture; the pointer is there and at rest before."""
        place = self.window.ask(f"where {x} {y}", "where")
        self.fingers.move(place["x"], place["y"])
        self.window.rest()
        self.press(name, lambda: int(self.fingers.click()))

    def settle(self) -> float:
        """Wait until the layers have taken over what the overlay drew; the longest time without a frame, in ms."""
        frames = self.window.frames_ns = []
        while self.window.ask("state", "state")["fresh"]:
            time.sleep(0.05)
        self.window.rest()
        pairs = itertools.pairwise(frames)
        return max(((after - before) / 1e6 for before, after in pairs), default=0.0)


def measure(display: Any, folder: Path, size: int, on_image: int, in_project: int, answers: int) -> list[list[str]]:
    """The rows of one cell."""
    project = scene(folder, size=size, on_image=on_image, in_project=in_project)
    window = Window(display, project, folder / "window.log")
    fingers = Fingers(display.name)
    try:
        window.wait_until_ready()
        fingers.move(700, 5)
        time.sleep(2)
        window.rest()
        hand = Hand(window, fingers)
        _answer(hand, answers)
        _click(hand, size, answers)
    finally:
        fingers.close()
        window.close()
    return [row(name, hand.times[name], hand.redraws[name]) for name in hand.times]


def _answer(hand: Hand, count: int) -> None:
    """Nine answers and back, and again; then to and fro between two boxes."""
    if hand.window.state[1] != "box_points":
        hand.go("w")
    keys = itertools.cycle("fjuffjjf")
    while len(hand.times.get("answer", ())) < count:
        for _ in range(9):
            hand.key("answer", next(keys))
        for _ in range(9):
            hand.key("undo", "ctrl+z")
    for _ in range(9):
        hand.go("f")
    for _ in range(count):
        hand.key("next box", next(keys))
        hand.go("ctrl+z")


def _click(hand: Hand, size: int, count: int) -> None:
    """Nine points and back, and again, on the second picture."""
    hand.go("n")
    hand.go("q")
    places = itertools.cycle(grid(size, between=True))
    while len(hand.times.get("new point", ())) < count:
        hand.settle()
        for _ in range(9):
            hand.click("new point", *next(places))
        for _ in range(9):
            hand.go("ctrl+z")


HEAD = ["what", "n", "median", "p99", "bare redraw", "median - redraw", "p99 / redraw"]


def row(name: str, times: list[float], redraws: list[float]) -> list[str]:
    """Figures of one kind of input; a quantile is the nearest value that occurred."""
    bare, median, high = statistics.median(redraws), statistics.median(times), quantile(times, 0.99)
    return [
        name, str(len(times)), f"{median:.1f} ms", f"{high:.1f} ms", f"{bare:.1f} ms ({len(redraws)})",
        f"{median - bare:+.1f} ms", f"{high / bare:.2f}",
    ]  # fmt: skip


def quantile(times: list[float], share: float) -> float:
    """The nearest that occurred."""
    return sorted(times)[min(len(times) - 1, round(share * (len(times) - 1)))]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def starts(display: Any, count: int) -> list[list[str]]:
    """From the start of the process to the first frame; one of each first, to warm the disk's cache."""
    times: dict[str, list[float]] = {PLAIN: [], PLUGIN: []}
    for turn in range(count + 1):
        for script, measured in times.items():
            began = time.perf_counter()
            command = [sys.executable, "-c", script + UNTIL_DRAWN]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=display.environment)
            if turn:
                measured.append(time.perf_counter() - began)
    base = statistics.median(times[PLAIN])
    return [
        [name, str(count), f"{statistics.median(times[script]):.2f} s", f"{max(times[script]):.2f} s",
         f"{statistics.median(times[script]) / base:.2f} x"]
        for name, script in (("start of napari", PLAIN), ("start with both docks", PLUGIN))
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=300, help="of each kind in each cell")
    parser.add_argument("--cells", nargs="+", default=CELLS, help="SIZE:POINTS_ON_IMAGE:ANNOTATIONS_IN_PROJECT")
    parser.add_argument("--starts", type=int, default=0, help="also measure so many starts, with and without the docks")
    options = parser.parse_args()
    need()
    with tempfile.TemporaryDirectory() as name, Display(Path(name)) as display:
        if options.starts:
            head = ["what", "n", "median", "longest", "ratio"]
            print(table(head, starts(display, options.starts)), end="\n\n", flush=True)
        for number, cell in enumerate(options.cells):
            size, on_image, in_project = (int(part) for part in cell.split(":"))
            rows = measure(display, Path(name) / str(number), size, on_image, in_project, options.answers)
            title = f"{size} x {size} picture, {on_image:,} points on it, {in_project:,} annotations in the project"
            print(f"### {title}\n\n{table(HEAD, rows)}\n", flush=True)


if __name__ == "__main__":
    main()
