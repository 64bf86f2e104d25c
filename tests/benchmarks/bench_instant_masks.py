"""From a click to the masks that the clicks make, on the screen of a real window.

    xvfb-run -a -s "-screen 0 1400x900x24" python tests/benchmarks/bench_instant_masks.py [--size 512] [--clicks 40]

A generated scene is clicked at the pixels that the simulator chooses, masks from clicks switched on. The time runs
from the button's event to the first frame after the masks were changed. Prints the median and the 95 % point of the
clicks from the 10th on, and of those from the 30th on; asserts nothing. `--picture FILE` keeps the window.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_window
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import workbench
from pointanno.formats import read_dataset
from pointanno.project import Project
from pointanno.scenes import write_scenes
from pointanno.simulation import simulate
from pointanno.timing.clock import now_ns


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Let the window work until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        QApplication.processEvents()
        time.sleep(0.001)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = write_scenes(Path(name) / "scenes", 1, given.size, 0)
        truth = read_dataset(folder / "panoptic.json")
        clicks = simulate(truth, "multi-point", n=8, seed=0)
        project = Project.create(Path(name) / "set", images=folder / "images", categories=truth.categories)
        project.close()
        viewer = open_window(Path(name) / "set.pointanno" if not project.path.exists() else project.path)
        bench = workbench(viewer)
        canvas: Any = find_canvas(bench.annotate_widget())
        until(lambda: bench.annotate.session is not None and bench.annotate.session.readable)
        sitting: Any = bench.annotate.sitting
        sitting.desk.instant.toggle(now_ns())
        until(lambda: True)
        drawn: list[int] = []
        show = sitting.desk.instant.layer.show

        def shown(*arguments: Any) -> None:
            show(*arguments)
            drawn.append(now_ns())

        sitting.desk.instant.layer.show = shown
        swapped: list[int] = []
        canvas.frameSwapped.connect(lambda: swapped.append(now_ns()))
        targets = [one for one in clicks.targets if len(one.points)]
        pixels = [
            (target.category_id, *target.points.coords[number].tolist())
            for number in range(8)
            for target in targets
            if number < len(target.points)
        ]
        times: list[float] = []
        for category_id, x, y in pixels[: given.clicks]:
            sitting.classes.choose(category_id, now_ns())
            view = ViewTransform.of_viewer(viewer, (canvas.height(), canvas.width()))
            place = QPoint(*(round(value) for value in view.to_canvas(float(y), float(x))))
            until(lambda: not sitting.desk.instant._is_busy)
            drawn.clear()
            began = now_ns()
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
            until(lambda: drawn or bool(sitting.session.selected))
            if sitting.session.selected:  # another click lies there
                sitting.session.selected = None
                continue
            until(lambda: swapped and swapped[-1] > drawn[-1])
            times.append((next(at for at in swapped if at > drawn[-1]) - began) / 1e6)
        for first in (10, 30):
            part = times[first - 1 :]
            if part:
                print(
                    f"{given.size} x {given.size}, clicks {first} to {len(times)}: median "
                    f"{statistics.median(part):.1f} ms, 95 % {np.percentile(part, 95):.1f} ms, "
                    f"most {max(part):.1f} ms"
                )
        if given.picture:
            viewer.screenshot(str(given.picture), canvas_only=False)
        bench.annotate.close()
        os._exit(0)


if __name__ == "__main__":
    main()
