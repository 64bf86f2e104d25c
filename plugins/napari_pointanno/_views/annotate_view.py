"""What the dock *Annotate* can show and say, independent of Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno.palette import Color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_pointanno._models.image_pages import ImagePages
    from napari_pointanno._models.opening import OpeningJob
    from napari_pointanno._models.picture_look import ChannelLook
    from napari_pointanno._models.plan import PlanState
    from napari_pointanno._models.reasons import Strip
    from napari_pointanno._models.tools import Tool
    from napari_pointanno._views.people_view import PeopleView
    from napari_pointanno._views.review_view import ReviewView
    from napari_pointanno.keymap import KeyMap
    from pointanno.project.image_list import ImageFilter


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the class list; `count` is that of the image shown."""

    id: int
    name: str
    isthing: bool
    color: Color
    count: int = 0
    absent: bool = False
    digit: int | None = None
    """The key that chooses it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to a question; the one without a name takes nothing. With a colour it is a swatch."""

    name: str
    text: str
    color: Color | None = None
    tip: str = ""


@dataclass(frozen=True, slots=True)
class ClassQuestion:
    """What will happen to a class, and what can be done."""

    text: str
    choices: tuple[Choice, ...]
    preferred: int = 0
    """Which of them Enter takes."""


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked and how far it is."""

    prompt: str = ""
    progress: str = ""
    """"4/10" while points are asked."""
    answered: int = 0
    """Points answered or clicked on this image."""
    complete_things: bool = False
    complete_stuff: bool = False
    note: str = ""
    """What was said about the image: "flagged: class unclear"."""
    can_undo: bool = False
    can_redo: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class StudyState:
    """Whether a study runs, and where the person is in it."""

    runs: bool = False
    text: str = ""


class AnnotateView(ABC):
    """The dock; emits what the person asks for and shows what it is told, nothing else."""

    new_requested = Signal(str, str)
    """Path of a folder of images or of a COCO JSON, path of the project (may be empty)."""
    open_requested = Signal(str)
    demo_requested = Signal()
    mode_chosen = Signal(str)
    tool_chosen = Signal(str)
    """Name of a button of `show_tools`."""
    plan_requested = Signal(object)
    """A `PlanWish`: how images are to be annotated."""
    category_chosen = Signal(int)
    category_added = Signal(str, bool)
    """Name, isthing."""
    category_renamed = Signal(int, str)
    category_color_chosen = Signal(int, tuple)
    category_kind_chosen = Signal(int, bool)
    category_digit_chosen = Signal(int, int)
    """Class, digit or -1 for that of its place."""
    categories_reordered = Signal(list)
    category_merge_wanted = Signal(int)
    category_delete_wanted = Signal(int)
    category_unknown = Signal(str)
    """A name that was searched for and is not there."""
    category_picked = Signal(int)
    """Answer to `pick_class`."""
    category_use_wanted = Signal(int)
    class_answered = Signal(str)
    """Name of the choice that answers `ask_about_class`, "" for none."""
    class_file_chosen = Signal(str)
    dialog_opened = Signal(str)
    dialog_closed = Signal(str)
    """A dialog of the system, which takes the keyboard away."""
    row_chosen = Signal(int)
    filter_chosen = Signal(object)
    """The `ImageFilter` of the image list that is wanted."""
    image_sought = Signal(str)
    """Enter in the search line of the images."""
    complete_chosen = Signal(bool, bool)
    """Things, stuff of the image that is shown."""
    strip_digit = Signal(int)
    strip_words = Signal(str)
    strip_left = Signal()
    """Answers to `show_strip`: a digit, a reason in one's own words, none."""
    dropped = Signal(str)
    """Path of a folder or file that was dropped on the dock."""
    opening_cancelled = Signal()
    relocate_requested = Signal(str)
    """Path of the folder that holds the pictures now."""
    undo_requested = Signal()
    redo_requested = Signal()
    done_requested = Signal()
    next_requested = Signal()
    previous_requested = Signal()
    unlabelled_requested = Signal()
    keys_requested = Signal()
    channel_shown = Signal(int, bool)
    """A measured channel is to be visible or not."""
    channel_alone = Signal(int)
    channel_limits = Signal(int, float, float)
    """Values of a channel to show as black and as the full colour; equal ones for those that fit the picture."""
    study_requested = Signal()
    """A study is to begin, or the one that runs to be left."""
    left = Signal()
    """An edit in the dock has ended; the canvas gets the keyboard back."""

    @property
    @abstractmethod
    def review(self) -> ReviewView:
        """The part *Review*."""

    @property
    @abstractmethod
    def people(self) -> PeopleView:
        """The part *People*."""

    @abstractmethod
    def show_project(self, name: str, path: str, pages: ImagePages | None) -> None:
        """A project is open, or none."""

    @abstractmethod
    def show_study(self, state: StudyState) -> None:
        """A study runs, and what is locked by it is put away; or none does."""

    @abstractmethod
    def show_classes(self, rows: list[ClassRow], current: int | None) -> None:
        """The class list and its current line."""

    @abstractmethod
    def ask_about_class(self, question: ClassQuestion) -> None:
        """Ask within the dock; `class_answered` brings the answer."""

    @abstractmethod
    def pick_class(self, sentence: str, ids: frozenset[int] | None) -> None:
        """Let the person pick one of these classes; None ends that."""

    @abstractmethod
    def show_class_note(self, sentence: str) -> None:
        """Why a name is refused; what was typed stays to be corrected."""

    @abstractmethod
    def show_class_use(self, category_id: int, text: str) -> None:
        """The tool tip of a class."""

    @abstractmethod
    def show_keys(self, keymap: KeyMap) -> None:
        """The keys in force, for buttons and tooltips that name them."""

    @abstractmethod
    def show_mode(self, mode: str) -> None:
        """The mode in force."""

    @abstractmethod
    def show_tools(self, tools: tuple[Tool, ...]) -> None:
        """The buttons of the mode in force, in their present state."""

    @abstractmethod
    def show_plan(self, state: PlanState) -> None:
        """How images are annotated."""

    @abstractmethod
    def show_row(self, row: int, touched: int, count: int) -> None:
        """The image in this row is shown; `touched` of `count` images carry annotations."""

    @abstractmethod
    def refresh_row(self, row: int) -> None:
        """The counters of a row have changed."""

    @abstractmethod
    def refresh_rows(self) -> None:
        """The counters of any row, or the image sets, may have changed."""

    @abstractmethod
    def show_filter(self, where: ImageFilter) -> None:
        """The filter of the image list that is in force."""

    @abstractmethod
    def focus_image_search(self) -> None:
        """Put the cursor into the search line of the images."""

    @abstractmethod
    def show_strip(self, strip: Strip | None) -> None:
        """A question about the image that a digit answers, or none."""

    @abstractmethod
    def ask_words(self) -> None:
        """Let the person type a reason within the strip."""

    @abstractmethod
    def show_opening(self, job: OpeningJob | None) -> None:
        """A project that is on its way, or none."""

    @abstractmethod
    def show_missing(self, folder: str) -> None:
        """The pictures are not in this folder any more: offer to choose another one; "" for none."""

    @abstractmethod
    def show_channels(self, channels: Sequence[ChannelLook]) -> None:
        """The measured channels of the picture, to be chosen from; none for grey and colour pictures."""

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
