"""How keys are written: what people type, what the window delivers, what is not to be given away.

A key is written the way Qt writes key sequences (``"Ctrl+Shift+Z"``); letters are upper case, other
characters are the symbol itself, whatever modifier a keyboard needs for it (``"?"``, never ``"Shift+/"``).
"""

from __future__ import annotations

import sys
from typing import Final

MODIFIERS: Final = ("Ctrl", "Alt", "Meta", "Shift")
"""In the order in which they are written."""

_MODIFIER_NAMES: Final = {
    "ctrl": "Ctrl", "control": "Ctrl", "cmd": "Ctrl", "command": "Ctrl", "alt": "Alt", "option": "Alt",
    "meta": "Meta", "win": "Meta", "super": "Meta", "shift": "Shift",
}  # fmt: skip

_NAMES: Final = {
    "esc": "Escape", "escape": "Escape", "del": "Delete", "delete": "Delete", "backspace": "Backspace",
    "return": "Return", "enter": "Enter", "space": "Space", "tab": "Tab", "ins": "Ins", "insert": "Ins",
    "home": "Home", "end": "End", "pgup": "PgUp", "pageup": "PgUp", "pgdown": "PgDown", "pagedown": "PgDown",
    "left": "Left", "right": "Right", "up": "Up", "down": "Down", "comma": ",", "period": ".", "minus": "-",
    "plus": "+", **{f"f{n}": f"F{n}" for n in range(1, 25)},
}  # fmt: skip

_PRETTY: Final = {"Escape": "Esc", "Return": "Enter", "Enter": "Enter (pad)", "PgUp": "Page Up", "PgDown": "Page Down"}

_NAPARI: Final = "napari needs it for {}"
RESERVED: Final[dict[str, str]] = {
    "Space": "it moves the picture while it is held",
    "Escape": "it always cancels",
    "Tab": "it moves the keyboard to the next control",
    "Shift+Tab": "it moves the keyboard to the control before",
    "Ctrl+Q": _NAPARI.format("quitting"),
    "Ctrl+W": _NAPARI.format("closing the window"),
    "Ctrl+M": _NAPARI.format("its menus"),
    "Ctrl+N": _NAPARI.format("an image of the clipboard"),
    "Ctrl+O": _NAPARI.format("opening files"),
    "Ctrl+Shift+O": _NAPARI.format("opening folders"),
    "Ctrl+S": _NAPARI.format("saving layers"),
    "Ctrl+U": _NAPARI.format("linking cameras"),
    "Ctrl+Shift+P": _NAPARI.format("its command palette"),
    "Ctrl+F11": _NAPARI.format("the full screen"),
    "Ctrl+,": _NAPARI.format("its preferences"),
    "Ctrl+/": _NAPARI.format("its help"),
    "Ctrl+-": _NAPARI.format("zooming"),
    "Ctrl+=": _NAPARI.format("zooming"),
}
"""Keys that no action can have, and why."""


def parse_keys(text: str) -> tuple[str, ...]:
    """The keys of an action as a person wrote them.

    Parameters
    ----------
    text : str
        One or several keys with blanks between them, such as ``"ctrl+z Backspace"``; ``"none"`` for no key.

    Raises
    ------
    ValueError
        If a part is no key, or one that is reserved; the text says why, beginning with the key.
    """
    if text.strip().lower() == "none":
        return ()
    return tuple(dict.fromkeys(parse_key(part) for part in text.split()))


def parse_key(text: str) -> str:
    """One key in the form that the window delivers.

    Raises
    ------
    ValueError
        As for `parse_keys`.
    """
    *held, last = split_key(text)
    modifiers = set()
    for part in held:
        name = _MODIFIER_NAMES.get(part.lower())
        if name is None:
            raise ValueError(f"{text} is no key: {part or 'nothing'} is none of Ctrl, Alt, Meta and Shift")
        modifiers.add(name)
    if last.lower() in ("wheel", "scroll"):
        raise ValueError(f"{text} cannot be given away: the wheel zooms")
    key = _NAMES.get(last.lower()) or (last.upper() if len(last) == 1 and last.isprintable() else "")
    if not key:
        raise ValueError(f"{text} is no key: write a letter, a sign, or a name such as Backspace or F6")
    if key.isdigit():
        raise ValueError(f"{text} cannot be given away: digits choose classes")
    if modifiers == {"Shift"} and is_symbol(key):
        raise ValueError(f"{text} is no key: write the sign that Shift gives, such as ? or +")
    written = "+".join([*(name for name in MODIFIERS if name in modifiers), key])
    reason = RESERVED.get(written)
    if reason is None and modifiers & {"Alt", "Meta"}:
        reason = "Alt and the system key belong to menus and the desktop"
    if reason is not None:
        raise ValueError(f"{written} cannot be given away: {reason}")
    return written


def split_key(text: str) -> list[str]:
    """Modifiers and key; a plus sign parts them, and is the key itself where it stands last."""
    if text == "+" or text.endswith("++"):
        return [*text[:-1].split("+")[:-1], "+"]
    return text.split("+")


def is_symbol(key: str) -> bool:
    """Whether a key is a sign, for which Shift is only the way to reach it."""
    return len(key) == 1 and not key.isalnum() and not key.isspace()


def pretty(key: str, platform: str = sys.platform) -> str:
    """A key as it stands on keyboards: ``"Esc"``, on a Mac ``"Cmd+Z"``."""
    *modifiers, last = split_key(key)
    if platform == "darwin":
        modifiers = [{"Ctrl": "Cmd", "Alt": "Option", "Meta": "Ctrl"}.get(name, name) for name in modifiers]
    return "+".join([*modifiers, _PRETTY.get(last, last)])
