"""What napari's Preferences hold for this plugin; napari before 0.9 has no such page, and the defaults stand."""

from __future__ import annotations

from typing import Any


def keeps_worker_ready() -> bool:
    """Whether a worker is started with the dock, so that a training begins seconds earlier."""
    return bool(_setting("training", "keep_worker_ready", True))


def _setting(group: str, name: str, default: Any) -> Any:
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return default
    try:
        return getattr(getattr(get_plugin_settings("pointanno"), group), name)
    except (AttributeError, KeyError):  # the manifest of another version is installed
        return default
