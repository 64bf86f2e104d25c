"""What the plugin adds to napari: start, adding a point, answering a point.

    xvfb-run -a -s "-screen 0 1400x900x24" python tests/benchmarks/bench_window.py [--starts 5] [--repeats 30]

Prints a table; asserts nothing. Starts with and without the plugin alternate, each in a process of its own.
Latencies run from the key or the release of the button to the next frame of the canvas, on an image with 10 and
with 1,000 points, in turn with bare redraws of the same window; the ratio is against these. New points reach the
napari layer in a pause: how long the window stands still then is measured once, after the last of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Row = tuple[str, str, str, str]

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--points", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--latencies", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        if options.latencies is not None:  # a process of its own: a window that has drawn much is slower
            rows = latencies(Path(folder), options.latencies, options.repeats)
            print(*("\t".join(row) for row in rows), sep="\n", flush=True)
            os._exit(0)
        rows = [("what", "median", "95 %", "ratio"), *starts(options.starts)]
        for points in options.points:
            command = [sys.executable, __file__, "--latencies", str(points), "--repeats", str(options.repeats)]
            lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            for line in lines:
                what, median, high, ratio = line.split("\t")
                rows.append((what, median, high, ratio))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)))


def starts(count: int) -> list[Row]:
    """From the start of the process to the first frame; one of each first, to warm the disk's cache."""
    times: dict[str, list[float]] = {PLAIN: [], PLUGIN: []}
    for turn in range(count + 1):
        for script, measured in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", script + UNTIL_DRAWN], check=True, stderr=subprocess.DEVNULL)
            if turn:
                measured.append(time.perf_counter() - began)
    base = statistics.median(times[PLAIN])
    return [
        (name, f"{statistics.median(times[script]):.2f} s", f"{_high(times[script]):.2f} s",
         f"{statistics.median(times[script]) / base:.2f} x")
        for name, script in (("start of napari", PLAIN), ("start with both docks", PLUGIN))
    ]  # fmt: skip


def latencies(folder: Path, points: int, repeats: int) -> list[Row]:
    """Bare redraw, new point and answer in turn, on an image with so many points."""
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    from napari_pointanno._views.qt_canvas_view import find_canvas
    from napari_pointanno.application import open_window
    from napari_pointanno.view_transform import ViewTransform
    from napari_pointanno.workbench import workbench
    from pointanno.coords import index_to_napari

    viewer = open_window()
    bench = workbench(viewer)
    project, spots = _project(folder, points, repeats)
    bench.annotate.start(project)
    session: Any = bench.annotate.session
    canvas: Any = find_canvas(bench.annotate_widget())
    swaps: list[float] = []
    canvas.frameSwapped.connect(lambda: swaps.append(time.perf_counter()))

    def wait(condition: Callable[[], object], seconds: float) -> None:
        end = time.perf_counter() + seconds
        while not condition() and time.perf_counter() < end:
            QApplication.processEvents()

    def until_frame(act: Callable[[], object]) -> float:
        """Milliseconds from the input to the next frame, after which the window comes to rest."""
        swaps.clear()
        began = time.perf_counter()
        act()
        wait(lambda: swaps, 10)
        took = (swaps[0] - began) * 1e3 if swaps else float("nan")
        wait(lambda: False, 0.06)
        return took

    def longest_stall(condition: Callable[[], object], seconds: float) -> float:
        """Milliseconds for which the window did not answer until something happened."""
        stalls = [0.0]
        end = time.perf_counter() + seconds
        while not condition() and time.perf_counter() < end:
            began = time.perf_counter()
            QApplication.processEvents()
            stalls.append((time.perf_counter() - began) * 1e3)
        return max(stalls)

    def mode(name: str) -> None:
        session.mode = name
        bench.annotate.show_image(0)
        wait(lambda: session.watch.running, 10)
        wait(lambda: False, 1)

    def click() -> None:
        row, column = index_to_napari(spots.pop()).tolist()
        view = ViewTransform.of_viewer(viewer, (canvas.height(), canvas.width()))
        x, y = view.to_canvas(row, column)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y)))

    stall = 0.0
    redraws: dict[str, list[float]] = {}
    inputs: dict[str, list[float]] = {}
    for name, protocol, act in (
        ("new point", "single_point", click),
        ("answer", "box_points", lambda: QTest.keyClick(canvas, Qt.Key.Key_F)),
    ):
        mode(protocol)
        redraws[name], inputs[name] = [], []
        for _ in range(repeats):
            redraws[name].append(until_frame(canvas.update))
            inputs[name].append(until_frame(act))
        if act is click:
            stall = longest_stall(lambda: not any(session.fresh), 10)
    made = [event.kind for event in project.events()]
    clicked, answered = made.count("click"), made.count("answer") - 10 * ((points + 9) // 10)
    bare = [time_ms for measured in redraws.values() for time_ms in measured]
    rows = [(f"bare redraw, {points:,} points", *_figures(bare), "1.00 x")]
    for name, count in (("new point", clicked), ("answer", answered)):
        ratio = statistics.median(inputs[name]) / statistics.median(redraws[name])
        rows.append((f"{name}, {points:,} points ({count} recorded)", *_figures(inputs[name]), f"{ratio:.2f} x"))
    ratio = stall / statistics.median(redraws["new point"])
    rows.append((f"stall when the layer catches up, {points:,} points", f"{stall:.1f} ms", "", f"{ratio:.2f} x"))
    return rows


def _project(folder: Path, points: int, repeats: int) -> tuple[Any, list[tuple[int, int]]]:
    """Closed boxes with so many answers, open ones for the answers to come, and free pixels for new points."""
    from PIL import Image

    from pointanno.dataset import Category
    from pointanno.project import Project

    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)).save(images / "a.png")
    project = Project.create(folder / "bench", images=images, categories=[Category(1, "cell", True)])
    image = project.images()[0]

    def box() -> str:
        x, y = rng.integers(0, 400, 2).tolist()
        uid = uuid.uuid4().hex
        coords = rng.choice(60 * 60, 10, replace=False)
        project.record(
            "box",
            {"uid": uid, "category_id": 1, "box": [x, y, x + 60, y + 60],
             "point_coords": np.stack([x + coords % 60, y + coords // 60], axis=1).tolist()},
            image_id=image.id,
        )  # fmt: skip
        return uid

    for _ in range((points + 9) // 10):
        uid = box()
        for index in range(10):
            project.record("answer", {"uid": uid, "point": index, "value": "object"}, image_id=image.id)
    for _ in range((repeats + 9) // 10):
        box()
    free = [(x, y) for x in range(8, 500, 24) for y in range(8, 500, 24)]
    return project, [free[index] for index in rng.permutation(len(free))[:repeats]]


def _figures(times_ms: list[float]) -> tuple[str, str]:
    return f"{statistics.median(times_ms):.1f} ms", f"{_high(times_ms):.1f} ms"


def _high(times: list[float]) -> float:
    """The 95th percentile, the nearest that occurred."""
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


if __name__ == "__main__":
    main()
