"""The controller of the dock *Study report*: asks a child process, in pauses and on demand; silent in a study."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_pointanno._controllers.background import Background, immediately
from napari_pointanno._models.study_digest import StudyDigest, parse_digest
from pointanno.errors import InputError
from pointanno.timing.running import JournalWatch

if TYPE_CHECKING:
    from napari_pointanno._models.study_digest import ReportChoice
    from napari_pointanno._views.study_view import StudyView
    from pointanno.project import Project

STILL_TICKS = 3
"""So many ticks without a new event make a pause, in which the numbers are brought up to date."""

EVERY_S = 20.0
"""Seconds between two computations that nobody asked for."""

NO_PROJECT = "Open a project first."
NOTHING_YET = (
    "Nothing was measured yet. Annotate something in this window; the times of answers, boxes, clicks and images "
    "then stand here."
)
IN_STUDY = (
    "The study “{}” is going on. Nothing about speed is shown until it ends, because it would change how you work. "
    "Everything is recorded."
)


class Failed(Exception):
    """What the child process has said in place of an answer."""


def run_child(words: Sequence[str]) -> bytes:
    """What `python -m …` prints; no thread of the window computes meanwhile.

    Raises
    ------
    Failed
        With its last line, if it does not end well.
    """
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failed(lines[-1] if lines else f"the report was not made (exit code {done.returncode})")
    return done.stdout


class StudyReportController:
    """One per viewer.

    Parameters
    ----------
    view : StudyView
    background : Background
        Waits for the child process.
    ask : callable
        Runs it (`run_child`).
    clock : callable
        Seconds, for the time between two computations.
    """

    def __init__(
        self,
        view: StudyView,
        background: Background = immediately,
        ask: Callable[[Sequence[str]], bytes] = run_child,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.view = view
        self._background, self._ask, self._clock = background, ask, clock
        self._project: Project | None = None
        self._watch: JournalWatch | None = None
        self._generation = 0
        self._is_busy = False
        self._is_seen = False
        self._still = 0
        self._told = 0
        self._computed_at = -EVERY_S
        self._digest: StudyDigest | None = None
        view.refresh_requested.connect(self.refresh)
        view.choice_changed.connect(lambda _: self.refresh())
        view.save_requested.connect(self.save)
        view.ticked.connect(self.tick)
        view.shown.connect(self._on_shown)
        self._show_rest()

    def set_project(self, project: Project | None) -> None:
        """Another project was opened, or it was closed."""
        self._generation += 1
        self._project, self._is_busy, self._digest = project, False, None
        self._watch = None if project is None else JournalWatch(project)
        self._still, self._told, self._computed_at = 0, 0, -EVERY_S
        self._show_rest()
        if self._is_seen:
            self.refresh()

    def _on_shown(self) -> None:
        self._is_seen = True
        self.tick()  # a study may have begun while nobody looked
        if self._digest is None and not self._is_busy:
            self.refresh()

    @property
    def study(self) -> str | None:
        """The study that is going on."""
        return None if self._watch is None else self._watch.study

    def tick(self) -> None:
        """Bring the numbers up to date when the journal has been still for a while."""
        watch = self._watch
        if watch is None:
            return
        before = watch.study
        grew = self._look()
        if watch.study != before:
            self._digest = None
            self._generation += 1
            self._is_busy = False
            self._show_rest()
        self._still = 0 if grew else self._still + 1
        is_due = self._clock() - self._computed_at >= EVERY_S
        if self._still >= STILL_TICKS and is_due and watch.newest != self._told:
            self.refresh()

    def _look(self) -> bool:
        """Whether the journal grew; one that cannot be read now is told of where a person annotates."""
        try:
            return self._watch is not None and self._watch.look()
        except (InputError, OSError):
            return False

    def refresh(self) -> None:
        """Compute the numbers of now; a later request makes an earlier one void."""
        project, watch = self._project, self._watch
        if project is None or watch is None:
            return
        self._look()
        if watch.study is not None:
            self._digest = None
            self._show_rest()
            return
        self._generation += 1
        generation, self._is_busy = self._generation, True
        self._told, self._computed_at = watch.newest, self._clock()
        words = ["pointanno.timing.digest", str(project.path), *self.view.choice.arguments()]
        self._show_rest()
        self._background(lambda: parse_digest(self._ask(words)), lambda result: self._arrived(result, generation))

    def _arrived(self, result: Any, generation: int) -> None:
        if generation != self._generation:
            return  # of another project, of other choices, or of before a study
        self._is_busy = False
        self._look()
        if isinstance(result, StudyDigest):
            self._digest = result
        elif isinstance(result, (Failed, OSError)):
            self.view.notify(f"study report: {result}")
        elif isinstance(result, Exception):
            self._show_rest()
            raise result
        self._show_rest()

    def _show_rest(self) -> None:
        """The state in words, and what is known."""
        study, digest = self.study, self._digest
        has_project = self._project is not None
        if not has_project:
            sentence = NO_PROJECT
        elif study is not None:
            sentence = IN_STUDY.format(study)
        elif self._is_busy:
            sentence = "computing …"
        elif digest is not None and not digest.timed:
            sentence = NOTHING_YET
        else:
            sentence = ""
        self.view.show_state(sentence, busy=self._is_busy and study is None)
        self.view.show_digest(digest if has_project and study is None and digest is not None and digest.timed else None)
        is_open = has_project and study is None
        self.view.enable(refresh=is_open and not self._is_busy, save=is_open)

    def save(self, path: str) -> None:
        """Write the page, and tables and figures into a folder beside it."""
        project = self._project
        if project is None or self.study is not None:
            return
        page = Path(path)
        if page.suffix.lower() not in (".html", ".htm"):
            page = page.with_name(page.name + ".html")
        files = page.with_name(page.stem + "_files")
        self.view.show_state(f"writing {page.name} …", busy=True)
        words = _study_words(project.path, page, files, self.view.choice)
        self._background(lambda: self._ask(words), lambda result: self._saved(result, page, files))

    def _saved(self, result: Any, page: Path, files: Path) -> None:
        self._show_rest()
        if isinstance(result, (Failed, OSError)):
            self.view.notify(f"study report: {result}")
        elif isinstance(result, Exception):
            raise result
        else:
            self.view.notify(f"{page}: the report; its tables and figures lie in {files.name}", error=False)


def _study_words(project: Path, page: Path, files: Path, choice: ReportChoice) -> list[str]:
    return ["pointanno", "study", str(project), "-o", str(page), "--files", str(files), *choice.arguments()]
