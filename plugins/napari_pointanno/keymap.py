"""Which key does what while a session is running; knows no Qt.

A key is written the way Qt writes key sequences (``"Ctrl+Shift+Z"``), so that the table can be shown and,
one day, edited as text. Digits are not in the table: they stand for classes by position on the keyboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Action(Enum):
    """What a key asks for."""

    OBJECT = "object"
    BACKGROUND = "background"
    UNSURE = "unsure"
    CLASS = "class"
    ABSENT = "absent"
    SEARCH = "search"
    SINGLE_POINT = "single_point"
    BOX_POINTS = "box_points"
    NEXT = "next"
    PREVIOUS = "previous"
    NEXT_UNLABELLED = "next_unlabelled"
    UNDO = "undo"
    REDO = "redo"
    STEP_BACK = "step_back"
    CANCEL = "cancel"
    DONE = "done"
    RESAMPLE = "resample"
    HIDE = "hide"
    DELETE = "delete"
    KEYS = "keys"
    PREVIEW = "preview"
    PAUSE = "pause"
    PAN = "pan"


KEYS: Final[dict[str, Action]] = {
    "F": Action.OBJECT,
    "J": Action.BACKGROUND,
    "U": Action.UNSURE,
    "Q": Action.SINGLE_POINT,
    "W": Action.BOX_POINTS,
    "N": Action.NEXT,
    "B": Action.PREVIOUS,
    "Shift+N": Action.NEXT_UNLABELLED,
    "Ctrl+Z": Action.UNDO,
    "Ctrl+Shift+Z": Action.REDO,
    "Backspace": Action.STEP_BACK,
    "Escape": Action.CANCEL,
    "D": Action.DONE,
    "R": Action.RESAMPLE,
    "H": Action.HIDE,
    "Delete": Action.DELETE,
    "?": Action.KEYS,
    "P": Action.PREVIEW,
    "F10": Action.PAUSE,
    "Space": Action.PAN,
}
"""Key sequence to action; everything else is left to napari."""

HELD: Final = frozenset({Action.HIDE, Action.PAN})
"""Actions that last as long as their key is down, so that the release matters too."""

SHEET: Final[tuple[tuple[str, str], ...]] = (
    ("F / J / U", "object / background / unsure"),
    ("1 - 9,  0", "choose class,  search class"),
    ("Shift + 1 - 9", "this class is absent here"),
    ("Q / W", "one point / box + points"),
    ("N / B", "next / previous image"),
    ("Shift + N", "next unlabelled image"),
    ("D", "image done, go on"),
    ("Ctrl + Z", "undo (also after a restart)"),
    ("Ctrl + Shift + Z", "redo"),
    ("Backspace", "one step back"),
    ("Esc", "cancel drag, leave object"),
    ("Delete", "delete selected or hovered"),
    ("R", "draw new points in this box"),
    ("H (hold)", "hide everything drawn"),
    ("P", "preview on / off"),
    ("F10", "pause the clock"),
    ("Space / right drag", "move the picture"),
    ("Wheel", "zoom"),
    ("?", "this sheet"),
)
"""Lines of the key sheet."""


@dataclass(frozen=True, slots=True)
class KeyInput:
    """A key of ours as it was delivered."""

    action: Action
    at_ns: int
    """When the canvas received it, monotonic."""
    digit: int | None = None
    key: str = ""
    released: bool = False
    qt_ms: int | None = None
    """The window system's own time stamp, None where it gave none."""


@dataclass(frozen=True, slots=True)
class PointerInput:
    """A press, move or release of the pointer, in canvas pixels from the top left."""

    x: float
    y: float
    at_ns: int
    qt_ms: int | None = None


def digit_action(digit: int, *, shift: bool) -> Action:
    """What a digit key asks for: a class, its absence, or the search box for 0."""
    if digit == 0:
        return Action.SEARCH
    return Action.ABSENT if shift else Action.CLASS
