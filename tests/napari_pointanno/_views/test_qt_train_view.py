from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSlider, QSpinBox, QTableWidget, QWidget

from napari_pointanno._models.curves import Curve, curve_of
from napari_pointanno._models.machine_words import DeviceChoice
from napari_pointanno._models.tables import Table
from napari_pointanno._views.qt_run_plot import ALL_LOSSES, EACH_LOSS, log_ticks
from napari_pointanno._views.qt_train_view import QtTrainView
from napari_pointanno._views.train_view import RunPanel, RunRow, SystemChoice, TrainForm
from pointanno.runs.preflight import Finding

pytestmark = pytest.mark.gui

DEVICES = [DeviceChoice("auto", "automatic"), DeviceChoice("cpu", "processor (cpu)")]


@pytest.fixture
def view(qtbot: Any) -> QtTrainView:
    made = QtTrainView()
    qtbot.addWidget(made.widget)
    made.show_systems(
        [
            SystemChoice("a", "System A", ("paper", "small"), ("points", "masks")),
            SystemChoice("b", "System B", ("paper",)),
        ],
        DEVICES,
    )
    return made


def curve(*losses: float, metric: bool = True) -> Curve:
    events: list[dict[str, Any]] = [
        {"kind": "step", "stage": "s", "step": n, "loss": loss, "losses": {"loss_mask": loss / 2, "loss_box": loss / 4}}
        for n, loss in enumerate(losses, 1)
    ]
    if metric:
        events.append({"kind": "val", "stage": "s", "step": 2, "metric": "ap", "value": 0.5,
                       "values": {"ap": 0.5, "ap50": 0.7}})  # fmt: skip
    return curve_of(events)


def ys(lines: list[Any]) -> list[list[float]]:
    return [[] if line.getData()[1] is None else line.getData()[1].tolist() for line in lines]


def test_the_form_as_it_stands(view: QtTrainView) -> None:
    asked: list[TrainForm] = []
    tried: list[TrainForm] = []
    view.start_requested.connect(asked.append)
    view.rehearsal_requested.connect(tried.append)
    view.request_start()
    assert asked == [TrainForm("a", "small")]
    form = view.form
    form.system.setCurrentIndex(1)
    form.steps.setValue(300)
    form.seed.setValue(4)
    form.threads.setValue(2)
    form.device.setCurrentIndex(1)
    form.settings.setText(" train.batch_size=8  data.rotate=true ")
    form.val.line.setText('"/data/val.json" ')
    form.val_images.line.setText("/data/val")
    view.start.click()
    wanted = TrainForm(
        "b", "paper", "cpu", 300, False, 4, 2, None, ("train.batch_size=8", "data.rotate=true"), "/data/val.json",
        "/data/val",
    )  # fmt: skip
    assert asked[1] == wanted
    view.rehearse.click()
    assert tried == [wanted]
    form.system.setCurrentIndex(0)
    form.supervision.setCurrentText("masks")
    value = form.value()
    assert value is not None and value.supervision == "masks"


def test_new_devices_keep_the_chosen_one(view: QtTrainView) -> None:
    view.form.device.setCurrentIndex(1)
    view.form.recipe.setCurrentText("paper")
    view.show_systems(view.form._systems, [DEVICES[0], DeviceChoice("cuda:0", "GPU 0"), DEVICES[1]])
    value = view.form.value()
    assert value is not None and (value.device, value.recipe) == ("cpu", "paper")


def test_findings_wait_for_a_word(view: QtTrainView) -> None:
    heard: list[str] = []
    view.start_anyway_requested.connect(lambda: heard.append("anyway"))
    view.findings_dismissed.connect(lambda: heard.append("dismissed"))
    view.widget.show()
    found = (Finding("info", "run", "a <b> note"), Finding("error", "data", "no points"), Finding("warning", "x", "hm"))
    view.show_findings(found, can_start=True, summary="Before:")
    assert view.findings.isVisible() and view.findings.anyway.isVisible()
    text = view.findings.text.text()
    assert text.index("no points") < text.index("hm") < text.index("a &lt;b> note")
    view.findings.anyway.click()
    view.findings.dismiss.click()
    assert heard == ["anyway", "dismissed"]
    view.show_findings(found, can_start=False)
    assert not view.findings.anyway.isVisible()
    view.show_findings((), can_start=False)
    assert not view.findings.isVisible()


