"""Memory of the window while a person visits many images; a program to run, no test.

``xvfb-run -a -s "-screen 0 1400x900x24" python tests/benchmarks/bench_window_memory.py [--visits 500]``

Pictures of several kinds and sizes, up to 3000 x 4000, carry points and boxes. The program goes from one to the next as
the key N does, draws each, clicks once on every fifth, and prints the resident memory every 50 visits. What counts is
the growth from visit 100 to the last one: caches are full by then, so more would be a leak.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tifffile
from PIL import Image as PillowImage

SETTLED_AT = 100
KINDS = 24


def write_pictures(folder: Path) -> None:
    """Small and large, colour, grey, 16-bit and of several channels."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(KINDS):
        height, width = [(300, 400), (512, 512), (768, 1024), (3000, 4000)][number % 4]
        kind = number % 3
        name = folder / f"{number:03d}"
        if kind == 0:
            noise = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
            picture = np.repeat(np.repeat(noise, 8, axis=0), 8, axis=1)
            PillowImage.fromarray(picture).save(name.with_suffix(".jpg"))
        elif kind == 1:
            tifffile.imwrite(name.with_suffix(".tif"), rng.integers(0, 4000, (height, width), dtype=np.uint16))
        else:
            channels = rng.integers(0, 4000, (3, height // 2, width // 2), dtype=np.uint16)
            tifffile.imwrite(name.with_suffix(".tif"), channels, photometric="minisblack", metadata={"axes": "CYX"})


def make_project(folder: Path, points: int) -> Any:
    """Points on every picture, and three boxes with answers."""
    from pointanno.dataset import Category
    from pointanno.project import Project
    from pointanno.protocols import BoxPoints

    project = Project.create(
        folder / "memory", images=folder / "images", categories=[Category(1, "cell", True), Category(2, "road", False)]
    )
    rng = np.random.default_rng(1)
    protocol = BoxPoints(5, 0)
    for image in project.images():
        for number in range(points):
            x, y = int(rng.integers(image.width)), int(rng.integers(image.height))
            payload = {"uid": f"{image.id:04x}{number:028x}", "category_id": 2, "x": x, "y": y}
            project.record("click", payload, image_id=image.id)
        for number in range(3):
            corner = (10.0 + 40 * number, 20.0, 40.0 + 40 * number, 60.0)
            kind, box = protocol.commit_box(image.uid, image.image_size, 1, corner)
            project.record(kind, box, image_id=image.id)
            for _ in range(5):
                annotations = project.annotations(image.id)
                kind, answer = protocol.answer(annotations, "object")
                project.record(kind, answer, image_id=image.id)
    return project


def measure(visits: int, points: int) -> list[tuple[int, float]]:
    """(visits, MiB) every 50 visits; the median of the last ten visits each, since readers work in between."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_pointanno.application import open_docks

    own = psutil.Process()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        write_pictures(Path(folder) / "images")
        project = make_project(Path(folder), points)
        viewer = napari.Viewer()
        viewer.window.resize(1200, 800)
        bench = open_docks(viewer)
        bench.annotate.start(project)
        session = bench.annotate.session
        assert session is not None
        recent: list[float] = []
        found: list[tuple[int, float]] = []
        for visit in range(1, visits + 1):
            bench.annotate.show_image(visit % KINDS)
            if visit % 5 == 0:
                size = session.image_size
                event = {"uid": f"{visit:032x}", "category_id": 2, "x": visit % size[1], "y": 3}
                project.record("click", event, image_id=session.image.id if session.image else None)
                assert bench.annotate.sitting is not None
                bench.annotate.sitting.refresh()
            until = time.monotonic() + 0.05
            while time.monotonic() < until:
                QApplication.processEvents()
            recent = [*recent[-9:], own.memory_info().rss / 2**20]
            if visit % 50 == 0:
                gc.collect()
                found.append((visit, statistics.median(recent)))
                print(f"{visit:6d} visits  {found[-1][1]:8.1f} MiB", flush=True)
        bench.annotate.close()
        bench.abandon()
        viewer.close()
    return found


def main() -> None:
    """Print the table and the growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=500)
    parser.add_argument("--points", type=int, default=60, help="on each picture")
    options = parser.parse_args()
    found = dict(measure(max(options.visits, SETTLED_AT + 50), options.points))
    last = max(found)
    growth = found[last] / found[SETTLED_AT] - 1
    print(f"growth from visit {SETTLED_AT} to {last}: {growth:+.1%} (wanted: at most +5 %)")


if __name__ == "__main__":
    main()
