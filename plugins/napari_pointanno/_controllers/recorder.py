"""Writes events to the project and tells the person whether they are safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pointanno.errors import InputError
from pointanno.timing.log import MACHINE_MADE

if TYPE_CHECKING:
    from napari_pointanno._views.annotate_view import AnnotateView
    from pointanno.project import Event, Project

T = TypeVar("T")


@dataclass(slots=True)
class InputAtWork:
    """The key or button whose consequences are being written down.

    Attributes
    ----------
    at_ns : int
        When it was delivered, monotonic.
    qt_ms : int or None
        The window system's own stamp.
    pressed_ns : int or None
        Of a release: when its press was delivered.
    is_told : bool
        Whether an event tells of it already.
    """

    at_ns: int
    qt_ms: int | None = None
    pressed_ns: int | None = None
    is_told: bool = False

    def stamp(self, at_ns: int | None, timing: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The second column of an event that stands at this input, or at the press of this release."""
        if self.qt_ms is None or at_ns is None or (timing is not None and "qt_ms" in timing):
            return timing
        if at_ns == self.at_ns:
            return {**(timing or {}), "qt_ms": self.qt_ms}
        if at_ns == self.pressed_ns:
            return {**(timing or {}), "release_ns": self.at_ns, "qt_ms": self.qt_ms}
        return timing


class Recorder:
    """The only way from the window into the journal.

    A failure (full disk, vanished folder) is worded by whoever raised it and shown once; the caller gets
    None and must not advance.
    """

    def __init__(self, project: Project, view: AnnotateView) -> None:
        self._project = project
        self._view = view
        self._last_sentence = ""
        self._input: InputAtWork | None = None

    @contextmanager
    def during(self, at_ns: int, qt_ms: int | None, pressed_ns: int | None = None) -> Iterator[InputAtWork]:
        """While this lasts, events at the time of an input carry the window system's stamp of it."""
        before, self._input = self._input, InputAtWork(at_ns, qt_ms, pressed_ns)
        try:
            yield self._input
        finally:
            self._input = before

    def _timing(self, kind: str, at_ns: int | None, timing: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if self._input is None:
            return timing
        self._input.is_told |= kind not in MACHINE_MADE
        return self._input.stamp(at_ns, timing)

    def record(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        image_id: int | None = None,
        at_ns: int | None = None,
        timing: Mapping[str, Any] | None = None,
        source: str = "manual",
    ) -> Event | None:
        """Make one event durable; None if that failed, with the sentence already shown."""
        timing = self._timing(kind, at_ns, timing)
        return self.write(
            lambda: self._project.record(
                kind, payload, image_id=image_id, t_mono_ns=at_ns, source=source, timing=timing
            )
        )

    def undo(self, at_ns: int | None = None) -> Event | None:
        """Undo the last annotating event; None if there is none or it failed."""
        timing = self._timing("undo", at_ns, None)
        return self.write(lambda: self._project.undo(t_mono_ns=at_ns, timing=timing))

    def redo(self, at_ns: int | None = None) -> Event | None:
        """Redo the last undone event; None if there is none or it failed."""
        timing = self._timing("redo", at_ns, None)
        return self.write(lambda: self._project.redo(t_mono_ns=at_ns, timing=timing))

    def write(self, change: Callable[[], T]) -> T | None:
        """Do what writes to the project; None if that failed, with the sentence already shown."""
        try:
            done = change()
        except (InputError, OSError) as error:
            sentence = str(error)
            self._view.show_saved("not saved", False)
            before, self._last_sentence = self._last_sentence, sentence
            # raw timing events would repeat it with every frame; and what is shown may move the keyboard's focus, which
            # is recorded before `notify` returns
            if sentence != before:
                self._view.notify(sentence)
            return None
        self._last_sentence = ""
        self._view.show_saved(f"saved {datetime.now():%H:%M:%S}", True)
        return done
