"""What is asked about colours and files of classes; the dialogs of the system do not stop the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QFileDialog, QWidget

from napari_pointanno._views.annotate_view import Choice, ClassQuestion, ClassRow
from napari_pointanno.palette import Color
from pointanno.project.palette import NAMED_COLORS

Tell = Callable[[str, bool], None]
"""``tell(name, is_open)``: a dialog has opened or closed."""


def color_question(row: ClassRow, rows: Sequence[ClassRow]) -> ClassQuestion:
    """Suggested colours, those of other classes last and named."""
    users: dict[Color, str] = {}
    for other in rows:
        if other.id != row.id:
            users.setdefault(other.color, other.name)
    choices = [
        Choice(",".join(map(str, color)), f"{name} ({users[color]})" if color in users else name, color)
        for name, color in sorted(NAMED_COLORS.items(), key=lambda item: item[1] in users)
    ]
    preferred = next((n for n, choice in enumerate(choices) if choice.color == row.color), 0)
    choices += [Choice("other", "Any other colour…"), Choice("", "Cancel")]
    return ClassQuestion(f"Colour of {row.name}", tuple(choices), preferred)


def ask_for_color(parent: QWidget, row: ClassRow, tell: Tell, take: Callable[[Color], None]) -> None:
    """Any colour."""
    dialog = QColorDialog(QColor(*row.color), parent)
    dialog.setObjectName("pointanno_color_dialog")
    dialog.setWindowTitle(f"Colour of {row.name}")

    def finished(result: int) -> None:
        picked = dialog.selectedColor()
        if result and picked.isValid():
            take((picked.red(), picked.green(), picked.blue()))
        tell("colour", False)
        dialog.deleteLater()

    dialog.finished.connect(finished)
    tell("colour", True)
    dialog.open()


def ask_for_file(parent: QWidget, tell: Tell, take: Callable[[str], None]) -> None:
    """A file with names of classes."""
    dialog = QFileDialog(parent, "Classes from a file", str(Path.home()), "Classes (*.txt *.json *.csv *.tsv);;All (*)")
    dialog.setObjectName("pointanno_class_file_dialog")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

    def finished(result: int) -> None:
        files = dialog.selectedFiles()
        if result and files:
            take(files[0])
        tell("class file", False)
        dialog.deleteLater()

    dialog.finished.connect(finished)
    tell("class file", True)
    dialog.open()
