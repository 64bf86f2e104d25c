"""A box around an object, then random points in it that are answered by keys.

The box is drawn from corner to corner, clicked by its four extreme points, or given by a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_pointanno._controllers.modes.answering import ANSWERS, Answering
from napari_pointanno._controllers.modes.base import WHITE
from napari_pointanno._controllers.modes.gold import GoldItems
from napari_pointanno._controllers.pointing import window_stamp
from napari_pointanno._models.box_queue import BoxQueue
from napari_pointanno._models.session import DRAG_THRESHOLD
from napari_pointanno._models.tools import Tool
from napari_pointanno.drawing import Cross, Frame, Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import box_to_napari_corners, index_to_napari, napari_corners_to_box, napari_to_index
from pointanno.errors import InputError
from pointanno.protocols import AskPoint, BoxPoints
from pointanno.protocols.box_points import DRAWINGS, ORDERS

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.project import Event, ImageAnnotations
    from pointanno.protocols import Step

SMALLEST_BOX = 2.0
"""Image pixels of width and height below which a drag draws no box."""

DOUBLE_CLICK_NS = 400_000_000
"""A second click on the same pixel within this time is no further extreme point."""

CORNERS, EXTREMES, GIVEN = DRAWINGS

_DRAWINGS = {
    CORNERS: ("corners", "Draw boxes from corner to corner"),
    EXTREMES: ("extreme points", "Click the topmost, leftmost, lowest and rightmost pixel, in any order"),
    GIVEN: ("given boxes", "Draw nothing: answer the points of the boxes that are there, image after image"),
}
_ORDERS = {"image": "as they come", "class": "class by class", "shuffled": "shuffled"}


class BoxPointsMode(Answering):
    """Draw a box, answer its points, draw the next."""

    name: ClassVar[str] = BoxPoints.name

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        super().__init__(desk, on_changed)
        self._gold = GoldItems(desk)
        self.left_boxes: set[str] = set()
        """Unfinished boxes that the person left by Escape; asked again when the image is shown anew."""
        self._draw: str | None = None
        self._order: str | None = None
        """What the person chose in the dock instead of what the image set says."""
        self._plan: tuple[str, str] | None = None
        self._queue: BoxQueue | None = None
        self._prefer: str | None = None
        self._clicked_ns = 0

    def enter(self) -> None:
        """The list of what waits may have changed in the meantime."""
        self._queue = None

    def forget_image(self) -> None:
        """Boxes that were left are asked again when their image comes back; another image set has its own ways."""
        self.left_boxes.clear()
        self._gold.forget_image()
        planned = self.session.planned
        plan = (planned.draw, planned.order) if isinstance(planned, BoxPoints) else None
        if plan != self._plan:
            self._plan, self._draw, self._order, self._queue = plan, None, None, None

    def after_history(self, event: Event) -> None:
        """A box that was left and changed is asked again."""
        self.left_boxes.discard(str(event.payload.get("uid", "")))

    def protocol(self) -> BoxPoints:
        """The state machine of this mode."""
        made = self.protocol_as(BoxPoints)
        draw, order = self._draw or made.draw, self._order or made.order
        if self.session.annotations is not None and self.session.annotations.extremes:
            draw = EXTREMES  # whatever was chosen since: they are there, and wait for the others
        return BoxPoints(made.points_per_box, made.seed, draw=draw, order=order)

    @property
    def _walks(self) -> bool:
        """Whether the order of the boxes leads from one image to another."""
        protocol = self.protocol()
        return protocol.draw == GIVEN and protocol.order != "image"

    def open_annotations(self) -> ImageAnnotations:
        """The annotations without boxes that the person left."""
        annotations = self.session.annotations
        assert annotations is not None
        return replace(annotations, boxes=tuple(box for box in annotations.boxes if box.uid not in self.left_boxes))

    def read(self, image_id: int) -> ImageAnnotations:
        """The annotations, with known answers hidden among them."""
        return self._gold.merged(super().read(image_id))

    def begin_answer(self, at_ns: int) -> bool:
        """A copy of a known box is written down with its first answer."""
        asked = self.session.asked
        return asked is None or self._gold.begin(asked.box_uid, at_ns)

    def feedback(self, asked: AskPoint, value: str) -> str:
        """Whether a known answer was right, for whoever practises."""
        return self._gold.feedback(asked, value)

    def ask(self) -> AskPoint | None:
        """The open point of a box."""
        asked = self.protocol().ask(self.open_annotations(), prefer=self._prefer)
        return asked if isinstance(asked, AskPoint) else None

    def prompt(self) -> str:
        """Answer, draw, or go on."""
        session, keymap = self.session, self.session.keymap
        if session.asked is not None:
            return f"Is the ring on the {self.asked_name()}?"
        assert session.category is not None and session.annotations is not None
        draw, name = self.protocol().draw, session.category.name
        if draw == GIVEN:
            on = f"{keymap.text(Action.CONFIRM)} next image with open boxes · {keymap.text(Action.DONE)} done with it"
            if not any(len(box.answers) for box in session.annotations.boxes):
                return f"No box is given on this image.   {on}"
            return f"All points of this image are answered.   {on}" if not self.left_boxes else f"A box waits.   {on}"
        if draw == EXTREMES:
            placed = len(session.annotations.extremes)
            rest = "" if not placed else f"   {placed}/4   {keymap.text(Action.CANCEL)} gives them up"
            return f"Click the top, left, lowest and right end of a {name}{rest}"
        return f"Draw a box around a {name}"

    def progress(self) -> str:
        """Which of the points is asked, or how many extreme points are there."""
        annotations = self.session.annotations
        if self.session.asked is None and annotations is not None and annotations.extremes:
            return f"{len(annotations.extremes)}/4"
        return super().progress()

    def nothing_asked(self) -> str:
        """There is no box yet."""
        if self.protocol().draw == GIVEN:
            return f"no point is asked on this image: {self.session.keymap.text(Action.CONFIRM)} finds the next"
        return f"no point is asked: draw a box first  ({self.session.keymap.text(Action.BOX_POINTS)})"

    def answer_step(self, value: str) -> Step:
        """The event of an answer."""
        return self.protocol().answer(self.open_annotations(), value, prefer=self._prefer)

    def sketch(self) -> Sketch:
        """The question, else the box that is being drawn or clicked."""
        session = self.session
        if session.asked is not None:
            return self.question()
        if session.annotations is not None and session.annotations.extremes:
            return self._begun()
        if session.drag is None or not self.drags:
            return Sketch()
        name = session.category.name if session.category else ""
        frame = Frame(session.drag.start_world, session.drag.now_world, self.color(session.category_id), name)
        return Sketch(frames=(frame,))

    def _begun(self) -> Sketch:
        """The extreme points so far, and from the second on the box that they span."""
        annotations, color = self.session.annotations, self.color(self.session.category_id)
        assert annotations is not None
        pixels = [(one.x, one.y) for one in annotations.extremes]
        places = [(row, column) for row, column in index_to_napari(pixels).tolist()]
        crosses = tuple(
            Cross(row, column, WHITE, f"{number}/4" if number == len(pixels) else "")
            for number, (row, column) in enumerate(places, 1)
        )
        if len(pixels) < 2:
            return Sketch(crosses=crosses)
        (x0, y0), (x1, y1) = np.min(pixels, axis=0).tolist(), np.max(pixels, axis=0).tolist()
        corners = box_to_napari_corners((x0, y0, x1 + 1, y1 + 1)).tolist()
        frame = Frame((corners[0][0], corners[0][1]), (corners[2][0], corners[2][1]), color, dashed=True)
        return Sketch(frames=(frame,), crosses=crosses)

    # ------------------------------------------------------------------ inputs

    @property
    def drags(self) -> bool:
        """A box is drawn from corner to corner."""
        return self.session.asked is None and self.protocol().draw == CORNERS

    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """An extreme point; where nothing is drawn, the choice of a box."""
        if self.protocol().draw == EXTREMES:
            self._click_extreme(drag, pointer)
        else:
            self._select(drag, pointer.at_ns)

    def click_on(self, uid: str, drag: Drag, pointer: PointerInput) -> bool:
        """An extreme point may lie on a point of another object."""
        if self.protocol().draw != EXTREMES:
            return False
        self._click_extreme(drag, pointer)
        return True

    def _click_extreme(self, drag: Drag, pointer: PointerInput) -> None:
        """One more extreme point; the fourth makes the box."""
        session = self.session
        category = session.category
        if category is None or session.image is None or session.annotations is None:
            self._desk.hint("add a class first")
            return
        x, y = (int(n) for n in napari_to_index(drag.start_world))
        last = session.annotations.extremes[-1] if session.annotations.extremes else None
        if last is not None and (last.x, last.y) == (x, y) and drag.at_ns - self._clicked_ns < DOUBLE_CLICK_NS:
            return  # a slow one is taken: a corner is extreme in two directions
        elapsed = session.watch.elapsed_ms(drag.at_ns)
        try:
            kind, payload = self.protocol().extreme_click(
                session.annotations, category.id, x, y, session.image.uid, session.image_size, time_ms=elapsed
            )
        except InputError as error:
            self._desk.hint(str(error))
            return
        if kind == "box":
            times = payload["extreme_times_ms"]
            payload = {**payload, "time_ms": None if None in times else sum(times)}
        timing = {"release_ns": pointer.at_ns, **(window_stamp(pointer) or {})}
        if self._desk.record(kind, payload, at_ns=drag.at_ns, timing=timing) is None:
            self._desk.redraw()
            return
        self._clicked_ns = drag.at_ns
        session.watch.start(drag.at_ns)
        session.hint = ""
        self._on_changed()

    def drag_finished(self, drag: Drag, pointer: PointerInput) -> None:
        """Make a box of it, or take a mere click as the choice of one."""
        session = self.session
        box = napari_corners_to_box(np.array([drag.start_world, drag.now_world]), session.image_size)
        width, height = box[2] - box[0], box[3] - box[1]
        if drag.distance <= DRAG_THRESHOLD or width < SMALLEST_BOX or height < SMALLEST_BOX:
            self._desk.record("drag_cancelled", {"reason": "too small"}, at_ns=pointer.at_ns)
            self._select(drag, pointer.at_ns)
            return
        category = session.category
        if category is None:
            self._desk.hint("add a class first")
            return
        assert session.image is not None
        try:
            kind, payload = self.protocol().commit_box(
                session.image.uid, session.image_size, category.id, tuple(box.tolist())
            )
        except InputError as error:
            self._desk.hint(str(error))
            return
        payload = {
            **payload,
            "time_ms": session.watch.elapsed_ms(pointer.at_ns),
            "drag_ms": round((pointer.at_ns - drag.at_ns) / 1e6),
        }
        if self._desk.record(kind, payload, at_ns=pointer.at_ns, timing=window_stamp(pointer)) is None:
            self._desk.redraw()
            return
        session.hint = ""
        self._on_changed()

    def key(self, key: KeyInput) -> bool:
        """Answer, draw the points anew, leave them open for good, or go on to where points wait."""
        asked = self.session.asked
        if key.action in (Action.SKIP, Action.FLAG) and asked is not None:
            self._gold.begin(asked.box_uid, key.at_ns)  # what is said about a box needs it written down
            return False
        if key.action is Action.RESAMPLE:
            self._resample(key)
        elif key.action is Action.CONFIRM and self.session.asked is None and self.left_boxes:
            self._armed("taken up", None, key.at_ns)
            self.left_boxes.clear()
            self._on_changed()
        elif key.action is Action.CONFIRM and self.session.asked is None and self.protocol().draw == GIVEN:
            self._go_on()
        else:
            return super().key(key)
        return True

    def answered(self) -> None:
        """After the last point of a box the order may lead to another image."""
        session = self.session
        box = None if session.asked is None else session.box(session.asked.box_uid)
        if self._walks and box is not None and box.answers.count(None) <= 1:
            self._go_on()
        else:
            self._on_changed()

    def _go_on(self) -> None:
        """To the next box with open points, on this image or another one."""
        session, order = self.session, self.protocol().order
        if session.image is None:
            return
        if self._queue is None or self._queue.order != order:
            self._queue = BoxQueue(session.project, order)
        found = self._queue.next(session.image.position, self.left_boxes)
        self._prefer = None if found is None else found[1]
        if found is not None and found[0] != session.image.id:
            self._desk.go_to(found[0])
            return
        self._on_changed()
        if found is None:
            self._desk.hint("the points of all boxes are answered")

    def skipped(self) -> None:
        """The open points of the box that was asked stay unanswered for good; the order may lead elsewhere."""
        self._go_on() if self._walks else self._on_changed()

    def unfinished(self) -> str:
        """Points that wait for an answer, or a box that is not there yet."""
        annotations, keymap = self.session.annotations, self.session.keymap
        if self.session.asked is not None:
            return f"a point waits for its answer: {keymap.texts(ANSWERS)}"
        if annotations is not None and any(box.next_point is not None for box in annotations.boxes):
            return f"the points of a box wait for answers: {keymap.text(Action.CONFIRM)} asks them"
        if annotations is not None and annotations.extremes:
            return f"a box is not complete: click its ends, or {keymap.text(Action.CANCEL)} gives it up"
        return ""

    def cancel(self, at_ns: int) -> bool:
        """Leave the box that is asked without deleting it, or give up the extreme points of one that is not there."""
        session = self.session
        if session.asked is not None:
            self._armed("left", session.asked.box_uid, at_ns)
            self.left_boxes.add(session.asked.box_uid)
            again = f"{session.keymap.text(Action.CONFIRM)} asks again"
            session.hint = f"box left open; {again if self.protocol().draw != CORNERS else 'click inside it to go on'}"
        elif session.annotations is not None and session.annotations.extremes:
            if self._desk.record("extreme_cancelled", {}, at_ns=at_ns) is None:
                return True
            session.hint = f"extreme points given up;  {session.keymap.text(Action.UNDO)} brings them back"
        else:
            return False
        self._on_changed()
        return True

    # ------------------------------------------------------------------ tools in the dock

    def tools(self) -> tuple[Tool, ...]:
        """How boxes come about, and in which order they are asked about."""
        protocol = self.protocol()
        draw = tuple(Tool(name, text, tip, protocol.draw == name) for name, (text, tip) in _DRAWINGS.items())
        order = Tool(
            "order", f"order: {_ORDERS[protocol.order]}", "Order in which boxes are asked about: press for the next"
        )
        return (*draw, order)

    def use_tool(self, name: str, at_ns: int) -> None:
        """Another way to draw, or another order."""
        session, protocol = self.session, self.protocol()
        if name == "order":
            self._order = ORDERS[(ORDERS.index(protocol.order) + 1) % len(ORDERS)]
            self._queue = self._prefer = None
        elif name in _DRAWINGS:
            begun = session.annotations is not None and session.annotations.extremes
            if begun and name != EXTREMES and self._desk.record("extreme_cancelled", {}, at_ns=at_ns) is None:
                return
            self._draw = name
        self._desk.record("tool_armed", {"draw": self._draw, "order": self._order}, at_ns=at_ns)
        session.hint = ""
        self._on_changed()

    def to_delete(self) -> str | None:
        """The box whose points are asked."""
        uid = None if self.session.asked is None else self.session.asked.box_uid
        return None if self._gold.has(uid) else uid

    def reclassed(self) -> str | None:
        """The box that is asked, as long as none of its points is answered."""
        box = None if self.session.asked is None else self.session.box(self.session.asked.box_uid)
        return None if box is None or any(box.answers) or self._gold.has(box.uid) else box.uid

    def _resample(self, key: KeyInput) -> None:
        """Draw the points of the box that is asked anew; its answers go, undo brings them back."""
        session = self.session
        if session.asked is None or session.image is None:
            self._desk.hint("no box is open")
            return
        if self._gold.has(session.asked.box_uid):
            self._desk.hint("the points of this box are given")
            return
        try:
            kind, payload = self.protocol().resample(
                self.open_annotations(), session.asked.box_uid, session.image.uid, session.image_size
            )
        except InputError as error:
            self._desk.hint(str(error))
            return
        if self._desk.record(kind, payload, at_ns=key.at_ns) is not None:
            session.hint = "new points drawn"
            self._on_changed()

    def _armed(self, reason: str, uid: str | None, at_ns: int) -> None:
        """A box is left, or asked about again: what is done next begins here."""
        self._desk.record("tool_armed", {"reason": reason, "uid": uid}, at_ns=at_ns)

    def _select(self, drag: Drag, at_ns: int) -> None:
        """A mere click selects a box; one with open questions is asked again."""
        session = self.session
        hit = self._desk.hit(*drag.start_canvas) or self._left_box_at(drag.start_world)
        box = session.box(hit)
        if box is None:
            session.selected = None
            self._desk.hint("drag ignored: draw from corner to corner" if self.drags else "")
            return
        session.selected = hit
        if box.uid in self.left_boxes:
            self._armed("taken up", box.uid, at_ns)
            self.left_boxes.discard(box.uid)
            session.selected = None
            self._on_changed()
            return
        self._desk.hint("selected: a digit changes its class, Delete removes it")

    def _left_box_at(self, world: tuple[float, float]) -> str | None:
        """A box that was left and lies under a position."""
        assert self.session.annotations is not None
        for box in reversed(self.session.annotations.boxes):
            (y0, x0), _, (y1, x1), _ = box_to_napari_corners(box.box.xyxy).tolist()
            if box.uid in self.left_boxes and y0 <= world[0] <= y1 and x0 <= world[1] <= x1:
                return box.uid
        return None
