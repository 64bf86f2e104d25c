"""Answers to the point on the screen, and drawing the points of a box anew."""

from __future__ import annotations

from collections.abc import Callable

from napari_pointanno._controllers.desk import Desk
from napari_pointanno.keymap import KeyInput
from pointanno.errors import InputError


class Answering:
    """Turns F, J, U and R into events.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after an answer is safe.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed

    def answer(self, value: str, key: KeyInput) -> None:
        """Record the answer to the point that is asked; the next one follows only if that worked."""
        session = self._desk.session
        if session.asked is None:
            self._desk.hint(session.obstacle or "no point is asked: draw a box first  (W)")
            return
        kind, payload = session.box_points().answer(session.open_annotations(), value)
        elapsed = session.watch.elapsed_ms(key.at_ns)
        timing = {"key": key.key, "shown": elapsed is not None}
        if key.qt_ms is not None:
            timing["qt_ms"] = key.qt_ms
        # a key that came before its question was on the screen has no answer time
        payload = {**payload, "time_ms": elapsed}
        if self._desk.record(kind, payload, at_ns=key.at_ns, timing=timing) is None:
            return
        if elapsed is not None or not session.watch.running:
            session.watch.start(key.at_ns)
        session.hint = ""
        self._on_changed()

    def resample(self, key: KeyInput) -> None:
        """Draw the points of the box that is asked anew; its answers go, undo brings them back."""
        session = self._desk.session
        if session.asked is None or session.image is None:
            self._desk.hint("no box is open")
            return
        try:
            kind, payload = session.box_points().resample(
                session.open_annotations(), session.asked.box_uid, session.image.uid, session.image_size
            )
        except InputError as error:
            self._desk.hint(str(error))
            return
        if self._desk.record(kind, payload, at_ns=key.at_ns) is not None:
            session.hint = "new points drawn"
            self._on_changed()

    def leave(self) -> bool:
        """Leave the box that is asked without deleting it; True if there was one."""
        session = self._desk.session
        if session.asked is None:
            return False
        session.left_boxes.add(session.asked.box_uid)
        session.hint = "box left open; click inside it to go on"
        self._on_changed()
        return True
