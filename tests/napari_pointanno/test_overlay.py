from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage, QRegion
from qtpy.QtWidgets import QWidget

from napari_pointanno.drawing import Dot, Drawing, Frame, FreshPoint, Question
from napari_pointanno.overlay import CanvasOverlay
from napari_pointanno.view_transform import ViewTransform

pytestmark = pytest.mark.gui

VIEW = ViewTransform((50.0, 100.0), 2.0, (200, 400))
"""Pixel (row, column) lies at canvas x = 2 column, y = 2 row."""


@pytest.fixture
def overlay(qtbot: Any) -> Iterator[CanvasOverlay]:
    canvas = QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(400, 200)
    yield CanvasOverlay(canvas, lambda: VIEW)


def _picture(overlay: CanvasOverlay) -> NDArray[np.uint8]:
    """(H, W, 4) as painted, transparent where nothing is."""
    image = QImage(overlay.size(), QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    overlay.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    memory = image.constBits()
    if hasattr(memory, "setsize"):  # PyQt does not know how much it is
        memory.setsize(image.sizeInBytes())
    return np.frombuffer(memory, np.uint8).reshape(200, 400, 4).copy()


def test_nothing_to_show_is_nothing_painted(overlay: CanvasOverlay) -> None:
    assert _picture(overlay).max() == 0


def test_the_asked_pixel_itself_stays_visible(overlay: CanvasOverlay) -> None:
    overlay.set_drawing(Drawing(question=Question(30.0, 60.0, "CAR?", (255, 255, 255))))
    alpha = _picture(overlay)[..., 3]
    assert alpha[57:63, 117:123].max() == 0
    ring = alpha[60, 120 + 6 : 120 + 9]
    assert ring.max() > 200


def test_answers_differ_in_colour_and_shape(overlay: CanvasOverlay) -> None:
    overlay.set_drawing(Drawing(dots=(Dot(20, 30, "object"), Dot(20, 90, "background"), Dot(20, 150, "unsure"))))
    picture = _picture(overlay).astype(int)
    shapes = [picture[30:50, x - 10 : x + 10] for x in (60, 180, 300)]
    assert all(shape[..., 3].max() > 0 for shape in shapes)
    green, red = shapes[0], shapes[1]
    assert (green[..., 1] - green[..., 0]).max() > 60
    assert (red[..., 0] - red[..., 1]).max() > 60
    outlines = [shape[..., 3] > 128 for shape in shapes]
    assert not np.array_equal(outlines[0], outlines[1])
    assert not np.array_equal(outlines[1], outlines[2])


def test_a_fresh_point_is_bounded_on_the_screen(overlay: CanvasOverlay) -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    overlay.set_drawing(Drawing(fresh=(FreshPoint(20, 30, red, False, 50.0), FreshPoint(20, 90, blue, True, 0.1))))
    picture = _picture(overlay)
    assert picture[40, 60].tolist() == [255, 0, 0, 255]
    assert picture[40, 180].tolist() == [0, 0, 255, 255]
    columns = np.nonzero(picture[40, :, 3] > 128)[0]
    assert 14 <= np.count_nonzero(columns < 120) <= 16
    assert 6 <= np.count_nonzero(columns > 120) <= 8


def test_a_frame_lies_on_its_corners(overlay: CanvasOverlay) -> None:
    overlay.set_drawing(Drawing(frames=(Frame((40.0, 50.0), (60.0, 90.0), (255, 0, 0)),)))
    alpha = _picture(overlay)[..., 3]
    rows, columns = np.nonzero(alpha > 100)
    assert abs(int(rows.min()) - 80) <= 3
    assert abs(int(columns.max()) - 180) <= 3
    assert alpha[100, 140] == 0


def test_words_stay_inside_the_canvas(overlay: CanvasOverlay) -> None:
    overlay.set_drawing(Drawing(question=Question(5.0, 195.0, "a long question about this", (255, 255, 255))))
    assert _picture(overlay)[..., 3][:, :380].max() > 100


def test_hold_hides_the_marks_and_the_sheet_covers(overlay: CanvasOverlay) -> None:
    overlay.set_drawing(Drawing(dots=(Dot(20, 30, "object"),)))
    overlay.set_hidden(True)
    assert _picture(overlay).max() == 0
    overlay.set_hidden(False)
    overlay.set_drawing(Drawing(key_sheet=True, headline="Click", hint="done", paused=True))
    assert (_picture(overlay)[..., 3] > 0).mean() > 0.9


def test_it_follows_the_size_of_the_canvas(overlay: CanvasOverlay) -> None:
    parent = overlay.parentWidget()
    assert parent is not None
    parent.show()
    parent.resize(300, 150)
    assert (overlay.width(), overlay.height()) == (300, 150)
    assert overlay.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
