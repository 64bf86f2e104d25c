"""One set of controllers per viewer: the docks and the commands meet here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_pointanno._controllers.annotate import AnnotateController
from napari_pointanno.layers import warm_up
from napari_pointanno.singleton_guard import guard_singletons

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_pointanno._controllers.preview import PreviewController
    from napari_pointanno._controllers.study_report import StudyReportController
    from napari_pointanno._controllers.train import TrainController
    from napari_pointanno._views.train_view import TrainView

_WORKBENCHES: dict[int, Workbench] = {}


class Workbench:
    """The docks of one viewer; each is built when it is asked for first."""

    def __init__(self, viewer: Any) -> None:
        guard_singletons()
        self.viewer = viewer
        self._annotate: AnnotateController | None = None
        self._train: TrainController | None = None
        self._preview: PreviewController | None = None
        self._study_report: StudyReportController | None = None
        self._annotate_view: Any = None
        self._study_view: Any = None
        self._train_view: Any = None

    @property
    def annotate(self) -> AnnotateController:
        """The controller of the dock *Annotate*."""
        if self._annotate is None:
            from napari_pointanno._views.qt_annotate_view import QtAnnotateView

            self._annotate_view = QtAnnotateView()
            self._annotate = AnnotateController(self.viewer, self._annotate_view, self._annotate_view.background)
            self._connect()
            self._connect_report()
        return self._annotate

    @property
    def train(self) -> TrainController:
        """The controller of the dock *Train & preview*."""
        if self._train is None:
            self._build_train()
        assert self._train is not None
        return self._train

    @property
    def preview(self) -> PreviewController:
        """The controller of the preview."""
        if self._preview is None:
            self._build_train()
        assert self._preview is not None
        return self._preview

    @property
    def study_report(self) -> StudyReportController:
        """The controller of the dock *Study report*."""
        if self._study_report is None:
            from napari_pointanno._controllers.study_report import StudyReportController
            from napari_pointanno._views.qt_study_report import QtStudyView

            view = self._study_view = QtStudyView()
            self._study_report = StudyReportController(view, view.background)
            self._connect_report()
        return self._study_report

    def _connect_report(self) -> None:
        """Let the report follow the open project, if both docks are there."""
        annotate, report = self._annotate, self._study_report
        if annotate is not None and report is not None:
            annotate.project_changed.connect(report.set_project)
            self._study_view.left.connect(annotate.take_focus)
            report.set_project(annotate.project)

    def _build_train(self) -> None:
        from qtpy.QtCore import QTimer

        from napari_pointanno._controllers.preview import PreviewController
        from napari_pointanno._controllers.train import TrainController
        from napari_pointanno._views.qt_train_view import QtTrainView
        from napari_pointanno.preferences import keeps_worker_ready
        from pointanno.runs import Machine, PreviewClient, WarmWorker

        view = self._train_view = QtTrainView()
        warm = WarmWorker() if keeps_worker_ready() else None
        train = self._train = TrainController(view, background=view.background, machine=Machine(), warm=warm)
        preview = self._preview = PreviewController(
            self.viewer, view, lambda ms, function: QTimer.singleShot(ms, function), PreviewClient
        )
        train.run_changed.connect(preview.set_run)
        train.checkpoint_changed.connect(preview.on_checkpoint)
        train.memory_needed.connect(preview.make_room)
        train.preview_wanted.connect(lambda: preview.switch(True))
        self._connect()

    def _connect(self) -> None:
        """Let the second dock follow the first, if both are there."""
        annotate, train, preview = self._annotate, self._train, self._preview
        if annotate is None or train is None or preview is None:
            return
        annotate.project_changed.connect(train.set_project)
        annotate.project_changed.connect(preview.set_project)
        annotate.image_changed.connect(preview.set_image)
        annotate.preview_toggled.connect(preview.toggle)
        annotate.blinded.connect(lambda: preview.switch(False) if preview.on else None)
        preview.shown.connect(annotate.reviewing.preview_shown)
        annotate.use_predictions(preview)
        annotate.opacity_stepped.connect(preview.step_opacity)
        annotate.study_runs.connect(preview.lock)
        preview.lock(annotate.sitting is not None and annotate.sitting.study.runs)
        session = annotate.session
        preview.set_project(annotate.project)
        preview.set_image(session.image if session is not None and session.readable else None)
        train.set_project(annotate.project)

    def annotate_widget(self) -> QWidget:
        """The widget of the dock *Annotate*."""
        _ = self.annotate
        widget: QWidget = self._annotate_view.widget
        return widget

    def train_widget(self) -> QWidget:
        """The widget of the dock *Train & preview*."""
        _ = self.train
        widget: QWidget = self._train_view.widget
        return widget

    def study_widget(self) -> QWidget:
        """The widget of the dock *Study report*."""
        _ = self.study_report
        widget: QWidget = self._study_view.widget
        return widget

    @property
    def train_view(self) -> TrainView:
        """The view of the dock *Train & preview*."""
        _ = self.train
        view: TrainView = self._train_view
        return view

    def attach_canvas(self, widget: QWidget) -> None:
        """Find the canvas of the window that a dock lies in; a second call changes nothing."""
        from napari_pointanno._views.qt_canvas_view import QtCanvasView, find_canvas

        if self.annotate.has_canvas:
            return
        canvas = find_canvas(widget)
        if canvas is not None:
            self.annotate.attach_canvas(QtCanvasView(self.viewer, canvas))
            warm_up()

    def close_annotate(self) -> None:
        """The dock was closed: end the session. The view is kept for the next dock."""
        if self._annotate is not None:
            self._annotate.close()

    def close_train(self) -> None:
        """The dock was closed: end the preview and the worker that waits; trainings go on."""
        if self._preview is not None:
            self._preview.switch(False)
            self._preview.close()
        if self._train is not None:
            self._train.leave()
            self._train_view.show_activity("")

    def abandon_train(self) -> None:
        """The window is gone: no more preview, no more waiting worker, nothing arrives any more."""
        if self._preview is not None:
            self._preview.close()
        if self._train is not None:
            self._train_view.background.close()
            self._train.leave()
        self._train = self._preview = None

    def abandon_report(self) -> None:
        """The window is gone: nothing arrives any more."""
        report, self._study_report = self._study_report, None
        if report is None:
            return
        self._study_view.background.close()
        if self._annotate is not None:
            self._annotate.project_changed.disconnect(report.set_project)
            self._study_view.left.disconnect(self._annotate.take_focus)

    def abandon(self) -> None:
        """The window is gone: close project and processes without touching a widget."""
        self.abandon_train()
        self.abandon_report()
        if self._annotate is not None:
            self._annotate_view.background.close()
            self._annotate.abandon()
        self._annotate = None
        for key, bench in list(_WORKBENCHES.items()):
            if bench is self:
                del _WORKBENCHES[key]


def unwrapped(viewer: Any) -> Any:
    """The viewer itself: napari hands plugins a proxy."""
    return getattr(viewer, "__wrapped__", viewer)


def workbench(viewer: Any) -> Workbench:
    """The controllers of a viewer, made on first use."""
    viewer = unwrapped(viewer)
    bench = _WORKBENCHES.get(id(viewer))
    if bench is None or bench.viewer is not viewer:
        bench = _WORKBENCHES[id(viewer)] = Workbench(viewer)
    return bench
