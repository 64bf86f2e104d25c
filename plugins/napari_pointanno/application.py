"""napari with both docks on a project: what ``pointanno open`` and ``pointanno demo`` start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_pointanno._controllers import projects
from napari_pointanno.singleton_guard import guard_singletons
from napari_pointanno.workbench import Workbench, workbench

if TYPE_CHECKING:
    import napari

PLUGIN, ANNOTATE, TRAIN, STUDY = "pointanno", "Annotate", "Train & preview", "Study report"
WINDOW_SIZE = (1400, 900)
FRAME_HEIGHT = 40


def open_docks(viewer: napari.Viewer) -> Workbench:
    """Both docks in a viewer, *Annotate* in front; those that are open stay."""
    viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
    viewer.window.add_plugin_dock_widget(PLUGIN, TRAIN, tabify=True)
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
    dock.show()
    dock.raise_()
    bench = workbench(viewer)
    bench.attach_canvas(widget)
    return bench


def open_window(project: Path | None = None, *, demo: bool = False, show: bool = True) -> napari.Viewer:
    """A viewer with both docks, on a project if one is named.

    Raises
    ------
    InputError
        If the project cannot be opened; no window appears then.
    """
    opened = projects.demo_project() if demo else None if project is None else projects.open_project(str(project))
    import napari

    guard_singletons()
    viewer = napari.Viewer(title="pointanno", show=show, show_welcome_screen=False)
    viewer.window.resize(*_fitting_size())
    bench = open_docks(viewer)
    if opened is not None:
        bench.annotate.start(opened)
    return viewer


def _fitting_size() -> tuple[int, int]:
    """The size we like, or what the screen has room for, frame and title bar included."""
    from qtpy.QtGui import QGuiApplication

    screen = QGuiApplication.primaryScreen()
    if screen is None:
        return WINDOW_SIZE
    room = screen.availableGeometry()
    return min(WINDOW_SIZE[0], room.width()), min(WINDOW_SIZE[1], room.height() - FRAME_HEIGHT)


def run(project: Path | None = None, *, demo: bool = False) -> None:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    project : Path or None
        Project to open; None starts with the forms to make or open one.
    demo : bool
        Open the demonstration project instead; it is made on first use.

    Raises
    ------
    InputError
        If the project cannot be opened.
    """
    open_window(project, demo=demo)
    import napari

    napari.run()
