"""The ways of annotating in a real viewer, with real events of mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_docks
from napari_pointanno.mask_layer import MASKS
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import Workbench, workbench
from pointanno.coords import index_to_napari
from pointanno.formats.rle import rle_to_mask
from pointanno.project import Project
from pointanno.protocols import MultiPoint, brush_mask

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


class Hand:
    """Presses keys and buttons on the canvas, at pixels of the picture."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        canvas = find_canvas(bench.annotate_widget())
        assert canvas is not None
        self.canvas = canvas

    @property
    def session(self) -> Any:
        return self.bench.annotate.session

    def at(self, x: float, y: float) -> QPoint:
        view = ViewTransform.of_viewer(self.bench.viewer, (self.canvas.height(), self.canvas.width()))
        return QPoint(*(round(value) for value in view.to_canvas(*index_to_napari((x, y)).tolist())))

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.canvas, key)

    def click(self, *places: tuple[int, int]) -> None:
        for place in places:
            QTest.mouseClick(self.canvas, LEFT, pos=self.at(*place))

    def drag(self, *places: tuple[int, int]) -> None:
        QTest.mousePress(self.canvas, LEFT, pos=self.at(*places[0]))
        for place in places[1:]:
            QTest.mouseMove(self.canvas, self.at(*place))
        QTest.mouseRelease(self.canvas, LEFT, pos=self.at(*places[-1]))

    def tool(self, qtbot: Any, name: str) -> Any:
        """A button of the mode; the dock follows the canvas by a frame."""
        tools: Any = self.bench.annotate.view.tools  # type: ignore[attr-defined]
        qtbot.waitUntil(lambda: name in tools.buttons, timeout=10_000)
        return tools.buttons[name]

    def has_keyboard(self) -> bool:
        return self.canvas.window().focusWidget() is self.canvas

    def picture(self) -> Any:
        return self.bench.viewer.screenshot(canvas_only=False, flash=False)


@pytest.fixture
def hand(qtbot: Any, project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Hand]:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    bench = open_docks(viewer)
    bench.annotate.start(project)
    qtbot.waitUntil(lambda: bench.annotate.session.watch.running, timeout=60_000)  # type: ignore[union-attr]
    yield Hand(bench)
    workbench(viewer).abandon()


def test_several_clicks_on_a_target(hand: Hand) -> None:
    hand.key(Qt.Key.Key_T)
    before = hand.picture()
    hand.click((20, 20), (24, 20), (22, 24))
    assert np.any(before != hand.picture())
    hand.key(Qt.Key.Key_Return)
    hand.key(Qt.Key.Key_2)
    hand.click((50, 40))
    found = MultiPoint().targets(hand.session.annotations)
    assert [(target.category_id, target.placed, target.closed) for target in found] == [(1, 3, True), (2, 1, False)]


def test_extreme_points_and_given_boxes(qtbot: Any, hand: Hand) -> None:
    hand.key(Qt.Key.Key_W)
    extreme, drag = hand.tool(qtbot, "extreme"), hand.tool(qtbot, "drag")
    QTest.mouseClick(extreme, LEFT)
    qtbot.waitUntil(lambda: extreme.isChecked() and not drag.isChecked(), timeout=10_000)
    assert hand.has_keyboard()
    hand.click((30, 10), (20, 25))
    QTest.keyClick(hand.canvas, Qt.Key.Key_Backspace)
    assert len(hand.session.annotations.extremes) == 1
    hand.click((20, 25), (33, 40), (50, 22))
    (box,) = hand.session.annotations.boxes
    assert box.box.xyxy == (20, 10, 51, 41)
    for _ in range(3):
        hand.key(Qt.Key.Key_F)
    QTest.mouseClick(hand.tool(qtbot, "none"), LEFT)
    assert hand.session.asked is None
    hand.drag((60, 10), (70, 20))
    assert len(hand.session.annotations.boxes) == 1


def test_masks_are_painted(qtbot: Any, hand: Hand) -> None:
    hand.key(Qt.Key.Key_M)
    mode: Any = hand.bench.annotate.sitting.desk.mode  # type: ignore[union-attr]
    while mode.radius < 4:
        QTest.mouseClick(hand.tool(qtbot, "larger"), LEFT)
    bare = hand.bench.viewer.screenshot(canvas_only=True, flash=False)
    hand.drag((10, 10), (30, 10), (30, 30))
    layer = hand.bench.viewer.layers[MASKS]
    (box,) = hand.session.annotations.boxes
    mask = rle_to_mask(box.mask.rle)
    least, most = (
        brush_mask([(10.5, 10.5), (30.5, 10.5), (30.5, 30.5)], radius, (60, 80)) for radius in (3.8, 4.2)
    )  # a pixel of the screen is some hundredths of one of the picture
    assert mask[least].all() and not mask[~most].any()
    np.testing.assert_array_equal(layer.data != 0, mask)
    painted = hand.bench.viewer.screenshot(canvas_only=True, flash=False)
    assert np.any(bare != painted)
    hand.drag((10, 20), (30, 20))
    assert np.any(painted != hand.bench.viewer.screenshot(canvas_only=True, flash=False)), "a part is drawn, too"
    hand.key(Qt.Key.Key_O)
    hand.key(Qt.Key.Key_A)
    hand.click((50, 10), (70, 10), (70, 50), (50, 50))
    hand.key(Qt.Key.Key_Return)
    assert len(hand.session.annotations.boxes) == 2
    QTest.keyClick(hand.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(hand.session.annotations.boxes) == 1
    assert not layer.data[:, 60:].any()


def test_the_form_plans_how_images_are_annotated(qtbot: Any, hand: Hand) -> None:
    view: Any = hand.bench.annotate.view
    form = view.plan
    form.head.click()
    form.protocol.setCurrentIndex(form.protocol.findData("multi_point"))
    assert form.per_target.isVisible() and not form.draw.isVisible()
    form.per_target.setValue(7)
    QTest.mouseClick(form.apply, LEFT)
    assert hand.session.mode == "multi_point"
    assert hand.has_keyboard()
    assert "Several points, 7 each" in form.head.text()
    (one,) = hand.session.project.image_sets()
    assert (one.protocol, one.options, one.images) == ("multi_point", {"points_per_target": 7}, 3)
    form.images.setCurrentIndex(form.images.findData("listed"))
    assert form.name.isVisible()
    QTest.mouseClick(form.apply, LEFT)
    assert form.name.window().focusWidget() is form.name, "a set of listed images needs a name"
    form.name.setText("few")
    form.protocol.setCurrentIndex(form.protocol.findData("mask"))
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert hand.session.mode == "mask"
    assert [(one.name, one.images) for one in hand.session.project.image_sets()] == [("all images", 0), ("few", 3)]
