"""What the part *Review* of the dock can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno._models.review_queue import ReviewFilter


class ReviewView(ABC):
    """Filters with their counts, the item that is shown, and buttons for whoever prefers the mouse."""

    filter_chosen = Signal(str)
    """Key of the filter."""
    file_given = Signal(str)
    """Path of a file of predictions to review against."""
    verdict_given = Signal(str)
    """"confirm", "delete" or "later"."""
    step_wanted = Signal(int)
    """1 for the next item, -1 for the one before."""
    left = Signal()
    """An edit has ended; the canvas gets the keyboard back."""

    @abstractmethod
    def show_filters(self, filters: Sequence[ReviewFilter], current: str) -> None:
        """The list of filters, and the one in force."""

    @abstractmethod
    def show_item(self, text: str, progress: str) -> None:
        """What is reviewed now and how far it is; both empty outside of a review."""

    @abstractmethod
    def show(self, is_reviewing: bool) -> None:
        """Show this part of the dock, or take it away."""

    @abstractmethod
    def ask_file(self) -> None:
        """Open the line for the path of a file of predictions."""
