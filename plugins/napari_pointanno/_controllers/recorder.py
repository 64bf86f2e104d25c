"""Writes events to the project and tells the person whether they are safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari_pointanno._views.annotate_view import AnnotateView
    from pointanno.project import Event, Project

T = TypeVar("T")


class Recorder:
    """The only way from the window into the journal.

    A failure (full disk, vanished folder) is worded by whoever raised it and shown once; the caller gets
    None and must not advance.
    """

    def __init__(self, project: Project, view: AnnotateView) -> None:
        self._project = project
        self._view = view
        self._last_sentence = ""

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
        return self.write(
            lambda: self._project.record(
                kind, payload, image_id=image_id, t_mono_ns=at_ns, source=source, timing=timing
            )
        )

    def undo(self, at_ns: int | None = None) -> Event | None:
        """Undo the last annotating event; None if there is none or it failed."""
        return self.write(lambda: self._project.undo(t_mono_ns=at_ns))

    def redo(self, at_ns: int | None = None) -> Event | None:
        """Redo the last undone event; None if there is none or it failed."""
        return self.write(lambda: self._project.redo(t_mono_ns=at_ns))

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
