"""A screenshot of the real window, for the README: ``python -m napari_pointanno.screenshots OUT.png [--run RUN]``.

The pictures are generated, the annotations follow from their exact truth, so the same command gives the same
scene everywhere. With ``--run`` the prediction of that run is drawn over the picture.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.project import Project

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pointanno.scenes import Scene

SCENES, SIZE, SEED = 6, 128, 3
MOST_BYTES = 400_000
PATIENCE_S = 120.0


def annotated_project(folder: Path, *, scenes: int = SCENES, size: int = SIZE, seed: int = SEED) -> Project:
    """A project of generated scenes that a perfect annotator has worked on.

    The first image keeps an open box, so that a question is on the screen.
    """
    from pointanno.scenes import CATEGORIES, generate_scene, write_scenes

    write_scenes(folder, count=scenes, size=size, seed=seed)
    project = Project.create(folder / "scenes", images=folder / "images", categories=CATEGORIES)
    for index, image in enumerate(project.images()):
        annotate(project, image.id, image.uid, generate_scene(seed + index, size), leave_open=index == 0)
    return project


def annotate(project: Project, image_id: int, image_uid: str, scene: Scene, *, leave_open: bool = False) -> None:
    """Boxes with ten answers for the things of a scene, three clicks for each stuff region, from its truth."""
    from pointanno.protocols import BoxPoints, SinglePoint

    protocol = BoxPoints(project.settings["points_per_box"], project.settings["seed"])
    categories = {category.id: category for category in project.categories()}
    image_size = scene.panoptic_seg.shape
    rng = np.random.default_rng(0)
    things = [segment for segment in scene.segments_info if segment["isthing"]]
    for segment in scene.segments_info:
        if segment["isthing"]:
            continue
        rows, columns = np.nonzero(scene.panoptic_seg == segment["id"])
        for pick in rng.choice(len(rows), size=min(3, len(rows)), replace=False).tolist():
            steps = SinglePoint().press(
                project.annotations(image_id), categories[segment["category_id"]], int(columns[pick]), int(rows[pick]),
                (image_size[0], image_size[1]),
            )  # fmt: skip
            for kind, payload in steps:
                project.record(kind, payload, image_id=image_id)
    for number, segment in enumerate(things):
        mask = scene.panoptic_seg == segment["id"]
        uid = f"{image_uid[:24]}{number:08x}"
        kind, payload = protocol.commit_box(
            image_uid, (image_size[0], image_size[1]), segment["category_id"], _box_of(mask), uid=uid
        )
        project.record(kind, payload, image_id=image_id)
        open_points = 4 if leave_open and number == len(things) - 1 else 0
        for _ in range(len(payload["point_coords"]) - open_points):
            annotations = project.annotations(image_id)
            question: Any = protocol.ask(annotations)
            is_object = mask[question.y, question.x]
            project.record(*protocol.answer(annotations, "object" if is_object else "background"), image_id=image_id)


def _box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def take(out: Path, run: Path | None = None) -> None:
    """Open the window, wait until everything is drawn, save what is seen."""
    from qtpy.QtWidgets import QApplication

    from napari_pointanno.application import ANNOTATE, PLUGIN, open_docks, open_window

    def wait(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    with tempfile.TemporaryDirectory() as folder:
        project = annotated_project(Path(folder))
        viewer = open_window()
        bench = open_docks(viewer)
        bench.annotate.start(project)
        bench.annotate.enter("single_point" if run is not None else "box_points")
        bench.annotate.show_image(0)
        if run is not None:
            bench.train.open(str(run))
            bench.preview.switch(True)
            wait(lambda: bench.preview.layer.layer is not None)
        wait(lambda: False, 1.5)
        viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
        image = viewer.screenshot(canvas_only=False, flash=False)
        save(image, out)
        bench.abandon()
        viewer.close()


def save(image: NDArray[np.uint8], out: Path) -> None:
    """A PNG below 400 kB: with a palette if true colour needs more."""
    from PIL import Image

    picture = Image.fromarray(image).convert("RGB")
    out.parent.mkdir(parents=True, exist_ok=True)
    for colors in (None, 256, 128, 64):
        (picture if colors is None else picture.quantize(colors)).save(out, optimize=True)
        if out.stat().st_size < MOST_BYTES:
            return


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--run", type=Path, help="run folder whose prediction is shown")
    given = parser.parse_args(arguments)
    take(given.out, given.run)
    print(given.out, file=sys.stderr)


if __name__ == "__main__":
    main()
