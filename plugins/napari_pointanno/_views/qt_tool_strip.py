"""Buttons of the way of annotating that is in force."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget
from superqt import QFlowLayout

from napari_pointanno._models.tools import Tool
from napari_pointanno._views.qt_parts import quiet_button


class ToolStrip(QWidget):
    """A line of buttons that breaks where the dock is narrow; none of them takes the keyboard."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pointanno_tools")
        self.setAccessibleName("Tools of this way of annotating")
        self._layout = QFlowLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(4)
        self._layout.setVerticalSpacing(4)
        self.buttons: dict[str, QPushButton] = {}
        self.hide()

    def show_tools(self, tools: tuple[Tool, ...]) -> None:
        """Show these buttons; those that are there are kept and only changed."""
        if [tool.name for tool in tools] != list(self.buttons):
            self._build(tools)
        for tool in tools:
            button = self.buttons[tool.name]
            button.setText(tool.text)
            button.setToolTip(tool.tip)
            button.setAccessibleName(tool.tip)
            button.setCheckable(tool.on is not None)
            button.setChecked(bool(tool.on))
            button.setEnabled(tool.enabled)
        self.setVisible(bool(tools))

    def _build(self, tools: tuple[Tool, ...]) -> None:
        for button in self.buttons.values():
            self._layout.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for tool in tools:
            button = quiet_button(tool.text, f"tool_{tool.name}", tool.tip)
            button.setParent(self)
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, name=tool.name: self._choose(name))
            self._layout.addWidget(button)
            self.buttons[tool.name] = button

    def _choose(self, name: str) -> None:
        button = self.buttons[name]
        if button.isCheckable():  # the session says whether it is pressed in
            button.setChecked(not button.isChecked())
        self.chosen.emit(name)
