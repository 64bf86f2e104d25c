"""The image list in a real window: the keyboard goes where it should, and nothing makes the window wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_docks
from napari_pointanno.workbench import Workbench, workbench
from pointanno.images import read_size
from pointanno.project import Project, scan

pytestmark = pytest.mark.gui


@pytest.fixture
def bench(project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Workbench]:
    """Of a window that goes before the project does."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    yield open_docks(viewer)
    workbench(viewer).abandon()


def _focus(bench: Workbench) -> Any:
    """Who gets the keys of the window; a display without a window manager activates none."""
    return bench.annotate_widget().window().focusWidget()


def test_search_by_keys_and_back_to_the_canvas(qtbot: Any, bench: Workbench, project: Project) -> None:
    annotate = bench.annotate
    annotate.start(project)
    session: Any = annotate.session
    canvas: Any = find_canvas(bench.annotate_widget())
    panel = annotate.view.image_panel  # type: ignore[attr-defined]
    assert _focus(bench) is canvas
    QTest.keyClick(canvas, Qt.Key.Key_G)
    assert _focus(bench) is panel.search
    QTest.keyClicks(panel.search, "c.p")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert session.image.file_name == "c.png"
    assert _focus(bench) is canvas
    qtbot.waitUntil(lambda: panel.heading.text() == "Images 3/3")
    assert panel.search.text() == ""
    QTest.keyClick(canvas, Qt.Key.Key_G)
    assert _focus(bench) is panel.search
    QTest.keyClick(panel.search, Qt.Key.Key_Down)
    assert panel.heading.text() == "Images 3/3", "unlabelled: all of them"
    QTest.keyClick(panel.search, Qt.Key.Key_Escape)
    assert _focus(bench) is canvas
    QTest.keyClick(canvas, Qt.Key.Key_D)
    assert panel.list.images.rowCount() == 3, "the last one stays while it is shown"
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert session.image.file_name == "b.png"
    assert panel.list.images.rowCount() == 2
    qtbot.waitUntil(lambda: panel.heading.text() == "Images 2/2 of 3")
    assert panel.list.currentIndex().row() == 1


def test_a_reason_by_digit_while_the_canvas_has_the_keyboard(bench: Workbench, project: Project) -> None:
    annotate = bench.annotate
    annotate.start(project)
    session: Any = annotate.session
    canvas: Any = find_canvas(bench.annotate_widget())
    strip = annotate.view.strip  # type: ignore[attr-defined]
    assert _focus(bench) is canvas
    QTest.keyClick(canvas, Qt.Key.Key_L)
    assert strip.isVisible() and _focus(bench) is canvas
    QTest.keyClick(canvas, Qt.Key.Key_2)
    assert not strip.isVisible()
    assert [flag.reason for flag in session.annotations.flags] == ["border unclear"]
    QTest.keyClick(canvas, Qt.Key.Key_K)
    QTest.keyClick(canvas, Qt.Key.Key_9)
    assert _focus(bench) is strip.line
    QTest.keyClicks(strip.line, "night")
    QTest.keyClick(strip.line, Qt.Key.Key_Return)
    assert _focus(bench) is canvas
    assert session.row == 1
    assert project.images()[0].skipped == "night"


def test_the_window_lives_while_pictures_are_looked_at(
    qtbot: Any, bench: Workbench, images_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture takes a while; the window goes on, shows how far it is, and can give it up."""

    def slowly(path: Path) -> tuple[int, int]:
        time.sleep(0.4)
        return read_size(path)

    monkeypatch.setattr(scan, "read_size", slowly)
    annotate, view = bench.annotate, bench.annotate.view
    started = time.perf_counter()
    annotate.create(str(images_folder), str(tmp_path / "slow"))
    assert time.perf_counter() - started < 0.4, "nothing was waited for"
    strip = view.opening  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: strip.isVisible() and strip.bar.maximum() == 3)
    assert annotate.project is None
    qtbot.waitUntil(lambda: annotate.project is not None, timeout=60_000)
    assert not strip.isVisible()
    annotate.close()
    annotate.create(str(images_folder), str(tmp_path / "given up"))
    qtbot.waitUntil(strip.isVisible)
    strip.cancel.click()
    qtbot.waitUntil(lambda: not annotate.opening.is_busy)
    assert annotate.project is None
    assert not (tmp_path / "given up.pointanno").exists()


def test_a_window_that_goes_gives_up_what_is_on_its_way(
    qtbot: Any, bench: Workbench, images_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def slowly(path: Path) -> tuple[int, int]:
        time.sleep(0.3)
        return read_size(path)

    monkeypatch.setattr(scan, "read_size", slowly)
    bench.annotate.create(str(images_folder), str(tmp_path / "late"))
    bench.abandon()
    QTest.qWait(1200)
    assert not (tmp_path / "late.pointanno").exists()
