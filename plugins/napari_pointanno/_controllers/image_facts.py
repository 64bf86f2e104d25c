"""What is said about a whole image, or about one object: complete, flagged, left out; with reasons by digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_pointanno._controllers.desk import Desk
from napari_pointanno._models.reasons import (
    FLAG_REASONS,
    OTHER,
    SKIP_IMAGE_REASONS,
    SKIP_OBJECT_REASONS,
    TAKE_BACK,
    Strip,
    reason_strip,
)
from napari_pointanno.keymap import Action, KeyInput
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from pointanno.project.records import Flag

THINGS, STUFF, BOTH, NEITHER = 1, 2, 3, 0
"""Digits of the question what is complete."""


class ImageFacts:
    """Opens a strip, takes its digit, writes one event.

    While a strip is open, digits, Enter, Escape and the key that opened it are its own; any other key closes it and
    means what it always means.

    Parameters
    ----------
    desk : Desk
    on_changed : callable
        Called after an event is safe.
    on_next : callable
        Called when the image is left out and the next one may be shown.
    """

    def __init__(self, desk: Desk, on_changed: Callable[[], None], on_next: Callable[[], None]) -> None:
        self._desk = desk
        self._on_changed = on_changed
        self._on_next = on_next
        self._action: Action | None = None
        self._strip: Strip | None = None
        self._uid = ""

    @property
    def is_open(self) -> bool:
        """Whether a strip waits for a digit."""
        return self._strip is not None

    # complete -------------------------------------------------------------------------------------------------------

    def declare(self, things: bool, stuff: bool, at_ns: int) -> bool:
        """Write down what is complete on this image, if that is news; False if it could not be saved."""
        image = self._desk.session.image
        if image is None:
            return False
        if (image.complete_things, image.complete_stuff) == (things, stuff):
            return True
        return self._desk.record("complete", {"things": things, "stuff": stuff}, at_ns=at_ns) is not None

    def complete(self, things: bool, stuff: bool, at_ns: int) -> None:
        """Declare what is complete on this image, and say so."""
        if self._desk.mode.is_blind or not self.declare(things, stuff, at_ns):
            self._desk.show_now()  # the boxes in the dock show what holds, not what was wanted
            return
        words = [name for name, is_complete in (("things", things), ("stuff", stuff)) if is_complete]
        self._desk.session.hint = f"complete: {' and '.join(words)}" if words else "not complete any more"
        self._on_changed()

    def ask_complete(self) -> None:
        """Ask what of this image is complete."""
        image = self._desk.session.image
        if image is None:
            return
        now = [name for name, is_so in (("things", image.complete_things), ("stuff", image.complete_stuff)) if is_so]
        self._open(
            Action.COMPLETE,
            Strip(
                f"Complete ({' and '.join(now) or 'nothing'} now):",
                ((THINGS, "things only"), (STUFF, "stuff only"), (BOTH, "both"), (NEITHER, "neither")),
            ),
        )

    # flags and skips ------------------------------------------------------------------------------------------------

    def ask_flag(self) -> None:
        """Ask why the selected object, the one that is asked about, or the image is to be looked at again."""
        session = self._desk.session
        if session.image is None:
            return
        uid = session.selected or (session.asked.box_uid if session.asked is not None else "")
        flag = self._flag_of(uid)
        title = f"Flag this {'object' if uid else 'image'} for review:"
        strip = reason_strip(title, FLAG_REASONS, default="no reason", take_back="no flag" if flag else "")
        self._open(Action.FLAG, strip, uid)

    def ask_skip(self) -> None:
        """Ask why the box that is asked about, or else the image, is to be left out."""
        session = self._desk.session
        if session.image is None:
            return
        if session.asked is not None:
            strip = reason_strip("Do not ask about this box:", SKIP_OBJECT_REASONS, default="no reason")
            self._open(Action.SKIP, strip, session.asked.box_uid)
            return
        is_out = session.image.skipped is not None
        strip = reason_strip(
            "Leave this image out:",
            SKIP_IMAGE_REASONS,
            default="no reason",
            take_back="take it in again" if is_out else "",
        )
        self._open(Action.SKIP, strip)

    def _flag_of(self, uid: str) -> Flag | None:
        annotations = self._desk.session.annotations
        flags = annotations.flags if annotations is not None else ()
        return next((flag for flag in flags if flag.uid == uid), None)

    # the strip ------------------------------------------------------------------------------------------------------

    def _open(self, action: Action, strip: Strip, uid: str = "") -> None:
        self._action, self._strip, self._uid = action, strip, uid
        self._desk.view.show_strip(strip)
        self._desk.hint(strip.text())

    def close(self) -> None:
        """Leave without an answer."""
        if self._strip is not None:
            self._action = self._strip = None
            self._desk.view.show_strip(None)
            self._desk.hint("")

    def key(self, key: KeyInput) -> bool:
        """Take a key if a strip is open and the key is for it."""
        if self._strip is None or key.released:
            return False
        if key.action is Action.CANCEL:
            self.close()
        elif key.digit is not None:
            self.choose(key.digit, key.at_ns)
        elif self._strip.default and key.action in (self._action, Action.CONFIRM):
            self._take("", key.at_ns)
        elif key.action is self._action:
            self.close()
        else:
            self.close()
            return False
        return True

    def choose(self, digit: int, at_ns: int | None = None) -> None:
        """Take the answer of a digit; one that the strip does not have changes nothing."""
        strip, at_ns = self._strip, now_ns() if at_ns is None else at_ns
        words = dict(strip.entries).get(digit) if strip is not None else None
        if words is None:
            return
        if self._action is Action.COMPLETE:
            self.close()
            self.complete(digit in (THINGS, BOTH), digit in (STUFF, BOTH), at_ns)
        elif digit == TAKE_BACK:
            self._take(None, at_ns)
        elif digit == OTHER:
            self._desk.view.ask_words()
        else:
            self._take(words, at_ns)

    def words(self, text: str) -> None:
        """Take a reason in the person's own words."""
        if self._strip is not None:
            self._take(text.strip(), now_ns())

    def _take(self, reason: str | None, at_ns: int) -> None:
        """Write what was answered; None takes a flag or an omission back."""
        action, uid, session = self._action, self._uid, self._desk.session
        self.close()
        more = {"reason": reason} if reason else {}
        if action is Action.FLAG:
            payload = {"flagged": reason is not None, **({"uid": uid} if uid else {}), **more}
            if self._desk.record("flag", payload, at_ns=at_ns) is not None:
                session.hint = (
                    f"flagged: {reason}" if reason else "flagged" if reason is not None else "no flag any more"
                )
                self._on_changed()
        elif uid:
            if self._desk.record("skip_box", {"uid": uid, **more}, at_ns=at_ns) is not None:
                undo = session.keymap.text(Action.UNDO)
                session.hint = f"box left out{': ' + reason if reason else ''};  {undo} takes that back"
                self._desk.mode.skipped()
        elif self._desk.record("skip_image", {"skipped": reason is not None, **more}, at_ns=at_ns) is not None:
            session.hint = "image left out" if reason is not None else "image taken in again"
            self._on_changed()
            if reason is not None:
                self._on_next()
