"""The report in the window: asked for in pauses, silent in a study, never waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import orjson
import pytest

from napari_pointanno._controllers.study_report import (
    EVERY_S,
    NO_PROJECT,
    NOTHING_YET,
    STILL_TICKS,
    Failed,
    StudyReportController,
)
from napari_pointanno._models.study_digest import ReportChoice
from napari_pointanno._views.study_view import StudyView
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.timing.digest import digest
from pointanno.timing.findings import find


class Waiting:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def __call__(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.jobs.append((work, done))

    def finish(self) -> None:
        work, done = self.jobs.pop(0)
        try:
            result: Any = work()
        except Exception as error:
            result = error
        done(result)


class Dock:
    """A controller with a view that only listens, and a child that answers from the project itself."""

    def __init__(self, project: Project | None) -> None:
        self.view: Any = MagicMock(spec=StudyView)
        for name in ("refresh_requested", "choice_changed", "save_requested", "ticked", "shown"):
            setattr(self.view, name, MagicMock())
        self.view.choice = ReportChoice()
        self.waiting, self.now, self.error = Waiting(), 100.0, ""
        self.asked: list[list[str]] = []
        self.project = project
        self.controller = StudyReportController(self.view, self.waiting, self.ask, lambda: self.now)
        if project is not None:
            self.controller.set_project(project)

    def ask(self, words: Sequence[str]) -> bytes:
        self.asked.append(list(words))
        if self.error:
            raise Failed(self.error)
        assert self.project is not None
        return orjson.dumps(digest(find(self.project)))

    @property
    def sentence(self) -> str:
        return str(self.view.show_state.call_args.args[0])

    @property
    def shown(self) -> Any:
        return self.view.show_digest.call_args.args[0]


@pytest.fixture
def worked(project: Project) -> Project:
    """Three clicks at known times."""
    project.record("session_start", {"mode": "single_point"}, t_mono_ns=10**9)
    project.record("image_shown", {}, image_id=1, t_mono_ns=2 * 10**9)
    for number in range(3):
        payload = {"uid": f"{number:032x}", "category_id": 1, "x": number, "y": 0}
        project.record("click", payload, image_id=1, t_mono_ns=(3 + number) * 10**9)
    return project


def test_without_a_project_or_times_it_says_so(project: Project) -> None:
    dock = Dock(None)
    assert dock.sentence == NO_PROJECT and dock.shown is None
    dock.controller.refresh()
    assert not dock.waiting.jobs
    dock = Dock(project)
    dock.controller._on_shown()
    assert dock.sentence == "computing …"
    dock.waiting.finish()
    assert dock.sentence == NOTHING_YET and dock.shown is None


def test_numbers_come_from_a_child_with_the_choices(worked: Project) -> None:
    dock = Dock(worked)
    dock.view.choice = ReportChoice(5.0, 0, "final", True)
    dock.controller.refresh()
    assert dock.view.show_state.call_args.kwargs == {"busy": True}
    dock.waiting.finish()
    assert dock.asked == [
        ["pointanno.timing.digest", str(worked.path), "--idle", "5", "--warm-up", "0", "--answers", "final",
         "--trimmed"]
    ]  # fmt: skip
    assert dock.sentence == "" and dock.shown.numbers[0] == ("4.0 s", "work")


def test_later_requests_make_earlier_ones_void(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller.refresh()
    dock.controller.refresh()
    dock.waiting.finish()
    assert dock.shown is None
    dock.waiting.finish()
    assert dock.shown is not None


def test_it_is_brought_up_to_date_in_pauses_only(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller.refresh()
    dock.waiting.finish()
    for number in range(10):
        dock.now += EVERY_S
        worked.record("key", {"key": str(number)})
        dock.controller.tick()
    assert len(dock.asked) == 1, "while somebody works nothing is computed"
    for _ in range(STILL_TICKS):
        dock.controller.tick()
    dock.waiting.finish()
    assert len(dock.asked) == 2
    for _ in range(20):
        dock.now += EVERY_S
        dock.controller.tick()
    assert not dock.waiting.jobs, "nothing is new"


def test_nothing_about_speed_in_a_study(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller.refresh()
    dock.waiting.finish()
    assert dock.shown is not None
    dock.controller.refresh()  # on its way when the study begins
    worked.record("study_start", {"name": "pilot"})
    dock.controller.tick()
    assert dock.shown is None and "“pilot” is going on" in dock.sentence
    dock.waiting.finish()
    assert dock.shown is None
    assert dock.view.enable.call_args.kwargs == {"refresh": False, "save": False}
    dock.controller.refresh()
    dock.controller.save("/nowhere/r.html")
    assert not dock.waiting.jobs
    worked.record("study_end", {"name": "pilot"})
    for _ in range(STILL_TICKS + 1):
        dock.now += EVERY_S
        dock.controller.tick()
    dock.waiting.finish()
    assert dock.shown is not None and dock.sentence == ""


def test_a_study_that_began_unseen_is_noticed_before_anything_is_shown(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller._on_shown()
    dock.waiting.finish()
    worked.record("study_start", {"name": "pilot"})
    dock.controller._on_shown()
    assert dock.shown is None and not dock.waiting.jobs


def test_saving_writes_page_and_files(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller.save("/somewhere/pilot")
    dock.waiting.finish()
    assert dock.asked == [
        ["pointanno", "study", str(worked.path), "-o", "/somewhere/pilot.html", "--files", "/somewhere/pilot_files",
         "--idle", "10", "--warm-up", "10", "--answers", "first"]
    ]  # fmt: skip
    assert "pilot_files" in dock.view.notify.call_args.args[0]


def test_what_the_child_says_is_shown(worked: Project) -> None:
    dock = Dock(worked)
    dock.error = "p.pointanno: the disk is gone"
    dock.controller.refresh()
    dock.waiting.finish()
    assert dock.view.notify.call_args.args == ("study report: p.pointanno: the disk is gone",)
    assert dock.view.enable.call_args.kwargs == {"refresh": True, "save": True}


def test_another_project_drops_what_was_asked_about_the_first(worked: Project) -> None:
    dock = Dock(worked)
    dock.controller.refresh()
    dock.controller.set_project(None)
    dock.waiting.finish()
    assert dock.shown is None and dock.sentence == NO_PROJECT


def test_a_journal_that_cannot_be_read_breaks_nothing(worked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    dock = Dock(worked)
    dock.controller.refresh()
    dock.waiting.finish()

    def fail(*_: Any) -> None:
        raise InputError("the disk is gone")

    monkeypatch.setattr(worked.store, "first", fail)
    for _ in range(5):
        dock.controller.tick()
    assert dock.shown is not None and not dock.waiting.jobs


def test_choices_are_words_of_the_command_line() -> None:
    choice = ReportChoice(2.5, 3)
    assert choice.arguments() == ["--idle", "2.5", "--warm-up", "3", "--answers", "first"]
    assert replace(choice, trimmed=True).arguments()[-1] == "--trimmed"
