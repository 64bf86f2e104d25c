"""What the parts of a session share: its state, its views, and the way from one to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_pointanno._controllers.recorder import Recorder
from napari_pointanno._models.image_pages import is_complete, is_touched
from napari_pointanno._models.session import Session
from napari_pointanno._views.annotate_view import AnnotateView, ClassRow, Now
from napari_pointanno._views.canvas_view import CanvasView
from napari_pointanno.drawing import Fresh
from napari_pointanno.layers import AnnotationLayers
from napari_pointanno.view_transform import view_of_box
from pointanno.coords import box_to_napari_corners

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from pointanno.project import Event


class Desk:
    """One sitting: the state, the project behind it, and everything that shows it."""

    def __init__(self, viewer: ViewerModel, view: AnnotateView, canvas: CanvasView, session: Session) -> None:
        self.viewer = viewer
        self.view = view
        self.canvas = canvas
        self.session = session
        self.layers = AnnotationLayers(viewer)
        self.recorder = Recorder(session.project, view)
        self.touched = session.pages.touched()
        self._shown_point: tuple[str, int] | None = None
        self._view_before: tuple[tuple[float, ...], float] | None = None

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
        self.canvas.draw(self.session.drawing())

    def refresh(self) -> None:
        """Read the current image's annotations and show them, with what is asked next."""
        self.session.reload_annotations()
        self._move_camera()
        self._show_annotations(lazily=True)
        self.redraw()
        self._watch_point()
        self.show_classes()
        self.show_now()
        if any(self.session.fresh):
            self.canvas.when_idle(self._catch_up)

    def _show_annotations(self, *, lazily: bool) -> None:
        session = self.session
        session.fresh = Fresh()
        if session.annotations is not None and session.readable:
            session.fresh = self.layers.show_annotations(
                session.annotations,
                session.categories,
                session.colors,
                open_box=session.asked.box_uid if session.asked else None,
                lazily=lazily,
            )

    def _catch_up(self) -> None:
        """Move what the overlay drew for the moment into the layers."""
        if any(self.session.fresh):
            self._show_annotations(lazily=False)
            self.redraw()

    def show_classes(self) -> None:
        """Fill the class list with the counts of the current image."""
        session = self.session
        counts: Counter[int] = Counter()
        absent: tuple[int, ...] = ()
        if session.annotations is not None:
            counts.update(click.category_id for click in session.annotations.clicks)
            counts.update(box.category_id for box in session.annotations.boxes)
            absent = session.annotations.absent_category_ids
        rows = [
            ClassRow(c.id, c.name, c.isthing, session.colors[c.id], counts[c.id], c.id in absent)
            for c in session.categories
        ]
        self.view.show_classes(rows, session.category_id)

    def show_now(self) -> None:
        """Fill the panel of the question, and the row of the current image."""
        session = self.session
        answered, complete = 0, False
        if session.image is not None:
            before = is_touched(session.pages.row(session.row))
            session.pages.refresh(session.row)
            image = session.image = session.pages.row(session.row)
            answered, complete = image.clicks + image.answers, is_complete(image)
            self.touched += is_touched(image) - before
            self.view.refresh_row(session.row)
            self.view.show_row(session.row, self.touched, len(session.pages))
        asked = session.asked
        self.view.show_now(
            Now(
                prompt=session.prompt(),
                progress=f"{asked.index + 1}/{asked.total}" if asked else "",
                answered=answered,
                complete=complete,
                can_undo=session.project.can_undo,
                can_redo=session.project.can_redo,
                paused=session.paused,
            )
        )

    def forget_view(self) -> None:
        """The camera belongs to a new image; there is nothing to return to."""
        self._view_before = None
        self._shown_point = None

    def _move_camera(self) -> None:
        """Go to the box whose points are asked, and back after the last of them."""
        session, camera = self.session, self.viewer.scene.camera
        if session.asked is not None:
            if self._shown_point is not None and self._shown_point[0] == session.asked.box_uid:
                return
            if self._view_before is None:
                self._view_before = (tuple(camera.center), camera.zoom)
            box = session.box(session.asked.box_uid)
            assert box is not None
            corners = box_to_napari_corners(box.box.xyxy)
            (y0, x0), (y1, x1) = corners[0].tolist(), corners[2].tolist()
            center, zoom = view_of_box((x0, y0, x1, y1), self.canvas.transform().canvas_size)
            camera.center = (0.0, *center)
            camera.zoom = zoom
        elif self._view_before is not None:
            center_before, zoom = self._view_before
            camera.center = center_before
            camera.zoom = zoom
            self._view_before = None

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

        self.canvas.when_shown(shown)

    def frame(self, swapped: bool) -> dict[str, Any]:
        """How something was displayed: by frame swap or a later guess, zoom, size of the canvas."""
        view = self.canvas.transform()
        return {"swapped": swapped, "zoom": round(float(view.zoom), 4), "canvas": [int(n) for n in view.canvas_size]}
