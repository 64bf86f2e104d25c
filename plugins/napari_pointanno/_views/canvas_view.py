"""What a session needs of the canvas, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_pointanno.canvas import InputHandler
    from napari_pointanno.drawing import Drawing
    from napari_pointanno.view_transform import ViewTransform


class CanvasView(ABC):
    """The canvas with its filter and overlay."""

    @abstractmethod
    def start(self, handler: InputHandler) -> None:
        """Send inputs to a session from now on."""

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
    def when_shown(self, callback: Callable[[int, bool], None]) -> None:
        """Call back with the time at which what was just set became visible."""

    @abstractmethod
    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once this has not been called again for a moment; replaces what waits."""

    @abstractmethod
    def forget_shown(self) -> None:
        """Drop call-backs that wait."""

    @abstractmethod
    def transform(self) -> ViewTransform:
        """Canvas pixels to world and back, as seen now."""

    @abstractmethod
    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""

    @abstractmethod
    def has_focus(self) -> bool:
        """Whether keys go to the canvas."""

    @abstractmethod
    def screen(self) -> dict[str, Any]:
        """Versions of the toolkit, refresh rate and size of the screen: for the log."""
