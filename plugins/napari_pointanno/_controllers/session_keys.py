"""The keys of a session: from the preferences to the canvas and the dock, with every problem told once."""

from __future__ import annotations

from collections.abc import Callable

from napari_pointanno import preferences
from napari_pointanno._views.annotate_view import AnnotateView
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.keymap import KeyMap

TOLD_AT_ONCE = 3
"""More problems than that are counted."""


class SessionKeys:
    """Follows the preferences from its making to `close`.

    While a person types in the preferences half a key is no mistake. So what is wrong is told when the keyboard
    is back at the canvas (`on_focus`), and not before.

    Parameters
    ----------
    canvas : CanvasView
    view : AnnotateView
        Its buttons name keys, and it tells what is wrong.
    on_changed : callable
        ``on_changed(keymap)``: the keys are others now, to be shown in prompts.
    on_annotation : callable
        A preference about what annotating looks like has changed.
    """

    def __init__(
        self,
        canvas: CanvasView,
        view: AnnotateView,
        on_changed: Callable[[KeyMap], None],
        on_annotation: Callable[[], None],
    ) -> None:
        self._canvas, self._view = canvas, view
        self._on_changed, self._on_annotation = on_changed, on_annotation
        self.keymap = preferences.chosen_keys()
        self._told: tuple[str, ...] = ()
        view.show_keys(self.keymap)
        self._end = preferences.on_change(self._on_preferences)

    def close(self) -> None:
        """Follow no longer."""
        self._end()

    def on_focus(self) -> None:
        """The keyboard is at the canvas: tell what keys cannot be had, each once."""
        news = [sentence for sentence in self.keymap.problems if sentence not in self._told]
        self._told = self.keymap.problems
        for sentence in news[:TOLD_AT_ONCE]:
            self._view.notify(sentence)
        if len(news) > TOLD_AT_ONCE:
            self._view.notify(f"keys: {len(news) - TOLD_AT_ONCE} more keys of the preferences cannot be had")

    def _on_preferences(self, group: str) -> None:
        if group == preferences.ANNOTATION:
            self._on_annotation()
        elif group == preferences.KEYBOARD:
            keymap = preferences.chosen_keys()
            if keymap == self.keymap:
                return
            self.keymap = keymap
            self._canvas.set_keymap(keymap)
            self._view.show_keys(keymap)
            self._on_changed(keymap)
