"""The canvas of a window, here a plain widget: its heart, and what lies over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QDialog, QFileDialog, QWidget

from napari_pointanno._views.qt_canvas_view import QtCanvasView
from napari_pointanno.canvas import InputHandler
from pointanno.timing import now_ns

pytestmark = pytest.mark.gui


@pytest.fixture
def canvas(qtbot: Any) -> Iterator[QWidget]:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(300, 200)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget


@pytest.fixture
def view(canvas: QWidget) -> QtCanvasView:
    return QtCanvasView(ViewerModel(), canvas)


def test_the_heart_beats_while_a_session_lasts(qtbot: Any, view: QtCanvasView) -> None:
    handler: Any = MagicMock(spec=InputHandler)
    began = now_ns()
    view.start(handler)
    qtbot.waitUntil(lambda: handler.on_beat.call_count >= 4)
    times = [call.args[0] for call in handler.on_beat.call_args_list]
    assert times == sorted(times) and times[0] >= began
    assert times[3] - began > 120_000_000, "not faster than it should"
    view.stop()
    count = handler.on_beat.call_count
    qtbot.wait(150)
    assert handler.on_beat.call_count == count


@pytest.mark.parametrize("kind", [QDialog, QFileDialog])
def test_a_dialog_that_keeps_inputs_away_is_seen(qtbot: Any, view: QtCanvasView, canvas: QWidget, kind: Any) -> None:
    assert view.modal_dialog() == ""
    dialog = kind(canvas)
    dialog.setWindowTitle("Choose a folder")
    dialog.open()
    qtbot.waitUntil(lambda: view.modal_dialog() == "Choose a folder")
    dialog.reject()
    qtbot.waitUntil(lambda: view.modal_dialog() == "")


def test_a_dialog_beside_the_work_is_none(qtbot: Any, view: QtCanvasView, canvas: QWidget) -> None:
    dialog = QDialog(canvas)
    qtbot.addWidget(dialog)
    dialog.setModal(False)
    dialog.show()
    qtbot.waitExposed(dialog)
    assert view.modal_dialog() == ""
