from __future__ import annotations

import threading
from typing import Any

import pytest

from napari_pointanno._views.qt_background import QtBackground

pytestmark = pytest.mark.gui


def test_work_happens_elsewhere_and_its_result_arrives_here(qtbot: Any) -> None:
    background = QtBackground()
    where: list[threading.Thread] = []
    got: list[Any] = []

    def work() -> int:
        where.append(threading.current_thread())
        return 7

    def done(result: Any) -> None:
        where.append(threading.current_thread())
        got.append(result)

    background(work, done)
    qtbot.waitUntil(lambda: bool(got))
    assert got == [7] and where[0] is not where[1] and where[1] is threading.main_thread()
    background(lambda: 1 / 0, done)
    qtbot.waitUntil(lambda: len(got) == 2)
    assert isinstance(got[1], ZeroDivisionError)


def test_nothing_arrives_after_the_end(qtbot: Any) -> None:
    background = QtBackground()
    go, over = threading.Event(), threading.Event()
    got: list[Any] = []

    def work() -> int:
        go.wait(10)
        return 7

    background(work, got.append)
    background.close()
    go.set()
    over.wait(0.2)
    qtbot.wait(50)
    assert got == []
