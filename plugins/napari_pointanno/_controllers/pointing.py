"""What a press of the left button means: a click, a move, a selection, or a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._models.session import BOX_POINTS, DRAG_THRESHOLD, HIT_RADIUS, Drag
from napari_pointanno.keymap import PointerInput
from pointanno.coords import box_to_napari_corners, index_to_napari, napari_corners_to_box, napari_to_index
from pointanno.errors import InputError

SMALLEST_BOX = 2.0
"""Image pixels of width and height below which a drag draws no box."""


class Pointing:
    """Follows the pointer and turns it into events.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after an annotation was made or changed.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed

    def press(self, pointer: PointerInput) -> None:
        """The button went down: remember where and when; nothing is decided yet."""
        session = self._desk.session
        if not session.can_annotate:
            return
        view = self._desk.canvas.transform()
        world = view.to_world(pointer.x, pointer.y)
        here = (pointer.x, pointer.y)
        session.drag = Drag(here, world, pointer.at_ns, here, world)
        session.hint = ""
        kind = "drag_start" if session.mode == BOX_POINTS and session.asked is None else "press"
        self._desk.record(kind, _where(pointer, world), at_ns=pointer.at_ns, timing=_qt(pointer))

    def drag(self, pointer: PointerInput) -> None:
        """The pointer moved with the button down."""
        session = self._desk.session
        if session.drag is None:
            return
        world = self._desk.canvas.transform().to_world(pointer.x, pointer.y)
        session.drag = replace(session.drag, now_canvas=(pointer.x, pointer.y), now_world=world)
        if session.mode == BOX_POINTS:
            self._desk.redraw()

    def release(self, pointer: PointerInput) -> None:
        """The button went up: decide."""
        session = self._desk.session
        self.drag(pointer)
        drag, session.drag = session.drag, None
        if drag is None:
            return
        if session.asked is not None:
            self._desk.hint("answer with F, J or U;  Esc leaves this box")
        elif session.mode == BOX_POINTS:
            self._release_box(drag, pointer)
        elif drag.distance > DRAG_THRESHOLD:
            self._desk.record("drag_ignored", _where(pointer, drag.now_world), at_ns=pointer.at_ns)
            self._desk.hint("drag ignored: a click must not move")
        else:
            self._click(drag, pointer)

    def cancel(self, at_ns: int) -> bool:
        """Drop a drag that goes on; True if there was one."""
        session = self._desk.session
        if session.drag is None:
            return False
        session.drag = None
        self._desk.record("drag_cancelled", {"reason": "escape"}, at_ns=at_ns)
        self._desk.hint("drag cancelled")
        return True

    def hover(self, pointer: PointerInput) -> None:
        """Remember what lies under the pointer, for Delete."""
        session = self._desk.session
        session.hovered = self._hit(pointer.x, pointer.y)

    def delete(self, at_ns: int) -> None:
        """Delete what is selected, asked about, or under the pointer."""
        session = self._desk.session
        uid = session.selected or session.hovered or (session.asked.box_uid if session.asked else None)
        if uid is None:
            self._desk.hint("nothing under the pointer to delete")
            return
        if self._desk.record("delete", {"uid": uid}, at_ns=at_ns) is not None:
            session.hint = "deleted;  Ctrl+Z brings it back"
            self._on_changed()

    def _click(self, drag: Drag, pointer: PointerInput) -> None:
        session = self._desk.session
        x, y = (int(n) for n in napari_to_index(drag.start_world))
        timing = {"release_ns": pointer.at_ns, **(_qt(pointer) or {})}
        hit = self._hit(*drag.start_canvas)
        if hit is not None and session.click(hit) is not None:
            session.selected = None if session.selected == hit else hit
            self._desk.record("select", {"uid": session.selected}, at_ns=drag.at_ns)
            self._desk.hint("selected: click elsewhere moves it, a digit changes its class" if session.selected else "")
            return
        category = session.category
        if category is None:
            self._desk.hint("add a class first")
            return
        assert session.annotations is not None
        try:
            selected = session.selected if session.click(session.selected) is not None else None
            events = session.single_point().press(
                session.annotations, category, x, y, session.image_size, selected=selected
            )
        except InputError as error:
            self._desk.hint(str(error))
            return
        if not events:
            self._desk.hint(f"there is a point of {category.name} already")
            return
        for kind, payload in events:
            if kind == "click":
                payload = {**payload, "time_ms": session.watch.elapsed_ms(drag.at_ns)}
            if self._desk.record(kind, payload, at_ns=drag.at_ns, timing=timing) is None:
                return
        session.watch.start(drag.at_ns)
        session.hint = "moved" if session.selected else ""
        session.selected = None
        self._on_changed()

    def _release_box(self, drag: Drag, pointer: PointerInput) -> None:
        session = self._desk.session
        box = napari_corners_to_box(np.array([drag.start_world, drag.now_world]), session.image_size)
        width, height = box[2] - box[0], box[3] - box[1]
        if drag.distance <= DRAG_THRESHOLD or width < SMALLEST_BOX or height < SMALLEST_BOX:
            self._desk.record("drag_cancelled", {"reason": "too small"}, at_ns=pointer.at_ns)
            self._select_box(drag)
            return
        category = session.category
        if category is None:
            self._desk.hint("add a class first")
            return
        assert session.image is not None
        try:
            kind, payload = session.box_points().commit_box(
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
        if self._desk.record(kind, payload, at_ns=pointer.at_ns, timing=_qt(pointer)) is None:
            self._desk.redraw()
            return
        session.hint = ""
        self._on_changed()

    def _select_box(self, drag: Drag) -> None:
        """A mere click in box mode selects a box; one with open questions is asked again."""
        session = self._desk.session
        hit = self._hit(*drag.start_canvas) or self._open_box_at(drag.start_world)
        box = session.box(hit)
        if box is None:
            session.selected = None
            self._desk.hint("drag ignored: draw from corner to corner")
            return
        session.selected = hit
        if box.uid in session.left_boxes:
            session.left_boxes.discard(box.uid)
            session.selected = None
            self._on_changed()
            return
        self._desk.hint("selected: a digit changes its class, Delete removes it")

    def _open_box_at(self, world: tuple[float, float]) -> str | None:
        session = self._desk.session
        assert session.annotations is not None
        for box in reversed(session.annotations.boxes):
            (y0, x0), _, (y1, x1), _ = box_to_napari_corners(box.box.xyxy).tolist()
            if box.uid in session.left_boxes and y0 <= world[0] <= y1 and x0 <= world[1] <= x1:
                return box.uid
        return None

    def _hit(self, x: float, y: float) -> str | None:
        """The click within reach of a canvas position, else the box whose edge is."""
        session = self._desk.session
        if session.annotations is None or not session.can_annotate:
            return None
        view = self._desk.canvas.transform()
        clicks = session.annotations.clicks
        if clicks:
            row, column = view.to_world(x, y)
            positions = index_to_napari([(click.x, click.y) for click in clicks])
            distances = np.hypot(positions[:, 0] - row, positions[:, 1] - column) * view.zoom
            nearest = int(distances.argmin())
            if distances[nearest] <= HIT_RADIUS:
                return clicks[nearest].uid
        for box in reversed(session.annotations.boxes):
            corners = box_to_napari_corners(box.box.xyxy).tolist()
            ends = (view.to_canvas(*corners[0]), view.to_canvas(*corners[2]))
            (left, right), (top, bottom) = sorted(p[0] for p in ends), sorted(p[1] for p in ends)
            inside = left - HIT_RADIUS <= x <= right + HIT_RADIUS and top - HIT_RADIUS <= y <= bottom + HIT_RADIUS
            core = left + HIT_RADIUS < x < right - HIT_RADIUS and top + HIT_RADIUS < y < bottom - HIT_RADIUS
            if inside and not core:
                return box.uid
        return None


def _where(pointer: PointerInput, world: tuple[float, float]) -> dict[str, Any]:
    """Position of an input: pixel index under it and canvas pixels."""
    x, y = (int(n) for n in napari_to_index(world))
    return {"x": x, "y": y, "canvas": [round(pointer.x, 1), round(pointer.y, 1)], "device": "pointer"}


def _qt(pointer: PointerInput) -> dict[str, Any] | None:
    """The window system's own time stamp, as a second column."""
    return None if pointer.qt_ms is None else {"qt_ms": pointer.qt_ms}
