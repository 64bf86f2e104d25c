"""What the image list costs in the window, with many images beside few, in one run.

    xvfb-run -a -s "-screen 0 1400x900x24" python tests/benchmarks/bench_image_list.py [--images 100000] [--few 100]
        [--repeats 20] [--rounds 2] [--made 0]

Prints a table; asserts nothing. Milliseconds of wall and of CPU time: medians, of which the least of some rounds. A key
is measured from its delivery to the moment when nothing waits to be drawn any more, canvas and list included. Most
pictures are imaginary; those that are visited are one small picture. `--made N` also makes a project of N real files,
as the form of the dock does.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image as Picture
from qtpy.QtWidgets import QApplication

from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno.application import open_window
from napari_pointanno.keymap import Action, KeyInput
from napari_pointanno.workbench import workbench
from pointanno.dataset import Category
from pointanno.project import Project
from pointanno.project.image_list import EVERY_IMAGE, ImageFilter
from pointanno.project.schema import IMAGE_STATE
from pointanno.timing.clock import now_ns

SIZE = 256
Times = dict[str, tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--made", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        paths = {count: make_project(folder, count) for count in (options.few, options.images)}
        viewer = open_window()
        bench = Bench(viewer, options.repeats)
        bench.measure(paths[options.few])  # caches, fonts and shaders are warm from here on
        rounds = [{count: bench.measure(path) for count, path in paths.items()} for _ in range(options.rounds)]
        bench.close()
        few, many = (best([one[count] for one in rounds]) for count in paths)
        if options.made:
            few |= {f"make a project of {options.made:,} files": (0.0, 0.0)}
            many |= {f"make a project of {options.made:,} files": making(folder, options.made)}
    finally:
        shutil.rmtree(folder)
    print_table(f"{options.few:,} images", few, f"{options.images:,} images", many)


def make_project(folder: Path, count: int) -> Path:
    """A project of imaginary pictures in three sets of states; `real` makes those that are visited."""
    root = folder / f"images{count}"
    root.mkdir()
    (root / "images").mkdir()
    rows = [
        {
            **{"id": number, "position": number - 1, "uid": f"{number:032x}", "file_name": f"street_{number:06d}.png"},
            **{"height": SIZE, "width": SIZE, "bytes": 1, "sha256": None, "extra": None, **IMAGE_STATE},
        }
        for number in range(1, count + 1)
    ]
    path = root / "set.pointanno"
    scan = mock.Mock(rows=rows, skipped=[], folder=root / "images")
    classes = [Category(1, "car", True), Category(2, "road", False)]
    with (
        mock.patch("pointanno.project.scan.scan_images", return_value=scan),
        Project.create(path, images=root / "images", categories=classes) as project,
    ):
        real(project, [0])
        for number in reversed(
            range(1, count + 1, max(1, count // 20))
        ):  # work goes on at the last one, the first image
            project.record("flag", {"flagged": True, "reason": "class unclear"}, image_id=number)
    return path


def real(project: Project, places: list[int]) -> None:
    """Put pictures where they are imaginary."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for image in project.images_at([place for place in places if place >= 0]):
        if not image.path.exists():
            Picture.fromarray(pixels).save(image.path)


def best(rounds: list[Times]) -> Times:
    """The least of each measure: what other programs do to the machine only adds."""
    return {name: (min(one[name][0] for one in rounds), min(one[name][1] for one in rounds)) for name in rounds[0]}


def making(folder: Path, count: int) -> tuple[float, float]:
    """A project from real files, which are links to a few ones."""
    images = folder / "made"
    images.mkdir()
    for number in range(count):
        if number % 10_000 == 0:
            source = images / f"{number:06d}.png"
            Picture.fromarray(np.zeros((SIZE, SIZE, 3), np.uint8)).save(source)
        else:
            (images / f"{number:06d}.png").hardlink_to(source)
    wall, cpu = time.perf_counter(), time.process_time()
    Project.create(folder / "made-set", images=images).close()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


