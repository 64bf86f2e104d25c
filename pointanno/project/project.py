"""A project on disk, as one object: the only entrance for window, command line and tests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pointanno.errors import InputError
from pointanno.project.class_list import ClassList
from pointanno.project.discretion import EVERYTHING, Discretion
from pointanno.project.export_stream import Snapshot
from pointanno.project.layers import LAYERS
from pointanno.project.packing import UNANSWERED
from pointanno.project.people import People
from pointanno.project.schema import images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.dataset import PointDataset
    from pointanno.project.measured import MeasuredTimes

_WITH_BOXES = select(images).where(images.c.boxes > 0).order_by(images.c.position)

ORDERS = ("image", "class", "shuffled")


class Project(ClassList, People):
    """Images, classes, annotations and the journal of one project folder.

    Made by `create` or `open`. Every change goes through `record` (or `undo`, `redo`, `import_dataset` and the
    methods that are named after what they change), which returns only when the change is on the disk. Methods may
    be called from several threads.

    Attributes
    ----------
    path : folder of the project
    skipped : list of str
        One sentence for each picture that could not be used.
    recovered : str
        "recovered: last event HH:MM:SS, image 3 of 12 (name)" after an unclean end, else "".
    repaired : bool
        Whether the current state had to be made again from the events.
    """

    def dataset(
        self,
        *,
        image_ids: Sequence[int] | None = None,
        with_events: bool = False,
        times: MeasuredTimes | None = None,
        discretion: Discretion = EVERYTHING,
    ) -> PointDataset:
        """A frozen copy of the current state: what is exported and trained.

        Parameters
        ----------
        image_ids : only these images; all by default
        with_events : also the journal, in the words of COCO-point JSON
        times : as the raw events say (`pointanno.timing.exported`); None takes what was noted with each annotation
        discretion : what is left out
        """
        with self._store.lock, self._store.guarded():
            log = self.events() if with_events and discretion.times else None
            return self._snapshot(image_ids, times, discretion).dataset(log)

    def write_coco_point(
        self,
        path: Path | str,
        *,
        image_ids: Sequence[int] | None = None,
        with_events: bool = True,
        with_annotators: bool = True,
        times: MeasuredTimes | None = None,
        discretion: Discretion = EVERYTHING,
    ) -> dict[str, int]:
        """Write the current state as a COCO-point file, image by image, whatever its size; see `dataset`.

        Returns
        -------
        dict
            `images`, `boxes`, `points`, `targets`, `clicks` in the file.
        """
        with self._store.lock, self._store.guarded():
            log = self.events() if with_events and discretion.times else None
            made = self._snapshot(image_ids, times, discretion)
            return made.write(Path(path), log, with_annotators=with_annotators)

    def _snapshot(
        self, image_ids: Sequence[int] | None, times: MeasuredTimes | None, discretion: Discretion
    ) -> Snapshot:
        return Snapshot(
            self._store,
            self._projection.parts,
            self.categories(),
            self._settings["points_per_box"],
            None if image_ids is None else frozenset(image_ids),
            times,
            discretion,
        )

    def open_boxes(self, order: str = "image", *, seed: int | None = None) -> list[tuple[int, str]]:
        """Boxes with points that nobody has answered, in the order in which they are to be asked about.

        Parameters
        ----------
        order : "image" (as they come), "class" (class after class, shuffled within) or "shuffled" (across all)
        seed : int or None
            Of the shuffling; None takes that of the project. Each box has its place from the seed and its uid, so
            boxes that are added or answered do not change the order of the others.

        Returns
        -------
        list of (image id, uid of the box)
        """
        if order not in ORDERS:
            raise InputError(f"order: expected one of {', '.join(ORDERS)}, received {order!r}")
        number = self._settings["seed"] if seed is None else seed
        rank = {category.id: place for place, category in enumerate(self.categories())}
        found: list[tuple[tuple[int, bytes], int, str]] = []
        with self._store.lock, self._store.guarded():
            for image in self._store.execute(_WITH_BOXES).fetchall():
                for row in self._projection.parts.rows(image, LAYERS["main"])["boxes"]:
                    if row["iscrowd"] or UNANSWERED not in row["labels"]:
                        continue
                    key = (rank[row["category_id"]] if order == "class" else 0, shuffle_key(number, row["uid"]))
                    found.append((key, image["id"], row["uid"]))
        if order != "image":
            found.sort(key=lambda one: one[0])
        return [(image_id, uid) for _, image_id, uid in found]


def shuffle_key(seed: int, uid: str) -> bytes:
    """Place of a box in a shuffled order."""
    return hashlib.sha256(f"order:{seed}:{uid}".encode()).digest()[:8]


def with_names(annotators: Sequence[Mapping[str, Any]], people: Mapping[str, str]) -> list[dict[str, Any]]:
    """Annotators of an export with the names behind their pseudonyms, where they are known."""
    return [
        {**entry, "person": people[entry["name"]]} if entry.get("name") in people else dict(entry)
        for entry in annotators
    ]
