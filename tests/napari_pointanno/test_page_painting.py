"""Pages of words fill the canvas, keep inside of it and show nothing of the picture below."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor, QImage, QPainter

from napari_pointanno.drawing import Page
from napari_pointanno.page_painting import GROUND, paint_page

pytestmark = pytest.mark.gui

PAGE = Page("A title", ("First line of words.", "", "Second line of words. " * 6), "Enter goes on", "A warning")


def painted(width: int, height: int, page: Page) -> np.ndarray:
    """The page over red, as (height, width, 3)."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 0, 0))
    painter = QPainter(image)
    paint_page(painter, QRectF(0, 0, width, height), page)
    painter.end()
    return np.array([[rgb(image.pixelColor(x, y)) for x in range(width)] for y in range(height)])


def rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


@pytest.mark.parametrize(("width", "height"), [(500, 400), (260, 420)])
def test_words_keep_inside(qapp: Any, width: int, height: int) -> None:
    found = painted(width, height, PAGE)
    ground = np.array(rgb(GROUND))
    ink = (np.abs(found - ground).sum(axis=2) > 60).nonzero()
    assert ink[0].min() >= 16 and ink[0].max() < height - 16, "nothing is cut at top and bottom"
    assert ink[1].min() >= 15 and ink[1].max() < width - 15
    edge = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]])
    assert (edge == ground).all(), "the picture below is covered"


def test_a_note_is_seen(qapp: Any) -> None:
    plain = Page(PAGE.title, PAGE.lines, PAGE.foot)
    assert np.any(painted(500, 400, PAGE) != painted(500, 400, plain))
