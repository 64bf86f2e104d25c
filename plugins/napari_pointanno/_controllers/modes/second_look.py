"""A blind second opinion: the images of the second pass are annotated anew, and nothing of the first pass is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_pointanno._controllers.modes.answering import Answering
from napari_pointanno._controllers.modes.clicking import Clicking
from napari_pointanno._controllers.modes.copies import Copies, disguised
from napari_pointanno._models.session import SECOND_LOOK
from napari_pointanno.drawing import Sketch
from napari_pointanno.keymap import Action
from pointanno.project import ImageAnnotations
from pointanno.project.image_list import ImageFilter
from pointanno.protocols import AskPoint, MultiPoint, SecondLook, SinglePoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.dataset import Category
    from pointanno.project import Project
    from pointanno.protocols import Step

CHOSEN, GIVEN = ImageFilter(second_pass="chosen"), ImageFilter(second_pass="done")
_NOT_HERE = frozenset({Action.ABSENT, Action.RESAMPLE, Action.SKIP, Action.FLAG, Action.COMPLETE, Action.PREVIEW})
"""Keys about the first pass, or that would show something of it: a preview has learnt from its answers."""


class SecondLookMode(Answering, Clicking):
    """Asks about the points of the boxes that are there, and takes clicks anew; all of it lies in a layer apart."""

    name: ClassVar[str] = SECOND_LOOK
    follows_plan: ClassVar[bool] = False
    is_blind: ClassVar[bool] = True

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        super().__init__(desk, on_changed)
        self._copies = Copies(int(desk.session.project.settings.get("seed", 0)))
        self._asks_clicks = False
        self._turn = 0
        self._places: NDArray[np.int64] | None = None
        """Places of the images of the second pass, None while they are being looked for."""
        self._own: set[str] = set()
        """Copies that were written down here."""

    # ------------------------------------------------------------------ life

    def enter(self) -> None:
        """Hide what the first pass left, and go to the next image that waits."""
        self._hide(True)
        self._turn += 1
        turn, project = self._turn, self.session.project

        def found(result: Any) -> None:
            if turn == self._turn and isinstance(result, np.ndarray):
                self._places = result

        self._places = None
        self._desk.background(lambda: places_of(project), found)
        image = self.session.image
        if image is None or image.second_pass != "chosen":
            self._go(1, quietly=True)

    def leave(self) -> None:
        """Show everything again."""
        self._turn += 1
        self._hide(False)

    def forget_image(self) -> None:
        """Copies of another image's boxes are not wanted any more."""
        self._copies.forget()

    def _hide(self, is_hidden: bool) -> None:
        self.session.pages.is_blind = is_hidden
        self._desk.view.refresh_rows()

    # ------------------------------------------------------------------ what is asked and shown

    @property
    def is_chosen(self) -> bool:
        """Whether the image that is shown belongs to the second pass."""
        return self.session.image is not None and self.session.image.second_pass is not None

    def read(self, image_id: int) -> ImageAnnotations:
        """The second opinion, with the box that is asked about next; of the first one nothing."""
        self._asks_clicks = False
        if not self.is_chosen:
            return ImageAnnotations(image_id)
        project = self.session.project
        first = project.annotations(image_id)
        gold = project.annotations(image_id, layer="gold")
        second = project.annotations(image_id, layer="second")
        self._asks_clicks = bool(first.clicks) or not first.boxes
        known = {box.uid for box in gold.boxes}
        # what somebody else said about known answers, in the first pass, is not to be seen either
        seen = [box for box in second.boxes if box.copy_of not in known or box.uid in self._own]
        boxes = tuple(disguised(box) for box in seen)
        if all(box.next_point is None for box in boxes):
            originals = replace(first, boxes=(*first.boxes, *gold.boxes))
            copy = self._copies.next_copy(originals, second)
            boxes = boxes if copy is None else (*boxes, copy)
        return replace(second, boxes=boxes, complete=None, absent_category_ids=(), extremes=(), flags=(), reviews=())

    def ask(self) -> AskPoint | None:
        """The open point of the last copy."""
        annotations = self.session.annotations
        if annotations is None or not self.is_chosen:
            return None
        return SecondLook().ask(annotations, annotations)

    def prompt(self) -> str:
        """Answer, click, or say that the image is done."""
        session, keymap = self.session, self.session.keymap
        image = session.image
        if image is None or image.second_pass is None:
            if not session.project.counts()["second_pass"]:
                return "No image is chosen for a second opinion: plan it in the dock, below People"
            return f"This image needs no second opinion.  {keymap.text(Action.NEXT)} goes to the next one that does"
        if session.asked is not None:
            return f"Is the ring on the {self.asked_name()}?"
        done = f"{keymap.text(Action.DONE)} when it is done"
        if image.second_pass == "done":
            return f"Your second opinion on this image is given.  {keymap.text(Action.NEXT)} goes on"
        if self._asks_clicks:
            category = session.category
            name = category.name if category is not None else "object"
            where = "once" if category is None or category.isthing else "anywhere on it"
            return f"Second opinion: click every {name}, {where}.  {done}"
        return f"Every point is answered.  {done}"

    def sketch(self) -> Sketch:
        """The question."""
        return self.question()

    def nothing_asked(self) -> str:
        """All points of the image are answered, or it is not to be annotated twice."""
        return self.prompt()

    # ------------------------------------------------------------------ inputs

    @property
    def busy(self) -> str:
        """A point wants its answer first; where no clicks are compared none are taken."""
        if self.session.asked is not None:
            return f"answer with {self.session.keymap.answers()}"
        return "" if self.is_chosen and self._asks_clicks else self.prompt()

    def key(self, key: KeyInput) -> bool:
        """Answers; the keys of images go through those of the second pass."""
        action = key.action
        if action in (Action.NEXT, Action.PREVIOUS, Action.NEXT_UNLABELLED):
            self._go(-1 if action is Action.PREVIOUS else 1)
        elif action in _NOT_HERE:
            self._desk.hint("not in a second opinion")
        else:
            return super().key(key)
        return True

    def begin_answer(self, at_ns: int) -> bool:
        """Write the copy down before its first answer."""
        asked = self.session.asked
        step = None if asked is None else self._copies.event_of(asked.box_uid)
        if step is None:
            return True
        if self._desk.record(step[0], step[1], at_ns=at_ns) is None:
            return False
        self._copies.written(str(step[1]["uid"]))
        self._own.add(str(step[1]["uid"]))
        return True

    def answer_step(self, value: str) -> Step:
        """The event of an answer."""
        annotations = self.session.annotations
        assert annotations is not None
        return SecondLook().answer(annotations, annotations, value)

    def steps(self, category: Category, x: int, y: int, selected: str | None) -> Sequence[Step]:
        """A click of the second opinion; like in the first pass, things get one click or several."""
        session = self.session
        assert session.annotations is not None
        if isinstance(session.planned, MultiPoint):
            raw = session.planned.press(session.annotations, category, x, y, session.image_size, selected=selected)
        else:
            raw = self.protocol_of_clicks().press(
                session.annotations, category, x, y, session.image_size, selected=selected
            )
        return [(kind, {**payload, "layer": "second"} if kind == "click" else payload) for kind, payload in raw]

    def protocol_of_clicks(self) -> SinglePoint:
        """How single clicks are taken."""
        planned = self.session.planned
        return planned if isinstance(planned, SinglePoint) else SinglePoint()

    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """A click of the second opinion."""
        Clicking.click(self, drag, pointer)

    def to_delete(self) -> str | None:
        """Nothing but what is selected or under the pointer: the boxes are given."""
        return None

    # ------------------------------------------------------------------ from image to image

    def done(self, at_ns: int) -> bool:
        """The second opinion on this image is complete; on to the next."""
        session = self.session
        if session.asked is not None:
            self._desk.hint(f"a point is asked first: {session.keymap.answers()}")
            return True
        if session.image is not None and session.image.second_pass == "chosen":
            if self._desk.record("second_done", {"done": True}, at_ns=at_ns) is None:
                return True
            session.pages.refresh(session.row)
        self._go(1)
        return True

    def _go(self, delta: int, *, quietly: bool = False) -> None:
        """To the next image that waits, or back to one of the second pass."""
        session, project = self.session, self.session.project
        place = session.image.position if session.image is not None else -1
        if delta > 0:
            target = project.next_image(CHOSEN, after=place)
        else:
            places = places_of(project) if self._places is None else self._places
            before = places[places < place]
            target = project.images_at(before[-1:].tolist())[0] if len(before) else None
        if target is not None and target.position != place:
            self._desk.go_to(target.id)
            return
        self._on_changed()
        if quietly:
            return
        if delta < 0:
            self._desk.hint("this is the first image of the second pass")
        else:
            self._desk.hint(
                "every image of the second pass is done"
                if target is None
                else "no other image waits for its second opinion"
            )


def places_of(project: Project) -> NDArray[np.int64]:
    """Places of the images that are annotated twice, done or not."""
    return np.union1d(project.image_places(CHOSEN), project.image_places(GIVEN))