class Bench:
    """One window; every measure begins and ends with nothing left to draw."""

    def __init__(self, viewer: Any, repeats: int) -> None:
        self._viewer = viewer
        self._bench = workbench(viewer)
        self._repeats = repeats

    @staticmethod
    def settle() -> None:
        """Draw what waits."""
        for _ in range(3):
            QApplication.processEvents()

    def timed(self, act: Callable[[], object]) -> tuple[float, float]:
        """Wall and CPU milliseconds of an action and of all that it makes to be drawn."""
        self.settle()
        wall, cpu = time.perf_counter(), time.thread_time()
        act()
        self.settle()
        return (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3

    def median(self, acts: list[Callable[[], object]]) -> tuple[float, float]:
        """Medians of several actions."""
        times = [self.timed(act) for act in acts]
        return statistics.median(wall for wall, _ in times), statistics.median(cpu for _, cpu in times)

    def press(self, action: Action, digit: int | None = None) -> Callable[[], None]:
        """A key as the canvas delivers it."""
        sitting = self._bench.annotate.sitting
        assert sitting is not None
        return lambda: sitting.on_key(KeyInput(action, now_ns(), digit, action.value))

    def measure(self, path: Path) -> Times:
        """Everything about one project."""
        annotate = self._bench.annotate
        found: Times = {}
        opened: list[Project] = []
        found["open: the project"] = self.timed(lambda: opened.append(Project.open(path)))
        project = opened[0]
        count = project.image_count()
        real(project, [*range(60), *range(count // 2 - 30, count // 2 + 120)])
        found["open: rows of the list"] = self.timed(lambda: ImagePages(project).row(0))
        project.close()

        def start() -> None:
            opened.append(Project.open(path))
            annotate.start(opened[-1])

        found["open: all, first picture drawn"] = self.timed(start)
        project, session = opened[-1], annotate.session
        assert session is not None
        view: Any = annotate.view
        bar = view.images.verticalScrollBar()
        draw = np.random.default_rng(1)
        pages = session.pages

        def read_page(at: int) -> None:
            pages.forget()
            pages.row(at)

        found["a page of rows"] = self.median(
            [partial(read_page, at) for at in draw.integers(0, count, self._repeats).tolist()]
        )
        found["scroll anywhere"] = self.median(
            [partial(bar.setValue, at) for at in draw.integers(0, count, self._repeats).tolist()]
        )
        for name, where in (
            ("filter: flagged", ImageFilter(attention="flagged")),
            ("filter: unlabelled", ImageFilter(state="unlabelled")),
            ("search by name", ImageFilter(text="_0000")),
        ):
            wanted = [where, EVERY_IMAGE] * (self._repeats // 6)
            found[name] = self.median([partial(view.filter_chosen.emit, one) for one in wanted])
        view.filter_chosen.emit(EVERY_IMAGE)
        for name, row in (("row 5", 5), ("the middle", count // 2)):
            annotate.show_image(row)
            found[f"N at {name}"] = self.median([self.press(Action.NEXT)] * self._repeats)
            annotate.show_image(row)
            found[f"an answer (F) at {name}"] = self.answers(project)
        view.filter_chosen.emit(ImageFilter(state="unlabelled"))
        found["D in the list of unlabelled"] = self.median([self.press(Action.DONE)] * (self._repeats // 2))
        found["Shift+N"] = self.median([self.press(Action.NEXT_UNLABELLED)] * (self._repeats // 3))
        view.filter_chosen.emit(EVERY_IMAGE)
        found["counts of the project"] = self.median([project.counts] * self._repeats)
        annotate.close()
        return found

    def answers(self, project: Project) -> tuple[float, float]:
        """Answers about the points of a box on the image that is shown."""
        annotate = self._bench.annotate
        session = annotate.session
        assert session is not None and session.image is not None
        coords = [[x % 200 + 20, x // 200 + 20] for x in range(self._repeats + 2)]
        box = {"uid": f"{now_ns():032x}", "category_id": 1, "box": [10, 10, 240, 240], "point_coords": coords}
        project.record("box", box, image_id=session.image.id)
        self.press(Action.BOX_POINTS)()
        found = self.median([self.press(Action.OBJECT)] * self._repeats)
        self.press(Action.SINGLE_POINT)()
        return found

    def close(self) -> None:
        """Close the window."""
        self._bench.abandon()
        self._viewer.close()


def print_table(few_name: str, few: Times, many_name: str, many: Times) -> None:
    """Wall and CPU milliseconds side by side."""
    print(f"{'':32} {few_name:>22} {many_name:>22}   (wall / CPU ms)")
    for name, (wall, cpu) in many.items():
        left = f"{few[name][0]:.1f} / {few[name][1]:.1f}" if any(few[name]) else ""
        print(f"{name:32} {left:>22} {f'{wall:.1f} / {cpu:.1f}':>22}")


if __name__ == "__main__":
    main()
