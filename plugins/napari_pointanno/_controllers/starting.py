"""The controller of starting a training: check, rehearse, start, all in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_pointanno._controllers.background import Background
from napari_pointanno._views.train_view import TrainForm, TrainView
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs import RunFolder, TrainArguments, WarmWorker, start_worker
from pointanno.runs.preparation import Preparation, Request, prepare_in_child, rehearse_in_child

CHECKING, REHEARSING = "checking data and pictures …", "trying some steps …"


class StartController:
    """Turns a form into a run that is trained.

    Parameters
    ----------
    view : TrainView
    background : callable
    warm : WarmWorker or None
        Takes the run, if one waits.
    shown : callable
        The run that is shown, whose weights a training may start from.
    started : callable
        Told the new run.
    """

    def __init__(
        self,
        view: TrainView,
        background: Background,
        warm: WarmWorker | None,
        shown: Callable[[], RunFolder | None],
        started: Callable[[RunFolder], None],
    ) -> None:
        self._view = view
        self._background = background
        self._warm = warm
        self._shown = shown
        self._started = started
        self._project: Project | None = None
        self._asked: Request | None = None
        self._turn = 0
        self.is_busy = False
        view.start_requested.connect(self.start)
        view.start_anyway_requested.connect(self.start_anyway)
        view.rehearsal_requested.connect(self.rehearse)
        view.findings_dismissed.connect(self.dismiss)

    def set_project(self, project: Project | None) -> None:
        """Another project: what was found about the last one is void."""
        self._project = project
        self._turn += 1
        self._free()
        self.dismiss()

    def start(self, form: TrainForm) -> None:
        """Check, and start if nothing stands against it."""
        request = self._request(form)
        if request is not None:
            self._asked = request
            self._do(lambda: prepare_in_child(request), self._on_prepared, CHECKING)

    def start_anyway(self) -> None:
        """Start though there were warnings."""
        if self._asked is not None and not self.is_busy:
            request = replace(self._asked, create="always")
            self._do(lambda: prepare_in_child(request), self._on_prepared, CHECKING)

    def rehearse(self, form: TrainForm) -> None:
        """Check and try some steps; nothing is kept."""
        request = self._request(form)
        if request is not None:
            self._asked = request
            self._do(lambda: rehearse_in_child(request), self._on_rehearsed, REHEARSING)

    def dismiss(self) -> None:
        """Hide the findings."""
        self._asked = None
        self._view.show_findings((), can_start=False)

    def _request(self, form: TrainForm) -> Request | None:
        """The form as a request, None with a word to the person if it cannot be one."""
        project, shown = self._project, self._shown()
        if self.is_busy:
            return None
        if project is None:
            self._view.notify("Open a project first: there is nothing to train on")
            return None
        arguments = TrainArguments(
            data=Path(),
            images=project.images_folder,
            system=form.system,
            recipe=form.recipe,
            device=form.device,
            steps=form.steps,
            seed=form.seed,
            threads=form.threads,
            supervision=form.supervision,
            overrides=form.overrides,
            val=Path(form.val).expanduser() if form.val else None,
            val_images=Path(form.val_images).expanduser() if form.val_images else None,
            init=shown.path if form.go_on_from_shown and shown is not None else None,
        )
        return Request(arguments, project.runs_folder, project.path)

    def _do(self, work: Callable[[], Preparation], done: Callable[[Preparation], None], text: str) -> None:
        self.is_busy = True
        self._turn += 1
        turn = self._turn
        self._view.show_findings((), can_start=False)
        self._view.show_busy(text)

        def finish(result: Preparation | Exception) -> None:
            if turn != self._turn:  # another project was opened meanwhile
                return
            self._free()
            if isinstance(result, (InputError, OSError)):
                self._view.notify(str(result))
            elif isinstance(result, Exception):
                raise result
            else:
                done(result)

        self._background(work, finish)

    def _free(self) -> None:
        self.is_busy = False
        self._view.show_busy("")

    def _on_prepared(self, prepared: Preparation) -> None:
        if prepared.run is not None:
            self.dismiss()
            run = RunFolder(prepared.run)
            try:
                start_worker(run, warm=self._warm)
            except OSError as error:
                self._view.notify(str(error))
            self._started(run)
            return
        summary = "This cannot be trained:" if prepared.has_errors else "Before the training starts:"
        self._view.show_findings(prepared.findings, can_start=not prepared.has_errors, summary=summary)

    def _on_rehearsed(self, prepared: Preparation) -> None:
        if prepared.tried is None:
            summary = "This cannot be trained:"
        else:
            summary = f"Dry run: {prepared.tried['sentence']}."
        self._view.show_findings(prepared.findings, can_start=not prepared.has_errors, summary=summary)
