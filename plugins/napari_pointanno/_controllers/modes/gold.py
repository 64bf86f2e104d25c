"""Known answers, asked among the other boxes of an image and looking like them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_pointanno._controllers.modes.copies import SOURCE, Copies, disguised
from pointanno.project import ImageAnnotations

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from pointanno.project import BoxAnnotation
    from pointanno.protocols import AskPoint

WORDS = {"object": "yes", "background": "no", "unsure": "unsure"}


class GoldItems:
    """Mixes copies of the known boxes of an image into what a mode shows and asks.

    What is said about them lies in the second layer: it is compared, and never exported or counted.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._copies = Copies(int(desk.session.project.settings.get("seed", 0)))
        self._known = ImageAnnotations(-1)
        self._version = -1

    def forget_image(self) -> None:
        """Another image is shown."""
        self._copies.forget()

    def merged(self, main: ImageAnnotations) -> ImageAnnotations:
        """The annotations with the copies that are there, and the next one if none is open.

        The place of a copy among the boxes follows from its uid, so that a known box is neither first nor last.
        """
        session = self._desk.session
        if session.hides_gold:
            return main
        if (self._known.image_id, self._version) != (main.image_id, session.gold_version):
            self._known = session.project.annotations(main.image_id, layer="gold")
            self._version = session.gold_version
        if not self._known.boxes:
            return main
        second = session.lens(session.project.annotations(main.image_id, layer="second"))
        known = {box.uid for box in self._known.boxes}
        copies = [disguised(box) for box in second.boxes if box.copy_of in known]
        if all(box.next_point is None for box in copies):
            copy = self._copies.next_copy(self._known, replace(second, boxes=tuple(copies)))
            copies += [] if copy is None else [copy]
        boxes = list(main.boxes)
        source = main.boxes[0].source if main.boxes else SOURCE
        for copy in copies:
            boxes.insert(_place(copy, len(main.boxes)), replace(copy, source=source))
        return replace(main, boxes=tuple(boxes))

    def has(self, uid: str | None) -> bool:
        """Whether a box is a copy of a known one."""
        return self._original(uid) is not None

    def begin(self, uid: str, at_ns: int) -> bool:
        """Write a copy down before anything is said about it; False if that failed."""
        step = self._copies.event_of(uid)
        if step is None:
            return True
        if self._desk.record(step[0], step[1], at_ns=at_ns) is None:
            return False
        self._copies.written(uid)
        return True

    def feedback(self, asked: AskPoint, value: str) -> str:
        """For practice: whether an answer is the known one; "" for any other box, or where nobody practises."""
        original = self._original(asked.box_uid)
        if original is None or not self._desk.session.practice:
            return ""
        known = original.answers[asked.index]
        return "right" if known == value else f"the known answer is: {WORDS.get(str(known), str(known))}"

    def _original(self, uid: str | None) -> BoxAnnotation | None:
        box = self._desk.session.box(uid)
        copy_of = None if box is None else box.copy_of
        return next((one for one in self._known.boxes if one.uid == copy_of), None)


def _place(copy: BoxAnnotation, count: int) -> int:
    """Where a copy stands among so many boxes."""
    digest = hashlib.sha256(f"gold:{copy.copy_of}".encode()).digest()
    return int.from_bytes(digest[:4], "little") % (count + 1)
