"""What a person has set: in napari's Preferences, or before napari 0.9, which has no such page, in a file.

The manifest (`contributions.configurations` of ``napari.yaml``) says which preferences there are, with their
defaults; both ways have the same groups and names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_pointanno._models.question_look import QuestionLook
from napari_pointanno.key_choice import REMAPPABLE, choose_keys
from napari_pointanno.key_layouts import DEFAULT_LAYOUT

if TYPE_CHECKING:
    from npe2.manifest.contributions import ConfigurationContribution

    from napari_pointanno.keymap import KeyMap

PLUGIN: Final = "pointanno"
KEYBOARD, ANNOTATION, TRAINING = "keyboard", "annotation", "training"
"""Groups of preferences."""

SHRINK, HIDE = "shrink", "hide"
"""What becomes of an answered point."""


def keeps_worker_ready() -> bool:
    """Whether a worker is started with the dock, so that a training begins seconds earlier."""
    return bool(_setting(TRAINING, "keep_worker_ready", True))


def shows_question_near_point() -> bool:
    """Whether the question stands beside the point that is asked, or at the top of the canvas."""
    return bool(_setting(ANNOTATION, "question_near_point", True))


def answered_points() -> str:
    """What becomes of the answered points of the object that is asked: `SHRINK` or `HIDE`."""
    return str(_setting(ANNOTATION, "answered_points", SHRINK))


def question_zoom() -> float | None:
    """Screen pixels for each pixel of the picture while points are asked; None to fit the object."""
    if not _setting(ANNOTATION, "fixed_zoom", False):
        return None
    return float(_setting(ANNOTATION, "zoom", 8.0))


def box_margin() -> float:
    """What is to be seen around the box of the asked object, as a fraction of its size on each side."""
    return float(_setting(ANNOTATION, "box_margin", 25.0)) / 100


def question_look() -> QuestionLook:
    """How questions are shown."""
    return QuestionLook(shows_question_near_point(), answered_points() == HIDE, question_zoom(), box_margin())


def chosen_keys() -> KeyMap:
    """The keys of a session, with what cannot be had in `KeyMap.problems`, that of the file included."""
    wishes = {action.value: str(_setting(KEYBOARD, action.value, "")) for action in REMAPPABLE}
    keymap = choose_keys(
        str(_setting(KEYBOARD, "layout", DEFAULT_LAYOUT)),
        swap_answers=bool(_setting(KEYBOARD, "swap_answers", False)),
        wishes=wishes,
    )
    return keymap if has_page() else replace(keymap, problems=(*read_file()[1], *keymap.problems))


def on_change(callback: Callable[[str], None]) -> Callable[[], None]:
    """Call back with the name of the group whenever a preference has changed while napari runs.

    napari tells of its own Preferences only; what changes in the file holds from the next session on.

    Parameters
    ----------
    callback : callable
        ``callback(group)``.

    Returns
    -------
    callable
        Ends it.
    """
    settings = _plugin_settings()
    if settings is None:
        return lambda: None

    def changed(event: Any) -> None:
        callback(str(event.key).partition(".")[0])

    settings.events.changed.connect(changed)

    def end() -> None:
        settings.events.changed.disconnect(changed)

    return end


def has_page() -> bool:
    """Whether napari has a page for the preferences of plugins, so that the file is not read."""
    try:
        from napari.settings import get_plugin_settings  # noqa: F401
    except ImportError:
        return False
    return True


def _plugin_settings() -> Any:
    """What napari keeps for us; None before napari 0.9, or if the plugin is not installed."""
    try:
        from napari.settings import get_plugin_settings

        return get_plugin_settings(PLUGIN)
    except (ImportError, KeyError):
        return None


def _setting(group: str, name: str, default: Any) -> Any:
    if has_page():
        # without the name the manifest of another version is installed
        return getattr(getattr(_plugin_settings(), group, None), name, default)
    return read_file()[0].get(group, {}).get(name, default)


# ------------------------------------------------------------------ the file


def file_path() -> Path:
    """Where the file of preferences lies, whether it exists or not."""
    from platformdirs import user_config_path

    return user_config_path(PLUGIN, appauthor=False) / "preferences.toml"


def declared() -> dict[str, ConfigurationContribution]:
    """Groups and preferences as the manifest declares them."""
    from npe2 import PluginManifest

    with resources.as_file(resources.files("pointanno_manifest") / "napari.yaml") as manifest:
        return dict(PluginManifest.from_file(manifest).contributions.configurations)


def read_file() -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """What the file says and can be used, by group and name, and what is wrong with the rest, in words."""
    path = file_path()
    try:
        at = path.stat()
    except OSError:
        return {}, ()
    return _read_file(path, at.st_mtime_ns, at.st_size)


@lru_cache(maxsize=1)
def _read_file(path: Path, _mtime_ns: int, _size: int) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """As `read_file`; read again only if the file has changed."""
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, (f"{path}: cannot be read as TOML ({error}), so the defaults hold; mend it or delete it",)
    values: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    groups = declared()
    for group, entries in data.items():
        if group not in groups or not isinstance(entries, dict):
            problems.append(f"{path}: {group!r} is no group of preferences; groups are {', '.join(groups)}")
            continue
        properties = groups[group].properties
        for name, value in entries.items():
            if name not in properties:
                problems.append(f"{path}: [{group}] has no {name!r}; it has {', '.join(properties)}")
            elif (wrong := _wrong(properties[name], value)) is not None:
                problems.append(f"{path}: [{group}] {name}: {wrong}; {properties[name].default!r} is used")
            else:
                values.setdefault(group, {})[name] = value
    return values, tuple(problems)


def _wrong(declared_property: Any, value: Any) -> str | None:
    """What is wrong with a value, in words; None if nothing is."""
    from npe2.manifest.contributions._json_schema import ValidationError

    try:
        declared_property.validate_instance(value)
    except ValidationError as error:
        return str(getattr(error, "message", error))
    return None


def write_file() -> Path:
    """Make the file, with a comment for every preference and all of them at their defaults; an existing one stays.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = file_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file_template(), encoding="utf-8")
    return path


def file_template() -> str:
    """The text of the file before anybody has changed anything: every line is a comment but for the groups."""
    lines = [
        "# Preferences of PointAnno. Take the # away before a line to change it; they hold from the next session on."
    ]
    for group, contribution in declared().items():
        lines += ["", f"# {contribution.title}", f"[{group}]"]
        for name, one in contribution.properties.items():
            about = ". ".join(text.rstrip(".") for text in (one.title, one.description) if text)
            choices = f" One of {', '.join(map(str, one.enum))}." if one.enum else ""
            lines += [f"# {about}.{choices}", f"# {name} = {_toml(one.default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A string, number or truth value as TOML writes it."""
    import json

    return json.dumps(value)
