from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from napari_pointanno import preferences
from napari_pointanno.key_choice import choose_keys
from napari_pointanno.keymap import Action, KeyMap


class Chosen:
    """Preferences that a test changes while the session runs."""

    def __init__(self) -> None:
        self.keymap = choose_keys()
        self.callbacks: list[Callable[[str], None]] = []

    def on_change(self, callback: Callable[[str], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def change(self, keymap: KeyMap, group: str = preferences.KEYBOARD) -> None:
        self.keymap = keymap
        for callback in list(self.callbacks):
            callback(group)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Chosen:
    made = Chosen()
    monkeypatch.setattr(preferences, "chosen_keys", lambda: made.keymap)
    monkeypatch.setattr(preferences, "on_change", made.on_change)
    return made


@pytest.fixture
def ready(chosen: Chosen, desktop: Any) -> tuple[Chosen, Any]:
    """The session starts on the preferences of the test."""
    return chosen, desktop


def test_other_keys_work_at_once(ready: tuple[Chosen, Any]) -> None:
    chosen, desktop = ready
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    assert "F yes · J no" in desktop.canvas.drawing.question.text
    chosen.change(choose_keys("left-qwerty"))
    assert desktop.canvas.keymap.action("D") is Action.BACKGROUND
    assert "F yes · D no · S unsure" in desktop.canvas.drawing.question.text
    assert desktop.view.show_keys.call_args.args[0].layout == "left-qwerty"
    desktop.person.key("D")
    (answer,) = desktop.events("answer")
    assert answer.payload["value"] == "background"
    (event,) = desktop.events("keys_set")
    assert (event.payload["layout"], event.payload["keys"]["D"]) == ("left-qwerty", "background")


def test_the_log_begins_with_the_keys(ready: tuple[Chosen, Any]) -> None:
    (start,) = ready[1].events("session_start")
    assert start.payload["keys"]["J"] == "background"
    assert start.payload["layout"] == "qwerty"


def test_a_problem_is_told_once_and_only_with_the_keyboard_at_the_canvas(ready: tuple[Chosen, Any]) -> None:
    chosen, desktop = ready
    assert desktop.notified() == []
    desktop.canvas.handler.on_focus(False, 1, "window")
    for half in ("C", "Ct", "Ctrl+", "Ctrl+Q"):  # while it is typed
        chosen.change(choose_keys(wishes={"skip": half}))
    assert desktop.notified() == []
    for at_ns in (2, 3):
        desktop.canvas.handler.on_focus(True, at_ns, "canvas")
    (sentence,) = desktop.notified()
    assert "skip: Ctrl+Q cannot be given away" in sentence
    assert desktop.canvas.keymap.action("K") is Action.SKIP


def test_problems_from_the_start_are_told_and_many_are_counted(chosen: Chosen, request: pytest.FixtureRequest) -> None:
    chosen.keymap = choose_keys(wishes=dict.fromkeys(("skip", "flag", "done", "next", "hide"), "F"))
    desktop = request.getfixturevalue("desktop")
    told = desktop.notified()
    assert len(told) == 4
    assert told[-1] == "keys: 2 more keys of the preferences cannot be had"


def test_how_annotating_looks_is_drawn_anew(ready: tuple[Chosen, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, desktop = ready
    drawn: list[object] = []
    monkeypatch.setattr(desktop.canvas, "draw", drawn.append)
    chosen.change(chosen.keymap, preferences.ANNOTATION)
    assert drawn
    drawn.clear()
    chosen.change(chosen.keymap, preferences.TRAINING)
    assert drawn == []


def test_a_closed_session_follows_no_longer(ready: tuple[Chosen, Any]) -> None:
    chosen, desktop = ready
    desktop.controller.close()
    assert chosen.callbacks == []


def test_swapped_answers_are_answers(chosen: Chosen, request: pytest.FixtureRequest) -> None:
    chosen.keymap = choose_keys(swap_answers=True)
    desktop = request.getfixturevalue("desktop")
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    desktop.person.key("J")
    (answer,) = desktop.events("answer")
    assert answer.payload["value"] == "object"


def test_the_bracket_keys_ask_for_another_opacity(desktop: Any) -> None:
    steps: list[int] = []
    desktop.controller.opacity_stepped.connect(steps.append)
    for key in "[]]":
        desktop.person.key(key)
    assert steps == [-1, 1, 1]
