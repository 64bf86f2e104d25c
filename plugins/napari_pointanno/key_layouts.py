"""The keys that come with the program, for three keyboards and for one hand or two.

*Two hands*: F and J, the keys that fingers find by touch, answer; U is beside them. The right hand takes the
mouse between boxes only.

*Left hand*: for work in which the right hand holds the mouse all the time. Everything that is needed often
lies under the left one: the answers F, D and S under its resting fingers, A takes an answer back, C and V go
through the images, B ends one, G accepts and X rejects, Z hides while it is held. What is rare keeps its letter
with Shift, what is left of it far to the right stays there (the mouse has buttons for it). Ways of annotating
are where they always are.

Letters of the left block change with the keyboard, so that they stay under the same finger; Ctrl+Z is a habit
and follows the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_pointanno.key_names import is_symbol, split_key
from napari_pointanno.keymap import Action

Keys = Mapping[Action, tuple[str, ...]]

_TWO_HANDS: Final[Keys] = {
    Action.OBJECT: ("F",),
    Action.BACKGROUND: ("J",),
    Action.UNSURE: ("U",),
    Action.STEP_BACK: ("Backspace",),
    Action.RESAMPLE: ("R",),
    Action.SINGLE_POINT: ("Q",),
    Action.BOX_POINTS: ("W",),
    Action.MULTI_POINT: ("T",),
    Action.MASK: ("M",),
    Action.REVIEW: ("E",),
    Action.NEXT: ("N",),
    Action.PREVIOUS: ("B",),
    Action.NEXT_UNLABELLED: ("Shift+N",),
    Action.GO_TO: ("G",),
    Action.DONE: ("D",),
    Action.COMPLETE: ("Shift+D",),
    Action.SKIP: ("K",),
    Action.FLAG: ("L",),
    Action.UNDO: ("Ctrl+Z",),
    Action.REDO: ("Ctrl+Shift+Z",),
    Action.CANCEL: ("Escape",),
    Action.DELETE: ("Delete",),
    Action.CONFIRM: ("Return", "Enter"),
    Action.REJECT: ("X",),
    Action.NEW_OBJECT: ("A",),
    Action.ERASE: ("S",),
    Action.POLYGON: ("O",),
    Action.SMALLER: ("-",),
    Action.LARGER: ("=", "+"),
    Action.HIDE: ("H",),
    Action.PREVIEW: ("P",),
    Action.INSTANT: ("I",),
    Action.FAINTER: ("[",),
    Action.STRONGER: ("]",),
    Action.PAUSE: ("F10",),
    Action.KEYS: ("?", "F1"),
    Action.PAN: ("Space",),
}

_LEFT_HAND: Final[Keys] = {
    **_TWO_HANDS,
    Action.BACKGROUND: ("D",),
    Action.UNSURE: ("S",),
    Action.STEP_BACK: ("A", "Backspace"),
    Action.MASK: ("Shift+Q",),
    Action.NEXT: ("V",),
    Action.PREVIOUS: ("C",),
    Action.NEXT_UNLABELLED: ("Shift+V",),
    Action.GO_TO: ("Shift+G",),
    Action.DONE: ("B",),
    Action.COMPLETE: ("Shift+C",),
    Action.SKIP: ("Shift+B",),
    Action.FLAG: ("Shift+F",),
    Action.DELETE: ("Shift+D", "Delete"),
    Action.CONFIRM: ("G", "Return", "Enter"),
    Action.NEW_OBJECT: ("Shift+A",),
    Action.ERASE: ("Shift+S",),
    Action.POLYGON: ("Shift+W",),
    Action.SMALLER: ("Shift+Z", "-"),
    Action.LARGER: ("Shift+X", "=", "+"),
    Action.HIDE: ("Z",),
    Action.PREVIEW: ("Shift+E",),
    Action.PAUSE: ("F4", "F10"),
    Action.KEYS: ("F1", "?"),
}

# where a keyboard has no such sign, or only with a key of the digits, its neighbours in the same place
_SIGNS: Final[Mapping[str, Keys]] = {
    "qwerty": {},
    "qwertz": {
        Action.LARGER: ("+",),
        Action.FAINTER: ("Ö",),
        Action.STRONGER: ("Ä",),
    },
    "azerty": {
        Action.SMALLER: (")",),
        Action.LARGER: ("=",),
        Action.FAINTER: (";",),
        Action.STRONGER: (":",),
    },
}

_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "qwerty": {},
    "qwertz": {"Z": "Y"},
    "azerty": {"Q": "A", "W": "Z", "A": "Q", "Z": "W"},
}
"""Letters of the left block of QWERTY to those in the same place."""

KEYBOARDS: Final = tuple(_PLACES)
DEFAULT_LAYOUT: Final = "qwerty"
LEFT_HAND: Final = "left-"
LAYOUTS: Final = (*KEYBOARDS, *(LEFT_HAND + keyboard for keyboard in KEYBOARDS))
"""Names as in the preferences."""


def layout_keys(layout: str) -> dict[Action, tuple[str, ...]]:
    """The keys of every action.

    Raises
    ------
    KeyError
        If there is no such layout; names are `LAYOUTS`.
    """
    keyboard = layout.removeprefix(LEFT_HAND)
    if keyboard not in KEYBOARDS:
        raise KeyError(f"layout {layout!r} is not known; choose one of {', '.join(LAYOUTS)}")
    signs = _SIGNS[keyboard]
    keys = {}
    for action, written in (_LEFT_HAND if layout.startswith(LEFT_HAND) else _TWO_HANDS).items():
        if action in signs:
            written = (*(key for key in written if not is_symbol(key)), *signs[action])
        keys[action] = tuple(_in_place(key, keyboard) for key in written)
    return keys


def _in_place(key: str, keyboard: str) -> str:
    """The key under the same finger; combinations with Ctrl stay."""
    *modifiers, last = split_key(key)
    return key if "Ctrl" in modifiers else "+".join([*modifiers, _PLACES[keyboard].get(last, last)])
