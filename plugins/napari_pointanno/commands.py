"""The commands of the manifest: each acts on the viewer in front and shows up in napari's command palette.

Most do what a button of the dock does; exports run in the background, where napari's task manager knows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari_pointanno._views.annotate_view import AnnotateView
    from napari_pointanno.workbench import Workbench
    from pointanno.project.export_file import Exported

ENDINGS: Final = {
    "coco-point": ".coco-points.json",
    "pointsup": ".pointsup.json",
    "coco-instances": ".instances.json",
    "coco-panoptic": ".panoptic.json",
    "psps-png": ".psps",
    "openimages-csv": ".openimages.csv",
    "bestie-txt": ".bestie",
    "csv": ".points.csv",
}
"""What an exported file or folder is called, by format."""


def _bench() -> Workbench:
    """The docks of the viewer in front, opened if need be."""
    import napari

    from napari_pointanno.application import open_docks

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError("pointanno: there is no napari window; start one by `napari` or `pointanno open`")
    return open_docks(viewer)


def _session() -> AnnotateView | None:
    """The dock of the open project; None, with a word about it, if there is none."""
    annotate = _bench().annotate
    if annotate.project is None:
        annotate.view.notify("Open a project first: “PointAnno: open project”, or try the demo", error=False)
        return None
    return annotate.view


# ------------------------------------------------------------------ projects


def new_project() -> None:
    """Show the form that makes a project."""
    _bench().annotate.view.show_form("new")


def open_project() -> None:
    """Show the form that opens a project."""
    _bench().annotate.view.show_form("open")


def open_demo() -> None:
    """Open the demonstration project."""
    _bench().annotate.open_demo()


# ------------------------------------------------------------------ annotating


def one_point() -> None:
    """Annotate by one point for each target."""
    _choose_mode("single_point")


def several_points() -> None:
    """Annotate by several points in each target."""
    _choose_mode("multi_point")


def box_points() -> None:
    """Annotate by boxes and points in them."""
    _choose_mode("box_points")


def masks() -> None:
    """Annotate by painting masks."""
    _choose_mode("mask")


def review() -> None:
    """Look through annotations again."""
    _choose_mode("review")


def review_predictions() -> None:
    """Open the line for a file of predictions to review against."""
    review()
    view = _session()
    if view is not None:
        view.review.ask_file()


def second_opinion() -> None:
    """Annotate the images of the second pass, without seeing the first."""
    _choose_mode("second_look")


def import_known_answers() -> None:
    """Open the line for a file of known answers."""
    view = _session()
    if view is not None:
        view.people.ask_file("gold")


def join_copy() -> None:
    """Open the line for another copy of the project."""
    view = _session()
    if view is not None:
        view.people.ask_file("copy")


def _choose_mode(mode: str) -> None:
    view = _session()
    if view is not None:
        view.mode_chosen.emit(mode)


def run_study() -> None:
    """Take part in the study that is planned for the project, or leave the one that runs."""
    if (view := _session()) is not None:
        view.study_requested.emit()


def next_image() -> None:
    """Show the next image."""
    if (view := _session()) is not None:
        view.next_requested.emit()


def previous_image() -> None:
    """Show the image before."""
    if (view := _session()) is not None:
        view.previous_requested.emit()


def next_unlabelled() -> None:
    """Show the next image without annotations."""
    if (view := _session()) is not None:
        view.unlabelled_requested.emit()


def complete() -> None:
    """Declare the image complete and go on."""
    if (view := _session()) is not None:
        view.done_requested.emit()


def undo() -> None:
    """Take the last action back, also across images and restarts."""
    if (view := _session()) is not None:
        view.undo_requested.emit()


def redo() -> None:
    """Do again what was undone."""
    if (view := _session()) is not None:
        view.redo_requested.emit()


def find_class() -> None:
    """Put the cursor into the search box of the classes."""
    if (view := _session()) is not None:
        view.focus_search()


def show_keys() -> None:
    """Show or hide the sheet of keys."""
    if (view := _session()) is not None:
        view.keys_requested.emit()


# ------------------------------------------------------------------ training


def start_training() -> None:
    """Train on the open project with what the form says."""
    _bench().train_view.request_start()


def stop_training() -> None:
    """End the training that is shown, and keep a checkpoint."""
    _bench().train.stop()


def toggle_preview() -> None:
    """Preview on or off."""
    _bench().preview.toggle()


# ------------------------------------------------------------------ exports


def export_coco_points() -> None:
    """Write the open project as COCO-point JSON, the form that keeps everything."""
    _export("coco-point")


def export_pointsup() -> None:
    """Write the boxes of the open project in the strict form that the PointSup loader reads."""
    _export("pointsup")


def export_coco_instances() -> None:
    """Write the masks of the open project as COCO instances."""
    _export("coco-instances")


def export_coco_panoptic() -> None:
    """Write the masks of the open project as COCO panoptic segments."""
    _export("coco-panoptic")


def export_psps_png() -> None:
    """Write the points of the open project as PSPS reads them: a folder of panoptic PNGs."""
    _export("psps-png")


def export_openimages_csv() -> None:
    """Write the answers of the open project as point labels of Open Images."""
    _export("openimages-csv")


def export_bestie_txt() -> None:
    """Write one point of each object of the open project as BESTIE reads them: a folder of texts."""
    _export("bestie-txt")


def export_csv() -> None:
    """Write the points and boxes of the open project as a table."""
    _export("csv")


def _export(name: str) -> None:
    """Write into the project's own folder of exports, in the background, and say where."""
    from superqt.utils import ensure_main_thread

    view = _session()
    if view is None:
        return
    project = _bench().annotate.project
    assert project is not None
    path, out = project.path, project.exports_folder / f"{project.path.stem}{ENDINGS[name]}"

    @ensure_main_thread
    def tell(sentence: str, error: bool) -> None:
        view.notify(sentence, error=error)

    def done(result: Exported | str) -> None:
        if isinstance(result, str):
            tell(result, True)
            return
        for sentence in result.notes:
            tell(sentence, False)
        tell(f"exported to {result.sentence()}", False)

    _in_background(path, out, name, done)


def _in_background(path: Path, out: Path, name: str, done: Any) -> None:
    """Export in a thread of napari's; `done` gets what was written, or the sentence of an error."""
    from napari.qt.threading import create_worker

    from pointanno.project.export_file import export_project

    def work() -> Exported | str:
        try:
            return export_project(path, out, name)
        except (InputError, OSError) as error:
            return str(error)

    create_worker(work, _progress={"desc": f"export {name}"}, _connect={"returned": done})


# ------------------------------------------------------------------ preferences


def edit_preferences() -> None:
    """Open napari's Preferences, or before napari 0.9 the file that stands for them."""
    from napari_pointanno import preferences

    view = _bench().annotate.view
    if preferences.has_page():
        from app_model import Application

        app = Application.get_app("napari")
        if app is not None:
            app.commands.execute_command("napari.window.file.show_preferences_dialog")
        view.notify("Keys and annotation are on the page PointAnno of the preferences", error=False)
        return
    from qtpy.QtCore import QUrl
    from qtpy.QtGui import QDesktopServices

    try:
        path = preferences.write_file()
    except OSError as error:
        view.notify(f"{preferences.file_path()}: cannot be written ({error.strerror}); make its folder by hand")
        return
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
    view.notify(f"{path}: change it with any editor; it holds from the next session on", error=False)
