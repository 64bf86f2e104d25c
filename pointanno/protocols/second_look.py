"""A blind second opinion: the same boxes and points, asked again without showing what was answered before."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.protocols.box_points import ANSWERS, BoxPoints
from pointanno.protocols.questions import AskPoint, Step

if TYPE_CHECKING:
    from pointanno.project.records import BoxAnnotation, ImageAnnotations


class SecondLook:
    """Copies one box after the other into the second layer and asks about its points.

    Single clicks need no protocol of their own: they are recorded with ``layer="second"`` on an image whose first
    clicks are not shown.

    Parameters
    ----------
    seed : setting of the project, from which the order of the boxes follows
    """

    name = "second_look"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def next_box(self, first: ImageAnnotations, second: ImageAnnotations) -> BoxAnnotation | None:
        """The next box without a copy; only boxes whose points the first person has answered are asked again."""
        copied = {box.copy_of for box in second.boxes}
        waiting = [
            box
            for box in first.boxes
            if box.uid not in copied and not box.iscrowd and len(box.answers) and box.next_point is None
        ]
        return min(waiting, key=lambda box: self._rank(box.uid), default=None)

    def ask(self, first: ImageAnnotations, second: ImageAnnotations) -> AskPoint | None:
        """The open point of a copy; None if the next box must be copied first, or all are done."""
        question = BoxPoints(draw="none").ask(second)
        return question if isinstance(question, AskPoint) else None

    def begin_box(self, first: ImageAnnotations, second: ImageAnnotations) -> Step | None:
        """The event that copies the next box, None if there is no other.

        Parameters
        ----------
        first : the main annotations, or the known answers ("gold")
        second : the second layer
        """
        box = self.next_box(first, second)
        if box is None:
            return None
        payload = {
            "uid": uuid.uuid4().hex,
            "category_id": box.category_id,
            "box": list(box.box.xyxy),
            "point_coords": box.point_coords.tolist(),
            "layer": "second",
            "copy_of": box.uid,
        }
        return "box", {**payload, "point_seed": box.point_seed, "sampler": box.sampler}

    def answer(self, first: ImageAnnotations, second: ImageAnnotations, value: str) -> Step:
        """The event of an answer to the point that `ask` names.

        Raises
        ------
        InputError
            If no point is asked, or the answer is none.
        """
        if value not in ANSWERS:
            raise InputError(f"answer: expected one of {', '.join(ANSWERS)}, received {value!r}")
        question = self.ask(first, second)
        if question is None:
            raise InputError("There is no open point to answer on this image. Go on to the next box first")
        return "answer", {"uid": question.box_uid, "point": question.index, "value": value}

    def is_done(self, first: ImageAnnotations, second: ImageAnnotations) -> bool:
        """Whether every box was asked about a second time."""
        return self.ask(first, second) is None and self.next_box(first, second) is None

    def _rank(self, uid: str) -> bytes:
        return hashlib.sha256(f"second:{self.seed}:{uid}".encode()).digest()
