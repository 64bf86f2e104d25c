"""A box, then random points in it, each answered object, background or unsure."""

from __future__ import annotations

import hashlib
import uuid
from itertools import permutations
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.protocols.questions import AskBox, AskExtreme, AskPoint, Step
from pointanno.protocols.sampling import SAMPLER, point_seed, sample_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.project.records import BoxAnnotation, ImageAnnotations

ANSWERS = ("object", "background", "unsure")
"""What a person may answer about a point."""

DRAWINGS, ORDERS = ("drag", "extreme", "none"), ("image", "class", "shuffled")

SMALLEST_SIDE = 1.0
"""Pixels; a narrower box is a slip of the hand."""


class BoxPoints:
    """Asks for boxes, and about the points of each box before the next one.

    Parameters
    ----------
    points_per_box : points drawn in each box; fewer where the box has fewer pixels
    seed : setting of the project, from which the points of every box follow
    draw : "drag" from corner to corner, "extreme" by four clicks, or "none" for boxes that are there already
    order : in which the boxes of an image are asked about: "image" (as they were made), "class" (class after class,
        shuffled within) or "shuffled"; see `Project.open_boxes` for an order across images
    """

    name = "box_points"

    def __init__(self, points_per_box: int = 10, seed: int = 0, draw: str = "drag", order: str = "image") -> None:
        if points_per_box < 1:
            raise InputError(f"points_per_box: expected at least 1, received {points_per_box}")
        for option, value, known in (("draw", draw, DRAWINGS), ("order", order, ORDERS)):
            if value not in known:
                raise InputError(f"{option}: expected one of {', '.join(known)}, received {value!r}")
        self.points_per_box = points_per_box
        self.seed = seed
        self.draw = draw
        self.order = order

    def ask(self, annotations: ImageAnnotations, *, prefer: str | None = None) -> AskBox | AskPoint | AskExtreme | None:
        """What to do next: the open point of a box, else another box; None if nothing is left and none is drawn.

        With ``draw="extreme"`` an object whose extreme points were begun comes first; then the box named `prefer`,
        boxes that were begun, the others in their order.
        """
        if annotations.extremes and self.draw == "extreme":
            return AskExtreme(placed=len(annotations.extremes))
        box = self._open_box(annotations, prefer)
        if box is None:
            if self.draw == "none":
                return None
            return AskExtreme(placed=0) if self.draw == "extreme" else AskBox(drawn=len(annotations.boxes))
        index = box.next_point
        assert index is not None, "an open box has an open point"
        x, y = box.point_coords[index].tolist()
        return AskPoint(box.uid, index, len(box.answers), x, y, box.category_id)

    def is_done(self, annotations: ImageAnnotations) -> bool:
        """Whether no point is open and the things were declared complete; of given boxes, the answers are enough."""
        if annotations.extremes and self.draw == "extreme":
            return False
        if self.draw == "none":
            return self._open_box(annotations, None) is None
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

    def extreme_click(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        x: int,
        y: int,
        image_uid: str,
        image_size: tuple[int, int],
        *,
        time_ms: int | None = None,
        uid: str | None = None,
    ) -> Step:
        """The event of a click on an extreme point: the fourth one is the box.

        Parameters
        ----------
        annotations : of the image, with the extreme points so far
        category_id : class that is picked; the object gets the one of its last click
        x, y : int
            Pixel indices of the topmost, leftmost, lowest or rightmost pixel of the object, in any order.
        image_uid : str
        image_size : (height, width)
        time_ms : of this click
        uid : str or None
            Uid of the box; a fresh one by default.

        Raises
        ------
        InputError
            If the click lies outside of the image.
        """
        height, width = image_size
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(
                f"The click at pixel ({x}, {y}) lies outside of the image of {width} x {height} pixels and was not "
                "taken. Click inside the image"
            )
        if len(annotations.extremes) < 3:
            click: dict[str, object] = {"x": int(x), "y": int(y), "category_id": category_id}
            return "extreme", click if time_ms is None else {**click, "time_ms": time_ms}
        clicks = [(one.x, one.y) for one in annotations.extremes] + [(int(x), int(y))]
        times = [one.time_ms for one in annotations.extremes] + [time_ms]
        box, roles = box_of_extremes(clicks)
        kind, payload = self.commit_box(image_uid, image_size, category_id, box, uid=uid)
        payload |= {"extreme_points": [list(clicks[role]) for role in roles]}
        return kind, {**payload, "extreme_times_ms": [times[role] for role in roles]}

    def skip(self, annotations: ImageAnnotations, *, prefer: str | None = None, reason: str | None = None) -> Step:
        """The event that leaves the open points of the asked box unanswered for good.

        Raises
        ------
        InputError
            If no box is asked about.
        """
        box = self._open_box(annotations, prefer)
        if box is None:
            raise InputError("There is no open box to skip on this image")
        return "skip_box", {"uid": box.uid, **({} if reason is None else {"reason": reason})}

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
            if isinstance(question, AskExtreme) and question.placed:
                raise InputError("An object has some of its extreme points. Click the others first, or give them up")
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
        if found.source == "mask":
            raise InputError(f"resample, uid: object {box_uid} has a mask instead of points. Choose a drawn box")
        points = self._points(found.box.xyxy, image_uid, box_uid, image_size, found.resample + 1)
        return "resample", {"uid": box_uid, **points}

    def _points(
        self, box: Sequence[float], image_uid: str, box_uid: str, image_size: tuple[int, int], resample: int
    ) -> dict[str, object]:
        seed = point_seed(self.seed, image_uid, box_uid, resample)
        coords = sample_points(box, self.points_per_box, image_size, seed=seed)
        return {"point_coords": coords.tolist(), "point_seed": seed, "sampler": SAMPLER}

    def _open_box(self, annotations: ImageAnnotations, prefer: str | None) -> BoxAnnotation | None:
        """The box that is asked about, None if no point is open."""
        open_boxes = [box for box in annotations.boxes if not box.iscrowd and box.next_point is not None]
        for box in open_boxes:
            if box.uid == prefer:
                return box
        begun = next((box for box in open_boxes if any(answer is not None for answer in box.answers)), None)
        if begun is not None or not open_boxes:
            return begun
        if self.order == "image":
            return open_boxes[0]
        return min(open_boxes, key=self._rank)

    def _rank(self, box: BoxAnnotation) -> tuple[int, bytes]:
        """Place of a box in a shuffled order; it does not depend on the other boxes."""
        key = hashlib.sha256(f"order:{self.seed}:{box.uid}".encode()).digest()[:8]
        return (box.category_id if self.order == "class" else 0, key)


def box_of_extremes(clicks: Sequence[tuple[int, int]]) -> tuple[list[float], list[int]]:
    """The box of four pixels on the edge of an object, and which click is top, left, bottom and right.

    Parameters
    ----------
    clicks : four (x, y), pixel indices, in any order

    Returns
    -------
    list of 4 float
        XYXY, continuous: the pixels themselves lie inside.
    list of 4 int
        Index of the click for top, left, bottom, right. Each click has one role, the one it is best at, as far as
        four clicks allow: the sum of their distances to the sides is smallest.
    """
    if len(clicks) != 4:
        raise ValueError(f"clicks must be 4 pixels, but are {len(clicks)}")
    xs, ys = [x for x, _ in clicks], [y for _, y in clicks]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)

    def miss(order: tuple[int, ...]) -> int:
        a, b, c, d = (clicks[index] for index in order)
        return (a[1] - top) + (b[0] - left) + (bottom - c[1]) + (right - d[0])

    roles = min(permutations(range(4)), key=lambda order: (miss(order), order))
    return [float(left), float(top), float(right + 1), float(bottom + 1)], list(roles)
