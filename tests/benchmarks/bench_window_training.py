"""What a training beside the window costs the person who annotates: key → next question drawn.

    xvfb-run -a -s "-screen 0 1400x900x24" python tests/benchmarks/bench_window_training.py [--repeats 100]

Prints a table; asserts nothing. One window, three parts: nothing is trained, a real training with two threads (PointSup
`small`, started as the window starts it, with low priority) runs, nothing is trained again. Both quiet parts
together are the base. Each answer is a key of the keyboard; the time ends with the next frame of the canvas. Both
docks are open, and the one for training watches the run. Targets: median within 20 % of idle, p99 within 1.5 times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_window_scene import small_project  # type: ignore[import-not-found]

POINTS = 10
SETTLE_S = 0.06
"""Between two answers: the window comes to rest, as it does between the keys of a person."""

WARM_UP = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=100, help="answers in each of the two conditions")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, help="COCO-point JSON to train on; generated scenes by default")
    parser.add_argument("--images", type=Path, help="folder of its pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        data, images = options.data, options.images
        if data is None or images is None:
            data, images = scenes(Path(folder))
        idle, training, rate = measure(Path(folder), data, images, options.repeats, options.threads)
        report(idle, training, rate)
        sys.stdout.flush()
        os._exit(0)


def scenes(folder: Path) -> tuple[Path, Path]:
    """Generated pictures and ten points in every box of theirs."""
    command = [sys.executable, "-m", "pointanno"]
    made, points = folder / "scenes", folder / "points.json"
    subprocess.run([*command, "scenes", str(made), "--count", "24", "--size", "256"], check=True, capture_output=True)
    truth = [str(made / "instances.json"), "-o", str(points), "--protocol", "box-points"]
    subprocess.run([*command, "simulate", *truth], check=True, capture_output=True)
    return points, made / "images"


def measure(
    folder: Path, data: Path, images: Path, repeats: int, threads: int
) -> tuple[list[float], list[float], float]:
    """Milliseconds of each answer while nothing is trained and while something is; images a second of the latter."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    from napari_pointanno._views.qt_canvas_view import find_canvas
    from napari_pointanno.application import open_window
    from napari_pointanno.workbench import workbench
    from pointanno.runs import RunFolder, TrainArguments, start_training

    viewer = open_window()
    bench = workbench(viewer)
    project = small_project(folder, POINTS, 2 * (repeats + 3 * WARM_UP))
    bench.annotate.start(project)
    session: Any = bench.annotate.session
    canvas: Any = find_canvas(bench.annotate_widget())
    swaps: list[float] = []
    canvas.frameSwapped.connect(lambda: swaps.append(time.perf_counter()))

    def wait(condition: Callable[[], object], seconds: float) -> bool:
        end = time.perf_counter() + seconds
        while not condition():
            if time.perf_counter() > end:
                return False
            QApplication.processEvents()
            time.sleep(0.0005)  # an idle window sleeps too; a busy loop would take a core from the training
        return True

    def answer() -> float:
        """Milliseconds from the key to the next frame, after which the window comes to rest."""
        swaps.clear()
        began = time.perf_counter()
        QTest.keyClick(canvas, Qt.Key.Key_F)
        wait(lambda: swaps, 10)
        took = (swaps[0] - began) * 1e3 if swaps else float("nan")
        wait(lambda: False, SETTLE_S)
        return took

    def answers(count: int) -> list[float]:
        return [answer() for _ in range(count + WARM_UP)][WARM_UP:]

    session.mode = "box_points"
    bench.annotate.show_image(0)
    wait(lambda: session.watch.running, 10)
    wait(lambda: False, 2)
    first = answers(repeats // 2)
    arguments = TrainArguments(data=data, images=images, device="cpu", threads=threads)
    process = start_training(arguments, folder / "run")
    run = RunFolder(folder / "run")
    bench.train.open(str(run.path))
    if not wait(lambda: run.status().step >= 5, 600):
        raise SystemExit(f"the training did not begin: {run.log_file.read_text()}")
    before = run.status().step
    training = answers(repeats)
    status = run.status()
    if not status.is_active or status.step <= before:
        raise SystemExit(f"the training did not go on while it was measured: {status}")
    run.request_stop()
    wait(lambda: process.poll() is not None, 60)
    wait(lambda: False, 2)
    last = answers(repeats - repeats // 2)
    recorded = sum(event.kind == "answer" for event in project.events())
    print(f"{recorded:,} answers recorded; {status.step - before:,} training steps while {repeats} keys were pressed")
    bench.abandon()
    return first + last, training, status.images_per_second or 0.0


def report(idle: list[float], training: list[float], rate: float) -> None:
    """The table; a quantile is the nearest value that occurred."""
    rows = [("key → next question drawn", "median", "p99", "n")]
    for name, times in (("idle", idle), (f"while training, {rate:.1f} images/s", training)):
        rows.append((name, f"{statistics.median(times):.1f} ms", f"{quantile(times, 0.99):.1f} ms", str(len(times))))
    median = statistics.median(training) / statistics.median(idle)
    p99 = quantile(training, 0.99) / quantile(idle, 0.99)
    rows.append(("ratio (targets 1.20 and 1.50)", f"{median:.2f} x", f"{p99:.2f} x", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def quantile(times: list[float], share: float) -> float:
    """The nearest that occurred."""
    return sorted(times)[min(len(times) - 1, round(share * (len(times) - 1)))]


if __name__ == "__main__":
    main()
