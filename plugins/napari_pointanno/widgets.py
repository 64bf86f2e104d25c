"""The docks that the manifest names; thin shells around the views that a workbench owns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QSize
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDockWidget, QSizePolicy, QVBoxLayout, QWidget

from napari_pointanno.workbench import Workbench, workbench

DOCK_WIDTH = 340


class _Dock(QWidget):
    """Holds a view; lets go of it when napari takes the dock away."""

    def __init__(self, bench: Workbench, view: QWidget, leave: Callable[[], None]) -> None:
        super().__init__()
        self._leave = leave
        self._bench: Workbench | None = bench
        self._view = view
        self._was_docked = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(view, 1)
        view.show()
        # napari puts a stretch below a widget that does not ask for all of the height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """As narrow as the lists allow: the picture needs the room."""
        return QSize(DOCK_WIDTH, 700)

    def event(self, event: QEvent) -> bool:
        """The cross of a dock sends no close event: its widget just loses its parent."""
        handled = bool(super().event(event))
        if event.type() == QEvent.Type.ParentChange:
            dock = self.parent()
            if dock is not None:
                self._was_docked = True
                if isinstance(dock, QDockWidget):  # a single & would underline the next letter in the tab
                    dock.setWindowTitle(dock.windowTitle().replace("&&", "&").replace("&", "&&"))
            elif self._was_docked and self._bench is not None:
                self._bench = None
                self._leave()
                # the view outlives this shell, which napari drops: deleting it within its own event would crash
                self._view.hide()
                self._view.setParent(None)
        return handled


class AnnotateDock(_Dock):
    """Open or create a project; classes, images, modes, the question."""

    def __init__(self, napari_viewer: Any) -> None:
        bench = workbench(napari_viewer)

        def leave() -> None:
            self.destroyed.disconnect(bench.abandon)
            bench.close_annotate()

        super().__init__(bench, bench.annotate_widget(), leave)
        self.destroyed.connect(bench.abandon)

    def showEvent(self, event: QShowEvent) -> None:
        """In a window at last: its canvas can be found."""
        super().showEvent(event)
        if self._bench is not None:
            self._bench.attach_canvas(self)


class TrainDock(_Dock):
    """Train on the open project in the background; watch, stop, resume; preview."""

    def __init__(self, napari_viewer: Any) -> None:
        bench = workbench(napari_viewer)

        def leave() -> None:
            self.destroyed.disconnect(bench.abandon_train)
            bench.close_train()

        super().__init__(bench, bench.train_widget(), leave)
        self.destroyed.connect(bench.abandon_train)


class StudyReportDock(_Dock):
    """What the annotations of the open project cost in time."""

    def __init__(self, napari_viewer: Any) -> None:
        bench = workbench(napari_viewer)

        def leave() -> None:
            self.destroyed.disconnect(bench.abandon_report)

        super().__init__(bench, bench.study_widget(), leave)
        self.destroyed.connect(bench.abandon_report)
