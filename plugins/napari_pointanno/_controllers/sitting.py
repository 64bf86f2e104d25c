"""One sitting at one open project: what the inputs of the canvas and the buttons mean while it lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_pointanno._controllers.class_editing import ClassEditing
from napari_pointanno._controllers.classes import Classes
from napari_pointanno._controllers.desk import Desk
from napari_pointanno._controllers.images import Images
from napari_pointanno._controllers.instant import Instant
from napari_pointanno._controllers.modes import MODES, Mode
from napari_pointanno._controllers.modes.answering import ANSWERS
from napari_pointanno._controllers.pictures import Pictures
from napari_pointanno._controllers.plans import Plans
from napari_pointanno._controllers.pointing import Pointing, on_canvas
from napari_pointanno._controllers.session_facts import session_facts
from napari_pointanno._controllers.session_keys import SessionKeys
from napari_pointanno._controllers.study import Study
from napari_pointanno._controllers.turning import Turning
from napari_pointanno._models.image_pages import ImagePages
from napari_pointanno._models.session import BOX_POINTS, Session
from napari_pointanno.drawing import Fresh
from napari_pointanno.keymap import Action, KeyInput, KeyMap, PointerInput
from napari_pointanno.napari_versions import camera_of, grid_of
from napari_pointanno.view_transform import obstacle
from pointanno.errors import InputError
from pointanno.protocols import PROTOCOLS
from pointanno.timing.clock import SessionAnchor, now_ns

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_pointanno._controllers.background import Background
    from napari_pointanno._controllers.opening import Opening
    from napari_pointanno._models.predicted import Predictions
    from napari_pointanno._views.annotate_view import AnnotateView
    from napari_pointanno._views.canvas_view import CanvasView
    from pointanno.project import Project

MODE_KEYS = {
    Action.SINGLE_POINT: "single_point",
    Action.BOX_POINTS: "box_points",
    Action.MULTI_POINT: "multi_point",
    Action.MASK: "mask",
    Action.REVIEW: "review",
}
"""Mode that a key chooses."""


class SessionSignals:
    """What a sitting tells the rest of the window."""

    image_changed = Signal(object)
    """The `ProjectImage` shown, or None if it cannot be read."""
    preview_toggled = Signal()
    blinded = Signal()
    """A blind mode begins: what shows the work of others is to go."""
    opacity_stepped = Signal(int)
    """The preview is to become stronger (1) or fainter (-1)."""
    study_runs = Signal(bool)
    """A study has begun, or is over: until then no prediction may be seen."""


class Sitting:
    """From opening a project to closing it; receives every input of the canvas in between.

    Parameters
    ----------
    viewer : ViewerModel
    view : AnnotateView
    canvas : CanvasView
    project : Project
        Closed with the sitting.
    opening : Opening
    background : Background
    signals : SessionSignals
    predictions : Predictions or None
        What the preview shows and can be taken over.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        view: AnnotateView,
        canvas: CanvasView,
        project: Project,
        *,
        opening: Opening,
        background: Background,
        signals: SessionSignals,
        predictions: Predictions | None,
    ) -> None:
        self._viewer = viewer
        self._view = view
        self._canvas = canvas
        self._signals = signals
        self._is_over = False
        session = self.session = Session(project, ImagePages(project))
        session.reload_categories()
        desk = self.desk = Desk(viewer, view, canvas, session)
        self._keys = SessionKeys(canvas, view, self._on_keymap, self.refresh)
        session.keymap = self._keys.keymap
        self.modes: dict[str, Mode] = {mode.name: mode(desk, self.refresh) for mode in MODES}
        desk.mode = self.modes[session.mode]
        desk.pictures = Pictures(desk, background)
        desk.background = background
        self.images = Images(
            desk,
            opening,
            self._follow_plan,
            lambda: signals.image_changed.emit(session.image if session.readable else None),
            self.refresh,
        )
        desk.go_to, desk.predictions = self.images.navigation.go_to_image, predictions
        self._pointing = Pointing(desk, self.refresh)
        self.classes = Classes(desk, self.refresh)
        self.class_editing = ClassEditing(desk, self.images.project_changed)
        self.plans = Plans(desk, self._plan_changed)
        self.turning = Turning(desk, self.images, self.plans)
        desk.instant = Instant(desk)
        self.study = Study(desk, self.images, self._switch_afresh, self._on_study)

    def begin(self, announce: Callable[[], None]) -> None:
        """Show the project and go on where it was left.

        Parameters
        ----------
        announce : callable
            Tells others that the project is open; called before an image is shown.
        """
        session, project = self.session, self.session.project
        self._view.show_project(project.path.stem, str(project.path), session.pages)
        self._view.show_mode(session.mode)
        self.desk.show_classes()
        self._record_start()
        self._canvas.start(self, session.keymap)
        self.desk.activity.begin(now_ns())
        session.obstacle = obstacle(self._viewer)
        for happened in self._view_events():
            happened.connect(self._on_view)
        self._viewer.layers.events.removed.connect(self._on_removed)
        for sentence in project.skipped[:3]:
            self._view.notify(sentence)
        if project.recovered:
            self._view.notify(project.recovered, error=False)
        announce()
        if len(session.pages):
            last = project.last_image_id
            row = None if last is None else session.pages.index_of(last)
            self._resume_mode()
            self.images.navigation.go(row or 0)
        self._canvas.take_focus()
        self._view.show_keyboard(self._canvas.has_focus())
        self._keys.on_focus()

    def end(self, announce: Callable[[], None]) -> None:
        """The window is as napari made it, the project closed.

        Parameters
        ----------
        announce : callable
            Tells others that the project is being closed; called while it is still open.
        """
        desk = self.desk
        self.study.close()
        self._is_over = True
        self._keys.close()
        desk.mode.leave()
        desk.activity.write()
        desk.recorder.record("session_end", {}, at_ns=now_ns())
        announce()
        for happened in self._view_events():
            happened.disconnect(self._on_view)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.images.clear()
        self.images.close()
        desk.instant.close()
        desk.canvas.stop()
        desk.layers.clear()
        try:
            desk.session.project.close()
        except (InputError, OSError) as error:  # a folder that is gone; the window must go on
            self._view.notify(f"{desk.session.project.path}: {error}")

    def abandon(self) -> None:
        """The window is gone already: end without touching any widget."""
        self._is_over = True
        self._keys.close()
        self.images.close()
        self.session.fresh = Fresh()  # no layer is to catch up any more
        self.desk.is_over = True
        project = self.session.project
        with contextlib.suppress(InputError, OSError):
            for kind, payload, at_ns in self.desk.activity.drain():
                project.record(kind, payload, t_mono_ns=at_ns)
        with contextlib.suppress(InputError, OSError):
            self.study.abandon()
        with contextlib.suppress(InputError, OSError):
            project.record("session_end", {"reason": "window closed"})
        with contextlib.suppress(InputError, OSError):
            project.close()

    def refresh(self) -> None:
        """Read the annotations again, ask and draw anew."""
        if not self._is_over:
            self.desk.refresh()

    def change_annotator(self, pseudonym: str) -> None:
        """Somebody else goes on: a session of their own in the journal; nobody, if that cannot be written down."""
        desk = self.desk
        desk.activity.write()
        if desk.recorder.record("session_end", {"reason": "annotator changed"}, at_ns=now_ns()) is None:
            return
        desk.recorder.write(lambda: desk.session.project.change_annotator(pseudonym))
        self._record_start()
        if desk.session.paused:
            desk.record("pause", {"reason": "as before"}, at_ns=now_ns())
        desk.forget_question()  # it is another person who sees it now
        desk.refresh()
        self.images.navigation.show_again()

    def _on_study(self, runs: bool) -> None:
        """Nothing may suggest an answer while a study runs."""
        if runs:
            self.desk.instant.lock(now_ns())
        self._signals.study_runs.emit(runs)

    def _record_start(self) -> None:
        """A session begins, with all that a reader of its times must know."""
        anchor = SessionAnchor.take()
        self.desk.recorder.record("session_start", session_facts(self.desk, anchor), at_ns=anchor.mono)

    def _view_events(self) -> list[Any]:
        """What napari emits when the view becomes another one than a flat picture, or a flat one again."""
        dims = self._viewer.dims.events
        grid, moved = grid_of(self._viewer).events.enabled, self.desk.layers.picture.moved
        return [dims.ndisplay, dims.order, dims.ndim, grid, moved]

    def _on_view(self) -> None:
        """Ask nothing and take nothing while a click would mean another pixel than the one under it."""
        if self._is_over:
            return
        self.desk.canvas.view_changed()
        session, why = self.session, obstacle(self._viewer)
        if why != session.obstacle:
            session.obstacle, session.drag, session.hint = why, None, ""
            self.desk.refresh()

    def _on_removed(self) -> None:
        """A layer of ours that somebody removed comes back from the project."""
        desk = self.desk
        if not self._is_over and desk.session.readable and desk.layers.is_incomplete:
            desk.canvas.soon(self.refresh)

    def _resume_mode(self) -> None:
        """Go on where the person was: a box with open questions, or begun by extreme points, means box mode."""
        session = self.session
        last = session.project.last_image_id
        if last is None:
            return
        there = session.project.annotations(last)
        if there.extremes or any(box.next_point is not None and len(box.answers) for box in there.boxes):
            self._switch(BOX_POINTS)
        elif (mode := session.project.last_mode) in PROTOCOLS and mode in self.modes:
            self._switch(mode)

    # ------------------------------------------------------------------ inputs of the canvas

    def on_key(self, key: KeyInput) -> None:
        """A key of ours went down, or up again if it is one that is held; what writes no event gets one."""
        if self._is_over:
            return
        desk = self.desk
        desk.activity.touched(key.at_ns)
        with desk.recorder.during(key.at_ns, key.qt_ms) as told:
            self._on_key(key)
            if not (told.is_told or self.session.paused or self._is_over):
                more = {"released": True} if key.released else {}
                desk.record("key", {"key": key.key, "action": key.action.value, **more}, at_ns=key.at_ns)

    def _on_key(self, key: KeyInput) -> None:
        desk, action = self.desk, key.action
        if desk.guide is not None and desk.guide.key(key):
            return
        if action is Action.HIDE:
            desk.canvas.set_hidden(not key.released)
            desk.layers.set_hidden(not key.released)
        elif action is Action.PAUSE:
            self._toggle_pause(key.at_ns)
        elif action is Action.KEYS:
            self.toggle_keys()
        elif action is Action.PAN or desk.session.paused:
            return
        elif self.images.key(key) or desk.mode.key(key):
            return
        elif action in MODE_KEYS:
            self.enter(MODE_KEYS[action], key.at_ns)
        else:
            self._on_command(action, key)

    def _on_command(self, action: Action, key: KeyInput) -> None:
        at_ns = key.at_ns
        commands: dict[Action, Callable[[], object]] = {
            Action.CLASS: lambda: self.classes.choose_by_digit(key.digit or 0, at_ns),
            Action.ABSENT: lambda: self.classes.toggle_absent(key.digit or 0, at_ns),
            Action.SEARCH: self._view.focus_search,
            **self.images.commands(at_ns),
            Action.UNDO: lambda: self.turning.undo(at_ns),
            Action.STEP_BACK: lambda: self.turning.undo(at_ns),
            Action.REDO: lambda: self.turning.redo(at_ns),
            Action.CANCEL: lambda: self._cancel(at_ns),
            Action.DELETE: lambda: self._pointing.delete(at_ns),
            Action.PREVIEW: self._signals.preview_toggled.emit,
            Action.INSTANT: lambda: self.desk.instant.toggle(at_ns),
            Action.FAINTER: lambda: self._signals.opacity_stepped.emit(-1),
            Action.STRONGER: lambda: self._signals.opacity_stepped.emit(1),
        }
        command = commands.get(action)
        if command is None:
            session = self.session
            asking = "no point is asked: draw a box first  (W)" if action in ANSWERS else f"{key.key}: not in this mode"
            self.desk.hint(session.obstacle or asking)
        else:
            command()

    def on_press(self, pointer: PointerInput) -> None:
        """The left button went down."""
        if self._is_over or self.session.paused:
            return
        self.desk.activity.touched(pointer.at_ns)
        with self.desk.recorder.during(pointer.at_ns, pointer.qt_ms) as told:
            self._pointing.press(pointer)
            if not told.is_told:
                self.desk.record("press", on_canvas(pointer), at_ns=pointer.at_ns)

    def on_drag(self, pointer: PointerInput) -> None:
        """The pointer moved with the left button down."""
        if not self._is_over:
            self.desk.activity.moved(pointer)
            self._pointing.drag(pointer)

    def on_release(self, pointer: PointerInput) -> None:
        """The left button went up."""
        drag = self.session.drag
        if self._is_over or drag is None:
            return
        self.desk.activity.touched(pointer.at_ns)
        with self.desk.recorder.during(pointer.at_ns, pointer.qt_ms, drag.at_ns) as told:
            self._pointing.release(pointer)
            if not told.is_told:
                self.desk.record("release", on_canvas(pointer), at_ns=pointer.at_ns)

    def on_hover(self, pointer: PointerInput) -> None:
        """The pointer moved with no button down."""
        if not self._is_over:
            self.desk.activity.moved(pointer)
            self._pointing.hover(pointer)

    def on_one_of_many(self, kind: str, at_ns: int) -> None:
        """A turn of the wheel, or a part of a pan."""
        if not self._is_over:
            self.desk.activity.happened(kind, at_ns)

    def on_pan(self, dx: float, dy: float) -> None:
        """Move the picture by canvas pixels."""
        view, camera = self._canvas.transform(), camera_of(self._viewer)
        height, width = view.canvas_size
        camera.center = (0.0, *view.world_at(width / 2 - dx, height / 2 - dy))

    def on_focus(self, gained: bool, at_ns: int, reason: str) -> None:
        """The canvas received or lost the keyboard: the clock of answers follows."""
        if self._is_over:
            return
        desk = self.desk
        desk.activity.touched(at_ns)
        desk.activity.look_for_dialogs(at_ns)
        self._view.show_keyboard(gained)
        if gained:
            self._keys.on_focus()
            desk.session.watch.resume("focus", at_ns)
        else:
            desk.session.watch.suspend("focus", at_ns)
        desk.record("focus_gained" if gained else "focus_lost", {"reason": reason}, at_ns=at_ns)

    def _on_keymap(self, keymap: KeyMap) -> None:
        """The person has changed keys in the preferences: prompts name the new ones."""
        if self._is_over:
            return
        self.session.keymap = keymap
        self.desk.record("keys_set", {"keys": keymap.as_log(), "layout": keymap.layout}, at_ns=now_ns())
        self.desk.refresh()

    def on_beat(self, at_ns: int) -> None:
        """The window's thread is free: whether it was late is in the log."""
        if not self._is_over:
            self.desk.activity.beat(at_ns)

    # ------------------------------------------------------------------ what they do

    def _cancel(self, at_ns: int) -> None:
        session = self.session
        if session.key_sheet:
            self.toggle_keys()
        elif self._pointing.cancel(at_ns):
            return
        elif session.selected is not None:
            session.selected = None
            self.desk.hint("")
        elif self.desk.mode.cancel(at_ns):
            return
        elif self.desk.guide is not None:
            self.desk.guide.leave("left", at_ns)
        else:
            self.desk.hint("")

    def toggle_keys(self) -> None:
        """Show or put away the sheet of keys."""
        self.session.key_sheet = not self.session.key_sheet
        self.desk.redraw()

    def _toggle_pause(self, at_ns: int) -> None:
        session = self.session
        session.paused = not session.paused
        if session.paused:
            session.watch.suspend("pause", at_ns)
            session.drag = None
        else:
            session.watch.resume("pause", at_ns)
        self.desk.record("pause" if session.paused else "resume", {"reason": "key"}, at_ns=at_ns)
        self.desk.redraw()
        self.desk.show_now()

    def enter(self, mode: str, at_ns: int | None = None) -> None:
        """Make a way of annotating current, by its name; others than there are change nothing.

        `at_ns` is the time of the key, now by default.
        """
        if mode not in self.modes:
            return
        self.session.hint = ""
        self._switch(mode, at_ns)
        self.desk.refresh()
        self._canvas.take_focus()

    def use_tool(self, name: str) -> None:
        """A tool of the current mode was chosen in the dock."""
        guide = self.desk.guide
        if guide is not None and not guide.allows_tool(name):
            guide.refuse()
        elif not self.session.paused and self.session.can_annotate:
            self.desk.mode.use_tool(name, now_ns())

    def _switch_afresh(self, mode: str) -> None:
        """Make a mode current as if nobody had chosen anything in it."""
        if mode in PROTOCOLS:
            self.desk.mode.leave()
            self.modes[mode] = type(self.modes[mode])(self.desk, self.refresh)
            self.desk.mode = self.modes.get(self.session.mode, self.desk.mode)
            self.session.mode = ""  # it is another one, also where the name is the same
        self._switch(mode)

    def _switch(self, mode: str, at_ns: int | None = None) -> None:
        """Make a mode current; what the one before had not finished is dropped."""
        desk, session = self.desk, self.session
        if session.mode != mode:
            desk.mode.leave()
            session.mode, session.selected, session.drag = mode, None, None
            desk.mode = self.modes[mode]
            desk.record("mode_set", {"mode": mode}, at_ns=now_ns() if at_ns is None else at_ns)
            desk.mode.enter()
            if desk.mode.is_blind:
                self._signals.blinded.emit()
        self._view.show_mode(mode)

    def _plan_changed(self) -> None:
        """The image may belong to another set, or its set is annotated in another way."""
        self._follow_plan()
        self.images.project_changed()

    def _follow_plan(self) -> None:
        """Another image: annotate it as its set asks for."""
        self.plans.show()
        if self.desk.guide is not None:
            return
        planned = self.session.planned
        if planned is not None and planned.name in self.modes and self.desk.mode.follows_plan:
            self._switch(planned.name)
