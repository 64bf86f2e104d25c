"""The controller of the preview: asks for the prediction of the shown image and shows what comes back.

A wish is an image and a checkpoint; a reply for another image than the one wished for last is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_pointanno._models.predicted import Predicted
from napari_pointanno._views.train_view import TrainView
from napari_pointanno.palette import category_colors
from napari_pointanno.preview_layer import OPACITY, PreviewLayer
from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from pointanno.project import Project, ProjectImage
    from pointanno.runs import PreviewClient, RunFolder
    from pointanno.runs.preview_client import PreviewReply

DEBOUNCE_MS, POLL_MS = 150, 40

OPACITY_STEP = 0.1
"""By how much a key changes the opacity, which it leaves above 0: the key P takes the preview away."""

LOCKED = "locked: a study runs"

Schedule = Callable[[int, Callable[[], None]], None]
"""Call something after some milliseconds, in the window's thread."""


class PreviewController:
    """Keeps one prediction process warm while the preview is on.

    Parameters
    ----------
    viewer : ViewerModel
    view : TrainView
    schedule : callable
        ``schedule(ms, function)``.
    client : callable
        Makes the `PreviewClient`; called when the preview is switched on first.
    """

    shown = Signal(object)
    """The `PreviewReply` that the layer shows from now on."""

    def __init__(
        self, viewer: ViewerModel, view: TrainView, schedule: Schedule, client: Callable[[], PreviewClient]
    ) -> None:
        self._view = view
        self._schedule = schedule
        self._make_client = client
        self._client: PreviewClient | None = None
        self.layer = PreviewLayer(viewer)
        self.on = False
        self._is_locked = False
        self._project: Project | None = None
        self._image: ProjectImage | None = None
        self._run: RunFolder | None = None
        self._wish = 0
        self._asked: tuple[int, str] | None = None
        self._polling = False
        self._opacity: float | None = None
        self._told = ""
        self._told_visible = False
        """What the log says of the open project."""
        self._shown_by = ""
        """Run and checkpoint of what the layer holds."""
        view.preview_switched.connect(self.switch)
        view.opacity_changed.connect(self.set_opacity)

    def set_project(self, project: Project | None) -> None:
        """Another project: what is shown belongs to none of its images."""
        self._project, self._image = project, None
        self._told_visible = self.on  # as the first event of the session says
        self.layer.clear()

    def set_image(self, image: ProjectImage | None) -> None:
        """Another image is on the canvas."""
        if self._image is not None and (image is None or image.id != self._image.id):
            self.layer.blank()
        self._image = image
        self._want()

    def set_run(self, run: RunFolder | None) -> None:
        """Another run is shown; the preview is its."""
        self._run = run
        self._asked = None
        self._want()

    def on_checkpoint(self, checkpoint_id: str) -> None:
        """The run has a new checkpoint."""
        self._want()

    def toggle(self) -> None:
        """The key P."""
        self.switch(not self.on)

    def switch(self, on: bool) -> None:
        """Preview on or off; the annotator's log tells when it was visible."""
        if on and self._is_locked:
            self._view.show_preview(False, LOCKED)
            return
        self.on = on
        self._tell(on and not self.layer.is_hidden_by_hand)
        if not on:
            self.layer.hide()
            self._view.show_preview(False, "")
            return
        self._want()

    def _on_eye(self) -> None:
        """The person has hidden the layer in napari's list, or taken that back."""
        layer = self.layer.layer
        if self.on and layer is not None:
            self._tell(layer.visible)

    def _tell(self, visible: bool) -> None:
        """Write down that predictions are visible from now on, or no more."""
        if self._project is None or visible == self._told_visible:
            return
        self._told_visible = visible
        payload = {"run": self._run.name if self._run is not None else None}
        image_id = None if self._image is None else self._image.id
        try:
            self._project.record("preview_visible" if visible else "preview_hidden", payload, image_id=image_id)
        except (InputError, OSError) as error:
            self._view.notify(str(error))

    def lock(self, locked: bool) -> None:
        """While a study runs no prediction may be seen."""
        if locked and self.on:
            self.switch(False)
        self._is_locked = locked

    def set_opacity(self, opacity: float) -> None:
        """The slider; acts on the layer, nothing is predicted anew."""
        self._opacity = opacity
        if self.layer.layer is not None:
            self.layer.layer.opacity = opacity

    def step_opacity(self, direction: int) -> None:
        """Stronger (1) or fainter (-1) by a key; the slider follows."""
        opacity = OPACITY if self._opacity is None else self._opacity
        opacity = round(min(max(opacity + direction * OPACITY_STEP, OPACITY_STEP), 1.0), 2)
        self.set_opacity(opacity)
        self._view.show_opacity(opacity)

    def shows(self, image_id: int) -> bool:
        """Whether the prediction of this image is to be seen."""
        layer = self.layer.layer
        return self.on and layer is not None and layer.visible and self.layer.image_id == image_id

    def segment_at(self, image_id: int, x: int, y: int) -> Predicted | None:
        """What is predicted at a pixel of an image; None if that is nothing, or not to be seen."""
        found = self.layer.segment_at(x, y) if self.shows(image_id) else None
        return None if found is None else Predicted(*found, self._shown_by)

    def make_room(self) -> None:
        """Give the memory of the model back, since a training needs it; the next picture loads it again."""
        if self._client is not None:
            self._client.unload()

    def close(self) -> None:
        """End the process."""
        client, self._client = self._client, None
        self.on = False
        if client is not None:
            client.close()

    def _want(self) -> None:
        """Ask soon; several wishes within the delay become one."""
        if not self.on:
            return
        self._wish += 1
        wish = self._wish
        self._schedule(DEBOUNCE_MS, lambda: self._request() if wish == self._wish and self.on else None)

    def _request(self) -> None:
        if self._image is None:
            self._view.show_preview(True, "no image is shown")
            return
        if self._run is None:
            self._view.show_preview(True, "no run yet: train first")
            return
        name = "last" if self._run.status().is_active or self._run.checkpoint_id("best") is None else "best"
        checkpoint_id = self._run.checkpoint_id(name)
        if checkpoint_id is None:
            self._view.show_preview(True, "waiting for the first checkpoint")
            return
        asked = (self._image.id, checkpoint_id)
        if asked == self._asked and self.layer.image_id == self._image.id:
            self.layer.reveal()
            self._view.show_preview(True, self._told)
            return
        self._asked = asked
        try:
            if self._client is None:
                self._client = self._make_client()
            self._client.set_run(self._run)
            self._client.request(self._image.path, self._image.id, name)
        except (InputError, OSError) as error:
            self._view.show_preview(True, str(error))
            return
        self._view.show_preview(True, f"predicting {self._image.file_name} …")
        self._poll_soon()

    def _poll_soon(self) -> None:
        if not self._polling:
            self._polling = True
            self._schedule(POLL_MS, self._poll)

    def _poll(self) -> None:
        self._polling = False
        if self._client is None or not self.on or self._asked is None:
            return
        try:
            reply = self._client.poll()
        except (InputError, OSError) as error:
            self._asked = None
            self._view.show_preview(True, str(error))
            return
        if reply is None:
            self._poll_soon()
            return
        self._on_reply(reply)

    def _on_reply(self, reply: PreviewReply) -> None:
        if self._asked is None or self._project is None or self._image is None:
            return
        if reply.image_id != self._asked[0]:
            self._poll_soon()  # stale: what is wanted by now is still on its way
            return
        if reply.error:
            self._asked = None
            self._view.show_preview(True, reply.error)
            return
        # the child reads the newest checkpoint, which may be newer than the one that was there at the request
        self._asked = (reply.image_id, reply.checkpoint_id)
        if reply.labels.shape != (self._image.height, self._image.width):
            self._view.show_preview(True, "the prediction has another size than the image; it is not shown")
            return
        categories = self._project.categories()
        self._shown_by = f"{self._run_name()} {reply.checkpoint_id}"
        self.layer.show(reply.image_id, reply.labels, reply.segments, categories, category_colors(categories))
        if self.layer.layer is not None:
            self.layer.layer.events.visible.connect(self._on_eye)  # once: napari knows what is connected
        if self._opacity is not None and self.layer.layer is not None:
            self.layer.layer.opacity = self._opacity
        count = len(reply.segments)
        self._told = f"{count} segment{'' if count == 1 else 's'} by {self._run_name()}"
        self._view.show_preview(True, self._told)
        self.shown.emit(reply)

    def _run_name(self) -> str:
        return self._run.name if self._run is not None else ""
