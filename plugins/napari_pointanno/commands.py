"""The commands of the manifest: each acts on the viewer in front and shows up in napari's command palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari_pointanno.workbench import Workbench


def _bench() -> Workbench:
    """The docks of the viewer in front, opened if need be."""
    import napari

    from napari_pointanno.application import open_docks

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError("pointanno: there is no napari window; start one by `napari` or `pointanno open`")
    return open_docks(viewer)


def new_project() -> None:
    """Show the form that makes a project."""
    _bench().annotate.view.show_form("new")


def open_project() -> None:
    """Show the form that opens a project."""
    _bench().annotate.view.show_form("open")


def open_demo() -> None:
    """Open the demonstration project."""
    _bench().annotate.open_demo()


def start_training() -> None:
    """Train on the open project with what the form says."""
    _bench().train_view.request_start()


def stop_training() -> None:
    """End the training that is shown, and keep a checkpoint."""
    _bench().train.stop()


def toggle_preview() -> None:
    """Preview on or off."""
    _bench().preview.toggle()


def export_coco_points() -> None:
    """Write the open project as COCO-point JSON."""
    _export("coco-point", ".coco-points.json")


def export_pointsup() -> None:
    """Write the boxes of the open project in the strict form that the PointSup loader reads."""
    _export("pointsup", ".pointsup.json")


def _export(name: str, suffix: str) -> None:
    """Write into the project's own folder of exports and say where."""
    from pointanno.formats import FORMATS

    bench = _bench()
    project = bench.annotate.project
    if project is None:
        bench.annotate.view.notify("Open a project first: there is nothing to export")
        return
    try:
        project.exports_folder.mkdir(parents=True, exist_ok=True)
        path = project.exports_folder / f"{project.path.stem}{suffix}"
        FORMATS[name].write(project.dataset(with_events=name == "coco-point"), path)
    except (InputError, OSError) as error:
        bench.annotate.view.notify(str(error))
        return
    bench.annotate.view.notify(f"exported to {path}", error=False)
