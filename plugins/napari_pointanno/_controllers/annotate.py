"""The controller of the dock *Annotate*: connects the view, the canvas and the project."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_pointanno._controllers import projects
from napari_pointanno._controllers.answering import Answering
from napari_pointanno._controllers.classes import Classes
from napari_pointanno._controllers.desk import Desk
from napari_pointanno._controllers.navigation import Navigation
from napari_pointanno._controllers.pointing import Pointing
from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._models.session import BOX_POINTS, SINGLE_POINT, Session
from napari_pointanno._views.annotate_view import AnnotateView
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.drawing import Fresh
from napari_pointanno.keymap import KEYS, Action, KeyInput, PointerInput
from napari_pointanno.view_transform import obstacle
from pointanno.errors import InputError
from pointanno.project import Event, Project
from pointanno.timing.clock import now_ns

if TYPE_CHECKING:
    from napari.components import ViewerModel

ANSWERS = {Action.OBJECT: "object", Action.BACKGROUND: "background", Action.UNSURE: "unsure"}
MODES = {Action.SINGLE_POINT: SINGLE_POINT, Action.BOX_POINTS: BOX_POINTS}


class AnnotateController:
    """One per viewer; owns the open project. Receives every input of the canvas while a session runs."""

    project_changed = Signal(object)
    """The `Project` that was opened, or None after closing."""
    image_changed = Signal(object)
    """The `ProjectImage` shown, or None if it cannot be read."""
    preview_toggled = Signal()

    def __init__(self, viewer: ViewerModel, view: AnnotateView) -> None:
        self._viewer = viewer
        self.view = view
        self._canvas: CanvasView | None = None
        self._desk: Desk | None = None
        self._hint_before_pause = ""
        view.new_requested.connect(self.create)
        view.open_requested.connect(self.open)
        view.demo_requested.connect(self.open_demo)
        view.mode_chosen.connect(self._on_mode)
        view.category_chosen.connect(lambda uid: self._then_focus(lambda: self._classes.choose(uid, now_ns())))
        view.category_added.connect(lambda name, kind: self._then_focus(lambda: self._classes.add(name, kind)))
        view.category_color_chosen.connect(
            lambda uid, color: self._then_focus(lambda: self._classes.change(uid, color=color))
        )
        view.category_kind_chosen.connect(
            lambda uid, kind: self._then_focus(lambda: self._classes.change(uid, isthing=kind))
        )
        view.row_chosen.connect(lambda row: self._then_focus(lambda: self._navigation.go(row)))
        view.undo_requested.connect(lambda: self._then_focus(lambda: self._undo(now_ns())))
        view.redo_requested.connect(lambda: self._then_focus(lambda: self._redo(now_ns())))
        view.done_requested.connect(lambda: self._then_focus(lambda: self._done(now_ns())))
        view.next_requested.connect(lambda: self._then_focus(lambda: self._navigation.step(1)))
        view.previous_requested.connect(lambda: self._then_focus(lambda: self._navigation.step(-1)))
        view.unlabelled_requested.connect(lambda: self._then_focus(lambda: self._navigation.next_unlabelled()))
        view.keys_requested.connect(lambda: self._then_focus(self._toggle_keys))
        view.left.connect(self.take_focus)

    # ------------------------------------------------------------------ projects

    @property
    def project(self) -> Project | None:
        """The open project."""
        return None if self._desk is None else self._desk.session.project

    @property
    def session(self) -> Session | None:
        """The state of the sitting, for those who watch it."""
        return None if self._desk is None else self._desk.session

    @property
    def has_canvas(self) -> bool:
        """Whether the dock has come into a window."""
        return self._canvas is not None

    def attach_canvas(self, canvas: CanvasView) -> None:
        """The dock has come into a window."""
        self._canvas = canvas

    def create(self, images: str, destination: str) -> None:
        """Make a project from images or a COCO file and open it."""
        self._open(lambda: projects.create_project(images, destination))

    def open(self, path: str) -> None:
        """Open an existing project; one that is open here already stays as it is."""
        project = self.project
        if project is not None and path and Path(path).expanduser().resolve() == project.path.resolve():
            self.view.show_form("")
            self.view.notify(f"{project.path}: this project is open already", error=False)
            self.take_focus()
            return
        self._open(lambda: projects.open_project(path))

    def open_demo(self) -> None:
        """Open the demonstration project."""
        self._open(projects.demo_project)

    def _open(self, make: Callable[[], Project]) -> None:
        try:
            project = make()
        except (InputError, OSError) as error:
            self.view.notify(str(error))
            return
        self.start(project)

    def start(self, project: Project) -> None:
        """Begin a session on a project; an open one is closed first."""
        assert self._canvas is not None, "attach_canvas comes first"
        self.close()
        session = Session(project, ImagePages(project))
        session.reload_categories()
        desk = self._desk = Desk(self._viewer, self.view, self._canvas, session)
        self._navigation = Navigation(
            desk, lambda: self.image_changed.emit(session.image if session.readable else None)
        )
        self._pointing = Pointing(desk, self._refresh)
        self._answering = Answering(desk, self._refresh)
        self._classes = Classes(desk, self._refresh)
        self.view.show_form("")
        self.view.show_project(project.path.stem, str(project.path), session.pages)
        self.view.show_mode(session.mode)
        desk.recorder.record("session_start", self._facts(), at_ns=now_ns())
        self._canvas.start(self)
        session.obstacle = obstacle(self._viewer)
        for happened in self._view_events():
            happened.connect(self._on_view)
        for sentence in project.skipped[:3]:
            self.view.notify(sentence)
        if project.recovered:
            self.view.notify(project.recovered, error=False)
        self.project_changed.emit(project)
        if len(session.pages):
            last = project.last_image_id
            row = None if last is None else session.pages.index_of(last)
            self._resume_mode()
            self._navigation.go(row or 0)
        self.take_focus()
        self.view.show_keyboard(self._canvas.has_focus())

    def show_image(self, row: int) -> None:
        """Show the image of a row."""
        if self._desk is not None:
            self._navigation.go(row)

    def close(self) -> None:
        """End the session; the window is as napari made it."""
        desk, self._desk = self._desk, None
        if desk is None:
            return
        desk.recorder.record("session_end", {}, at_ns=now_ns())
        self.project_changed.emit(None)
        for happened in self._view_events():
            happened.disconnect(self._on_view)
        self._navigation.close()
        desk.canvas.stop()
        desk.layers.clear()
        try:
            desk.session.project.close()
        except (InputError, OSError) as error:  # a folder that is gone; the window must go on
            self.view.notify(f"{desk.session.project.path}: {error}")
        self.view.show_project("", "", None)

    def abandon(self) -> None:
        """The window is gone already: end the session without touching any widget."""
        desk, self._desk = self._desk, None
        if desk is None:
            return
        self._navigation.close()
        desk.session.fresh = Fresh()  # no layer is to catch up any more
        project = desk.session.project
        with contextlib.suppress(InputError, OSError):
            project.record("session_end", {"reason": "window closed"})
        with contextlib.suppress(InputError, OSError):
            project.close()

    def _view_events(self) -> list[Any]:
        """What napari emits when the view becomes another one than a flat picture, or a flat one again."""
        dims = self._viewer.dims.events
        return [dims.ndisplay, dims.order, dims.ndim, self._viewer.canvas.grid.events.enabled]

    def _on_view(self) -> None:
        """Ask nothing and take nothing while a click would mean another pixel than the one under it."""
        if self._desk is None:
            return
        session, why = self._desk.session, obstacle(self._viewer)
        if why != session.obstacle:
            session.obstacle, session.drag, session.hint = why, None, ""
            self._desk.refresh()

    def _resume_mode(self) -> None:
        """Go on where the person was: a box with open questions means box mode."""
        assert self._desk is not None
        session = self._desk.session
        last = session.project.last_image_id
        if last is None:
            return
        boxes = session.project.annotations(last).boxes
        if any(box.next_point is not None and len(box.answers) for box in boxes):
            session.mode = BOX_POINTS
            self.view.show_mode(BOX_POINTS)

    def _facts(self) -> dict[str, object]:
        """What a reader of the timing log must know about this session."""
        assert self._canvas is not None
        return {
            "app": version("pointanno"),
            "napari": version("napari"),
            "os": platform.platform(),
            "keys": {key: action.value for key, action in KEYS.items()},
            **self._canvas.screen(),
        }

    def take_focus(self) -> None:
        """Give the keyboard to the canvas."""
        if self._canvas is not None and self._desk is not None:
            self._canvas.take_focus()

    def _then_focus(self, act: Callable[[], None]) -> None:
        """Do what a button asks for and return the keyboard to the canvas."""
        if self._desk is not None:
            act()
            self.take_focus()

    def _refresh(self) -> None:
        if self._desk is not None:
            self._desk.refresh()

    # ------------------------------------------------------------------ inputs of the canvas

    def on_key(self, key: KeyInput) -> None:
        """A key of ours went down, or up again if it is one that is held."""
        desk = self._desk
        if desk is None:
            return
        action = key.action
        if action is Action.HIDE:
            desk.canvas.set_hidden(not key.released)
            desk.layers.set_hidden(not key.released)
        elif action is Action.PAUSE:
            self._toggle_pause(key.at_ns)
        elif action is Action.KEYS:
            self._toggle_keys()
        elif action is Action.PAN or desk.session.paused:
            return
        elif action in ANSWERS:
            self._answering.answer(ANSWERS[action], key)
        elif action in MODES:
            self._on_mode(MODES[action])
        else:
            self._on_command(action, key)

    def _on_command(self, action: Action, key: KeyInput) -> None:
        assert self._desk is not None
        at_ns = key.at_ns
        commands: dict[Action, Callable[[], object]] = {
            Action.CLASS: lambda: self._classes.choose_by_digit(key.digit or 0, at_ns),
            Action.ABSENT: lambda: self._classes.toggle_absent(key.digit or 0, at_ns),
            Action.SEARCH: self.view.focus_search,
            Action.NEXT: lambda: self._navigation.step(1),
            Action.PREVIOUS: lambda: self._navigation.step(-1),
            Action.NEXT_UNLABELLED: self._navigation.next_unlabelled,
            Action.UNDO: lambda: self._undo(at_ns),
            Action.STEP_BACK: lambda: self._undo(at_ns),
            Action.REDO: lambda: self._redo(at_ns),
            Action.CANCEL: lambda: self._cancel(at_ns),
            Action.DONE: lambda: self._done(at_ns),
            Action.RESAMPLE: lambda: self._answering.resample(key),
            Action.DELETE: lambda: self._pointing.delete(at_ns),
            Action.PREVIEW: self.preview_toggled.emit,
        }
        commands[action]()

    def on_press(self, pointer: PointerInput) -> None:
        """The left button went down."""
        if self._desk is not None and not self._desk.session.paused:
            self._pointing.press(pointer)

    def on_drag(self, pointer: PointerInput) -> None:
        """The pointer moved with the left button down."""
        if self._desk is not None:
            self._pointing.drag(pointer)

    def on_release(self, pointer: PointerInput) -> None:
        """The left button went up."""
        if self._desk is not None:
            self._pointing.release(pointer)

    def on_hover(self, pointer: PointerInput) -> None:
        """The pointer moved with no button down."""
        if self._desk is not None:
            self._pointing.hover(pointer)

    def on_pan(self, dx: float, dy: float) -> None:
        """Move the picture by canvas pixels."""
        if self._canvas is None:
            return
        view, camera = self._canvas.transform(), self._viewer.scene.camera
        height, width = view.canvas_size
        camera.center = (0.0, *view.to_world(width / 2 - dx, height / 2 - dy))

    def on_focus(self, gained: bool, at_ns: int, reason: str) -> None:
        """The canvas received or lost the keyboard: the clock of answers follows."""
        desk = self._desk
        if desk is None:
            return
        self.view.show_keyboard(gained)
        if gained:
            desk.session.watch.resume("focus", at_ns)
        else:
            desk.session.watch.suspend("focus", at_ns)
        desk.record("focus_gained" if gained else "focus_lost", {"reason": reason}, at_ns=at_ns)

    def on_stall(self, from_ns: int, to_ns: int) -> None:
        """The window stood still; the log tells for how long."""
        if self._desk is not None and self._desk.session.watch.running:
            self._desk.record("ui_stall", {"ms": round((to_ns - from_ns) / 1e6)}, at_ns=from_ns)

    # ------------------------------------------------------------------ what they do

    def _undo(self, at_ns: int) -> None:
        assert self._desk is not None
        if not self._desk.session.project.can_undo:
            self._desk.hint("nothing to undo")
            return
        self._after_history(self._desk.recorder.undo(at_ns), "undone")

    def _redo(self, at_ns: int) -> None:
        assert self._desk is not None
        if not self._desk.session.project.can_redo:
            self._desk.hint("nothing to redo")
            return
        self._after_history(self._desk.recorder.redo(at_ns), "redone")

    def _after_history(self, event: Event | None, done: str) -> None:
        """Go where something was undone or redone and show it; None is a failure that was told already."""
        assert self._desk is not None
        if event is None:
            return
        session = self._desk.session
        session.left_boxes.discard(str(event.payload.get("uid", "")))
        if event.image_id is not None:
            self._navigation.go_to_image(event.image_id)
        session.reload_categories()
        session.hint = f"{done}: {event.kind.replace('_', ' ')}"
        self._desk.refresh()

    def _done(self, at_ns: int) -> None:
        assert self._desk is not None
        session = self._desk.session
        if session.image is None:
            return
        already = bool(session.image.complete_things) and bool(session.image.complete_stuff)
        if not already and self._desk.record("complete", {"things": True, "stuff": True}, at_ns=at_ns) is None:
            return
        self._desk.show_now()
        if session.row + 1 < len(session.pages):
            self._navigation.step(1)
        else:
            self._desk.hint("done: this was the last image")

    def _cancel(self, at_ns: int) -> None:
        assert self._desk is not None
        session = self._desk.session
        if session.key_sheet:
            self._toggle_keys()
        elif self._pointing.cancel(at_ns):
            return
        elif session.selected is not None:
            session.selected = None
            self._desk.hint("")
        elif not self._answering.leave():
            self._desk.hint("")

    def _toggle_keys(self) -> None:
        assert self._desk is not None
        self._desk.session.key_sheet = not self._desk.session.key_sheet
        self._desk.redraw()

    def _toggle_pause(self, at_ns: int) -> None:
        assert self._desk is not None
        session = self._desk.session
        session.paused = not session.paused
        if session.paused:
            session.watch.suspend("pause", at_ns)
            session.drag = None
        else:
            session.watch.resume("pause", at_ns)
        self._desk.record("pause" if session.paused else "resume", {"reason": "key"}, at_ns=at_ns)
        self._desk.redraw()
        self._desk.show_now()

    def _on_mode(self, mode: str) -> None:
        if self._desk is None:
            return
        session = self._desk.session
        if session.mode != mode:
            session.mode, session.selected, session.drag, session.hint = mode, None, None, ""
            self._desk.record("mode_set", {"mode": mode}, at_ns=now_ns())
        self.view.show_mode(mode)
        self._desk.refresh()
        self.take_focus()
