"""A project that people have worked on, on a clock that is moved by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.dataset import Category
from pointanno.project import Project
from pointanno.timing.log import MS

HEIGHT, WIDTH = 200, 300
FACTS = {
    "app": "0.1.0", "napari": "0.9.2", "qt": "pyside6 6.9", "os": "Linux", "layout": "qwerty", "screen_hz": 60.0,
    "clock": {"resolution_ns": 60}, "order_seed": 7,
}  # fmt: skip


class Worker:
    """Somebody who works on a project; all inputs carry a stamp of the window system."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.rng = np.random.default_rng(seed)
        self.now = 10**12
        self.image_id = 0

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1000) * MS

    def think(self, median: float, spread: float = 0.35) -> None:
        self.wait(median * math.exp(self.rng.normal(0, spread)))

    def write(self, kind: str, payload: dict[str, Any] | None = None, *, typed: bool = False) -> Any:
        timing = {"qt_ms": (self.now - int(self.rng.integers(1, 4)) * MS) // MS} if typed else None
        image_id = self.image_id or None
        return self.project.record(kind, payload or {}, image_id=image_id, t_mono_ns=self.now, timing=timing)

    def begin(self, mode: str) -> None:
        self.image_id = 0
        self.write("session_start", {**FACTS, "mode": mode})
        self.wait(1.2)

    def show(self, image_id: int) -> None:
        self.image_id = image_id
        self.write("image_load_start")
        self.wait(0.2)
        self.write("image_shown", {"swapped": True})

    def box(self, number: int, points: int) -> str:
        width, height = self.rng.uniform(10, 120, 2)
        uid = f"{self.image_id:04d}{number:04d}" + "a" * 24
        self.think(1.5 + 0.02 * float(width + height))
        self.write("drag_start", {}, typed=True)
        self.think(0.8)
        coords = np.stack([np.arange(points) + 5, np.arange(points) + 5], axis=1).tolist()
        box = [2.0, 2.0, 2.0 + float(width), 2.0 + float(height)]
        category = 1 + number % 2
        self.write("box", {"uid": uid, "category_id": category, "box": box, "point_coords": coords}, typed=True)
        for point in range(points):
            self.answer(uid, point)
        return uid

    def answer(self, uid: str, point: int, value: str | None = None) -> Any:
        self.wait(0.03)
        self.write("point_shown", {"uid": uid, "point": point, "swapped": True})
        truth = ["object", "background"][(point * 7 + int(uid[:8])) % 3 == 0]
        self.think(0.75 if truth == "object" else 0.95)
        slip = str(self.rng.choice(["unsure", "object", "background"])) if self.rng.random() < 0.1 else truth
        given = value or slip
        event = self.write("answer", {"uid": uid, "point": point, "value": given}, typed=True)
        if self.rng.random() < 0.05:
            self.think(0.6)
            self.project.undo(t_mono_ns=self.now)
            self.answer(uid, point, truth)
        return event

    def click(self, number: int) -> None:
        self.think(1.4)
        x, y = (int(n) for n in self.rng.integers(0, 150, 2))
        uid = f"{self.image_id:04d}{number:04d}" + "c" * 24
        self.write("click", {"uid": uid, "category_id": 1 + number % 2, "x": x, "y": y}, typed=True)

    def done(self) -> None:
        self.think(0.7)
        self.write("complete", {"things": True, "stuff": True}, typed=True)

    def end(self) -> None:
        self.image_id = 0
        self.wait(2)
        self.write("session_end")


def work_on(folder: Path, *, images: int, objects: int, points: int, seed: int = 0) -> Project:
    """Two people: the first one draws boxes on half of the pictures and clicks on the rest, the second one checks."""
    pictures = folder / "images"
    pictures.mkdir(parents=True)
    for number in range(images + 2):
        Picture.fromarray(np.full((HEIGHT, WIDTH), number, np.uint8)).save(pictures / f"a{number:03d}.png")
    categories = [Category(1, "cell", True), Category(2, "debris & <dirt>", True)]
    project = Project.create(folder / "p", images=pictures, categories=categories, points_per_box=points)
    first = Worker(project, seed)
    drawn: list[tuple[int, str]] = []
    for mode, part in (("box_points", range(1, images // 2 + 1)), ("single_point", range(images // 2 + 1, images + 1))):
        first.begin(mode)
        for image_id in part:
            first.show(image_id)
            for number in range(objects):
                if mode == "box_points":
                    drawn.append((image_id, first.box(number, points)))
                else:
                    first.click(number)
            first.done()
            if image_id % 4 == 1:
                first.write("pause", {"reason": "key"}, typed=True)
                first.wait(20)
                first.write("resume", {"reason": "key"}, typed=True)
            if image_id % 3 == 0:
                first.wait(14)
        first.end()
        project.close()
        first.project = project = Project.open(project.path, annotator="anon-1")  # another session
    project.change_annotator("anon-2")
    second = Worker(project, seed + 1)
    second.begin("second_look")
    for image_id in sorted({image_id for image_id, _ in drawn})[: max(1, images // 4)]:
        second.show(image_id)
        for box in project.annotations(image_id).boxes:
            copy = "b" * 8 + box.uid[:24]
            copy = f"{image_id:08d}" + copy[:24]
            payload = {"uid": copy, "category_id": box.category_id, "box": list(box.box.xyxy), "layer": "second"}
            second.write("box", {**payload, "point_coords": box.point_coords.tolist(), "copy_of": box.uid})
            for point in range(points):
                truth = ["object", "background"][(point * 7 + int(box.uid[:8])) % 3 == 0]
                second.answer(copy, point, truth if second.rng.random() < 0.93 else "background")
    second.end()
    return project


@pytest.fixture(scope="session")
def worked_on(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small project with two people; nobody writes to it any more."""
    with work_on(tmp_path_factory.mktemp("worked"), images=6, objects=5, points=4) as project:
        return project.path


@pytest.fixture(scope="session")
def worker() -> Callable[[Project, int], Worker]:
    return Worker


@pytest.fixture
def empty_project(tmp_path: Path) -> Iterator[Project]:
    """One picture, nothing done."""
    pictures = tmp_path / "images"
    pictures.mkdir()
    Picture.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(pictures / "a.png")
    with Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]) as made:
        yield made
