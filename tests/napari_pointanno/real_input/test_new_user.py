"""Somebody who has read nothing: from the first window to ten answered points by what the window itself says."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.gui

POINTS = 10


def _button_that_says(state: dict[str, Any], pattern: str) -> tuple[str, re.Match[str]]:
    """The visible button whose words match, without ``pointanno_``."""
    for name, text in state["buttons"].items():
        found = re.search(pattern, text, re.IGNORECASE)
        if found is not None:
            return name.removeprefix("pointanno_"), found
    raise AssertionError(f"no button says {pattern!r}; there are {sorted(state['buttons'].values())}")


def _says(state: dict[str, Any], place: str, pattern: str) -> re.Match[str]:
    """What stands over the picture matches."""
    found = re.search(pattern, state["drawing"][place], re.IGNORECASE)
    assert found is not None, f"the {place} says {state['drawing'][place]!r}, expected {pattern!r}"
    return found


def test_the_window_says_all_that_a_new_user_needs(hands: Any) -> None:
    hands.open()
    state = hands.wait("a window that says something", lambda state: state["texts"].get("pointanno_prompt"))
    hands.photograph("new_user_1")

    # the first sentence names a way that needs nothing, and a button has that name
    assert re.search("try the demo", state["texts"]["pointanno_prompt"], re.IGNORECASE), state["texts"]
    name, _ = _button_that_says(state, "try the demo")
    hands.click_widget(name)
    session = hands.wait_session("the demo", lambda session: session["shown"])

    # the head of the picture says what to do with which class; a click does it
    state = hands.wait("a headline", lambda state: state["drawing"]["headline"])
    named = _says(state, "headline", r"click (?:every|on) (?P<name>\w+)")["name"]
    assert named == session["classes"][0]
    height, width = session["size"]
    hands.click(width * 0.5, height * 0.5)
    session = hands.wait_session("a point", lambda session: session["clicks"] == 1)
    hands.photograph("new_user_2")

    # points are answered in the other way of annotating; its button names its key
    state = hands.wait("the saved light", lambda state: "saved" in state["texts"].get("pointanno_saved", ""))
    _, found = _button_that_says(state, r"box \+ points\s*\((?P<key>\w)\)")
    hands.key(found["key"].lower())
    hands.wait_session("box mode", lambda session: session["mode"] == "box_points")
    state = hands.wait("a headline", lambda state: "box" in state["drawing"]["headline"])
    _says(state, "headline", rf"draw a box around a {named}")
    hands.drag(width * 0.3, height * 0.3, width * 0.6, height * 0.6)

    # each question names the class, its keys, and how far one is
    for number in range(1, POINTS + 1):
        progress = f"{number}/{POINTS}"
        state = hands.wait(
            f"question {progress}", lambda state, progress=progress: progress in state["drawing"]["question"]
        )
        _says(state, "question", rf"^{named}\?")
        answer = "yes" if number % 2 else "no"
        key = _says(state, "question", rf"(?P<key>\S+) {answer}\b")["key"]
        if number == 2:
            hands.photograph("new_user_3")
        hands.wait_session("a question that is timed", lambda session: session["shown"])
        hands.key(key.lower())
        hands.wait_session("its answer", lambda session, number=number: session["answers"] == number)

    # the box is done: the next step is said again, the count is there, and undo can be found
    hands.wait("the next step", lambda state: "box" in state["drawing"]["headline"])
    state = hands.wait("the count", lambda state: f"{POINTS + 1} points" in state["texts"]["pointanno_answered"])
    _button_that_says(state, "undo")
    name, _ = _button_that_says(state, r"\? keys")
    hands.click_widget(name)
    hands.photograph("new_user_4")
