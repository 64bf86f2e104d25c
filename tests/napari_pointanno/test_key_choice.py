from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_pointanno.key_choice import DEFAULT_KEYS, REMAPPABLE, choose_keys
from napari_pointanno.key_layouts import LAYOUTS
from napari_pointanno.keymap import Action


def test_a_wish_is_granted() -> None:
    keymap = choose_keys(wishes={"unsure": "z", "undo": "ctrl+y V"})
    assert keymap.problems == ()
    assert keymap.action("Z") is Action.UNSURE
    assert keymap.action("U") is None
    assert keymap.keys[Action.UNDO] == ("Ctrl+Y", "V")
    assert keymap.action("F") is Action.OBJECT


def test_keys_can_change_places() -> None:
    keymap = choose_keys(wishes={"object": "J", "background": "F"})
    assert keymap.problems == ()
    assert (keymap.action("J"), keymap.action("F")) == (Action.OBJECT, Action.BACKGROUND)


def test_swapped_answers_follow_whatever_keys_there_are() -> None:
    assert choose_keys(swap_answers=True).answers() == "J yes · F no · U unsure"
    assert choose_keys("left-qwerty", swap_answers=True).answers() == "D yes · F no · S unsure"
    assert choose_keys(swap_answers=True, wishes={"object": "V"}).answers() == "J yes · V no · U unsure"


def test_the_key_of_another_action_is_refused_in_words() -> None:
    keymap = choose_keys(wishes={"unsure": "F"})
    assert keymap.problems == (
        "keys: unsure cannot have F, the key of object; it has U, "
        "choose another key in the preferences (command “keys and preferences”)",
    )
    assert keymap.keys == DEFAULT_KEYS.keys


def test_two_wishes_for_one_key() -> None:
    keymap = choose_keys(wishes={"skip": "V", "flag": "V"})
    (problem,) = keymap.problems
    assert "flag cannot have V, the key of skip; it has L" in problem
    assert (keymap.action("V"), keymap.action("L")) == (Action.SKIP, Action.FLAG)


def test_a_refused_wish_whose_own_key_is_gone_has_none() -> None:
    keymap = choose_keys(wishes={"object": "V", "background": "F", "skip": "V", "flag": "K"})
    assert keymap.keys[Action.SKIP] == ()  # wanted V, and its K went to flag
    assert any("skip cannot have V" in problem and "no key now" in problem for problem in keymap.problems)
    assert keymap.keys[Action.FLAG] == ("K",)


def test_what_is_left_of_a_wish_is_kept() -> None:
    keymap = choose_keys(wishes={"done": "V F"})
    assert keymap.keys[Action.DONE] == ("V",)
    assert len(keymap.problems) == 1


def test_reserved_keys_unknown_actions_and_layouts_are_told() -> None:
    keymap = choose_keys("dvorak", wishes={"next": "Ctrl+Q", "done": "7", "dance": "V", "pan": "V", "hide": ""})
    text = " | ".join(keymap.problems)
    assert "'dvorak' is not known, qwerty is used" in text
    assert "next: Ctrl+Q cannot be given away: napari needs it for quitting; it keeps its key" in text
    assert "done: 7 cannot be given away: digits choose classes" in text
    assert "'dance' is no action" in text
    assert "'pan' is no action" in text
    assert len(keymap.problems) == 5
    assert keymap.keys == DEFAULT_KEYS.keys


def test_an_action_can_do_without_a_key() -> None:
    keymap = choose_keys(wishes={"delete": "none"})
    assert keymap.keys[Action.DELETE] == ()
    assert keymap.problems == ()


_KEYS = st.lists(
    st.sampled_from([*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "Ctrl+Q", "5", "Ctrl+Z", "?", "none", "junk+x", "Shift+A"]),
    max_size=2,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    layout=st.sampled_from([*LAYOUTS, "other"]),
    swap=st.booleans(),
    wishes=st.dictionaries(st.sampled_from([action.value for action in REMAPPABLE]), _KEYS),
)
def test_whatever_is_wished_the_map_works(layout: str, swap: bool, wishes: dict[str, str]) -> None:
    keymap = choose_keys(layout, swap_answers=swap, wishes=wishes)  # a clash would be a ValueError
    given_keys = [key for keys in keymap.keys.values() for key in keys]
    assert len(given_keys) == len(set(given_keys))
    assert keymap.action("Escape") is Action.CANCEL
    if not keymap.problems and not swap:  # then everybody has got what he wanted
        for name, text in wishes.items():
            wanted = [key for key in text.split() if key != "none"]
            if wanted:
                assert set(keymap.keys[Action(name)]) >= set(wanted) - {"none"}


def test_the_order_of_wishes_makes_no_difference() -> None:
    wishes = [("unsure", "K"), ("skip", "V"), ("flag", "V")]
    assert len({str(choose_keys(wishes=dict(some)).keys) for some in permutations(wishes)}) == 1
