from __future__ import annotations

from napari_pointanno.keymap import HELD, KEYS, SHEET, Action, digit_action


def test_every_action_has_a_key_or_is_a_digit() -> None:
    digits = {Action.CLASS, Action.ABSENT, Action.SEARCH}
    assert set(KEYS.values()) | digits == set(Action)


def test_no_key_is_given_twice() -> None:
    assert len(set(KEYS.values())) == len(KEYS)


def test_digits() -> None:
    assert digit_action(3, shift=False) is Action.CLASS
    assert digit_action(3, shift=True) is Action.ABSENT
    assert digit_action(0, shift=False) is Action.SEARCH


def test_held_actions_are_bound() -> None:
    assert set(KEYS.values()) >= HELD


def test_the_sheet_names_every_letter_key() -> None:
    text = " ".join(keys for keys, _ in SHEET)
    for key in KEYS:
        if len(key) == 1:
            assert key in text
