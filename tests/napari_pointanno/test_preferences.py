from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from npe2 import PluginManifest

from napari_pointanno import preferences
from napari_pointanno.key_choice import DEFAULT_KEYS, REMAPPABLE
from napari_pointanno.key_layouts import LAYOUTS
from napari_pointanno.keymap import Action

TOP = Path(__file__).parents[2]
REAL_SETTINGS = preferences._plugin_settings


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """As the manifest of this checkout declares them."""
    groups: dict[str, Any] = dict(PluginManifest.from_file(TOP / "napari.yaml").contributions.configurations)
    monkeypatch.setattr(preferences, "declared", lambda: groups)
    preferences._read_file.cache_clear()
    return groups


@pytest.fixture
def page(request: pytest.FixtureRequest, npe2pm: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What napari keeps for the plugin of this checkout."""
    if not preferences.has_page():
        pytest.skip("napari before 0.9 has no preferences of plugins")
    request.getfixturevalue("plugin_settings")
    npe2pm.register(PluginManifest.from_file(TOP / "napari.yaml"))
    monkeypatch.setattr(preferences, "_plugin_settings", REAL_SETTINGS)
    from napari.settings import get_plugin_settings

    yield get_plugin_settings("pointanno")


@pytest.fixture
def file(declared: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """napari before 0.9: the file holds."""
    monkeypatch.setattr(preferences, "has_page", lambda: False)
    path = preferences.file_path()
    path.parent.mkdir(parents=True)
    return path


def _read_all() -> tuple[object, ...]:
    return (
        preferences.keeps_worker_ready(),
        preferences.shows_question_near_point(),
        preferences.answered_points(),
        preferences.question_zoom(),
        preferences.box_margin(),
        preferences.chosen_keys(),
    )


DEFAULTS = (True, True, "shrink", None, 0.25, DEFAULT_KEYS)


def test_the_manifest_declares_every_key_and_layout(declared: dict[str, Any]) -> None:
    keyboard = declared["keyboard"].properties
    assert set(keyboard) == {"layout", "swap_answers", *(action.value for action in REMAPPABLE)}
    assert keyboard["layout"].enum == list(LAYOUTS)
    for action in REMAPPABLE:  # what a person reads beside the field is true
        assert keyboard[action.value].title.endswith(f"({' '.join(DEFAULT_KEYS.keys[action])})")


def test_without_any_source_the_defaults_hold() -> None:
    assert _read_all() == DEFAULTS


def test_defaults_of_code_page_and_file_agree(page: Any) -> None:
    assert _read_all() == DEFAULTS


def test_the_defaults_of_the_file_agree(file: Path) -> None:
    assert _read_all() == DEFAULTS
    file.write_text("".join(line.removeprefix("# ") if " = " in line else line for line in _template_lines()))
    data = tomllib.loads(file.read_text())
    assert len(data["keyboard"]) == len(REMAPPABLE) + 2
    assert _read_all() == DEFAULTS


def _template_lines() -> list[str]:
    return preferences.file_template().splitlines(keepends=True)


def test_what_napari_keeps_is_used_and_told_at_once(page: Any) -> None:
    told: list[str] = []
    end = preferences.on_change(told.append)
    page.keyboard.layout = "left-qwerty"
    page.keyboard.unsure = "v"
    page.annotation.answered_points = "hide"
    page.annotation.fixed_zoom = True
    page.annotation.box_margin = 50
    assert told == ["keyboard", "keyboard", "annotation", "annotation", "annotation"]
    keymap = preferences.chosen_keys()
    assert keymap.action("D") is Action.BACKGROUND
    assert "unsure cannot have V, the key of next" in keymap.problems[0]
    assert preferences.answered_points() == preferences.HIDE
    assert preferences.question_zoom() == 8.0
    assert preferences.box_margin() == 0.5
    end()
    page.keyboard.swap_answers = True
    assert len(told) == 5


def test_napari_refuses_what_is_out_of_range(page: Any) -> None:
    for group, name, value in (
        ("keyboard", "layout", "dvorak"),
        ("annotation", "zoom", 0),
        ("annotation", "zoom", "x"),
    ):
        with pytest.raises(ValueError, match=name):
            setattr(getattr(page, group), name, value)


def test_it_survives_a_restart(page: Any) -> None:
    from napari import settings

    page.keyboard.object = "K"
    settings._clear_plugin_settings_cache()
    assert preferences.chosen_keys().problems[0].startswith("keys: object cannot have K, the key of skip")
    assert settings.get_plugin_settings("pointanno").keyboard.object == "K"


def test_a_file_of_before_napari_0_9(file: Path) -> None:
    file.write_text('[keyboard]\nlayout = "azerty"\nflag = "ctrl+k"\n[annotation]\nfixed_zoom = true\nzoom = 4\n')
    keymap = preferences.chosen_keys()
    assert keymap.problems == ()
    assert (keymap.layout, keymap.keys[Action.FLAG]) == ("azerty", ("Ctrl+K",))
    assert preferences.question_zoom() == 4.0
    file.write_text('[keyboard]\nlayout = "qwertz"\n')
    assert preferences.chosen_keys().layout == "qwertz"  # the next session reads it again


def test_every_mistake_in_the_file_is_named_and_the_rest_holds(file: Path) -> None:
    file.write_text(
        "[keyboard]\nlayout = 'dvorak'\nflagg = 'V'\nskip = 3\ndone = 'V'\n[annotation]\nzoom = 1000\n[extra]\na = 1\n"
    )
    keymap = preferences.chosen_keys()
    assert keymap.keys[Action.DONE] == ("V",)
    assert preferences.question_zoom() is None
    text = "\n".join(keymap.problems)
    assert all(line.startswith(str(file)) for line in keymap.problems)
    for part in (
        "[keyboard] layout: 'dvorak' is not one of",
        "[keyboard] has no 'flagg'; it has layout",
        "[keyboard] skip: 3 is not of type 'string'",
        "[annotation] zoom: 1000 is greater than the maximum of 100",
        "'extra' is no group of preferences; groups are annotation, keyboard, training",
    ):
        assert part in text, part
    assert len(keymap.problems) == 5


def test_a_file_that_is_no_toml_changes_nothing(file: Path) -> None:
    file.write_text("[keyboard\n")
    keymap = preferences.chosen_keys()
    assert keymap.keys == DEFAULT_KEYS.keys
    (problem,) = keymap.problems
    assert problem.startswith(f"{file}: cannot be read as TOML")
    file.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in preferences.chosen_keys().problems[0]


def test_the_file_is_made_with_comments_and_never_overwritten(file: Path) -> None:
    assert preferences.write_file() == file
    text = file.read_text()
    assert tomllib.loads(text) == {"annotation": {}, "keyboard": {}, "training": {}}
    assert "# The keyboard; with left-" not in text.splitlines()[0]
    assert '# layout = "qwerty"' in text
    assert "One of shrink, hide." in text
    file.write_text("# mine\n")
    preferences.write_file()
    assert file.read_text() == "# mine\n"


def test_a_napari_without_such_a_page_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    import napari.settings

    monkeypatch.delattr(napari.settings, "get_plugin_settings", raising=preferences.has_page())
    assert not preferences.has_page()
    assert REAL_SETTINGS() is None
    preferences.on_change(lambda group: None)()  # ending what never began is no error


def test_where_the_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    path = preferences.file_path()
    assert path.name == "preferences.toml"
    assert path.parent.name == "pointanno"
