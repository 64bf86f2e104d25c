from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pointanno._models.opening import OpeningJob
from napari_pointanno._views.qt_opening import MissingStrip, OpeningStrip

pytestmark = pytest.mark.gui


def test_progress_is_shown_once_it_takes_a_while(qtbot: Any) -> None:
    strip = OpeningStrip()
    qtbot.addWidget(strip)
    job = OpeningJob("looking at the pictures")
    strip.show_job(job)
    assert not strip.isVisible(), "what is done at once is not worth a word"
    qtbot.waitUntil(strip.isVisible)
    assert (strip.bar.minimum(), strip.bar.maximum()) == (0, 0), "nobody knows how many there are"
    job.progress(1200, 40_000)
    qtbot.waitUntil(lambda: strip.bar.value() == 1200)
    assert strip.text.text() == "looking at the pictures: 1,200 of 40,000 pictures"
    strip.show_job(None)
    assert not strip.isVisible()


def test_cancel_is_asked_for_once(qtbot: Any) -> None:
    strip = OpeningStrip()
    qtbot.addWidget(strip)
    job = OpeningJob("looking")
    strip.cancelled.connect(job.cancel)
    strip.show_job(job)
    strip.cancel.click()
    assert job.is_cancelled and not strip.cancel.isEnabled()
    assert strip.text.text() == "stopping …"
    strip.show_job(OpeningJob("another"))
    assert strip.cancel.isEnabled()


def test_a_folder_is_asked_for(qtbot: Any) -> None:
    strip = MissingStrip()
    qtbot.addWidget(strip)
    strip.show_missing("/old/place")
    assert strip.isVisible() and "/old/place" in strip.text.text()
    given: list[str] = []
    left: list[bool] = []
    strip.given.connect(given.append)
    strip.left.connect(lambda: left.append(True))
    QTest.keyClicks(strip.folder.line, "/new")
    QTest.keyClick(strip.folder.line, Qt.Key.Key_Return)
    QTest.keyClick(strip.folder.line, Qt.Key.Key_Escape)
    assert (given, left) == (["/new"], [True])
    strip.show_missing("")
    assert not strip.isVisible()
