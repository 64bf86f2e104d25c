"""What somebody who practises is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Category, MaskLabel
from pointanno.formats.rle import mask_to_rle
from pointanno.project import BoxAnnotation, Click, ImageAnnotations
from pointanno.project.practice import practice_words

CLASSES = (Category(1, "cell", True), Category(2, "water", False))


def click(x: int, y: int, instance: int = 0, category: int = 1) -> Click:
    return Click(f"{x:016x}{y:016x}", category, category == 1, x, y, instance, None, "manual", None, None)


def box(x0: int, y0: int, x1: int, y1: int, *, mask: bool = False, category: int = 1) -> BoxAnnotation:
    pixels = np.zeros((60, 60), bool)
    pixels[y0:y1, x0:x1] = True
    label = MaskLabel(mask_to_rle(pixels), "painted") if mask else None
    no_points: Any = np.zeros((0, 2), np.int32)
    uid = f"{x0:08x}{y0:08x}{x1:08x}{y1:08x}"
    return BoxAnnotation(uid, category, Box(x0, y0, x1, y1), no_points, (), (), None, None, None, None, mask=label)


def words(found: ImageAnnotations, known: ImageAnnotations) -> str:
    return practice_words(found, known, CLASSES)


def test_clicks_against_known_clicks() -> None:
    known = ImageAnnotations(1, clicks=(click(10, 10, 1), click(40, 40, 2)))
    found = ImageAnnotations(1, clicks=(click(13, 14, 1), click(14, 14, 1), click(55, 5, 2)))
    text = "1 of 2 known objects found, typically 5.0 px from the known place. 1 mark on none of them."
    assert words(found, known) == text, "3 and 4 pixels off are 5; a second click on one object is none too much"


def test_clicks_against_known_objects() -> None:
    known = ImageAnnotations(1, boxes=(box(0, 0, 20, 20), box(5, 5, 10, 10), box(30, 30, 40, 40, mask=True)))
    found = ImageAnnotations(1, clicks=(click(6, 6, 1), click(7, 7, 2), click(39, 39, 3), click(50, 50, 4)))
    assert words(found, known) == "3 of 3 known objects found. 1 mark on none of them.", "the smaller one first"


@pytest.mark.parametrize("mask", [False, True])
def test_boxes_and_masks_by_overlap(mask: bool) -> None:
    """20 x 16 of 20 x 20 pixels are 80 %; 4 x 4 of 10 x 10 and 10 x 10 are 16 of 184, less than half."""
    known = ImageAnnotations(1, boxes=(box(0, 0, 20, 20, mask=mask), box(30, 30, 40, 40, mask=mask)))
    found = ImageAnnotations(1, boxes=(box(0, 0, 20, 16, mask=mask), box(36, 36, 46, 46, mask=mask)))
    text = "1 of 2 known objects found, typical overlap 80 %. 1 mark on none of them."
    assert words(found, known) == text


def test_another_class_is_another_object() -> None:
    classes = (Category(1, "cell", True), Category(3, "dirt", True))
    known = ImageAnnotations(1, boxes=(box(0, 0, 20, 20),))
    found = ImageAnnotations(1, boxes=(box(0, 0, 20, 20, category=3),))
    assert practice_words(found, known, classes) == "0 of 1 known object found. 1 mark on none of them."


def test_nothing_known_is_nothing_told() -> None:
    assert words(ImageAnnotations(1, clicks=(click(1, 1, 1),)), ImageAnnotations(1)) == ""
    assert words(ImageAnnotations(1), ImageAnnotations(1, boxes=(box(0, 0, 9, 9, category=2),))) == ""
    known = ImageAnnotations(1, boxes=(box(0, 0, 20, 20),))
    assert words(ImageAnnotations(1), known) == "Nothing was annotated: 1 object is known here."
    found = ImageAnnotations(1, boxes=(box(0, 0, 20, 20),))
    assert words(found, known) == "1 of 1 known object found, typical overlap 100 %. Nothing too much."
