"""A box, then random points in it, each answered object, background or unsure."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.protocols.questions import AskBox, AskPoint, Step
from pointanno.protocols.sampling import SAMPLER, point_seed, sample_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.project.records import BoxAnnotation, ImageAnnotations

ANSWERS = ("object", "background", "unsure")
"""What a person may answer about a point."""

SMALLEST_SIDE = 1.0
"""Pixels; a narrower box is a slip of the hand."""


class BoxPoints:
    """Asks for boxes, and about the points of each box before the next one.

    Parameters
    ----------
    points_per_box : points drawn in each box; fewer where the box has fewer pixels
    seed : setting of the project, from which the points of every box follow
    """

    name = "box_points"

    def __init__(self, points_per_box: int = 10, seed: int = 0) -> None:
        if points_per_box < 1:
            raise InputError(f"points_per_box: expected at least 1, received {points_per_box}")
        self.points_per_box = points_per_box
        self.seed = seed

    def ask(self, annotations: ImageAnnotations, *, prefer: str | None = None) -> AskBox | AskPoint:
        """What to do next: the open point of a box, else another box.

        The box named `prefer` comes first, then boxes that were begun, then the others in their order.
        """
        box = self._open_box(annotations, prefer)
        if box is None:
            return AskBox(drawn=len(annotations.boxes))
        index = box.next_point
        assert index is not None, "an open box has an open point"
        x, y = box.point_coords[index].tolist()
        return AskPoint(box.uid, index, len(box.answers), x, y, box.category_id)

    def is_done(self, annotations: ImageAnnotations) -> bool:
        """Whether no point is open and the things were declared complete."""
        complete = annotations.complete is not None and annotations.complete.get("things", False)
        return complete and self._open_box(annotations, None) is None

    def commit_box(
        self,
        image_uid: str,
        image_size: tuple[int, int],
        category_id: int,
        box: Sequence[float],
        *,
        uid: str | None = None,
    ) -> Step:
        """The event of a drawn box with the points to ask about.

        Parameters
        ----------
        image_uid : str
        image_size : (height, width)
        category_id : int
        box : (4,) float, XYXY, continuous
            Cut to the image.
        uid : str or None
            Uid of the new box; a fresh one by default.

        Raises
        ------
        InputError
            If less than one pixel of width or height lies in the image.
        """
        height, width = image_size
        x0, y0 = max(0.0, float(box[0])), max(0.0, float(box[1]))
        x1, y1 = min(float(width), float(box[2])), min(float(height), float(box[3]))
        if x1 - x0 < SMALLEST_SIDE or y1 - y0 < SMALLEST_SIDE:
            raise InputError(
                f"The box is {max(0.0, x1 - x0):.1f} x {max(0.0, y1 - y0):.1f} pixels inside the image and was not "
                "taken, because both sides must have at least 1 pixel. Draw it again"
            )
        uid = uid or uuid.uuid4().hex
        payload = {"uid": uid, "category_id": category_id, "box": [x0, y0, x1, y1]}
        return "box", {**payload, **self._points((x0, y0, x1, y1), image_uid, uid, image_size, 0)}

    def answer(self, annotations: ImageAnnotations, value: str, *, prefer: str | None = None) -> Step:
        """The event of an answer to the point that `ask` names.

        Raises
        ------
        InputError
            If no point is open, or the answer is none.
        """
        if value not in ANSWERS:
            raise InputError(f"answer: expected one of {', '.join(ANSWERS)}, received {value!r}")
        question = self.ask(annotations, prefer=prefer)
        if not isinstance(question, AskPoint):
            raise InputError("There is no open point to answer on this image. Draw a box first")
        return "answer", {"uid": question.box_uid, "point": question.index, "value": value}

    def resample(
        self, annotations: ImageAnnotations, box_uid: str, image_uid: str, image_size: tuple[int, int]
    ) -> Step:
        """The event that draws the points of a box anew; its answers are given up.

        Raises
        ------
        InputError
            If the image has no such box.
        """
        found = next((box for box in annotations.boxes if box.uid == box_uid), None)
        if found is None:
            raise InputError(f"resample, uid: image {annotations.image_id} has no box {box_uid}")
        points = self._points(found.box.xyxy, image_uid, box_uid, image_size, found.resample + 1)
        return "resample", {"uid": box_uid, **points}

    def _points(
        self, box: Sequence[float], image_uid: str, box_uid: str, image_size: tuple[int, int], resample: int
    ) -> dict[str, object]:
        seed = point_seed(self.seed, image_uid, box_uid, resample)
        coords = sample_points(box, self.points_per_box, image_size, seed=seed)
        return {"point_coords": coords.tolist(), "point_seed": seed, "sampler": SAMPLER}

    @staticmethod
    def _open_box(annotations: ImageAnnotations, prefer: str | None) -> BoxAnnotation | None:
        """The box that is asked about, None if no point is open."""
        open_boxes = [box for box in annotations.boxes if not box.iscrowd and box.next_point is not None]
        for box in open_boxes:
            if box.uid == prefer:
                return box
        begun = (box for box in open_boxes if any(answer is not None for answer in box.answers))
        return next(begun, open_boxes[0] if open_boxes else None)
