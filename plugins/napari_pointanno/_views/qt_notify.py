"""One sentence for the person, by napari's own notifications, and all of it."""

from __future__ import annotations

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog

UNFOLD_MS = 400
"""napari slides a notification in; from then on it can be unfolded."""

STAY_MS = 15_000
"""How long a sentence stays: napari's four seconds are too short to read one with a path in it."""


def notify(sentence: str, *, error: bool = True) -> None:
    """Show a sentence in full.

    napari shows the first line of a notification, which of our sentences is a path and nothing else.

    Parameters
    ----------
    sentence : str
    error : bool
        Whether something failed.
    """
    (show_error if error else show_info)(sentence)
    QTimer.singleShot(UNFOLD_MS, unfold)


def unfold() -> None:
    """Unfold every notification that shows one line only."""
    for window in QApplication.topLevelWidgets():
        for box in window.findChildren(QDialog):
            if hasattr(box, "toggle_expansion") and box.property("expanded") is False:
                box.toggle_expansion()  # also ends napari's timer
                stay = QTimer(box)  # goes with the box, if the person closes it earlier
                stay.setSingleShot(True)
                stay.timeout.connect(box.close)
                stay.start(STAY_MS)
