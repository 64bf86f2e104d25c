"""Which key does what while a session is running; knows no Qt.

Keys are written as `napari_pointanno.key_names` says. Digits are in no table: they stand for classes by their
position on the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from napari_pointanno.key_names import pretty


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
    MULTI_POINT = "multi_point"
    MASK = "mask"
    REVIEW = "review"
    CONFIRM = "confirm"
    REJECT = "reject"
    SKIP = "skip"
    FLAG = "flag"
    GO_TO = "go_to"
    NEW_OBJECT = "new_object"
    ERASE = "erase"
    POLYGON = "polygon"
    SMALLER = "smaller"
    LARGER = "larger"
    NEXT = "next"
    PREVIOUS = "previous"
    NEXT_UNLABELLED = "next_unlabelled"
    UNDO = "undo"
    REDO = "redo"
    STEP_BACK = "step_back"
    CANCEL = "cancel"
    DONE = "done"
    COMPLETE = "complete_parts"
    RESAMPLE = "resample"
    HIDE = "hide"
    DELETE = "delete"
    KEYS = "key_sheet"
    PREVIEW = "preview"
    INSTANT = "instant"
    FAINTER = "fainter"
    STRONGER = "stronger"
    PAUSE = "pause"
    PAN = "pan"


HELD: Final = frozenset({Action.HIDE, Action.PAN})
"""Actions that last as long as their key is down, so that the release matters too."""

FIXED: Final = frozenset({Action.CLASS, Action.ABSENT, Action.SEARCH, Action.CANCEL, Action.PAN})
"""Actions whose keys nobody can change: digits, Escape and the space bar."""


@dataclass(frozen=True)
class KeyMap:
    """The keys of a session; immutable.

    Attributes
    ----------
    keys : mapping
        Action to its keys, the one to show first. A key belongs to one action only.
    problems : tuple of str
        What the person asked for and did not get, one sentence each.
    layout : str
    """

    keys: Mapping[Action, tuple[str, ...]]
    problems: tuple[str, ...] = ()
    layout: str = ""
    _actions: Mapping[str, Action] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        actions: dict[str, Action] = {}
        for action, keys in self.keys.items():
            for key in keys:
                if key in actions:
                    raise ValueError(
                        f"{key} belongs to {actions[key].value} and to {action.value}, expected one of them"
                    )
                actions[key] = action
        object.__setattr__(self, "_actions", actions)

    def action(self, key: str) -> Action | None:
        """What a key asks for; None if it is left to napari."""
        return self._actions.get(key)

    def text(self, action: Action) -> str:
        """The key of an action as it stands on keyboards, ``"no key"`` if it has none."""
        keys = self.keys.get(action, ())
        return pretty(keys[0]) if keys else "no key"

    def texts(self, actions: Iterable[Action]) -> str:
        """Keys of several actions: ``"F / J / U"``."""
        return " / ".join(self.text(action) for action in actions)

    def answers(self) -> str:
        """``"F yes · J no · U unsure"``: what a question offers."""
        words = ((Action.OBJECT, "yes"), (Action.BACKGROUND, "no"), (Action.UNSURE, "unsure"))
        return " · ".join(f"{self.text(action)} {word}" for action, word in words)

    def as_log(self) -> dict[str, str]:
        """Key to the name of its action, for the log of a session."""
        return {key: action.value for key, action in self._actions.items()}


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
