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
from pointanno.formats.rle import mask_to_rle
from pointanno.project import ImageAnnotations, Project
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


SIMPLE = ["click"] * 4 + ["box"] * 2 + ["answer"] * 8 + "move reclass delete complete absent resample changed".split()
FURTHER = [
    *["multi_click"] * 4,
    *["extreme"] * 4,
    *["box_of_extremes"] * 2,
    *"target_done extreme_cancelled skip_box mask mask edit_mask flag flag".split(),
    *"skip_image review review review_object add_class merge_classes delete_class reorder digit".split(),
    *"image_set second_pass second_click copy_box second_done delete_target".split(),
]


class Person:
    """Does random but possible things; every step is one event.

    Parameters
    ----------
    kinds : of what is done; `SIMPLE` by default, `SIMPLE + FURTHER` for everything
    """

    def __init__(self, project: Project, seed: int, kinds: list[str] | None = None) -> None:
        self.project = project
        self.random = random.Random(seed)
        self.kinds = SIMPLE if kinds is None else kinds
        self.image = project.images()[0]
        self.found: ImageAnnotations = project.annotations(self.image.id)

    def act(self) -> str:
        """One step; what is impossible just now becomes a declaration of completeness."""
        self.image = self.random.choice(self.project.images())
        self.found = self.project.annotations(self.image.id)
        kind = self.random.choice(self.kinds)
        done = getattr(self, f"_{kind}")()
        if done is None:
            kind = "complete"
            self._complete()
        return kind

    # helpers

    def _record(self, kind: str, /, **payload: Any) -> bool:
        self.project.record(kind, payload, image_id=self.image.id)
        return True

    def _uid(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    def _category(self, things: bool = False) -> int:
        return self.random.choice([one.id for one in self.project.categories() if one.isthing or not things])

    def _pixel(self) -> dict[str, int]:
        return {"x": self.random.randrange(WIDTH), "y": self.random.randrange(HEIGHT)}

    def _any(self) -> str | None:
        uids = [one.uid for one in self.found.clicks] + [one.uid for one in self.found.boxes]
        return self.random.choice(uids) if uids else None

    def _rle(self) -> dict[str, Any]:
        mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
        x, y = self.random.randrange(WIDTH - 9), self.random.randrange(HEIGHT - 9)
        mask[y : y + self.random.randint(1, 9), x : x + self.random.randint(1, 9)] = True
        return mask_to_rle(mask)

    # what everybody does

    def _click(self, **more: Any) -> bool:
        time_ms = self.random.choice([self.random.randrange(150), self.random.randrange(5000)])
        return self._record(
            "click", uid=self._uid(), category_id=self._category(), **self._pixel(), time_ms=time_ms, **more
        )

    def _box(self, **more: Any) -> bool:
        draw = self.random
        x, y = draw.randrange(WIDTH - 8), draw.randrange(HEIGHT - 8)
        box = [x, y, x + draw.randint(2, 8), y + draw.uniform(2, 8)]
        points = sample_points(box, 4, (HEIGHT, WIDTH), seed=draw.randrange(99))
        category_id = self._category(things=True)
        return self._record(
            "box", uid=self._uid(), category_id=category_id, box=box, point_coords=points, point_seed=1, **more
        )

    def _answer(self) -> bool | None:
        boxes = [box for box in self.found.boxes if len(box.answers)]
        if not boxes:
            return None
        chosen = self.random.choice(boxes)
        value = self.random.choice(["object", "background", "unsure"])
        point, time_ms = self.random.randrange(len(chosen.answers)), self.random.randrange(3000)
        return self._record("answer", uid=chosen.uid, point=point, value=value, time_ms=time_ms)

    def _resample(self) -> bool | None:
        boxes = [box for box in self.found.boxes if box.source != "mask"]
        if not boxes:
            return None
        uid = self.random.choice(boxes).uid
        return self._record("resample", uid=uid, point_coords=[[1, 1], [2, 2]], point_seed=5, sampler="s")

    def _move(self) -> bool | None:
        if not self.found.clicks:
            return None
        return self._record("move", uid=self.random.choice(self.found.clicks).uid, **self._pixel())

    def _reclass(self) -> bool | None:
        uid = self._any()
        return None if uid is None else self._record("reclass", uid=uid, category_id=self._category(things=True))

    def _delete(self) -> bool | None:
        uid = self._any()
        return None if uid is None else self._record("delete", uid=uid)

    def _complete(self) -> bool:
        return self._record("complete", things=self.random.random() < 0.5, stuff=self.random.random() < 0.5)

    def _absent(self) -> bool | None:
        category_id = self._category()
        there = {one.category_id for one in self.found.clicks} | {one.category_id for one in self.found.boxes}
        if category_id in there:
            return None
        return self._record("absent", category_id=category_id, absent=self.random.random() < 0.7)

    def _changed(self) -> bool:
        self.project.change_category(self._category(), color=(self.random.randrange(256), 0, 0))
        return True

    # what came later

    def _multi_click(self) -> bool:
        clicks = [click for click in self.found.clicks if click.isthing]
        if not clicks or self.random.random() < 0.3:
            return self._click(provenance="suggested+accepted", suggested_by="run/1")
        other = self.random.choice(clicks)
        return self._record(
            "click", uid=self._uid(), category_id=other.category_id, instance=other.instance, **self._pixel()
        )

    def _target_done(self) -> bool | None:
        if not self.found.clicks:
            return None
        uid = self.random.choice(self.found.clicks).uid
        return self._record("target_done", uid=uid, done=self.random.random() < 0.8)

    def _delete_target(self) -> bool | None:
        if not self.found.clicks:
            return None
        return self._record("delete", uid=self.random.choice(self.found.clicks).uid, whole_target=True)

    def _extreme(self) -> bool | None:
        if len(self.found.extremes) == 3:
            return None
        return self._record("extreme", category_id=self._category(things=True), **self._pixel(), time_ms=700)

    def _box_of_extremes(self) -> bool | None:
        if len(self.found.extremes) < 3:
            return None
        points = [[one.x, one.y] for one in self.found.extremes] + [list(self._pixel().values())]
        return self._box(extreme_points=points, extreme_times_ms=[1, 2, 3, None])

    def _extreme_cancelled(self) -> bool | None:
        return self._record("extreme_cancelled") if self.found.extremes else None

    def _skip_box(self) -> bool | None:
        boxes = [box for box in self.found.boxes if box.next_point is not None]
        return self._record("skip_box", uid=self.random.choice(boxes).uid, reason="blurred") if boxes else None

    def _mask(self) -> bool:
        return self._record("mask", uid=self._uid(), category_id=self._category(), rle=self._rle(), source="painted")

    def _edit_mask(self) -> bool | None:
        if not self.found.boxes:
            return None
        chosen = self.random.choice(self.found.boxes)
        rle = None if chosen.source != "mask" and self.random.random() < 0.3 else self._rle()
        return self._record("mask", uid=chosen.uid, rle=rle, source="edited_prediction", suggested_by="run/2")

    def _flag(self) -> bool:
        uid = self._any() if self.random.random() < 0.5 else None
        return self._record("flag", flagged=self.random.random() < 0.7, reason="odd", uid=uid)

    def _skip_image(self) -> bool:
        return self._record("skip_image", skipped=self.random.random() < 0.5, reason="dark")

    def _review(self) -> bool | None:
        boxes = [box for box in self.found.boxes if len(box.answers)]
        if not boxes:
            return None
        chosen = self.random.choice(boxes)
        verdict = self.random.choice(["confirm", "change", "delete", "later"])
        value = "background" if verdict == "change" else None
        point = self.random.randrange(len(chosen.answers))
        return self._record("review", uid=chosen.uid, point=point, verdict=verdict, value=value, time_ms=90)

    def _review_object(self) -> bool | None:
        uid = self._any()
        if uid is None:
            return None
        verdict = self.random.choice(["confirm", "change", "delete", "later"])
        category_id = self._category(things=True) if verdict == "change" else None
        return self._record("review", uid=uid, verdict=verdict, category_id=category_id)

    def _add_class(self) -> bool | None:
        if len(self.project.categories()) > 6:
            return None
        self.project.add_category(self._uid()[:6], isthing=self.random.random() < 0.6)
        return True

    def _merge_classes(self) -> bool | None:
        things = [one.id for one in self.project.categories() if one.isthing]
        if len(things) < 3:
            return None
        self.project.merge_categories(*self.random.sample(things, 2))
        return True

    def _delete_class(self) -> bool | None:
        rest = [one.id for one in self.project.categories()]
        things = [one.id for one in self.project.categories() if one.isthing]
        chosen = self.random.choice(rest)
        if len(rest) < 4 or (len(things) < 2 and chosen in things):
            return None
        self.project.delete_category(chosen, annotations="delete")
        return True

    def _reorder(self) -> bool:
        ids = [one.id for one in self.project.categories()]
        self.project.reorder_categories(self.random.sample(ids, len(ids)))
        return True

    def _digit(self) -> bool:
        self.project.change_category(self._category(), digit=self.random.randrange(-1, 10))
        return True

    def _image_set(self) -> bool:
        ids = self.random.sample([image.id for image in self.project.images()], 2)
        n = self.random.randint(1, 4)
        self.project.set_protocol(self.random.choice("AB"), "multi_point", ids, points_per_target=n)
        return True

    def _second_pass(self) -> bool:
        self.project.plan_second_pass(self.random.random(), seed=self.random.randrange(9))
        return True

    def _second_click(self) -> bool:
        return self._click(layer="second")

    def _copy_box(self) -> bool | None:
        boxes = [box for box in self.found.boxes if len(box.answers)]
        if not boxes:
            return None
        box = self.random.choice(boxes)
        uid = self._uid()
        return self._record(
            "box", uid=uid, category_id=box.category_id, box=list(box.box.xyxy), point_coords=box.point_coords,
            layer="second", copy_of=box.uid,
        )  # fmt: skip

    def _second_done(self) -> bool | None:
        if self.image.second_pass is None:
            return None
        return self._record("second_done", done=self.random.random() < 0.7)


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


@pytest.fixture
def every_kind() -> list[str]:
    return [*SIMPLE, *FURTHER]