def test_a_run_in_words(view: QtTrainView) -> None:
    heard: list[str] = []
    view.pause_requested.connect(lambda: heard.append("pause"))
    view.widget.show()
    view.show_run(RunPanel("r", "failed", 0.5, "step 5/10", "out of memory", "line 1\nline 2", False, True,
                           resume_from=3000))  # fmt: skip
    assert view._state.text() == "failed"
    assert view._log.isVisible()
    assert view.resume.isEnabled() and view.resume.text() == "Resume from 3,000"
    assert not view.stop.isEnabled()
    view.show_run(RunPanel("r", "running", 0.6, "step 6/10", can_stop=True, can_pause=True, hints=("you can stop",)))
    assert not view._log.isVisible()
    assert view.stop.isEnabled() and view.pause.text() == "Pause"
    assert view._bar.value() == 600
    assert view.details.hints.isVisible() and "you can stop" in view.details.hints.text()
    view.pause.click()
    view.show_run(RunPanel("r", "paused", 0.6, can_pause=True, paused=True))
    assert view.pause.text() == "Go on" and heard == ["pause"]
    assert not view.details.hints.isVisible()


def test_long_words_have_room(qtbot: Any, view: QtTrainView) -> None:
    """A label with broken lines is as high as its text, though the dock is too low for everything."""
    view.widget.resize(320, 300)
    view.widget.show()
    view.show_machine("word " * 60)
    view.show_run(RunPanel("r", "running", line="step " * 40, about="about " * 40))
    for label in (view._machine, view._line, view._about):
        qtbot.waitUntil(lambda label=label: label.height() >= label.heightForWidth(label.width()) > 30)


def test_classes_and_samples(view: QtTrainView, tmp_path: Path) -> None:
    view.widget.show()
    paths = tuple(tmp_path / f"sample_{n}.png" for n in range(4))
    for n, path in enumerate(paths):
        Image.fromarray(np.full((20, 30, 3), 60 * n, dtype=np.uint8)).save(path)
    table = Table(("class", "AP"), (("cell", "10.0"), ("fibre", "50.0")))
    view.show_run(RunPanel("r", "running", metrics="val at 5:  AP 30.0", per_class=table, samples=paths))
    assert view.details.metrics.isVisible()
    assert not view.details.table.isVisible(), "on demand"
    view.details.classes.head.click()
    assert view.details.table.isVisible()
    item = view.details.table.item(1, 0)
    assert item is not None and item.text() == "fibre"
    labels = view.details.samples.labels
    assert all(label.isVisible() and not label.pixmap().isNull() for label in labels)
    # a newer picture of the same name is read again
    Image.fromarray(np.full((20, 30, 3), 255, dtype=np.uint8)).save(paths[0])
    view.show_run(RunPanel("r", "running", per_class=table, samples=paths))
    image = labels[0].pixmap().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).red() == 255
    view.show_run(RunPanel("r", "running"))
    assert not view.details.classes.isVisible() and not view.details.samples.isVisible()


def test_the_curve_is_drawn(view: QtTrainView) -> None:
    made = curve(4.0, 2.0)
    view.show_curve(made)
    plot = view.curves
    assert ys(plot._lines) == [[4, 2], made.smoothed.tolist()]
    assert plot._val_lines[0].getData()[1].tolist() == [0.5]
    assert plot._val_lines[1].opts["symbol"] == "star"
    plot.metrics.setCurrentText("ap50")
    assert plot._val_lines[0].getData()[1].tolist() == [0.7]
    assert len(plot._val_lines) == 1, "the star belongs to the metric that decides"
    plot.series.setCurrentText("loss_mask")
    assert len(plot._lines) == 1 and ys(plot._lines)[0][0] == 2.0
    plot.series.setCurrentText(EACH_LOSS)
    assert len(plot._lines) == 2 and "mask" in plot.legend.text()
    plot.logarithmic.setChecked(True)
    assert plot.plot.getPlotItem().getAxis("left").logMode
    assert not plot.plot.getPlotItem().getAxis("right").logMode
    plot.series.setCurrentText(ALL_LOSSES)
    view.show_curve(curve_of([]))
    assert ys(plot._lines) == [[], []]


