"""The controller of the dock *Annotate*: connects the view, the canvas and the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno._controllers import projects
from napari_pointanno._controllers.background import Background, immediately
from napari_pointanno._controllers.class_editing import connect_classes
from napari_pointanno._controllers.images import Images, connect_images
from napari_pointanno._controllers.opening import Opening
from napari_pointanno._controllers.people import People, identify
from napari_pointanno._controllers.pictures import connect_channels
from napari_pointanno._controllers.reviewing import Reviewing
from napari_pointanno._controllers.sitting import SessionSignals, Sitting
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_pointanno._controllers.modes import Mode
    from napari_pointanno._models.predicted import Predictions
    from napari_pointanno._models.session import Session
    from napari_pointanno._views.annotate_view import AnnotateView
    from napari_pointanno._views.canvas_view import CanvasView
    from pointanno.project import Project


class AnnotateController(SessionSignals):
    """One per viewer; owns the open project."""

    project_changed = Signal(object)
    """The `Project` that was opened, or None after closing."""

    def __init__(self, viewer: ViewerModel, view: AnnotateView, background: Background = immediately) -> None:
        self._viewer = viewer
        self.view = view
        self._background = background
        self._canvas: CanvasView | None = None
        self._predictions: Predictions | None = None
        self.sitting: Sitting | None = None
        """What goes on at the open project."""
        self.is_newcomer = False
        """Whether the annotator of this session is here for the first time."""
        view.new_requested.connect(self.create)
        view.open_requested.connect(self.open)
        view.demo_requested.connect(self.open_demo)
        view.dropped.connect(self.take)
        view.mode_chosen.connect(self.enter)
        view.filter_chosen.connect(lambda where: self._with(lambda sitting: sitting.plans.show(), keep=True))
        view.plan_requested.connect(lambda wish: self._with(lambda sitting: sitting.plans.apply(wish)))
        view.tool_chosen.connect(lambda name: self._in_study(lambda sitting: sitting.use_tool(name)))
        view.category_chosen.connect(lambda uid: self._in_study(lambda sitting: sitting.classes.choose(uid, now_ns())))
        view.undo_requested.connect(lambda: self._in_study(lambda sitting: sitting.turning.undo(now_ns())))
        view.redo_requested.connect(lambda: self._in_study(lambda sitting: sitting.turning.redo(now_ns())))
        view.keys_requested.connect(lambda: self._in_study(lambda sitting: sitting.toggle_keys()))
        view.study_requested.connect(lambda: self._in_study(lambda sitting: sitting.study.toggle(now_ns())))
        view.left.connect(self.take_focus)
        connect_classes(view, lambda act: self._with(lambda sitting: act(sitting.class_editing), keep=True))
        connect_images(view, self._with_images)
        connect_channels(view, lambda act: self._with(lambda sitting: act(sitting.desk.pictures), keep=True))
        self.opening = Opening(view, background, self.start)
        self.reviewing = Reviewing(self)
        self.people = People(self, background)

    # ------------------------------------------------------------------ projects

    @property
    def project(self) -> Project | None:
        """The open project."""
        return None if self.sitting is None else self.sitting.session.project

    @property
    def session(self) -> Session | None:
        """The state of the sitting, for those who watch it."""
        return None if self.sitting is None else self.sitting.session

    @property
    def has_canvas(self) -> bool:
        """Whether the dock has come into a window."""
        return self._canvas is not None

    def attach_canvas(self, canvas: CanvasView) -> None:
        """The dock has come into a window."""
        self._canvas = canvas

    def create(self, images: str, destination: str) -> None:
        """Make a project from images or a COCO file and open it."""
        self.opening.create(images, destination)

    def take(self, path: str) -> None:
        """Open what was dropped: a project, or the images or COCO file of one, which is made if it is not there."""
        project = projects.project_at(Path(path))
        if project is None:
            self.create(path, "")
        else:
            self.open(str(project))

    def open(self, path: str) -> None:
        """Open an existing project; one that is open here already stays as it is."""
        project = self.project
        if project is not None and path and Path(path).expanduser().resolve() == project.path.resolve():
            self.view.show_form("")
            self.view.notify(f"{project.path}: this project is open already", error=False)
            self.take_focus()
            return
        self.opening.open(path)

    def open_demo(self) -> None:
        """Open the demonstration project."""
        self.opening.demo()

    def start(self, project: Project) -> None:
        """Begin a session on a project; an open one is closed first."""
        assert self._canvas is not None, "attach_canvas comes first"
        self.close()
        self.is_newcomer = project.writable and identify(project)
        self.sitting = Sitting(
            self._viewer,
            self.view,
            self._canvas,
            project,
            opening=self.opening,
            background=self._background,
            signals=self,
            predictions=self._predictions,
        )
        self.view.show_form("")
        self.sitting.begin(lambda: self.project_changed.emit(project))

    def close(self) -> None:
        """End the session; the window is as napari made it."""
        self.opening.cancel()
        sitting, self.sitting = self.sitting, None
        if sitting is not None:
            sitting.end(lambda: self.project_changed.emit(None))
            self.view.show_project("", "", None)

    def abandon(self) -> None:
        """The window is gone already: end the session without touching any widget."""
        self.opening.cancel()
        sitting, self.sitting = self.sitting, None
        if sitting is not None:
            sitting.abandon()

    # ------------------------------------------------------------------ what others ask for

    def use_predictions(self, source: Predictions | None) -> None:
        """What the preview shows can be taken over from now on."""
        self._predictions = source
        if self.sitting is not None:
            self.sitting.desk.predictions = source

    def show_image(self, row: int) -> None:
        """Show the image of a row."""
        self._with(lambda sitting: sitting.images.navigation.go(row), keep=True)

    def go_to(self, image_id: int) -> None:
        """Show an image by its id."""
        self._with(lambda sitting: sitting.images.navigation.go_to_image(image_id))

    def show_again(self) -> None:
        """Something changed outside of the current image: read rows and annotations anew."""
        self._in_study(lambda sitting: sitting.images.project_changed())

    def mode_named(self, name: str) -> Mode | None:
        """A way of annotating of this session, None without one."""
        return None if self.sitting is None else self.sitting.modes.get(name)

    def enter(self, name: str) -> Mode | None:
        """Make a way of annotating current; None without a session."""
        self._with(lambda sitting: sitting.enter(name))
        return self.mode_named(name)

    def change_annotator(self, pseudonym: str) -> None:
        """Somebody else goes on: a session of their own in the journal."""
        self._with(lambda sitting: sitting.change_annotator(pseudonym))

    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""
        if self._canvas is not None and self.sitting is not None:
            self._canvas.take_focus()

    def _with(self, act: Callable[[Sitting], object], *, keep: bool = False, always: bool = False) -> None:
        """Do what the dock asks for; `keep` leaves the keyboard where it is, else the canvas gets it back.

        What is not for `always` is refused while a study runs.
        """
        if self.sitting is None:
            return
        if self.sitting.study.runs and not always:
            self.sitting.study.refuse()
            self.take_focus()
            return
        act(self.sitting)
        if not keep:
            self.take_focus()

    def _in_study(self, act: Callable[[Sitting], object]) -> None:
        """Do what the dock asks for, also while a study runs."""
        self._with(act, always=True)

    def _with_images(self, act: Callable[[Images], object], *, keep: bool = False, always: bool = False) -> None:
        """Do what the dock asks for about images."""
        self._with(lambda sitting: act(sitting.images), keep=keep, always=always)
