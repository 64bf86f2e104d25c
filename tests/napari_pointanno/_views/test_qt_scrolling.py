from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from napari_pointanno._views.qt_scrolling import LEAST_WIDTH, Scrolling

pytestmark = pytest.mark.gui


def test_it_is_as_wide_as_its_words(qtbot: Any) -> None:
    area, content, button = Scrolling("test"), QWidget(), QPushButton("short")
    qtbot.addWidget(area)
    layout = QVBoxLayout(content)
    layout.addWidget(button)
    area.setWidget(content)
    area.resize(LEAST_WIDTH, 200)
    area.show()
    qtbot.waitExposed(area)
    assert area.minimumSizeHint().width() == LEAST_WIDTH
    assert area.focusPolicy() == Qt.FocusPolicy.NoFocus
    button.setText("a very long text on a button " * 4)
    QApplication.processEvents()
    wide = content.minimumSizeHint().width()
    assert area.minimumSizeHint().width() == wide > LEAST_WIDTH
    button.setMinimumHeight(500)
    QApplication.processEvents()
    bar: Any = area.verticalScrollBar()
    assert bar.isVisible()
    assert area.minimumSizeHint().width() == wide + bar.sizeHint().width()
    assert area.minimumSizeHint().height() < 200
