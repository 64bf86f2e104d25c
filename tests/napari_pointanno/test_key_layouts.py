from __future__ import annotations

import pytest

from napari_pointanno.key_choice import choose_keys
from napari_pointanno.key_layouts import LAYOUTS, layout_keys
from napari_pointanno.key_names import RESERVED, parse_key, split_key
from napari_pointanno.keymap import FIXED, Action

LEFT_BLOCK = {
    "left-qwerty": set("QWERTASDFGZXCVB"),
    "left-qwertz": set("QWERTASDFGYXCVB"),
    "left-azerty": set("AZERTQSDFGWXCVB"),
}
UNDER_THE_HAND = (
    Action.OBJECT, Action.BACKGROUND, Action.UNSURE, Action.STEP_BACK, Action.NEXT, Action.PREVIOUS,
    Action.NEXT_UNLABELLED, Action.DONE, Action.SKIP, Action.FLAG, Action.GO_TO, Action.CONFIRM, Action.REJECT,
    Action.RESAMPLE, Action.DELETE, Action.HIDE, Action.NEW_OBJECT, Action.ERASE, Action.POLYGON, Action.SMALLER,
    Action.LARGER, Action.PREVIEW, Action.SINGLE_POINT, Action.BOX_POINTS, Action.MULTI_POINT, Action.MASK,
    Action.REVIEW,
)  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_key_is_given_twice_and_none_is_reserved(layout: str) -> None:
    assert choose_keys(layout).problems == ()  # a key that is given twice is refused there
    for action, keys in layout_keys(layout).items():
        assert keys, action
        if action not in FIXED:
            assert all(parse_key(key) == key for key in keys)
    used = {key for action, keys in layout_keys(layout).items() if action not in FIXED for key in keys}
    assert not used & set(RESERVED)


@pytest.mark.parametrize(("layout", "block"), LEFT_BLOCK.items())
def test_the_left_hand_reaches_what_is_needed(layout: str, block: set[str]) -> None:
    keys = layout_keys(layout)
    for action in UNDER_THE_HAND:
        *modifiers, last = split_key(keys[action][0])
        assert last in block, action
        assert modifiers in ([], ["Shift"])


def test_left_hand_letters_stay_under_the_same_finger() -> None:
    assert layout_keys("left-qwerty")[Action.STEP_BACK][0] == "A"
    assert layout_keys("left-azerty")[Action.STEP_BACK][0] == "Q"
    assert layout_keys("left-qwertz")[Action.HIDE] == ("Y",)
    assert layout_keys("left-azerty")[Action.SMALLER] == ("Shift+W", ")")


def test_signs_that_a_keyboard_lacks_are_replaced() -> None:
    assert layout_keys("azerty")[Action.SMALLER] == (")",)  # its minus is the key of the digit 6
    assert layout_keys("qwertz")[Action.FAINTER] == ("Ö",)  # its bracket is the key of the digit 8
    assert layout_keys("azerty")[Action.UNDO] == ("Ctrl+Z",)


def test_an_unknown_layout_is_named() -> None:
    with pytest.raises(KeyError, match="'dvorak' is not known"):
        layout_keys("dvorak")
