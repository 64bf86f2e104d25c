from __future__ import annotations

from typing import Any

import pytest
from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.QtWidgets import QWidget

from napari_pointanno._views.qt_notify import notify

pytestmark = pytest.mark.gui


def test_a_long_sentence_is_shown_in_full(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """napari shows one line of a notification, and our sentences begin with a path."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    # napari itself shows notifications only in its own main window
    monkeypatch.setattr(
        "napari_pointanno._views.qt_notify.show_error",
        lambda words: NapariQtNotification(words, "error", parent=window).show(),
    )
    notify(f"{'/a_long_folder' * 8}/set.pointanno/project.db: the disk is full. Free some space and repeat")
    (box,) = window.findChildren(NapariQtNotification)
    assert not box.property("expanded")
    qtbot.waitUntil(lambda: box.property("expanded"))
    qtbot.waitUntil(lambda: box.height() >= box.message.sizeHint().height())
    assert not box.timer.isActive()  # four seconds are too few for a sentence
    assert box.isVisible()
