from __future__ import annotations

import pytest

from napari_pointanno.key_names import RESERVED, parse_key, parse_keys, pretty, split_key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("f", "F"),
        ("ctrl+z", "Ctrl+Z"),
        ("SHIFT+Control+z", "Ctrl+Shift+Z"),  # in whatever order
        ("cmd+Y", "Ctrl+Y"),  # Qt calls the command key of a Mac Ctrl
        ("esc+", None),
        ("del", "Delete"),
        ("PageUp", "PgUp"),
        ("f6", "F6"),
        ("ö", "Ö"),
        ("?", "?"),
        ("+", "+"),
        ("ctrl++", "Ctrl++"),
        ("plus", "+"),
        ("comma", ","),
    ],
)
def test_keys_as_people_write_them(written: str, key: str | None) -> None:
    if key is None:
        with pytest.raises(ValueError, match="no key"):
            parse_key(written)
    else:
        assert parse_key(written) == key


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("5", "digits choose classes"),
        ("Shift+5", "digits choose classes"),
        ("ctrl+q", "Ctrl+Q cannot be given away: napari needs it for quitting"),
        ("Ctrl+W", "closing the window"),
        ("space", "moves the picture"),
        ("Esc", "always cancels"),
        ("Tab", "next control"),
        ("Alt+F", "belong to menus"),
        ("Wheel", "the wheel zooms"),
        ("Shift+/", "write the sign that Shift gives"),
        ("Strg+Z", "Strg is none of Ctrl, Alt, Meta and Shift"),
        ("bogus", "write a letter, a sign, or a name"),
        ("+F", "nothing is none of"),
    ],
)
def test_what_cannot_be_a_key(written: str, why: str) -> None:
    with pytest.raises(ValueError, match="(no key|given away)") as caught:
        parse_key(written)
    assert why in str(caught.value)


def test_several_keys_and_none() -> None:
    assert parse_keys("  a   Backspace a ") == ("A", "Backspace")
    assert parse_keys("None") == ()


def test_a_key_is_written_back_as_it_was_read() -> None:
    for key in ("F", "Ctrl+Shift+Z", "+", "Ctrl++", "?", "PgDown"):
        assert parse_key(key) == key
        assert "+".join(split_key(key)) == key
    for key in RESERVED:
        with pytest.raises(ValueError, match="given away"):
            parse_key(key)


def test_as_it_stands_on_keyboards() -> None:
    assert pretty("Escape") == "Esc"
    assert pretty("Return") == "Enter"
    assert pretty("Ctrl+Z", "darwin") == "Cmd+Z"
    assert pretty("Ctrl+Z", "linux") == "Ctrl+Z"
    assert pretty("+") == "+"
