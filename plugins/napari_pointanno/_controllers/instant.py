"""Masks from clicks alone: after each click the objects that the clicks of the image make, without any training."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_pointanno._models.predicted import Predicted
from napari_pointanno.preview_layer import PreviewLayer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_pointanno._controllers.desk import Desk
    from pointanno.assignment import InstantMasks
    from pointanno.project import ImageAnnotations

CLICKS = "clicks"
"""What a mask was suggested by that was made from clicks alone; the source of such suggestions in the log."""

LAYER = "masks from clicks"

TOO_LARGE = "this picture is too large for masks from clicks"

Targets = dict[tuple[int, int], tuple[tuple[str, int, int], ...]]
"""By class and number (0 for stuff): uid and pixel (x, y) of each click."""


@dataclass(frozen=True, slots=True)
class _Made:
    """Masks of an image with the clicks that they come from."""

    image_id: int
    classes: tuple[tuple[int, bool], ...]
    """Id and whether it is a thing, in the order of the project."""
    masks: InstantMasks
    targets: Targets
    labels: NDArray[np.int32]
    """(H, W) position in `masks.targets`, -1 where none is."""


class Instant:
    """Keeps the masks of the shown image up with its clicks while they are switched on.

    The work is done beside the window, one image and one set of clicks at a time; what was clicked meanwhile comes
    next. A click that was added costs one search, see `pointanno.assignment.InstantMasks`.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.layer = PreviewLayer(desk.viewer, LAYER)
        self.on = False
        self._is_busy = False
        self._is_stale = False
        self._made: _Made | None = None

    # ------------------------------------------------------------------ switching

    def toggle(self, at_ns: int) -> None:
        """Switch the masks on or off; the log tells when they were to be seen."""
        desk = self._desk
        if not self.on and desk.guide is not None:
            desk.hint("masks from clicks are locked: a study runs")
            return
        self.on = not self.on
        desk.record("preview_visible" if self.on else "preview_hidden", {"source": CLICKS}, at_ns=at_ns)
        if self.on:
            desk.hint(
                "masks from clicks: on" if self._made is not None else "masks from clicks: on, the first in a moment"
            )
            self.follow()
        else:
            self.layer.hide()
            desk.hint("masks from clicks: off")

    def lock(self, at_ns: int) -> None:
        """A study begins: nothing may suggest an answer."""
        if self.on:
            self.toggle(at_ns)

    def close(self) -> None:
        """The project is closed."""
        self.on, self._made = False, None
        self.layer.clear()

    # ------------------------------------------------------------------ following the clicks

    def follow(self) -> None:
        """The image or its annotations may have changed."""
        if not self.on:
            return
        if self._is_busy:
            self._is_stale = True
            return
        session, made = self._desk.session, self._made
        image, annotations = session.image, session.annotations
        if image is None or annotations is None or not session.readable or self._desk.mode.is_blind:
            self.layer.blank()
            return
        if self.layer.image_id not in (None, image.id):
            self.layer.blank()
        targets, classes = targets_of(annotations), tuple((one.id, one.isthing) for one in session.categories)
        if made is not None and (made.image_id, made.classes) != (image.id, classes):
            made = self._made = None
        if made is not None and made.targets == targets and self.layer.image_id == image.id:
            self.layer.reveal()
            return
        pixels = self._desk.pictures.pixels() if made is None else None
        if made is None and pixels is None:
            self._desk.hint(TOO_LARGE)
            return
        self._begin(image.id, pixels, targets, classes, made)

    def _begin(
        self,
        image_id: int,
        pixels: NDArray[np.uint8] | None,
        targets: Targets,
        classes: tuple[tuple[int, bool], ...],
        made: _Made | None,
    ) -> None:
        """Make or change the masks beside the window."""
        self._is_busy, self._is_stale = True, False
        self._made = None  # they are being changed

        def work() -> _Made:
            from pointanno.assignment import InstantMasks

            if made is None:
                assert pixels is not None
                masks = InstantMasks(pixels, [isthing for _, isthing in classes])
            else:
                masks = made.masks
            index = {category_id: position for position, (category_id, _) in enumerate(classes)}
            _update(masks, {} if made is None else made.targets, targets, index)
            return _Made(image_id, classes, masks, targets, masks.labels())

        def done(found: Any) -> None:
            self._is_busy = False
            if isinstance(found, Exception):
                self._desk.view.notify(f"masks from clicks: {found}")
                return
            self._made = found
            self._show(found)
            if self._is_stale:
                self.follow()

        self._desk.background(work, done)

    def _show(self, made: _Made) -> None:
        """Put the masks on the canvas if their image is still there."""
        session = self._desk.session
        if not self.on or session.image is None or session.image.id != made.image_id:
            return
        isthing = dict(made.classes)
        segments: list[Mapping[str, Any]] = [
            {"id": number, "category_id": key[0], "isthing": isthing[key[0]], "score": 1.0}
            for number, key in enumerate(made.masks.targets, start=1)
            if isinstance(key, tuple)
        ]
        ids = made.labels + 1
        shown = ids.astype(np.uint8) if len(segments) < 256 else ids.astype(np.uint16)
        self.layer.show(made.image_id, shown, segments, session.categories, session.colors)

    # ------------------------------------------------------------------ what is shown, for those who take it over

    def shows(self, image_id: int) -> bool:
        """Whether masks of this image are to be seen."""
        layer = self.layer.layer
        return self.on and layer is not None and layer.visible and self.layer.image_id == image_id

    def segment_at(self, image_id: int, x: int, y: int) -> Predicted | None:
        """The mask at a pixel of an image, with the clicks that it comes from."""
        made = self._made
        if made is None or made.image_id != image_id or not self.shows(image_id):
            return None
        height, width = made.labels.shape
        number = int(made.labels[y, x]) if 0 <= y < height and 0 <= x < width else -1
        found = self.layer.segment_at(x, y)
        key = made.masks.targets[number] if number >= 0 else None
        if found is None or not isinstance(key, tuple):
            return None
        return Predicted(*found, CLICKS, clicks=tuple(uid for uid, _, _ in made.targets[key]))


def targets_of(annotations: ImageAnnotations) -> Targets:
    """Positive clicks of an image by what they mark: a thing each, or all of a class of stuff."""
    found: defaultdict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for click in annotations.clicks:
        if click.status == "object":
            found[click.category_id, click.instance].append((click.uid, click.x, click.y))
    return {key: tuple(clicks) for key, clicks in found.items()}


def _update(masks: InstantMasks, held: Targets, wanted: Targets, classes: Mapping[int, int]) -> None:
    """Take clicks back that are gone and add those that are new."""
    for key, clicks in held.items():
        for pixel in _pixels(clicks) - _pixels(wanted.get(key, ())):
            masks.remove_click(key, pixel)
    for key, clicks in wanted.items():
        for pixel in sorted(_pixels(clicks) - _pixels(held.get(key, ()))):
            masks.add_click(key, classes[key[0]], pixel)


def _pixels(clicks: tuple[tuple[str, int, int], ...]) -> set[tuple[int, int]]:
    return {(x, y) for _, x, y in clicks}
