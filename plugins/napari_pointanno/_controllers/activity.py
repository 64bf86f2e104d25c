"""What happens at the window beside annotating, for the timing log: its heart, dialogs, moves of the pointer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_pointanno._models.bunches import Bunches
from napari_pointanno._models.heart import Heart, Vital
from pointanno.timing.clock import SessionAnchor, now_ns, slept_ns

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk
    from napari_pointanno.keymap import PointerInput

MOVE_PX = 3.0
"""Canvas pixels that the pointer must go before that is an input."""

REST_NS = 1_000_000_000
"""Nobody touched anything for so long: a write delays nobody."""

WAIT_NS = 5_000_000_000
"""Bunches wait no longer than this while no point is asked."""


class Activity:
    """Writes down what no click and no answer tells.

    Bunches of moves, wheel and pans wait in memory until nobody waits for the window: a question has just become
    visible, nobody touched anything for a second, or the session ends. What they tell is exact whenever it is written:
    the journal is read by the time of the inputs.

    Parameters
    ----------
    desk : Desk
    cpu_ns, asleep_ns : callable
        Processor time of the process; boot clock minus monotonic clock, None where there is none.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        cpu_ns: Callable[[], int] = time.process_time_ns,
        asleep_ns: Callable[[], int | None] = slept_ns,
    ) -> None:
        self._desk = desk
        self._cpu_ns, self._asleep_ns = cpu_ns, asleep_ns
        self._heart: Heart | None = None
        self._vitals: list[Vital] = []
        """Stalls that ended with an input, which is to be dealt with first."""
        self._bunches = Bunches()
        self._touched_ns = 0
        self._refused_ns = -REST_NS
        self._place: tuple[float, float] | None = None
        self._told: set[str] = set()
        self._modal = ""

    def begin(self, at_ns: int) -> None:
        """The heart beats from here on."""
        self._heart = Heart(at_ns, self._cpu_ns(), self._asleep_ns())
        self._touched_ns = at_ns

    def beat(self, at_ns: int) -> None:
        """The heart has beaten: note what was wrong since the beat before, and what could wait."""
        if self._heart is None:
            return
        self._vitals += self._heart.beat(at_ns, self._cpu_ns(), self._asleep_ns())
        self.look_for_dialogs(at_ns)
        if at_ns - self._refused_ns < REST_NS:
            return  # a full disk is not asked at every beat
        if self._vitals:
            self._write_vitals()
        oldest = self._bunches.oldest_ns()
        if oldest is not None:
            rests = at_ns - self._touched_ns >= REST_NS
            overdue = at_ns - oldest >= WAIT_NS and self._desk.session.asked is None
            if rests or (overdue and self._desk.session.drag is None):
                self.write(at_ns)

    # ------------------------------------------------------------------ inputs

    def touched(self, at_ns: int) -> None:
        """An input came that is written down by itself; to be called before anything follows from it."""
        self._touched_ns = at_ns
        if self._heart is not None and self._heart.is_late(at_ns):
            self._vitals += self._heart.alive(at_ns, self._cpu_ns())

    def moved(self, pointer: PointerInput) -> None:
        """The pointer moved; a trembling hand is no input."""
        place = (pointer.x, pointer.y)
        if self._place is None or np.hypot(place[0] - self._place[0], place[1] - self._place[1]) > MOVE_PX:
            self._place = place
            self.happened("pointer", pointer.at_ns)

    def happened(self, kind: str, at_ns: int) -> None:
        """An input of a kind of which there are many."""
        self.touched(at_ns)
        self._bunches.note(kind, at_ns)

    def write(self, at_ns: int | None = None) -> None:
        """Write down what waits; with a time only bunches to which nothing can be added any more."""
        self._write_vitals()
        waiting = self._bunches.take(at_ns)
        while waiting and self._is_written(waiting[0].kind, {"since_ns": waiting[0].since_ns}, waiting[0].at_ns):
            del waiting[0]
        self._bunches.put_back(waiting)

    def drain(self) -> list[tuple[str, dict[str, Any], int]]:
        """What still waits as (kind, payload, time), for who can no longer use the desk."""
        waiting = [(one.kind, one.payload, one.at_ns) for one in self._vitals if one.payload]
        self._vitals = []
        return waiting + [(one.kind, {"since_ns": one.since_ns}, one.at_ns) for one in self._bunches.take()]

    def _write_vitals(self) -> None:
        while self._vitals:
            vital = self._vitals[0]
            payload, at_ns = vital.payload, vital.at_ns
            if vital.kind == "clock_anchor":
                anchor = SessionAnchor.take()
                payload, at_ns = {"utc_ns": anchor.utc_ns}, anchor.mono
            if not self._is_written(vital.kind, payload, at_ns):
                return
            del self._vitals[0]

    def _is_written(self, kind: str, payload: dict[str, Any], at_ns: int) -> bool:
        if self._desk.record(kind, payload, at_ns=at_ns) is None:
            self._refused_ns = now_ns()
            return False
        return True

    # ------------------------------------------------------------------ dialogs

    def dialog(self, name: str, *, is_open: bool, at_ns: int) -> None:
        """A dialog has opened or closed: meanwhile nothing is timed."""
        if is_open == (name in self._told):
            return
        watch = self._desk.session.watch
        if is_open:
            self._told.add(name)
            watch.suspend("dialog", at_ns)
        else:
            self._told.discard(name)
            if not self._told:
                watch.resume("dialog", at_ns)
        self._desk.record("dialog_open" if is_open else "dialog_close", {"reason": name}, at_ns=at_ns)

    def look_for_dialogs(self, at_ns: int) -> None:
        """Note a dialog that does not tell of itself: napari's, the system's, those that stop the code that asks."""
        modal = self._desk.canvas.modal_dialog()
        if modal == self._modal:
            return
        if self._modal:
            self.dialog(self._modal, is_open=False, at_ns=at_ns)
        self._modal = "" if self._told else modal
        if self._modal:
            self.dialog(self._modal, is_open=True, at_ns=at_ns)
