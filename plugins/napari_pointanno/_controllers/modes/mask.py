"""A mask for each object and region: painted, drawn as a polygon, or taken over from the preview."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_pointanno._controllers.modes.base import WHITE, Mode, frame_of
from napari_pointanno._controllers.modes.taking_over import suggested_at, suggestions
from napari_pointanno._models.session import DRAG_THRESHOLD, HIT_RADIUS
from napari_pointanno._models.tools import Tool
from napari_pointanno.drawing import Disc, Frame, Path, Sketch
from napari_pointanno.keymap import Action
from pointanno.coords import napari_to_continuous, napari_to_index
from pointanno.errors import InputError
from pointanno.formats.rle import rle_at
from pointanno.protocols import Mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno._models.session import Drag
    from napari_pointanno.keymap import KeyInput, PointerInput
    from pointanno.project import BoxAnnotation, Event
    from pointanno.protocols import Step

RADII = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 160.0, 224.0)
"""Sizes of the brush in image pixels."""

PICTURE_PER_RADIUS = 80
"""The longer side of the picture in radii of the first brush."""

Position = tuple[float, float]


class MaskMode(Mode):
    """Strokes and polygons add to one object until the person begins another one.

    A stroke is followed by the overlay and becomes one event when the button goes up; the layer of the masks follows
    the event.
    """

    name: ClassVar[str] = Mask.name

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        super().__init__(desk, on_changed)
        self._uid: str | None = None
        """The object that is painted on; None begins one."""
        self._stroke: list[Position] = []
        self._corners: list[Position] = []
        self._pointer: Position | None = None
        self._polygon = False
        self._erase = False
        self._radius: float | None = None

    def leave(self) -> None:
        """Drop what is not finished."""
        self._drop()

    def forget_image(self) -> None:
        """Drop what belongs to the image before."""
        self._drop()

    def after_history(self, event: Event) -> None:
        """Go on with the object that changed, if it is there."""
        self._corners.clear()
        if event.kind == "mask":
            self._uid = str(event.payload["uid"])

    def _drop(self) -> None:
        self._uid = self._pointer = None
        self._stroke, self._corners = [], []

    # ------------------------------------------------------------------ the object

    def protocol(self) -> Mask:
        """The state machine of this mode."""
        return self.protocol_as(Mask)

    def current(self) -> BoxAnnotation | None:
        """The object that is painted on."""
        return self.session.box(self._uid)

    def object_at(self, position: Position) -> str | None:
        """The topmost object whose mask has a pixel, napari (row, column)."""
        annotations = self.session.annotations
        if annotations is None or self.session.image is None:
            return None
        x, y = (int(n) for n in napari_to_index(position))
        height, width = self.session.image_size
        if not (0 <= x < width and 0 <= y < height):
            return None
        for box in reversed(annotations.boxes):
            x0, y0, x1, y1 = box.box.xyxy
            # only the box of an object that is nothing but its mask is sure to hold all of it
            near = box.source != "mask" or (x0 <= x < x1 and y0 <= y < y1)
            if near and box.mask is not None and rle_at(box.mask.rle, (x, y)):
                return box.uid
        return None

    @property
    def radius(self) -> float:
        """Of the brush, image pixels."""
        if self._radius is None:
            side = max(self.session.image_size) if self.session.image is not None else 0
            return next((radius for radius in RADII if radius >= side / PICTURE_PER_RADIUS), RADII[-1])
        return self._radius

    # ------------------------------------------------------------------ what is shown

    def prompt(self) -> str:
        """What a stroke does, and what else there is."""
        session, keymap, box = self.session, self.session.keymap, self.current()
        assert session.category is not None
        name = session.category.name if box is None else self.class_name(box.category_id)
        kind = next((one.isthing for one in session.categories if one.name == name), True)
        what = f"this {name}" if box is not None else f"a {name}" if kind else name
        another = f"   {keymap.text(Action.NEW_OBJECT)} another object" if box is not None else ""
        if self._polygon:
            more = f"   {keymap.text(Action.CONFIRM)} or a click on the first closes" if len(self._corners) > 2 else ""
            more = another if not self._corners else more
            return f"Click the corners of {'a part to take from ' if self._erase else ''}{what}{more}"
        if self._erase:
            return f"Erase from {what}" if box is not None else "Click on the object to erase from"
        more = another
        if self._shows_prediction():
            more = f"   {keymap.text(Action.CONFIRM)} takes the prediction under the pointer{another}"
        return f"{'Paint on' if box is not None else 'Paint'} {what}{more}"

    def progress(self) -> str:
        """How many masks the image has."""
        annotations = self.session.annotations
        drawn = 0 if annotations is None else self.protocol().ask(annotations).drawn
        return f"{drawn} mask{'' if drawn == 1 else 's'}"

    def sketch(self) -> Sketch:
        """The stroke or polygon that goes on, the brush, and which object it belongs to."""
        session, box = self.session, self.current()
        color = self.color(session.category_id if box is None else box.category_id)
        frames: tuple[Frame, ...] = ()
        if box is not None:
            frame = frame_of(box, color)
            frames = (Frame(frame.corner, frame.opposite, color, self.class_name(box.category_id), dashed=True),)
        ink = WHITE if self._erase else color
        paths, discs = [], []
        if self._polygon:
            if self._corners:
                rest = () if self._pointer is None else (self._pointer,)
                paths.append(Path((*self._corners, *rest), ink, dashed=True))
                reach = HIT_RADIUS / max(self._desk.canvas.transform().zoom, 1e-6)
                discs.append(Disc(*self._corners[0], reach, ink))
        else:
            if session.drag is not None and self._stroke:
                paths.append(Path(tuple(self._stroke), ink, width=2 * self.radius))
            at = session.drag.now_world if session.drag is not None else self._pointer
            if at is not None:
                discs.append(Disc(*at, self.radius, ink, dashed=self._erase))
        return Sketch(frames=frames, paths=tuple(paths), discs=tuple(discs))

    # ------------------------------------------------------------------ brush

    @property
    def drags(self) -> bool:
        """The brush paints; corners of a polygon are clicked."""
        return not self._polygon

    def drag_started(self, drag: Drag) -> None:
        """A stroke begins."""
        self._stroke = [drag.start_world]
        self._desk.redraw()

    def drag_moved(self, drag: Drag) -> None:
        """The stroke goes on; steps that nobody can see are left out."""
        last = self._stroke[-1] if self._stroke else drag.start_world
        if np.hypot(drag.now_world[0] - last[0], drag.now_world[1] - last[1]) >= max(self.radius / 8, 0.25):
            self._stroke.append(drag.now_world)
        self._pointer = drag.now_world
        self._desk.redraw()

    def drag_finished(self, drag: Drag, pointer: PointerInput) -> None:
        """Make an event of the stroke; a mere click on another object chooses that."""
        stroke = [*self._stroke, drag.now_world] if self._stroke else [drag.now_world]
        self._stroke = []
        if drag.distance <= DRAG_THRESHOLD:
            other = self.object_at(drag.start_world) or self._box_at(drag)
            if other is not None and other != self._uid:
                self._choose(other, drag.at_ns)
                return
            stroke = [drag.start_world]
        annotations, category = self.session.annotations, self.session.category
        if annotations is None or category is None:
            self._desk.hint("add a class first")
            return
        path = [(float(x), float(y)) for x, y in napari_to_continuous(stroke)]
        box = self.current()
        self._take(
            lambda: self.protocol().brush(
                annotations,
                category.id,
                path,
                self.radius,
                self.session.image_size,
                uid=None if box is None else box.uid,
                erase=self._erase,
            ),
            pointer,
        )

    def _box_at(self, drag: Drag) -> str | None:
        """A box without a mask whose edge was clicked: what is painted next becomes its mask."""
        box = self.session.box(self._desk.hit(*drag.start_canvas))
        return None if box is None else box.uid

    def _choose(self, uid: str, at_ns: int) -> None:
        """Paint on another object from now on."""
        session, box = self.session, self.session.box(uid)
        assert box is not None
        self._uid = uid
        session.category_id = box.category_id
        self._desk.record("select", {"uid": uid}, at_ns=at_ns)
        keys = f"{session.keymap.text(Action.ERASE)} erases, {session.keymap.text(Action.DELETE)} deletes it"
        session.hint = f"{self.class_name(box.category_id)} chosen: strokes add to it, {keys}, a digit gives its class"
        self._on_changed()

    def _take(self, make: Callable[[], Step], pointer: PointerInput | KeyInput | None) -> bool:
        """Make the event of a finished mask durable; False leaves everything as it was."""
        session = self.session
        try:
            kind, payload = make()
        except InputError as error:
            self._desk.hint(str(error))
            return False
        at_ns = None if pointer is None else pointer.at_ns
        elapsed = None if at_ns is None else session.watch.elapsed_ms(at_ns)
        qt_ms = None if pointer is None or pointer.qt_ms is None else {"qt_ms": pointer.qt_ms}
        if self._desk.record(kind, {**payload, "time_ms": elapsed}, at_ns=at_ns, timing=qt_ms) is None:
            self._desk.redraw()
            return False
        self._uid = str(payload["uid"])
        if at_ns is not None:
            session.watch.start(at_ns)
        session.hint = ""
        self._on_changed()
        return True

    # ------------------------------------------------------------------ polygon

    def click(self, drag: Drag, pointer: PointerInput) -> None:
        """Another corner, or the first one again, which closes the polygon."""
        if self._corners:
            view = self._desk.canvas.transform()
            apart = view.distances([self._corners[0], self._corners[-1]], *drag.start_canvas)
            if len(self._corners) > 2 and apart[0] <= HIT_RADIUS:
                self._close(pointer)
                return
            if apart[1] < 1:  # the second half of a double click
                return
        self._corners.append(drag.start_world)
        self._desk.redraw()
        self._desk.show_now()

    def click_on(self, uid: str, drag: Drag, pointer: PointerInput) -> bool:
        """A corner may lie on a point."""
        self.click(drag, pointer)
        return True

    def _close(self, pointer: PointerInput | KeyInput) -> None:
        annotations, category = self.session.annotations, self.session.category
        if len(self._corners) < 3 or annotations is None or category is None:
            self._desk.hint("a polygon needs three corners")
            return
        corners = [(float(x), float(y)) for x, y in napari_to_continuous(self._corners)]
        box, kept = self.current(), self._corners
        self._corners = []
        taken = self._take(
            lambda: self.protocol().polygon(
                annotations,
                category.id,
                corners,
                self.session.image_size,
                uid=None if box is None else box.uid,
                erase=self._erase,
            ),
            pointer,
        )
        if not taken:
            self._corners = kept
            self._desk.redraw()

    # ------------------------------------------------------------------ predictions

    def _shows_prediction(self) -> bool:
        return suggestions(self._desk) is not None

    def _accept(self, key: KeyInput | None) -> None:
        """Take the suggested object under the pointer over as a mask."""
        annotations = self.session.annotations
        try:
            found = suggested_at(self._desk, self._pointer)
        except InputError as error:
            self._desk.hint(str(error))
            return
        if annotations is None:
            return
        box = self.current()
        uid = box.uid if box is not None and box.mask is None else None
        if self._take(
            lambda: self.protocol().accept(
                annotations,
                found.category_id,
                found.rle,
                suggested_by=found.suggested_by,
                uid=uid,
                clicks=found.clicks,
            ),
            key,
        ):
            self._desk.hint(f"{self.class_name(found.category_id)} taken over: strokes correct it")

    # ------------------------------------------------------------------ keys and buttons

    def key(self, key: KeyInput) -> bool:
        """Tools of this mode."""
        if key.action is Action.CONFIRM:
            if self._polygon and self._corners:
                self._close(key)
            else:
                self._accept(key)
        elif key.action is Action.STEP_BACK and self._corners:
            self._corners.pop()
            self._desk.redraw()
        elif key.action in _TOOL_OF_KEY:
            self.use_tool(_TOOL_OF_KEY[key.action], key.at_ns)
        else:
            return False
        return True

    def hovered(self, pointer: PointerInput) -> None:
        """The brush follows the pointer; Delete means the object under it."""
        self._pointer = self._desk.canvas.transform().to_picture(pointer.x, pointer.y)
        if self.session.hovered is None:
            self.session.hovered = self.object_at(self._pointer)
        self._desk.redraw()

    def unfinished(self) -> str:
        """A polygon that is not closed."""
        if not self._corners:
            return ""
        keymap = self.session.keymap
        return f"a polygon is open: {keymap.text(Action.CONFIRM)} closes it, {keymap.text(Action.CANCEL)} drops it"

    def cancel(self, at_ns: int) -> bool:
        """Drop the polygon, or leave the object."""
        if self._corners:
            self._corners = []
            self._desk.hint("polygon dropped")
        elif self._uid is not None:
            self._uid = None
            self.session.hint = ""
            self._on_changed()
        else:
            return False
        return True

    def to_delete(self) -> str | None:
        """The object that is painted on."""
        box = self.current()
        return None if box is None else box.uid

    def reclassed(self) -> str | None:
        """The object that is painted on."""
        return self.to_delete()

    def tools(self) -> tuple[Tool, ...]:
        """Brush, polygon, eraser, size, another object, prediction."""
        keymap = self.session.keymap

        def tip(words: str, action: Action) -> str:
            return f"{words} ({keymap.text(action)})"

        shown = self._shows_prediction()
        return (
            Tool("brush", "brush", tip("Paint; a click on another object chooses that", Action.POLYGON), self.drags),
            Tool("polygon", "polygon", tip("Click the corners of an area", Action.POLYGON), self._polygon),
            Tool("erase", "erase", tip("Take pixels away", Action.ERASE), self._erase),
            Tool("smaller", "-", tip("Smaller brush", Action.SMALLER), enabled=self.drags),
            Tool("larger", "+", tip("Larger brush", Action.LARGER), enabled=self.drags),
            Tool("new", "new object", tip("What is painted next is another object", Action.NEW_OBJECT)),
            Tool(
                "accept", "take prediction", tip("The predicted object under the pointer", Action.CONFIRM), None, shown
            ),
        )

    def use_tool(self, name: str, at_ns: int) -> None:
        """A button, or the key of it."""
        session = self.session
        session.hint = ""
        if name in ("brush", "polygon"):
            self._stroke, session.drag = [], None  # a stroke that goes on is no corner, and the other way round
        if name == "brush" or (name == "polygon" and self._polygon):
            self._polygon, self._corners = False, []
        elif name == "polygon":
            self._polygon = True
        elif name == "erase":
            self._erase = not self._erase
        elif name in ("smaller", "larger"):
            self._resize(name == "larger")
        elif name == "new":
            self._uid, self._erase = None, False
            session.hint = "what is painted next is another object"
        elif name == "accept":
            self._accept(None)
            return
        if name in ("brush", "polygon", "erase"):
            self._desk.record("tool_armed", {"polygon": self._polygon, "erase": self._erase}, at_ns=at_ns)
        self._desk.redraw()
        self._desk.show_now()

    def _resize(self, larger: bool) -> None:
        sizes: Sequence[float] = [size for size in RADII if (size > self.radius if larger else size < self.radius)]
        if sizes:
            self._radius = sizes[0] if larger else sizes[-1]
        self.session.hint = f"brush of {2 * self.radius:g} pixels"


_TOOL_OF_KEY = {
    Action.POLYGON: "polygon",
    Action.ERASE: "erase",
    Action.SMALLER: "smaller",
    Action.LARGER: "larger",
    Action.NEW_OBJECT: "new",
}
