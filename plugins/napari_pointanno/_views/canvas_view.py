"""What a session needs of the canvas, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_pointanno.key_choice import DEFAULT_KEYS

if TYPE_CHECKING:
    from napari_pointanno.canvas import InputHandler
    from napari_pointanno.drawing import Drawing
    from napari_pointanno.keymap import KeyMap
    from napari_pointanno.view_transform import ViewTransform


class CanvasView(ABC):
    """The canvas with its filter and overlay."""

    @abstractmethod
    def start(self, handler: InputHandler, keymap: KeyMap = DEFAULT_KEYS) -> None:
        """Send inputs to a session from now on; the map tells which keys are ours."""

    @abstractmethod
    def set_keymap(self, keymap: KeyMap) -> None:
        """Other keys from now on, in a session that goes on."""

    @abstractmethod
    def stop(self) -> None:
        """Leave keys and clicks to napari again and remove the overlay."""

    @abstractmethod
    def draw(self, drawing: Drawing) -> None:
        """Show this on the overlay."""

    @abstractmethod
    def set_hidden(self, hidden: bool) -> None:
        """Hide the overlay while a key is held."""

    @abstractmethod
    def when_shown(self, callback: Callable[[int, bool], None], *, picture: bool = True) -> None:
        """Call back with the time at which what was just set became visible: on the overlay, or the picture as well."""

    @abstractmethod
    def after_frame(self, callback: Callable[[], None]) -> None:
        """Call back when what was just set is on the screen, or will not be soon; replaces what waits."""

    @abstractmethod
    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once this has not been called again for a moment; replaces what waits."""

    @abstractmethod
    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when what goes on now has ended, before the next input."""

    @abstractmethod
    def view_changed(self) -> None:
        """Positions lie elsewhere on the canvas: paint them anew."""

    @abstractmethod
    def forget_shown(self) -> None:
        """Drop call-backs that wait."""

    @abstractmethod
    def transform(self) -> ViewTransform:
        """Canvas pixels to pixels of the picture and back, as seen now."""

    @abstractmethod
    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""

    @abstractmethod
    def has_focus(self) -> bool:
        """Whether keys go to the canvas."""

    @abstractmethod
    def modal_dialog(self) -> str:
        """Name of a dialog that keeps every input from the canvas, "" while there is none."""

    @abstractmethod
    def screen(self) -> dict[str, Any]:
        """Versions of the toolkit, refresh rate and size of the screen: for the log."""
