"""A small project to act upon, and a seeded person who acts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from pointanno.dataset import Category
from pointanno.project import Project
from pointanno.project.store import Store
from pointanno.protocols import sample_points

HEIGHT, WIDTH = 40, 60
CATEGORIES = (Category(1, "cell", True), Category(2, "debris", True), Category(3, "ground", False))


def write_pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        pixels = np.full((HEIGHT, WIDTH), number, dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / f"a{number}.png")
    return folder


class Person:
    """Does random but possible things; every step is one event."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)

    def act(self) -> str:
        draw = self.random
        image = draw.choice(self.project.images())
        found = self.project.annotations(image.id)
        uids = [one.uid for one in found.clicks] + [one.uid for one in found.boxes]
        category_id = draw.choice(self.project.categories()).id
        thing_id = draw.choice([one.id for one in self.project.categories() if one.isthing])
        kind = draw.choice(
            ["click"] * 4
            + ["box"] * 2
            + ["answer"] * 8
            + "move reclass delete complete absent resample changed".split()
        )
        payload: dict[str, Any] = {"uid": f"{draw.getrandbits(128):032x}"}
        if kind == "click":
            payload |= {"category_id": category_id, "x": draw.randrange(WIDTH), "y": draw.randrange(HEIGHT)}
            payload |= {"time_ms": draw.randrange(5000)}
        elif kind == "box":
            x, y = draw.randrange(WIDTH - 8), draw.randrange(HEIGHT - 8)
            box = [x, y, x + draw.randint(2, 8), y + draw.uniform(2, 8)]
            points = sample_points(box, 4, (HEIGHT, WIDTH), seed=draw.randrange(99))
            payload |= {"category_id": thing_id, "box": box, "point_coords": points, "point_seed": 1}
        elif kind in ("answer", "resample") and found.boxes:
            chosen = draw.choice(found.boxes)
            payload = {"uid": chosen.uid}
            if kind == "answer":
                payload |= {"point": draw.randrange(len(chosen.answers)), "time_ms": draw.randrange(3000)}
                payload |= {"value": draw.choice(["object", "background", "unsure"])}
            else:
                payload |= {"point_coords": [[1, 1], [2, 2]], "point_seed": 5, "sampler": "s"}
        elif kind == "move" and found.clicks:
            payload = {"uid": draw.choice(found.clicks).uid, "x": draw.randrange(WIDTH), "y": draw.randrange(HEIGHT)}
        elif kind == "reclass" and uids:
            payload = {"uid": draw.choice(uids), "category_id": thing_id}
        elif kind == "delete" and uids:
            payload = {"uid": draw.choice(uids)}
        elif kind == "absent":
            payload = {"category_id": category_id, "absent": draw.random() < 0.7}
        elif kind == "changed":
            self.project.change_category(category_id, color=(draw.randrange(256), 0, 0))
            return kind
        else:
            kind, payload = "complete", {"things": draw.random() < 0.5, "stuff": draw.random() < 0.5}
        self.project.record(kind, payload, image_id=image.id)
        return kind


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


@pytest.fixture
def project(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Three images and three classes; made without waiting for the disk, which has tests of its own."""
    configure = Store._configure

    def hastily(store: Store) -> None:
        configure(store)
        store.raw.execute("pragma synchronous=off")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_configure", hastily)
        made = Project.create(tmp_path / "street", images=pictures, categories=CATEGORIES, points_per_box=4)
    with made:
        yield made


@pytest.fixture
def person() -> type[Person]:
    return Person
