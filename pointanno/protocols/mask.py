"""A mask for each object or region: painted, drawn as a polygon, or an accepted prediction.

One finished stroke, polygon or acceptance is one event that carries the whole mask as a run-length code.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.formats.rle import rle_area, rle_difference, rle_to_xywh, rle_union
from pointanno.protocols.questions import AskMask, Step
from pointanno.protocols.strokes import brush_rle, polygon_rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.formats.rle import RLE
    from pointanno.project.records import BoxAnnotation, ImageAnnotations

PAINTED, POLYGON, ACCEPTED, EDITED = "painted", "polygon", "accepted_prediction", "edited_prediction"
"""Values of `mask_source`: a brush, a polygon, a prediction as it was, a prediction with corrections."""


class Mask:
    """Asks for masks, one object after the other, until the person says that the image is complete.

    Parameters
    ----------
    exclusive : bool
        Whether a pixel belongs to one object at most: what is painted then spares the masks that are there.
    """

    name = "mask"

    def __init__(self, exclusive: bool = True) -> None:
        self.exclusive = exclusive

    def ask(self, annotations: ImageAnnotations) -> AskMask:
        """What to do next; there is always room for another mask."""
        return AskMask(drawn=sum(box.mask is not None for box in annotations.boxes))

    def is_done(self, annotations: ImageAnnotations) -> bool:
        """Whether things and stuff were declared complete."""
        return annotations.complete is not None and all(annotations.complete.values())

    def brush(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        path: Sequence[tuple[float, float]],
        radius: float,
        image_size: tuple[int, int],
        *,
        uid: str | None = None,
        erase: bool = False,
        new_uid: str | None = None,
    ) -> Step:
        """The event of a brush stroke.

        Parameters
        ----------
        annotations : of the image
        category_id : class of a new object
        path : (x, y), continuous, along which the brush went
        radius : float, pixels
        image_size : (height, width)
        uid : str or None
            The object that is painted on; None begins a new one.
        erase : bool
            Whether the stroke takes pixels away.
        new_uid : str or None
            Uid of a new object; a fresh one by default.

        Raises
        ------
        InputError
            If nothing would be left of the mask, or nothing was painted.
        """
        stroke = brush_rle(path, radius, image_size)
        return self._combine(annotations, category_id, stroke, uid, erase, PAINTED, new_uid)

    def polygon(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        corners: Sequence[tuple[float, float]],
        image_size: tuple[int, int],
        *,
        uid: str | None = None,
        erase: bool = False,
        new_uid: str | None = None,
    ) -> Step:
        """The event of a finished polygon, (x, y), continuous; otherwise like `brush`."""
        area = polygon_rle(corners, image_size)
        return self._combine(annotations, category_id, area, uid, erase, POLYGON, new_uid)

    def accept(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        rle: Mapping[str, Any],
        *,
        suggested_by: str,
        uid: str | None = None,
        new_uid: str | None = None,
        clicks: Sequence[str] = (),
    ) -> Step:
        """The event that takes over a predicted mask.

        Parameters
        ----------
        annotations : of the image
        category_id : class of a new object
        rle : compressed code of the prediction
        suggested_by : run and checkpoint of the model
        uid : str or None
            A box that gets the mask; None makes an object of it.
        new_uid : str or None
            Uid of a new object; a fresh one by default.
        clicks : sequence of str
            Clicks that the prediction was made from; of a new object they become part.
        """
        mask = self._spared(annotations, dict(rle), uid)
        kind, payload = self._step(category_id, mask, uid, ACCEPTED, new_uid)
        linked = {"clicks": list(clicks)} if clicks and uid is None else {}
        return kind, {**payload, **linked, "suggested_by": suggested_by}

    def _combine(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        pixels: RLE,
        uid: str | None,
        erase: bool,
        source: str,
        new_uid: str | None,
    ) -> Step:
        """Add pixels to a mask, or take them away."""
        there: RLE | None = None
        if uid is not None:
            box = _box(annotations, uid)
            if box.mask is not None:
                there = dict(box.mask.rle)
                source = EDITED if box.mask.source in (ACCEPTED, EDITED) else source
        if erase:
            if there is None:
                raise InputError("There is no mask to take pixels from. Select an object first")
            return self._step(category_id, rle_difference(there, pixels), uid, source, new_uid)
        added = self._spared(annotations, pixels, uid)
        mask = added if there is None else rle_union([there, added])
        return self._step(category_id, mask, uid, source, new_uid)

    def _spared(self, annotations: ImageAnnotations, mask: RLE, uid: str | None) -> RLE:
        """The mask without pixels that belong to other objects."""
        if not self.exclusive:
            return mask
        x, y, width, height = rle_to_xywh(mask)
        others = []
        for box in annotations.boxes:
            if box.uid != uid and box.mask is not None and not box.iscrowd:
                left, top, wide, high = rle_to_xywh(box.mask.rle)
                if left < x + width and x < left + wide and top < y + height and y < top + high:
                    others.append(box.mask.rle)
        return rle_difference(mask, rle_union(others)) if others else mask

    @staticmethod
    def _step(
        category_id: int, mask: RLE, uid: str | None, source: str, new_uid: str | None
    ) -> tuple[str, dict[str, Any]]:
        if not rle_area(mask):
            raise InputError(
                "Nothing is left of the mask, so it was not taken. Delete the object, or paint where no other object is"
            )
        payload: dict[str, Any] = {
            "uid": uid or new_uid or uuid.uuid4().hex,
            "rle": mask,
            "source": source,
        }
        return "mask", payload if uid is not None else {**payload, "category_id": category_id}


def _box(annotations: ImageAnnotations, uid: str) -> BoxAnnotation:
    found = next((box for box in annotations.boxes if box.uid == uid), None)
    if found is None:
        raise InputError(f"mask, uid: image {annotations.image_id} has no object {uid}")
    return found
