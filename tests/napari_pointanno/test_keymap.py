from __future__ import annotations

import pytest

from napari_pointanno.key_choice import DEFAULT_KEYS
from napari_pointanno.keymap import FIXED, HELD, Action, KeyMap, digit_action

DIGITS = {Action.CLASS, Action.ABSENT, Action.SEARCH}


def test_every_action_has_a_key_or_is_a_digit() -> None:
    assert set(DEFAULT_KEYS.keys) | DIGITS == set(Action)
    assert all(DEFAULT_KEYS.keys.values())


def test_digits() -> None:
    assert digit_action(3, shift=False) is Action.CLASS
    assert digit_action(3, shift=True) is Action.ABSENT
    assert digit_action(0, shift=False) is Action.SEARCH
    assert FIXED >= DIGITS


def test_held_actions_are_bound() -> None:
    assert set(DEFAULT_KEYS.keys) >= HELD


def test_there_and_back() -> None:
    for action, keys in DEFAULT_KEYS.keys.items():
        assert all(DEFAULT_KEYS.action(key) is action for key in keys)
    assert DEFAULT_KEYS.action("V") is None
    assert DEFAULT_KEYS.as_log()["F"] == "object"
    assert len(DEFAULT_KEYS.as_log()) == sum(map(len, DEFAULT_KEYS.keys.values()))


def test_prompts_name_the_keys() -> None:
    keymap = KeyMap({Action.OBJECT: ("Ctrl+Shift+K",), Action.BACKGROUND: ("Return", "Enter"), Action.UNSURE: ()})
    assert keymap.text(Action.BACKGROUND) == "Enter"
    assert keymap.text(Action.UNSURE) == keymap.text(Action.MASK) == "no key"
    assert keymap.texts([Action.BACKGROUND, Action.UNSURE]) == "Enter / no key"
    assert keymap.answers().endswith("Shift+K yes · Enter no · no key unsure")


def test_one_key_cannot_mean_two_things() -> None:
    with pytest.raises(ValueError, match="F belongs to object and to unsure"):
        KeyMap({Action.OBJECT: ("F",), Action.UNSURE: ("F",)})
