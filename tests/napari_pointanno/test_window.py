"""The docks in a real viewer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_pointanno.application import ANNOTATE, PLUGIN, TRAIN, open_docks
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import Workbench, workbench
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs.process import write_worker_file

pytestmark = pytest.mark.gui


@pytest.fixture
def viewer(project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    made = make_napari_viewer(show=True)
    made.window.resize(1200, 800)
    yield made
    workbench(made).abandon()


@pytest.fixture
def bench(viewer: Any) -> Workbench:
    return open_docks(viewer)


def _canvas(bench: Workbench) -> Any:
    from napari_pointanno._views.qt_canvas_view import find_canvas

    return find_canvas(bench.annotate_widget())


def _at(bench: Workbench, x: float, y: float) -> QPoint:
    canvas = _canvas(bench)
    view = ViewTransform.of_viewer(bench.viewer, (canvas.height(), canvas.width()))
    return QPoint(*(round(value) for value in view.to_canvas(y, x)))


def _shown(qtbot: Any, bench: Workbench) -> None:
    session = bench.annotate.session
    assert session is not None
    qtbot.waitUntil(lambda: session.watch.running, timeout=60_000)


def test_canvas_positions_agree_with_napari(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    _shown(qtbot, bench)
    vispy_canvas = bench.viewer.window._qt_viewer.canvas
    canvas = _canvas(bench)
    assert canvas is vispy_canvas.native
    view = ViewTransform.of_viewer(bench.viewer, (canvas.height(), canvas.width()))
    for position in ((0, 0), (123, 45), (canvas.width(), canvas.height())):
        theirs = vispy_canvas._map_canvas2world(position, vispy_canvas.view)
        assert view.world_at(*position) == pytest.approx(theirs[-2:], abs=1e-3)


def test_click_type_and_look(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    _shown(qtbot, bench)
    canvas = _canvas(bench)
    QTest.keyClick(canvas, Qt.Key.Key_2)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=_at(bench, 20, 30))
    session: Any = bench.annotate.session
    (click,) = session.annotations.clicks
    assert (click.x, click.y, click.category_id) == (20, 30, 2)
    QTest.keyClick(canvas, Qt.Key.Key_W)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=_at(bench, 10, 10))
    QTest.mouseMove(canvas, _at(bench, 40, 30))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=_at(bench, 50, 40))
    _shown(qtbot, bench)
    before = bench.viewer.screenshot(canvas_only=False, flash=False)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    _shown(qtbot, bench)
    after = bench.viewer.screenshot(canvas_only=False, flash=False)
    assert session.asked.index == 1
    assert np.any(before != after)
    kinds = [event.kind for event in project.events()]
    assert kinds.count("point_shown") == 2


def test_a_click_reaches_the_layer_after_a_pause(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    _shown(qtbot, bench)
    session: Any = bench.annotate.session
    points = bench.viewer.layers["points"]
    before = bench.viewer.screenshot(canvas_only=False, flash=False)
    QTest.mouseClick(_canvas(bench), Qt.MouseButton.LeftButton, pos=_at(bench, 20, 30))
    assert len(session.fresh.points) == 1
    assert len(points.data) == 0
    assert np.any(before != bench.viewer.screenshot(canvas_only=False, flash=False))
    qtbot.waitUntil(lambda: len(points.data) == 1, timeout=10_000)
    assert not any(session.fresh)
    assert points.data.tolist() == [[30, 20]]


def test_outside_of_a_session_napari_has_its_keys(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    _shown(qtbot, bench)
    bench.annotate.close()
    viewer = bench.viewer
    points = viewer.add_points([[1, 1]], name="theirs")
    points.selected_data = {0}
    points.mode = "select"
    canvas = _canvas(bench)
    QTest.keyClick(canvas, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: len(points.data) == 0)


def test_in_a_session_the_key_one_deletes_nothing(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    _shown(qtbot, bench)
    points = bench.viewer.add_points([[1, 1]], name="theirs")
    points.selected_data = {0}
    points.mode = "select"
    QTest.keyClick(_canvas(bench), Qt.Key.Key_1)
    assert len(points.data) == 1


def test_the_dock_can_be_closed_and_opened_again(qtbot: Any, bench: Workbench, project: Project) -> None:
    viewer = bench.viewer
    bench.annotate.start(project)
    _shown(qtbot, bench)
    dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
    dock.destroyOnClose()
    assert len(viewer.layers) == 0
    assert bench.annotate.project is None
    again = open_docks(viewer)
    assert again is bench
    again.annotate.open(str(project.path))
    qtbot.waitUntil(lambda: again.annotate.session is not None, timeout=60_000)
    _shown(qtbot, again)
    train, _ = viewer.window.add_plugin_dock_widget(PLUGIN, TRAIN)
    train.destroyOnClose()
    QTest.keyClick(_canvas(again), Qt.Key.Key_N)
    session: Any = again.annotate.session
    assert session.row == 1


def test_a_project_can_be_left_and_opened_again_and_again(qtbot: Any, bench: Workbench, project: Project) -> None:
    """Opened beside the window's thread, closed within it, by the cross of a dock in the middle of a box."""
    project.close()
    for _ in range(3):
        bench.annotate.open(str(project.path))
        qtbot.waitUntil(lambda: bench.annotate.session is not None, timeout=20_000)
        _shown(qtbot, bench)
        canvas, corner = _canvas(bench), _at(bench, 40, 30)
        QTest.keyClick(canvas, Qt.Key.Key_W)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=_at(bench, 10, 10))
        QTest.mouseMove(canvas, corner)
        dock, _ = bench.viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
        dock.destroyOnClose()
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=corner)
        open_docks(bench.viewer)
    with Project.open(project.path) as again:
        kinds = [event.kind for event in again.events()]
    assert kinds.count("session_start") == 3 and "box" not in kinds


