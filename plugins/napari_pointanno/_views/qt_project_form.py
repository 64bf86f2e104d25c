"""Inline forms to make or open a project: a path and Enter, no dialog window."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from napari_pointanno._views.qt_line_edit import LineEdit


class PathLine(QWidget):
    """A path to type or paste, with a button that browses."""

    submitted = Signal()
    escaped = Signal()

    def __init__(self, name: str, placeholder: str, parent: QWidget | None = None, *, browse: bool = True) -> None:
        super().__init__(parent)
        self.line = LineEdit(self)
        self.line.setObjectName(name)
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(placeholder)
        self.line.setToolTip(f"{placeholder}; type or paste it. Enter goes on, Esc leaves")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        self.line.returnPressed.connect(self.submitted)
        self.line.escaped.connect(self.escaped)
        if browse:
            button = QToolButton(self)
            button.setText("…")
            button.setObjectName(f"{name}_find")
            button.setAccessibleName("Browse for a folder")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip("Browse for a folder")
            button.clicked.connect(self._browse)
            layout.addWidget(button)

    def text(self) -> str:
        """The path; quotes and file:// of a pasted one are dropped."""
        return self.line.text().strip().strip("'\"").removeprefix("file://")

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder", self.text() or str(Path.home()))
        if folder:
            self.line.setText(folder)
            self.line.setFocus()


class NewForm(QWidget):
    """Where the images are, and where the project shall be."""

    submitted = Signal(str, str)
    cancelled = Signal()
    images_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.images = PathLine("pointanno_new_images", "folder of images, or a COCO .json", self)
        self.project = PathLine("pointanno_new_project", "project, made beside the images", self, browse=False)
        create = QPushButton("Create", self)
        create.setObjectName("pointanno_create")
        create.setToolTip("Make the project (Enter)")
        create.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addRow("Images", self.images)
        layout.addRow("Project", self.project)
        layout.addRow("", create)
        for line in (self.images, self.project):
            line.submitted.connect(self._submit)
            line.escaped.connect(self.cancelled)
        create.clicked.connect(self._submit)

    def _submit(self) -> None:
        if not self.images.text():
            self.images.line.setFocus()
            return
        self.submitted.emit(self.images.text(), self.project.text())

    def open(self) -> None:
        """Show the form with the cursor in its first line."""
        self.show()
        self.images.line.setFocus()
        self.images.line.selectAll()


class OpenForm(QWidget):
    """Which project to open."""

    submitted = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = PathLine("pointanno_open_project", "…/name.pointanno", self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(QLabel("Project", self))
        layout.addWidget(self.project, 1)
        self.project.submitted.connect(lambda: self.submitted.emit(self.project.text()))
        self.project.escaped.connect(self.cancelled)

    def open(self) -> None:
        """Show the form with the cursor in its line."""
        self.show()
        self.project.line.setFocus()
        self.project.line.selectAll()
