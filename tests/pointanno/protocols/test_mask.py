"""Masks by brush, polygon and acceptance, each one event with the whole mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pointanno.dataset import Box, MaskLabel
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle, rle_to_mask
from pointanno.project.records import BoxAnnotation, ImageAnnotations
from pointanno.protocols import AskMask, Mask
from pointanno.protocols.questions import Step

SIZE = (20, 30)


def with_mask(uid: str, mask: NDArray[np.bool_], source: str = "painted") -> BoxAnnotation:
    empty = np.zeros((0, 2), np.int32)
    label = MaskLabel(mask_to_rle(mask), source)
    return BoxAnnotation(uid, 1, Box(0, 0, 9, 9), empty, (), (), None, "mask", None, None, mask=label)


def block(x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, dtype=bool)
    mask[y0:y1, x0:x1] = True
    return mask


def painted(step: Step) -> NDArray[np.bool_]:
    return rle_to_mask(step[1]["rle"])


def test_a_polygon_makes_an_object() -> None:
    protocol = Mask()
    assert protocol.ask(ImageAnnotations(1)) == AskMask(drawn=0)
    kind, payload = protocol.polygon(ImageAnnotations(1), 2, [(3, 4), (9, 4), (9, 8), (3, 8)], SIZE, new_uid="a" * 32)
    assert kind == "mask" and (payload["uid"], payload["category_id"], payload["source"]) == ("a" * 32, 2, "polygon")
    np.testing.assert_array_equal(painted((kind, payload)), block(3, 4, 9, 8))


def test_strokes_add_and_take_away_and_keep_who_made_it() -> None:
    found = ImageAnnotations(1, boxes=(with_mask("a", block(0, 0, 10, 10)),))
    protocol = Mask()
    assert protocol.ask(found) == AskMask(drawn=1)
    added = protocol.brush(found, 1, [(15.5, 5.5)], 0.5, SIZE, uid="a")
    assert painted(added).sum() == 101 and "category_id" not in added[1] and added[1]["source"] == "painted"
    erased = protocol.polygon(found, 1, [(0, 0), (10, 0), (10, 5), (0, 5)], SIZE, uid="a", erase=True)
    np.testing.assert_array_equal(painted(erased), block(0, 5, 10, 10))
    with pytest.raises(InputError, match="Nothing is left of the mask"):
        protocol.polygon(found, 1, [(0, 0), (30, 0), (30, 20), (0, 20)], SIZE, uid="a", erase=True)
    with pytest.raises(InputError, match="Select an object first"):
        protocol.brush(found, 1, [(5, 5)], 2, SIZE, erase=True)
    with pytest.raises(InputError, match="has no object zz"):
        protocol.brush(found, 1, [(5, 5)], 2, SIZE, uid="zz")


def test_accepted_and_then_edited() -> None:
    rle = mask_to_rle(block(2, 2, 8, 8))
    kind, payload = Mask().accept(ImageAnnotations(1), 1, rle, suggested_by="runs/7 step 900")
    assert kind == "mask" and payload["source"] == "accepted_prediction"
    assert payload["suggested_by"] == "runs/7 step 900" and payload["rle"] == rle
    found = ImageAnnotations(1, boxes=(with_mask("a", block(2, 2, 8, 8), "accepted_prediction"),))
    edited = Mask().brush(found, 1, [(12.5, 5.5)], 1, SIZE, uid="a")
    assert edited[1]["source"] == "edited_prediction"


def test_a_pixel_belongs_to_one_object_unless_told_otherwise() -> None:
    found = ImageAnnotations(1, boxes=(with_mask("a", block(0, 0, 10, 10)),))
    corners = [(5, 0), (15, 0), (15, 10), (5, 10)]
    np.testing.assert_array_equal(painted(Mask().polygon(found, 1, corners, SIZE)), block(10, 0, 15, 10))
    np.testing.assert_array_equal(painted(Mask(exclusive=False).polygon(found, 1, corners, SIZE)), block(5, 0, 15, 10))
    with pytest.raises(InputError, match="where no other object is"):
        Mask().polygon(found, 1, [(1, 1), (9, 1), (9, 9), (1, 9)], SIZE)


def test_done_when_declared() -> None:
    assert not Mask().is_done(ImageAnnotations(1))
    assert Mask().is_done(replace(ImageAnnotations(1), complete={"things": True, "stuff": True}))
