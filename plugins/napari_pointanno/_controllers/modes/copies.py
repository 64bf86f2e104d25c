"""Boxes that are asked about again: on the screen like new ones, written down with the first answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import Box
from pointanno.project import BoxAnnotation
from pointanno.protocols import SecondLook

if TYPE_CHECKING:
    from pointanno.project import ImageAnnotations
    from pointanno.protocols import Step

SOURCE = "imported"
"""Told about copies where sources are shown: a copy must look like any box that a file brought."""


class Copies:
    """Copies into the second layer, one box after the other in an order that follows from the seed.

    Nothing is written by looking at an image: a copy is an event only when its first point is answered.

    Parameters
    ----------
    seed : setting of the project
    """

    def __init__(self, seed: int) -> None:
        self._protocol = SecondLook(seed)
        self._waiting: dict[str, Step] = {}
        """Uid of a box to the event that copies it."""

    def next_copy(self, first: ImageAnnotations, second: ImageAnnotations) -> BoxAnnotation | None:
        """The copy of the next box that has none, not yet written down; None if all have one."""
        box = self._protocol.next_box(first, second)
        if box is None:
            return None
        step = self._waiting.get(box.uid)
        if step is None:
            step = self._protocol.begin_box(first, second)
            assert step is not None, "there is a next box"
            self._waiting[box.uid] = step
        return _as_box(step[1])

    def event_of(self, uid: str) -> Step | None:
        """The event that writes a copy down, None if it is written already."""
        return next((step for step in self._waiting.values() if step[1]["uid"] == uid), None)

    def written(self, uid: str) -> None:
        """A copy is safe."""
        for original, step in list(self._waiting.items()):
            if step[1]["uid"] == uid:
                del self._waiting[original]

    def forget(self) -> None:
        """Another image is shown."""
        self._waiting.clear()


def disguised(box: BoxAnnotation) -> BoxAnnotation:
    """A copy that looks like any other box."""
    return replace(box, source=SOURCE, box_time_ms=None)


def _as_box(payload: dict[str, Any]) -> BoxAnnotation:
    coords = np.array(payload["point_coords"], dtype=np.int32).reshape(-1, 2)
    return BoxAnnotation(
        uid=payload["uid"],
        category_id=payload["category_id"],
        box=Box(*payload["box"]),
        point_coords=coords,
        answers=(None,) * len(coords),
        times_ms=(None,) * len(coords),
        point_seed=payload["point_seed"],
        source=SOURCE,
        box_time_ms=None,
        box_drag_ms=None,
        sampler=payload["sampler"],
        copy_of=payload["copy_of"],
    )
