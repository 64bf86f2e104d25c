"""A small study in a real window, from practice to the end, by keys and clicks alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_docks
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import Workbench, workbench
from pointanno.coords import index_to_napari
from pointanno.dataset import Category
from pointanno.project import Project
from pointanno.project.studies import store_plan
from pointanno.protocols.study_plan import StudyPlan, parse_plan
from pointanno.timing.findings import Options, find
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
SHOTS = "POINTANNO_SHOTS"
"""Folder for pictures of the way."""

PLAN = parse_plan(
    {
        "name": "points or boxes",
        "conditions": [
            {"name": "point", "mode": "single_point"},
            {"name": "box+2", "mode": "box_points", "options": {"points_per_box": 2}},
        ],
        "participants": 2,
        "images": ["a.png", "b.png"],
        "practice": ["c.png", "d.png"],
    }
)


class Hand:
    """Presses keys and buttons of a real window."""

    def __init__(self, bench: Workbench, qtbot: Any) -> None:
        self.bench, self.qtbot = bench, qtbot
        self.view: Any = bench.annotate.view
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

    def mouse(self, kind: QEvent.Type, x: float, y: float) -> None:
        """An event without a stamp of the window system: those that QTest makes up count from another zero."""
        place, none = QPointF(self.at(x, y)), Qt.MouseButton.NoButton
        down = LEFT if kind != QEvent.Type.MouseButtonRelease else none
        button = none if kind == QEvent.Type.MouseMove else LEFT
        there = QPointF(self.canvas.mapToGlobal(place.toPoint()))
        QApplication.sendEvent(
            self.canvas, QMouseEvent(kind, place, there, button, down, Qt.KeyboardModifier.NoModifier)
        )

    def drag(self, *places: tuple[float, float]) -> None:
        """Press at the first place, release at the last one."""
        self.mouse(QEvent.Type.MouseButtonPress, *places[0])
        for place in places[1:-1]:
            self.mouse(QEvent.Type.MouseMove, *place)
        self.mouse(QEvent.Type.MouseButtonRelease, *places[-1])

    def shot(self, name: str) -> np.ndarray:
        """The window as it is seen, kept if somebody wants to look at it."""
        picture: np.ndarray = self.bench.viewer.screenshot(canvas_only=False, flash=False)
        if os.environ.get(SHOTS):
            Image.fromarray(picture).save(Path(os.environ[SHOTS]) / f"study_{name}.png")
        return picture

    def until(self, holds: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(holds, timeout=60_000)

    def annotate(self) -> None:
        """Two clicks, or a box and its answers."""
        self.until(lambda: self.session.watch.running)
        if self.session.mode == "single_point":
            for place in ((20, 20), (50, 40)):
                self.drag(place, place)
            return
        self.drag((10, 10), (30, 25), (40, 30))
        for key in (Qt.Key.Key_F, Qt.Key.Key_J):
            self.until(lambda: self.session.asked is not None and self.session.watch.running)
            if key == Qt.Key.Key_F and not self.session.practice:
                self.shot("question")
            self.key(key)


@pytest.fixture
def hand(qtbot: Any, tmp_path: Path, make_napari_viewer: Callable[..., Any]) -> Iterator[Hand]:
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "abcd":
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    classes = (Category(1, "cell", True, color=(230, 159, 0)), Category(2, "water", False))
    project = Project.create(tmp_path / "set", images=folder, categories=classes)
    store_plan(project, PLAN)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    bench = open_docks(viewer)
    bench.annotate.start(project)
    qtbot.waitUntil(lambda: bench.annotate.session.watch.running, timeout=60_000)  # type: ignore[union-attr]
    yield Hand(bench, qtbot)
    workbench(viewer).abandon()


def check_times(project: Project, plan: StudyPlan) -> None:
    """Both conditions in the planned order, without practice; break and pages excluded."""
    study = study_of(read_log(project), warm_up=0)
    names = {image.id: image.file_name for image in project.images()}
    blocks = plan.schedule(1).blocks
    measured = [item for item in study.chosen("image") if item.condition in ("point", "box+2")]
    assert [(item.condition, names[item.image_id or 0]) for item in measured] == [
        (block.condition.name, name) for block in blocks for name in block.images
    ]
    every = [item for item in study.chosen("image", left_out=()) if "practice" in item.flags]
    assert [names[item.image_id or 0] for item in every] == [name for block in blocks for name in block.practice]
    (times,) = study.times.values()
    edges = [event.t_mono_ns for event in project.events() if event.payload.get("reason") == "break"]
    assert len(edges) == 2 and times.split(*edges).raw == 0 and times.whole().excluded["break"] > 0
    pages = [event.t_mono_ns for event in project.events() if event.kind in ("dialog_open", "dialog_close")]
    assert len(pages) == 12 and all(times.split(*pages[i : i + 2]).raw == 0 for i in range(0, 12, 2))
    assert [item.condition for item in study.chosen("click")] == ["point"] * 2
    assert [item.condition for item in study.chosen("box")] == ["box+2"]
    assert [item.condition for item in study.chosen("point")] == ["box+2"] * 2
    rows = find(project, Options(warm_up=0)).tables["times"]
    found = {row["group"]: row["n"] for row in rows if row["by"] == "condition" and row["kind"] == "image"}
    assert found == {"point": 1, "box+2": 1}


def test_a_study_from_practice_to_the_end(hand: Hand) -> None:
    session, strip = hand.session, hand.view.study
    QTest.mouseClick(strip.button, LEFT)
    hand.until(lambda: session.page is not None)
    assert strip.button.text() == "Leave the study" and not hand.view.image_panel.isVisible()
    assert hand.canvas.window().focusWidget() is hand.canvas
    hand.shot("welcome")
    titles, seen = [], []
    study = hand.bench.annotate.sitting.study  # type: ignore[union-attr]
    for _ in range(40):
        if not study.runs:
            break
        if session.page is not None:
            titles.append(session.page.title)
            picture = hand.shot(f"page_{len(titles)}")
            assert len(np.unique(picture[:, : picture.shape[1] // 3].reshape(-1, 4), axis=0)) < 4000, (
                "words, no picture"
            )
            hand.drag((20, 20), (20, 20))  # means nothing on a page
            hand.key(Qt.Key.Key_Return)
        else:
            seen.append((session.mode, session.image.file_name, session.practice))
            hand.annotate()
            hand.key(Qt.Key.Key_N)
            assert "locked" in session.hint
            if len(seen) == 1:
                hand.shot("practice")
            hand.key(Qt.Key.Key_D)
    blocks = PLAN.schedule(1).blocks
    assert seen == [
        (block.condition.mode, name, practice)
        for block in blocks
        for practice in (True, False)
        for name in block.part(practice)
    ]
    first, second = (f"Block {n}" for n in (1, 2))
    kinds = [title.split(" of ")[0].split(":")[0] for title in titles]
    assert kinds == ["Study", first, first, "Break", second, second, "The study is complete"]
    assert strip.text.text() == "Study: off" and hand.view.image_panel.isVisible()
    hand.shot("after")
    check_times(hand.bench.annotate.project, PLAN)  # type: ignore[arg-type]
