"""What the parts of a session share: its state, its views, and the way from one to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_pointanno._controllers.activity import Activity
from napari_pointanno._controllers.background import Background, immediately
from napari_pointanno._controllers.composing import compose, prompt
from napari_pointanno._controllers.recorder import Recorder
from napari_pointanno._models.image_filters import note_of
from napari_pointanno._models.session import HIT_RADIUS, Session
from napari_pointanno._views.annotate_view import AnnotateView, ClassRow, Now
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.drawing import Fresh
from napari_pointanno.layers import AnnotationLayers
from napari_pointanno.napari_versions import camera_of
from napari_pointanno.preferences import question_look
from napari_pointanno.view_transform import view_of_box
from pointanno.coords import box_to_napari_corners, index_to_napari

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_pointanno._controllers.instant import Instant
    from napari_pointanno._controllers.modes.base import Mode
    from napari_pointanno._controllers.pictures import Pictures
    from napari_pointanno._controllers.study import Study
    from napari_pointanno._models.predicted import Predictions
    from pointanno.project import Event
    from pointanno.protocols import Protocol


class Desk:
    """One sitting: the state, the project behind it, and everything that shows it."""

    def __init__(self, viewer: ViewerModel, view: AnnotateView, canvas: CanvasView, session: Session) -> None:
        self.viewer = viewer
        self.view = view
        self.canvas = canvas
        self.session = session
        self.layers = AnnotationLayers(viewer)
        self.recorder = Recorder(session.project, view)
        self.activity = Activity(self)
        self.study_facts: dict[str, Any] = {}
        """What a study adds to `session_start`: `condition`, `order_seed`; set before the session begins."""
        self.is_over = False
        """The window is gone: nothing that waits is to be shown any more."""
        self._shown_point: tuple[str, int] | None = None
        self._view_before: tuple[tuple[float, ...], float] | None = None
        self._focus: tuple[float, float, float, float] | None = None
        self._looked_at: tuple[int, int] | None = None
        self.predictions: Predictions | None = None
        """What the preview shows, if there is one."""
        self.mode: Mode
        """How is annotated now; set by who makes the modes, before anything is shown."""
        self.pictures: Pictures
        """Reads pictures and shows them; set as the mode."""
        self.go_to: Callable[[int], None] = lambda image_id: None
        """Shows an image by its id, if it is not shown already; set by who navigates."""
        self.instant: Instant
        """Masks from clicks; set as the mode."""
        self.background: Background = immediately
        self.guide: Study | None = None
        """The study that leads through the images, while one runs."""

    def planned(self, image_id: int) -> Protocol | None:
        """How an image is to be annotated: as the study says, else as its set does."""
        return self.session.project.protocol_of(image_id) if self.guide is None else self.guide.protocol

    def record(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        at_ns: int | None = None,
        timing: Mapping[str, Any] | None = None,
    ) -> Event | None:
        """Make an event of the current image durable; None if it failed, and nothing may advance."""
        image = self.session.image
        return self.recorder.record(
            kind, payload, image_id=None if image is None else image.id, at_ns=at_ns, timing=timing
        )

    def hint(self, text: str) -> None:
        """Say at the foot of the canvas what just happened."""
        self.session.hint = text
        self.redraw()

    def redraw(self) -> None:
        """Show the state again; nothing is read from the project."""
        self.canvas.draw(compose(self.session, self.mode))

    def refresh(self) -> None:
        """Read the current image's annotations and show them, with what is asked next."""
        self._read()
        self._move_camera()
        self._show_annotations(lazily=True)
        self.redraw()
        self._watch_point()
        self._read_row()
        self.canvas.after_frame(self._show_dock)  # the next question first
        if any(self.session.fresh):
            self.canvas.when_idle(self._catch_up)

    def _read(self) -> None:
        """Read the annotations that the mode works on, and what it asks about."""
        session = self.session
        session.take_annotations(None if session.image is None else self.mode.read(session.image.id))
        if session.annotations is not None and session.can_annotate:
            session.asked = self.mode.ask()

    def _show_annotations(self, *, lazily: bool) -> None:
        session = self.session
        session.fresh = Fresh()
        if session.annotations is not None and session.readable:
            session.fresh = self.layers.show_annotations(
                session.annotations,
                session.categories,
                session.colors,
                open_box=self.mode.open_object(),
                lazily=lazily,
            )

    def _catch_up(self) -> None:
        """Move what the overlay drew for the moment into the layers."""
        if any(self.session.fresh):
            self._show_annotations(lazily=False)
            self.redraw()

    def _show_dock(self) -> None:
        if self.is_over:
            return
        self.show_classes()
        self._show_row()
        self.instant.follow()

    def _read_row(self) -> None:
        """Read the counters of the current image."""
        session = self.session
        if session.image is not None:
            session.pages.refresh(session.row)
            session.image = session.pages.row(session.row)

    def show_classes(self) -> None:
        """Fill the class list with the counts of the current image."""
        session = self.session
        counts: Counter[int] = Counter()
        absent: tuple[int, ...] = ()
        if session.annotations is not None:
            counts.update(click.category_id for click in session.annotations.clicks)
            counts.update(box.category_id for box in session.annotations.boxes)
            absent = session.annotations.absent_category_ids
        digits = {category_id: digit for digit, category_id in session.digits.items()}
        rows = [
            ClassRow(c.id, c.name, c.isthing, session.colors[c.id], counts[c.id], c.id in absent, digits.get(c.id))
            for c in session.categories
        ]
        self.view.show_classes(rows, session.category_id)

    def show_now(self) -> None:
        """Fill the panel of the question, and the row of the current image."""
        self._read_row()
        self._show_row()

    def _show_row(self) -> None:
        session = self.session
        answered, things, stuff, note = 0, False, False, ""
        if session.image is not None:
            image = session.image
            answered = image.clicks + image.answers
            if (self.mode.is_blind or self.guide is not None) and session.annotations is not None:
                seen = session.annotations
                answered = len(seen.clicks) + sum(a is not None for box in seen.boxes for a in box.answers)
            things, stuff = bool(image.complete_things), bool(image.complete_stuff)
            note = note_of(image, session.annotations.flags if session.annotations is not None else ())
            self.view.refresh_row(session.row)
            self.view.show_row(session.row, session.pages.touched(), session.pages.total)
        tools = self.mode.tools() if session.can_annotate else ()
        if self.guide is not None:
            tools = tuple(tool for tool in tools if self.guide.allows_tool(tool.name))
        self.view.show_tools(tools)
        self.view.show_now(
            Now(
                prompt=prompt(session, self.mode),
                progress=self.mode.progress(),
                answered=answered,
                complete_things=things,
                complete_stuff=stuff,
                note=note,
                can_undo=session.project.can_undo,
                can_redo=session.project.can_redo,
                paused=session.paused,
            )
        )

    def forget_view(self) -> None:
        """The camera belongs to a new image; there is nothing to return to."""
        self._view_before = self._focus = None
        self._shown_point = None

    def forget_question(self) -> None:
        """The question counts as shown from its next frame on."""
        self._shown_point = None

    def _move_camera(self) -> None:
        """Go to the box whose points are asked, and back after the last of them."""
        session, camera = self.session, camera_of(self.viewer)
        if session.is_still:
            return
        part = self.mode.focus() if session.can_annotate else None
        if part is not None:
            point = None if session.asked is None else (session.asked.x, session.asked.y)
            if part == self._focus and (session.look.zoom is None or point == self._looked_at):
                return
            if part != self._focus:
                session.look = question_look()
                if session.fixed_zoom is not None:
                    session.look = replace(session.look, zoom=session.fixed_zoom)
            if self._view_before is None:
                self._view_before = (tuple(camera.center), camera.zoom)
            corners = box_to_napari_corners(part)
            (y0, x0), (y1, x1) = corners[0].tolist(), corners[2].tolist()
            view, look = self.canvas.transform(), session.look
            center, zoom = view_of_box(
                (x0, y0, x1, y1),
                view.canvas_size,
                view.placement,
                margin=look.margin,
                zoom=look.zoom,
                point=None if point is None else (float(point[1]), float(point[0])),
            )
            camera.center = (0.0, *center)
            camera.zoom = zoom
            self._focus, self._looked_at = part, point
        elif self._view_before is not None:
            center_before, zoom = self._view_before
            camera.center = center_before
            camera.zoom = zoom
            self._view_before = self._focus = None

    def _watch_point(self) -> None:
        """Note when a new question has become visible: from there its answer is timed."""
        session = self.session
        asked = None if session.asked is None else (session.asked.box_uid, session.asked.index)
        if asked == self._shown_point:
            return
        self._shown_point = asked
        if asked is None:
            return
        session.watch.stop()
        uid, index = asked

        def shown(at_ns: int, swapped: bool) -> None:
            if self._shown_point != asked:
                return
            session.watch.start(at_ns)
            self.record("point_shown", {"uid": uid, "point": index, **self.frame(swapped)}, at_ns=at_ns)
            self.activity.write(at_ns)  # nobody answers so soon

        self.canvas.when_shown(shown, picture=False)

    def hit(self, x: float, y: float) -> str | None:
        """The click within reach of a canvas position, else the box whose edge is."""
        session = self.session
        if session.annotations is None or not session.can_annotate:
            return None
        view = self.canvas.transform()
        clicks = session.annotations.clicks
        if clicks:
            distances = view.distances(index_to_napari([(click.x, click.y) for click in clicks]), x, y)
            nearest = int(distances.argmin())
            if distances[nearest] <= HIT_RADIUS:
                return clicks[nearest].uid
        for box in reversed(session.annotations.boxes):
            # the box of an object that is nothing but a mask is not drawn
            if box.source != "mask" and view.edge_distance(box_to_napari_corners(box.box.xyxy), x, y) <= HIT_RADIUS:
                return box.uid
        return None

    def frame(self, swapped: bool) -> dict[str, Any]:
        """How something was displayed: by frame swap or a later guess, zoom, size of the canvas."""
        view = self.canvas.transform()
        return {"swapped": swapped, "zoom": round(float(view.zoom), 4), "canvas": [int(n) for n in view.canvas_size]}
