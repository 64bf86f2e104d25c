"""From a layout and what a person wants otherwise to the keys of a session, with every clash in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_pointanno.key_layouts import DEFAULT_LAYOUT, LAYOUTS, layout_keys
from napari_pointanno.key_names import parse_keys, pretty
from napari_pointanno.keymap import FIXED, Action, KeyMap

REMAPPABLE: Final = tuple(action for action in Action if action not in FIXED)
"""Actions that have a line in the preferences."""

ADVICE: Final = "choose another key in the preferences (command “keys and preferences”)"


def choose_keys(
    layout: str = DEFAULT_LAYOUT, *, swap_answers: bool = False, wishes: Mapping[str, str] | None = None
) -> KeyMap:
    """The keys of a session. Whatever is wrong is reported in `KeyMap.problems`, and the rest works.

    Parameters
    ----------
    layout : str
        One of `LAYOUTS`; another one counts as the default.
    swap_answers : bool
        Exchange the keys of object and background, whatever they are: half of the annotators of a study do so,
        lest a preferred hand looks like a preferred answer.
    wishes : mapping
        Value of an `Action` to the keys it shall have instead, as `parse_keys` reads them; empty for those of the
        layout.

    Notes
    -----
    An action whose wish cannot be had gets the keys of the layout that are still free, else none. Wishes come
    before: who gives the key of one action to another one has to give that one another key as well.
    """
    problems: list[str] = []
    if layout not in LAYOUTS:
        problems.append(f"keys: layout {layout!r} is not known, {DEFAULT_LAYOUT} is used; one of {', '.join(LAYOUTS)}")
        layout = DEFAULT_LAYOUT
    given = layout_keys(layout)
    wanted = _read_wishes(wishes or {}, problems)
    owners = {key: action for action, keys in given.items() if action not in wanted for key in keys}
    granted: dict[Action, tuple[str, ...]] = {}
    refused: dict[Action, list[tuple[str, Action]]] = {}
    for action, keys in wanted.items():
        for key in keys:
            if key in owners:
                refused.setdefault(action, []).append((key, owners[key]))
            else:
                owners[key] = action
        granted[action] = tuple(key for key in keys if owners[key] is action)
    for action, clashes in refused.items():
        if not granted[action]:  # nothing is left of the wish: what the layout says, where it is free
            granted[action] = tuple(key for key in given[action] if owners.setdefault(key, action) is action)
        for key, owner in clashes:
            keeps = " ".join(pretty(one) for one in granted[action])
            problems.append(
                f"keys: {_name(action)} cannot have {pretty(key)}, the key of {_name(owner)}; "
                f"it {'has ' + keeps if keeps else 'has no key now'}, {ADVICE}"
            )
    final = {action: granted.get(action, given[action]) for action in given}
    if swap_answers:
        final[Action.OBJECT], final[Action.BACKGROUND] = final[Action.BACKGROUND], final[Action.OBJECT]
    return KeyMap(final, tuple(problems), layout)


def _read_wishes(wishes: Mapping[str, str], problems: list[str]) -> dict[Action, tuple[str, ...]]:
    """What is wanted and can be read, in the order of the actions."""
    wanted = {}
    by_value = {action.value: action for action in REMAPPABLE}
    for name in wishes:
        if name not in by_value:
            problems.append(f"keys: {name!r} is no action with a key of its own; actions are {', '.join(by_value)}")
    for name, action in by_value.items():
        text = wishes.get(name, "")
        if not text.strip():
            continue
        try:
            wanted[action] = parse_keys(text)
        except ValueError as error:
            problems.append(f"keys: {_name(action)}: {error}; it keeps its key, {ADVICE}")
    return wanted


def _name(action: Action) -> str:
    return action.value.replace("_", " ")


DEFAULT_KEYS: Final = choose_keys()
"""What holds where nobody has chosen anything."""
