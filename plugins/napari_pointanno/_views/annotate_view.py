"""What the dock *Annotate* can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno.palette import Color

if TYPE_CHECKING:
    from napari_pointanno._models.image_pages import ImagePages


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the class list; `count` is that of the image shown."""

    id: int
    name: str
    isthing: bool
    color: Color
    count: int = 0
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked and how far it is."""

    prompt: str = ""
    progress: str = ""
    """"4/10" while points are asked."""
    answered: int = 0
    """Points answered or clicked on this image."""
    complete: bool = False
    can_undo: bool = False
    can_redo: bool = False
    paused: bool = False


class AnnotateView(ABC):
    """The dock; emits what the person asks for and shows what it is told, nothing else."""

    new_requested = Signal(str, str)
    """Path of a folder of images or of a COCO JSON, path of the project (may be empty)."""
    open_requested = Signal(str)
    demo_requested = Signal()
    mode_chosen = Signal(str)
    category_chosen = Signal(int)
    category_added = Signal(str, bool)
    """Name, isthing."""
    category_color_chosen = Signal(int, tuple)
    category_kind_chosen = Signal(int, bool)
    row_chosen = Signal(int)
    undo_requested = Signal()
    redo_requested = Signal()
    done_requested = Signal()
    next_requested = Signal()
    previous_requested = Signal()
    unlabelled_requested = Signal()
    keys_requested = Signal()
    left = Signal()
    """An edit in the dock has ended; the canvas gets the keyboard back."""

    @abstractmethod
    def show_project(self, name: str, path: str, pages: ImagePages | None) -> None:
        """A project is open, or none."""

    @abstractmethod
    def show_classes(self, rows: list[ClassRow], current: int | None) -> None:
        """The class list and its current line."""

    @abstractmethod
    def show_mode(self, mode: str) -> None:
        """The mode in force."""

    @abstractmethod
    def show_row(self, row: int, touched: int, count: int) -> None:
        """The image in this row is shown; `touched` of `count` images carry annotations."""

    @abstractmethod
    def refresh_row(self, row: int) -> None:
        """The counters of a row have changed."""

    @abstractmethod
    def show_now(self, now: Now) -> None:
        """The question and its progress."""

    @abstractmethod
    def show_saved(self, text: str, ok: bool) -> None:
        """The light: "saved 14:02:11", or what was not saved."""

    @abstractmethod
    def show_keyboard(self, on_canvas: bool) -> None:
        """The light that tells where keys go."""

    @abstractmethod
    def focus_search(self) -> None:
        """Put the cursor into the search box of the classes."""

    @abstractmethod
    def show_form(self, name: str) -> None:
        """Open an inline form: "new", "open", or "" for none."""

    @abstractmethod
    def notify(self, sentence: str, *, error: bool = True) -> None:
        """One sentence for the person."""
