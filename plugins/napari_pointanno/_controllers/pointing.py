"""What a press of the left button means that does not depend on the mode: select, delete, or leave it to the mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_pointanno._models.session import DRAG_THRESHOLD, Drag
from napari_pointanno.keymap import Action, PointerInput
from pointanno.coords import napari_to_index

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk


class Pointing:
    """Follows the pointer and hands clicks and drags to the mode.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after an annotation was changed.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed

    def press(self, pointer: PointerInput) -> None:
        """The button went down: remember where and when; nothing is decided yet."""
        desk, session = self._desk, self._desk.session
        if not session.can_annotate:
            return
        world = desk.canvas.transform().to_picture(pointer.x, pointer.y)
        here = (pointer.x, pointer.y)
        session.drag = Drag(here, world, pointer.at_ns, here, world)
        session.hint = ""
        kind = "drag_start" if desk.mode.drags else "press"
        desk.record(kind, _where(pointer, world), at_ns=pointer.at_ns, timing=window_stamp(pointer))
        if desk.mode.drags:
            desk.mode.drag_started(session.drag)

    def drag(self, pointer: PointerInput) -> None:
        """The pointer moved with the button down."""
        session = self._desk.session
        if session.drag is None:
            return
        world = self._desk.canvas.transform().to_picture(pointer.x, pointer.y)
        session.drag = replace(session.drag, now_canvas=(pointer.x, pointer.y), now_world=world)
        if self._desk.mode.drags:
            self._desk.mode.drag_moved(session.drag)

    def release(self, pointer: PointerInput) -> None:
        """The button went up: decide."""
        desk, session = self._desk, self._desk.session
        self.drag(pointer)
        drag, session.drag = session.drag, None
        if drag is None:
            return
        if desk.mode.drags:
            desk.mode.drag_finished(drag, pointer)
        elif desk.mode.busy:
            desk.hint(desk.mode.busy)
        elif drag.distance > DRAG_THRESHOLD:
            desk.record("drag_ignored", _where(pointer, drag.now_world), at_ns=pointer.at_ns)
            desk.hint("drag ignored: a click must not move")
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
        self._desk.session.hovered = self._desk.hit(pointer.x, pointer.y)
        self._desk.mode.hovered(pointer)

    def delete(self, at_ns: int) -> None:
        """Delete what is selected, under the pointer, or asked about."""
        session = self._desk.session
        mode = self._desk.mode
        pointed = session.selected or session.hovered
        uid = pointed or mode.to_delete()
        if uid is None:
            self._desk.hint("nothing under the pointer to delete")
            return
        kind, payload = mode.delete_step(uid, pointed=pointed is not None)
        if self._desk.record(kind, payload, at_ns=at_ns) is not None:
            back = f"{session.keymap.text(Action.UNDO)} brings it back"
            session.hint = f"{'the whole target' if payload.get('whole_target') else ''} deleted;  {back}".strip()
            self._on_changed()

    def _click(self, drag: Drag, pointer: PointerInput) -> None:
        """Select the point that was hit, or let the mode make one."""
        desk, session = self._desk, self._desk.session
        hit = desk.hit(*drag.start_canvas)
        if hit is not None and session.click(hit) is not None:
            if desk.mode.click_on(hit, drag, pointer):
                return
            session.selected = None if session.selected == hit else hit
            desk.record("select", {"uid": session.selected}, at_ns=drag.at_ns)
            desk.hint("selected: click elsewhere moves it, a digit changes its class" if session.selected else "")
            return
        desk.mode.click(drag, pointer)


def _where(pointer: PointerInput, world: tuple[float, float]) -> dict[str, Any]:
    """Position of an input: pixel index under it and canvas pixels."""
    x, y = (int(n) for n in napari_to_index(world))
    return {"x": x, "y": y, **on_canvas(pointer)}


def on_canvas(pointer: PointerInput) -> dict[str, Any]:
    """Position of an input that means no pixel of a picture."""
    return {"canvas": [round(pointer.x, 1), round(pointer.y, 1)], "device": "pointer"}


def window_stamp(pointer: PointerInput) -> dict[str, Any] | None:
    """The window system's own time stamp, as a second column."""
    return None if pointer.qt_ms is None else {"qt_ms": pointer.qt_ms}