def test_the_form_makes_a_project(qtbot: Any, bench: Workbench, images_folder: Path, tmp_path: Path) -> None:
    view: Any = bench.annotate.view
    view.new.click()
    assert view.new_form.isVisible()
    view.new_form.images.line.setText(f'"{images_folder}"')
    view.new_form.project.line.setText(str(tmp_path / "mine"))
    QTest.keyClick(view.new_form.project.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.annotate.project is not None, timeout=60_000)
    assert not view.new_form.isVisible()
    assert bench.annotate.project is not None
    view.classes.name.setText("tree")
    view.classes.kind.setCurrentText("stuff")
    QTest.keyClick(view.classes.name, Qt.Key.Key_Return)
    (category,) = bench.annotate.project.categories()
    assert (category.name, category.isthing) == ("tree", False)
    qtbot.waitUntil(lambda: len(view.classes.model.rows) == 1, timeout=60_000)
    assert view.images.images.rowCount() == 3


def test_the_search_box_finds_a_class(qtbot: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    view: Any = bench.annotate.view
    qtbot.waitUntil(lambda: len(view.classes.model.rows) == 4)
    view.classes.search.setText("ro")
    hidden = [view.classes.list.isRowHidden(row) for row in range(4)]
    assert hidden == [True, True, False, True]
    QTest.keyClick(view.classes.search, Qt.Key.Key_Return)
    session: Any = bench.annotate.session
    assert session.category.name == "road"


def test_the_image_list_is_a_sound_model(qtmodeltester: Any, bench: Workbench, project: Project) -> None:
    bench.annotate.start(project)
    view: Any = bench.annotate.view
    qtmodeltester.check(view.images.images)


def test_a_project_is_opened_like_a_file(qtbot: Any, viewer: Any, project: Project) -> None:
    project.close()
    viewer.open(str(project.path), plugin="pointanno")
    bench = workbench(viewer)
    assert bench.annotate.project is not None
    assert bench.annotate.project.path == project.path
    assert "image" in viewer.layers


def test_closing_the_window_gives_the_project_back(
    qtbot: Any, make_napari_viewer: Callable[..., Any], project: Project
) -> None:
    viewer = make_napari_viewer(show=True)
    bench = open_docks(viewer)
    bench.annotate.start(project)
    _shown(qtbot, bench)
    viewer.close()

    def is_free() -> bool:
        try:
            Project.open(project.path).close()
        except InputError:
            return False
        return True

    qtbot.waitUntil(is_free)
    with Project.open(project.path) as again:
        assert again.recovered == ""
        assert [event.kind for event in again.events()][-1] == "session_end"


def test_an_export_lies_in_the_project(qtbot: Any, bench: Workbench, project: Project) -> None:
    from napari_pointanno import commands

    commands.export_coco_points()
    bench.annotate.start(project)
    commands.export_coco_points()
    out = project.exports_folder / "set.coco-points.json"
    qtbot.waitUntil(out.exists, timeout=20_000)  # written in the background, and there as a whole or not at all
    commands.toggle_preview()
    assert bench.preview.on
    commands.new_project()
    line = bench.annotate_widget().findChild(QWidget, "pointanno_new_images")
    assert line is not None
    assert line.isVisible()


_NO_TORCH = """
import json, sys, os
from pathlib import Path
from napari_pointanno.application import open_window
from napari_pointanno._views.train_view import TrainForm
from napari_pointanno.screenshots import annotated_project
from qtpy.QtWidgets import QApplication
from qtpy.QtTest import QTest
import pointanno.runs.launch as launch
viewer = open_window()
from napari_pointanno.workbench import workbench
bench = workbench(viewer)
project = annotated_project(Path(sys.argv[1]), scenes=2, size=64)
bench.annotate.start(project)
starting = bench.train.starting
def until(condition):
    for _ in range(600):
        if condition():
            return
        QTest.qWait(100)
    raise SystemExit("waited in vain")
starting.start(TrainForm("point_sup", "small", device="cpu", steps=1))
until(lambda: not starting.is_busy)
starting.start_anyway()  # two pictures are few
until(lambda: bench.train.run is not None and not starting.is_busy)
bench.preview.switch(True)
for _ in range(20):
    QTest.qWait(50)
started = list(launch._STARTED)
for process in started:
    process.kill()
    process.wait()
heavy = ("torch", "torchvision", "triton", "lightning_fabric")
print(json.dumps({"loaded": [name for name in heavy if name in sys.modules], "started": len(started)}))
sys.stdout.flush()
bench.abandon()
os._exit(0)
"""


def test_napari_asks_before_it_closes_while_something_is_trained(
    qtbot: Any, bench: Workbench, project: Project
) -> None:
    """A run whose worker is this process; napari's list of tasks names it, and forgets it at the end."""
    folder = project.runs_folder / "first"
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text(json.dumps({"arguments": {"data": "d.json", "images": "i"}}))
    write_worker_file(folder / "worker.json", os.getpid())
    manager = bench.viewer.window._task_status_manager
    assert not manager.is_busy()
    bench.annotate.start(project)
    assert bench.train.run is not None
    qtbot.waitUntil(lambda: any("training first" in text for text in manager.get_status()))
    assert "goes on in the background" in manager.get_status()[0]
    later = {"kind": "end", "time": time.time() + 1, "reason": "stopped"}
    (folder / "events.jsonl").write_text(json.dumps(later) + "\n")
    bench.train.tick()
    qtbot.waitUntil(lambda: not manager.is_busy(), timeout=10_000)


def test_a_worker_waits_while_the_dock_is_open(qtbot: Any, bench: Workbench) -> None:
    """It is started when the dock is seen, and ends with it."""
    train, _ = bench.viewer.window.add_plugin_dock_widget(PLUGIN, TRAIN)
    train.show()
    train.raise_()
    warm = bench.train._warm
    assert warm is not None
    qtbot.waitUntil(lambda: warm.pid is not None, timeout=20_000)
    train.destroyOnClose()
    assert warm.pid is None


def test_the_process_of_the_window_never_imports_torch(tmp_path: Path) -> None:
    """Both docks are opened, a training is started, the preview is switched on."""
    done = subprocess.run(
        [sys.executable, "-c", _NO_TORCH, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.strip().endswith('{"loaded": [], "started": 1}'), done.stdout + done.stderr
