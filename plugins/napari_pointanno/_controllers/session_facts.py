"""What the first event of a session says: versions, screen, keys, clock, and how everything stood when it began."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pointanno.timing.clock import SessionAnchor, slept_ns
from pointanno.timing.clock_facts import measure_clock

if TYPE_CHECKING:
    from napari_pointanno._controllers.desk import Desk


def session_facts(desk: Desk, anchor: SessionAnchor) -> dict[str, Any]:
    """The payload of `session_start`, as `pointanno.timing` reads it.

    Parameters
    ----------
    desk : Desk
    anchor : SessionAnchor
        Both clocks at the time of the event.
    """
    session, canvas = desk.session, desk.canvas
    return {
        "app": version("pointanno"),
        "napari": version("napari"),
        "os": platform.platform(),
        "keys": session.keymap.as_log(),
        "layout": session.keymap.layout,
        "mode": session.mode,
        "focus": canvas.has_focus(),
        "preview": desk.predictions is not None and desk.predictions.on,
        "utc_ns": anchor.utc_ns,
        "clock": measure_clock(),
        "boot_clock": slept_ns() is not None,
        **canvas.screen(),
        **desk.study_facts,
    }
