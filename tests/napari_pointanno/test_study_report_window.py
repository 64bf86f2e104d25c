"""The dock *Study report* in a window: numbers come from a process of its own, and the keyboard goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication

from napari_pointanno.application import ANNOTATE, PLUGIN, STUDY, open_docks
from napari_pointanno.workbench import Workbench, workbench
from pointanno.project import Project

pytestmark = pytest.mark.gui

SLOW_MS = 120_000
"""A loaded machine takes long to start a process."""


@pytest.fixture
def bench(project: Project, make_napari_viewer: Callable[..., Any]) -> Iterator[Workbench]:
    viewer = make_napari_viewer(show=True)
    made = open_docks(viewer)
    made.annotate.start(project)
    yield made
    workbench(viewer).abandon()


def _click_twice(bench: Workbench) -> None:
    session = bench.annotate.session
    assert session is not None and session.image is not None
    for number in range(2):
        payload = {"uid": f"{number:032x}", "category_id": 1, "x": number, "y": 0}
        session.project.record("click", payload, image_id=session.image.id)


def test_from_the_menu_to_a_saved_page(bench: Workbench, qtbot: Any, tmp_path: Path) -> None:
    viewer = bench.viewer
    _click_twice(bench)
    frame, _ = viewer.window.add_plugin_dock_widget(PLUGIN, STUDY, tabify=True)
    frame.show()
    frame.raise_()
    report = bench.study_report
    view: Any = report.view
    qtbot.waitUntil(lambda: not view.body.isHidden(), timeout=SLOW_MS)
    assert view._meanings[0].text() == "work" and view._values[0].text()
    assert view.tables["times"].rowCount() == 0, "both clicks are warm-up"

    view.choices.head.click()
    view.warm_up.setFocus()
    window = viewer.window._qt_window  # not active without a window manager, but it knows who would have the keyboard
    assert window.focusWidget() is view.warm_up
    view.warm_up.setValue(0)
    view.left.emit()
    assert window.focusWidget() is not view.warm_up
    view.warm_up.editingFinished.emit()
    qtbot.waitUntil(lambda: not report._is_busy, timeout=SLOW_MS)
    assert any("clicks" in (view.tables["times"].item(row, 0).text()) for row in range(view.tables["times"].rowCount()))

    report.save(str(tmp_path / "pilot"))
    qtbot.waitUntil((tmp_path / "pilot_files" / "items.csv").exists, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: not view._busy.isVisible(), timeout=SLOW_MS)
    assert (tmp_path / "pilot.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    frame.close()
    viewer.window.add_plugin_dock_widget(PLUGIN, ANNOTATE)
    QApplication.processEvents()
    frame, _ = viewer.window.add_plugin_dock_widget(PLUGIN, STUDY)  # again: the view was kept
    assert not view.body.isHidden()


def test_a_study_takes_everything_off_the_screen(bench: Workbench, qtbot: Any) -> None:
    _click_twice(bench)
    frame, _ = bench.viewer.window.add_plugin_dock_widget(PLUGIN, STUDY, tabify=True)
    frame.show()
    frame.raise_()
    view: Any = bench.study_report.view
    qtbot.waitUntil(lambda: not view.body.isHidden(), timeout=SLOW_MS)
    project = bench.annotate.project
    assert project is not None
    project.record("study_start", {"name": "pilot"})
    qtbot.waitUntil(view.body.isHidden, timeout=SLOW_MS)  # at the next look at the journal
    assert "“pilot” is going on" in view._state.text() and not view.save.isEnabled()
