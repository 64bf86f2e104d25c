"""A mask for each object or region: painted, drawn as a polygon, or an accepted prediction.

One finished stroke, polygon or acceptance is one event that carries the whole mask as a run-length code.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle, rle_to_mask
from pointanno.protocols.questions import AskMask, Step
from pointanno.protocols.strokes import brush_mask, polygon_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

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
        stroke = brush_mask(path, radius, image_size)
        return self._combine(annotations, category_id, stroke, image_size, uid, erase, PAINTED, new_uid)

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
        area = polygon_mask(corners, image_size)
        return self._combine(annotations, category_id, area, image_size, uid, erase, POLYGON, new_uid)

    def accept(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        rle: Mapping[str, Any],
        *,
        suggested_by: str,
        uid: str | None = None,
        new_uid: str | None = None,
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
        """
        mask = rle_to_mask(rle)
        mask = self._spared(annotations, mask, uid)
        kind, payload = self._step(category_id, mask, uid, ACCEPTED, new_uid)
        return kind, {**payload, "suggested_by": suggested_by}

    def _combine(
        self,
        annotations: ImageAnnotations,
        category_id: int,
        pixels: NDArray[np.bool_],
        image_size: tuple[int, int],
        uid: str | None,
        erase: bool,
        source: str,
        new_uid: str | None,
    ) -> Step:
        """Add pixels to a mask, or take them away."""
        there: NDArray[np.bool_] = np.zeros(image_size, dtype=bool)
        if uid is not None:
            box = _box(annotations, uid)
            if box.mask is not None:
                there = rle_to_mask(box.mask.rle)
                source = EDITED if box.mask.source in (ACCEPTED, EDITED) else source
        elif erase:
            raise InputError("There is no mask to take pixels from. Select an object first")
        mask = there & ~pixels if erase else there | self._spared(annotations, pixels, uid)
        return self._step(category_id, mask, uid, source, new_uid)

    def _spared(self, annotations: ImageAnnotations, mask: NDArray[np.bool_], uid: str | None) -> NDArray[np.bool_]:
        """The mask without pixels that belong to other objects."""
        if not self.exclusive:
            return mask
        left = mask.copy()
        for box in annotations.boxes:
            if box.uid != uid and box.mask is not None and not box.iscrowd:
                left &= ~rle_to_mask(box.mask.rle)
        return left

    @staticmethod
    def _step(
        category_id: int, mask: NDArray[np.bool_], uid: str | None, source: str, new_uid: str | None
    ) -> tuple[str, dict[str, Any]]:
        if not mask.any():
            raise InputError(
                "Nothing is left of the mask, so it was not taken. Delete the object, or paint where no other object is"
            )
        payload: dict[str, Any] = {
            "uid": uid or new_uid or uuid.uuid4().hex,
            "rle": mask_to_rle(mask),
            "source": source,
        }
        return "mask", payload if uid is not None else {**payload, "category_id": category_id}


def _box(annotations: ImageAnnotations, uid: str) -> BoxAnnotation:
    found = next((box for box in annotations.boxes if box.uid == uid), None)
    if found is None:
        raise InputError(f"mask, uid: image {annotations.image_id} has no object {uid}")
    return found
