"""Making, opening and finding again: whatever may take longer than a frame goes on beside the window."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_pointanno._controllers import projects
from napari_pointanno._controllers.background import Background
from napari_pointanno._models.opening import Cancelled, OpeningJob
from napari_pointanno._views.annotate_view import AnnotateView
from pointanno.errors import InputError
from pointanno.project import Project


class Opening:
    """One project at a time is on its way; the one that is open stays open until the other one is there.

    Parameters
    ----------
    view : AnnotateView
    background : callable
    on_opened : callable
        Gets the project, in the window's thread.
    """

    def __init__(self, view: AnnotateView, background: Background, on_opened: Callable[[Project], None]) -> None:
        self._view = view
        self._background = background
        self._on_opened = on_opened
        self._job: OpeningJob | None = None
        view.opening_cancelled.connect(self.cancel)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way."""
        return self._job is not None

    def create(self, images: str, destination: str) -> None:
        """Make a project from images or a COCO file."""
        self._run(
            "looking at the pictures",
            lambda job: projects.create_project(images, destination, job.progress),
            discard=True,
        )

    def open(self, path: str) -> None:
        """Open an existing project."""
        self._run("opening the project", lambda job: projects.open_project(path))

    def demo(self) -> None:
        """Open the demonstration project; made on first use."""
        self._run("opening the demo", lambda job: projects.demo_project())

    def cancel(self) -> None:
        """Give up what is on its way; it ends at the next picture and leaves nothing behind."""
        if self._job is not None:
            self._job.cancel()

    def relocate(self, project: Project, folder: str, done: Callable[[list[str]], None]) -> None:
        """Say where the pictures of a project are now.

        Parameters
        ----------
        project : Project
        folder : str
        done : callable
            Gets a sentence for each picture that is not there; called only if the folder holds any of them.
        """

        def arrived(result: Any) -> None:
            if isinstance(result, list):
                done(result)
            else:
                self._tell(result)

        job = OpeningJob("looking for the pictures")
        self._start(job, lambda: projects.relocate(project, folder, job.progress), arrived)

    def _run(self, title: str, make: Callable[[OpeningJob], Project], *, discard: bool = False) -> None:
        job = OpeningJob(title)

        def work() -> Project:
            project = make(job)
            if job.is_cancelled:
                _drop(project, discard)
                raise Cancelled
            return project

        def arrived(result: Any) -> None:
            if not isinstance(result, Project):
                self._tell(result)
            elif job.is_cancelled:
                _drop(result, discard)
                self._tell(Cancelled())
            else:
                self._on_opened(result)

        self._start(job, work, arrived)

    def _start(self, job: OpeningJob, work: Callable[[], Any], arrived: Callable[[Any], None]) -> None:
        if self._job is not None:
            self._view.notify(f"{self._job.title}: this goes on already; wait for it, or cancel it", error=False)
            return
        self._job = job
        self._view.show_opening(job)

        def done(result: Any) -> None:
            self._job = None
            self._view.show_opening(None)
            arrived(result)

        self._background(work, done)

    def _tell(self, result: Any) -> None:
        if isinstance(result, Cancelled):
            self._view.notify("given up; everything is as before", error=False)
        elif isinstance(result, (InputError, OSError)):
            self._view.notify(str(result))
        else:
            raise result


def _drop(project: Project, discard: bool) -> None:
    """Close a project that nobody wants any more, and remove it if it was made just now."""
    path: Path = project.path
    with contextlib.suppress(InputError, OSError):
        project.close()
    if discard:
        shutil.rmtree(path, ignore_errors=True)
