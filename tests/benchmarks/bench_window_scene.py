"""Projects for the measurements of the window: so many points on the image, so many annotations in all."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np

from pointanno.dataset import Category
from pointanno.project import Project

ANSWERS, CLICKS = "a0-answers.png", "a1-clicks.png"
"""The first two pictures of `scene`: one to answer on, one to click on."""

SIDE = 32
"""Clicks lie on a grid of so many rows and columns; new ones go between them."""


def scene(folder: Path, *, size: int, on_image: int, in_project: int) -> Path:
    """A project with `on_image` annotations on each of two pictures, and further ones up to `in_project`.

    The first picture carries answered boxes and two boxes with ten open points each, the second one clicks.
    """
    images = folder / "images"
    images.mkdir(parents=True)
    others = max(0, -(-(in_project - 2 * on_image) // 1000))
    names = [ANSWERS, CLICKS, *(f"b{number:02}.png" for number in range(others))]
    for number, name in enumerate(names):
        _picture(images / name, size if name in (ANSWERS, CLICKS) else 64, number)
    project = Project.create(folder / "bench", images=images, categories=[Category(1, "cell", True)])
    with project:
        ids = {image.file_name: image.id for image in project.images()}
        rng = np.random.default_rng(0)
        left = in_project
        for name in names:
            count = min(left, on_image if name in (ANSWERS, CLICKS) else 1000)
            left -= count
            if name == CLICKS:
                for x, y in grid(size)[:count]:
                    project.record("click", _click(x, y), image_id=ids[name])
            else:
                answered_boxes(project, ids[name], rng, count, size if name == ANSWERS else 64)
        for place in (0.2, 0.6):  # apart, so that the camera has to move
            _box(project, ids[ANSWERS], rng, round(place * size), round(place * size), size // 8)
        # the window opens where the person was
        project.record("image_load_start", {}, image_id=ids[ANSWERS])
        return project.path


def small_project(folder: Path, points: int, repeats: int, *, pictures: int = 1) -> Project:
    """A picture with so many answers in closed boxes, and open boxes for the answers to come; others are empty."""
    images = folder / "images"
    images.mkdir(parents=True)
    for number in range(pictures):
        _picture(images / f"a{number}.png", 512, number)
    project = Project.create(folder / "bench", images=images, categories=[Category(1, "cell", True)])
    image, rng = project.images()[0], np.random.default_rng(0)
    answered_boxes(project, image.id, rng, points, 512)
    for _ in range((repeats + 9) // 10):
        x, y = rng.integers(0, 400, 2).tolist()
        _box(project, image.id, rng, x, y, 60)
    return project


def answered_boxes(project: Any, image_id: int, rng: np.random.Generator, count: int, size: int) -> None:
    """Boxes of ten points each, all answered."""
    for _ in range((count + 9) // 10):
        x, y = rng.integers(0, size - size // 8, 2).tolist()
        uid = _box(project, image_id, rng, x, y, size // 8)
        for index in range(10):
            project.record("answer", {"uid": uid, "point": index, "value": "object"}, image_id=image_id)


def grid(size: int, *, between: bool = False) -> list[tuple[int, int]]:
    """Pixels (x, y) of the clicks, or of free places between them, in an order that looks random."""
    step = size / SIDE
    places = [
        (round((column + 0.5 * between + 0.25) * step), round((row + 0.5 * between + 0.25) * step))
        for row in range(SIDE)
        for column in range(SIDE)
    ]
    return [places[index] for index in np.random.default_rng(1).permutation(len(places))]


def _box(project: Any, image_id: int, rng: np.random.Generator, x: int, y: int, side: int) -> str:
    uid, coords = uuid.uuid4().hex, rng.choice(side * side, 10, replace=False)
    points = np.stack([x + coords % side, y + coords // side], axis=1).tolist()
    payload = {"uid": uid, "category_id": 1, "box": [x, y, x + side, y + side], "point_coords": points}
    project.record("box", payload, image_id=image_id)
    return uid


def _click(x: int, y: int) -> dict[str, Any]:
    return {"uid": uuid.uuid4().hex, "category_id": 1, "x": x, "y": y}


def _picture(path: Path, size: int, seed: int) -> None:
    """Noise of 16 x 16 pixels a grain: looks like something and is quick to write."""
    from PIL import Image

    grains = np.random.default_rng(seed).integers(0, 256, (-(-size // 16), -(-size // 16), 3), dtype=np.uint8)
    Image.fromarray(np.kron(grains, np.ones((16, 16, 1), dtype=np.uint8))[:size, :size]).save(path, compress_level=1)
