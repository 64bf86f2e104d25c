from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QToolButton, QWidget

from napari_pointanno._models.picture_look import ChannelLook
from napari_pointanno._views.qt_channel_bar import ChannelBar

pytestmark = pytest.mark.gui


def look(name: str) -> ChannelLook:
    return ChannelLook(name=name, color=(255, 0, 0), visible=True, limits=(0.0, 100.0))


def test_pictures_of_several_kinds_in_turn_make_no_more_controls(qtbot: Any) -> None:
    bar = ChannelBar()
    qtbot.addWidget(bar)
    bar.show_channels([look("dapi"), look("gfp"), look("red")])
    count = len(bar.findChildren(QWidget))
    for _ in range(5):
        bar.show_channels([])
        assert bar.isHidden()
        bar.show_channels([look("one"), look("two")])
        bar.show_channels([look("dapi"), look("gfp"), look("red")])
    assert len(bar.findChildren(QWidget)) == count
    bar.show_channels([look("one"), look("two")])
    buttons = [bar.findChild(QToolButton, f"pointanno_channel_{index}") for index in range(3)]
    assert [button.text() for button in buttons[:2] if button is not None] == ["one", "two"]
    assert buttons[2] is not None and buttons[2].isHidden()