def test_ticks_of_a_logarithmic_axis() -> None:
    """0.3 to 2: ticks at 0.1, 0.2, 0.5, 1, 2, ... ; over more than two decades only at powers of ten."""
    [ticks] = log_ticks([np.array([0.3, 2.0])])
    assert [text for _, text in ticks] == ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]
    assert ticks[3][0] == 0.0
    [ticks] = log_ticks([np.array([0.001, 5.0])])
    assert [text for _, text in ticks] == ["0.001", "0.01", "0.1", "1", "10"]
    assert log_ticks([np.zeros(3)]) == [[]] and log_ticks([]) == [[]]


def test_runs_over_one_another(view: QtTrainView) -> None:
    view.widget.show()
    asked: list[tuple[str, ...]] = []
    view.compare_requested.connect(asked.append)
    rows = [RunRow("/r/b", "b   AP 40.0"), RunRow("/r/a", "a")]
    view.show_runs(rows, "/r/b")
    view.history.comparing.head.click()
    for index in range(2):
        item = view.history.list.item(index)
        assert item is not None
        item.setCheckState(Qt.CheckState.Checked)
    assert asked == [("/r/b",), ("/r/b", "/r/a")]
    view.show_curve(curve(9.0))
    view.show_comparison({"b": curve(4.0), "a": curve(3.0, metric=False)}, Table(("", "b", "a"), (("loss", "4", "3"),)))
    assert ys(view.curves._lines) == [[4], [3]]
    assert "b" in view.curves.legend.text() and view.history.table.isVisible()
    view.show_runs([RunRow("/r/b", "b   AP 50.0"), rows[1]], "/r/a")
    assert view.history.checked() == ("/r/b", "/r/a"), "a new metric does not take the marks away"
    view.show_comparison({}, Table())
    assert ys(view.curves._lines)[0] == [9] and not view.history.table.isVisible()


def test_the_history(view: QtTrainView) -> None:
    chosen: list[str] = []
    view.run_chosen.connect(chosen.append)
    view.show_runs([RunRow("/r/b", "b"), RunRow("/r/a", "a   AP 12.0")], "/r/a")
    assert view.runs.currentText() == "a   AP 12.0"
    view.runs.activated.emit(0)
    assert chosen == ["/r/b"]
    view.show_runs([], "")
    assert not view.runs.isEnabled()


def test_the_clock_runs_once_the_dock_was_shown(qtbot: Any, view: QtTrainView) -> None:
    ticks: list[int] = []
    seen: list[int] = []
    view.ticked.connect(lambda: ticks.append(1))
    view.shown.connect(lambda: seen.append(1))
    assert not view._timer.isActive()
    view.widget.show()
    view.widget.hide()
    view.widget.show()
    qtbot.waitUntil(lambda: bool(ticks))
    assert seen == [1]


def test_preview_switch_and_opacity(view: QtTrainView) -> None:
    switched: list[bool] = []
    opacities: list[float] = []
    used: list[int] = []
    view.preview_switched.connect(switched.append)
    view.opacity_changed.connect(opacities.append)
    view.use_for_preview_requested.connect(lambda: used.append(1))
    view.preview.click()
    view.opacity.setValue(80)
    view.show_preview(False, "")
    assert (switched, opacities) == ([True], [0.8])
    assert not view.preview.isChecked()
    view.show_run(RunPanel("r", "finished"))
    view.use.click()
    assert used == [1]


def test_the_word_that_retrains(view: QtTrainView) -> None:
    asked: list[TrainForm] = []
    view.start_requested.connect(asked.append)
    view.widget.show()
    view.show_news("+46 new objects since start — retrain?")
    assert view.news.isVisible()
    view.news.click()
    assert len(asked) == 1
    view.show_news("")
    assert not view.news.isVisible()


def test_everything_has_a_name_and_leaves_the_keyboard_alone(view: QtTrainView) -> None:
    """Buttons never take the keyboard, fields only by a click; each says what it is."""
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSpinBox, QSlider, QTableWidget)
    ours = [one for kind in kinds for one in view.widget.findChildren(kind)]
    ours = [one for one in ours if not _is_part(one)]
    assert len(ours) > 25
    for one in ours:
        assert one.accessibleName() or (isinstance(one, QAbstractButton) and one.text()), one.objectName()
        by_click = one.focusPolicy() == Qt.FocusPolicy.ClickFocus and not isinstance(one, QAbstractButton)
        assert by_click or one.focusPolicy() == Qt.FocusPolicy.NoFocus, f"{one.objectName()} {one.focusPolicy()}"


def _is_part(widget: QWidget) -> bool:
    """Widgets that Qt makes inside of others."""
    return not widget.objectName().startswith("pointanno")
