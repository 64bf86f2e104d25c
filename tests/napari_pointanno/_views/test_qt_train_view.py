from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_pointanno._models.curves import Curve
from napari_pointanno._views.qt_train_view import QtTrainView
from napari_pointanno._views.train_view import RunPanel, SystemChoice, TrainForm

pytestmark = pytest.mark.gui


@pytest.fixture
def view(qtbot: Any) -> QtTrainView:
    made = QtTrainView()
    qtbot.addWidget(made.widget)
    made.show_systems(
        [SystemChoice("a", "System A", ("paper", "small")), SystemChoice("b", "System B", ("paper",))], ["auto", "cpu"]
    )
    return made


def test_the_form_as_it_stands(view: QtTrainView) -> None:
    asked: list[TrainForm] = []
    view.start_requested.connect(asked.append)
    view.request_start()
    assert asked == [TrainForm("a", "small", "auto", None, False)]
    view.system.setCurrentIndex(1)
    view.steps.setValue(300)
    view.device.setCurrentText("cpu")
    view.start.click()
    assert asked[1] == TrainForm("b", "paper", "cpu", 300, False)


def test_a_run_in_words(view: QtTrainView) -> None:
    view.widget.show()
    view.show_run(RunPanel("r", "failed", 0.5, "step 5/10", "out of memory", "line 1\nline 2", False, True))
    assert view._state.text() == "failed"
    assert view._log.isVisible()
    assert view.resume.isEnabled()
    assert not view.stop.isEnabled()
    view.show_run(RunPanel("r", "running", 0.6, "step 6/10", can_stop=True))
    assert not view._log.isVisible()
    assert view.stop.isEnabled()
    assert view._bar.value() == 600


def test_the_curve_is_drawn(view: QtTrainView) -> None:
    view.show_curve(
        Curve(np.array([1.0, 2.0]), np.array([3.0, 1.0]), np.array([3.0, 2.0]), np.array([2.0]), np.array([0.5]))
    )
    x, y = view._loss_curve.getData()
    assert (x.tolist(), y.tolist()) == ([1, 2], [3, 1])


def test_the_history(view: QtTrainView) -> None:
    chosen: list[str] = []
    view.run_chosen.connect(chosen.append)
    view.show_runs(["b", "a"], "a")
    assert view.runs.currentText() == "a"
    view.runs.textActivated.emit("b")
    assert chosen == ["b"]
    view.show_runs([], "")
    assert not view.runs.isEnabled()


def test_the_clock_runs_once_the_dock_was_shown(qtbot: Any, view: QtTrainView) -> None:
    ticks: list[int] = []
    view.ticked.connect(lambda: ticks.append(1))
    assert not view._timer.isActive()
    view.widget.show()
    qtbot.waitUntil(lambda: bool(ticks))


def test_preview_switch_and_opacity(view: QtTrainView) -> None:
    switched: list[bool] = []
    opacities: list[float] = []
    view.preview_switched.connect(switched.append)
    view.opacity_changed.connect(opacities.append)
    view.preview.click()
    view.opacity.setValue(80)
    view.show_preview(False, "")
    assert (switched, opacities) == ([True], [0.8])
    assert not view.preview.isChecked()
