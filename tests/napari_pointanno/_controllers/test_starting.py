"""From the form to a run that is trained; the worker itself is a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers import starting
from napari_pointanno._controllers.background import immediately
from napari_pointanno._controllers.train import TrainController
from napari_pointanno._views.train_view import TrainForm, TrainView
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs import RunFolder
from pointanno.runs.preparation import Preparation, Request

FORM = TrainForm("point_sup", "small", device="cpu", steps=7, seed=3, threads=1, overrides=("train.batch_size=2",))


def answer(project: Project, row: int, uid: str) -> None:
    image = project.images()[row]
    box = {"uid": uid, "category_id": 1, "box": [2, 2, 20, 20], "point_coords": [[3, 3]]}
    project.record("box", box, image_id=image.id)
    project.record("answer", {"uid": uid, "point": 0, "value": "object"}, image_id=image.id)


@pytest.fixture
def annotated(project: Project) -> Project:
    """A box with an answer on each picture."""
    for row in range(3):
        answer(project, row, f"{row:032x}")
    return project


@pytest.fixture
def view() -> Any:
    return MagicMock(spec=TrainView)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunFolder, Any]]:
    made: list[tuple[RunFolder, Any]] = []
    monkeypatch.setattr(starting, "start_worker", lambda run, warm=None: made.append((run, warm)))
    return made


Started = list[tuple[RunFolder, Any]]


def subjects(view: Any, level: str) -> list[str]:
    return [one.subject for one in view.show_findings.call_args.args[0] if one.level == level]


def test_without_a_project_there_is_nothing_to_start(view: Any, started: Started) -> None:
    controller = TrainController(view)
    assert view.show_ready.call_args.args[0] is False
    controller.starting.start(FORM)
    assert "Open a project first" in view.notify.call_args.args[0]
    assert "point_sup" in [choice.name for choice in view.show_systems.call_args.args[0]]
    assert started == []


def test_warnings_are_shown_and_start_anyway_goes_on(view: Any, annotated: Project, started: Started) -> None:
    """The project has three things besides the one that is annotated, so classes have no object."""
    warm = MagicMock()
    controller = TrainController(view, warm=warm)
    controller.set_project(annotated)
    controller.starting.start(FORM)
    assert started == []
    assert view.show_findings.call_args.kwargs["can_start"] is True
    assert subjects(view, "warning") == ["classes"] and subjects(view, "error") == []
    assert [call.args[0] for call in view.show_busy.call_args_list][-2:] == [starting.CHECKING, ""]
    controller.starting.start_anyway()
    ((run, given),) = started
    assert given is warm
    arguments = run.arguments()
    assert (arguments.steps, arguments.seed, arguments.threads, arguments.device) == (7, 3, 1, "cpu")
    assert run.recipe()["train"]["batch_size"] == 2
    assert len(run.environment()["data"]["sha256"]) == 64 and run.environment()["data"]["boxes"] == 3
    assert controller.run is not None and controller.run.path == run.path
    assert view.show_findings.call_args.args[0] == ()
    controller.starting.start_anyway()
    assert len(started) == 1, "what was started is done"


def test_errors_stop(view: Any, project: Project, started: Started) -> None:
    controller = TrainController(view)
    controller.set_project(project)
    controller.starting.start(FORM)
    assert subjects(view, "error") == ["data"]
    assert view.show_findings.call_args.kwargs["can_start"] is False
    assert started == [] and not list(project.runs_folder.glob("*"))


def test_options_that_cannot_work_are_a_finding(view: Any, annotated: Project, started: Started) -> None:
    controller = TrainController(view)
    controller.set_project(annotated)
    controller.starting.start(TrainForm("point_sup", "small", overrides=("train.speed=9",)))
    [finding] = view.show_findings.call_args.args[0]
    assert finding.level == "error" and "train.speed" in finding.sentence
    assert started == []


def test_the_weights_of_the_shown_run(view: Any, annotated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def prepare(request: Request) -> Preparation:
        asked.append(request)
        return Preparation()

    monkeypatch.setattr(starting, "prepare_in_child", prepare)
    controller = TrainController(view)
    controller.set_project(annotated)
    controller.run = MagicMock(spec=RunFolder, path=Path("/runs/first"))
    controller.starting.start(TrainForm("point_sup", "small", go_on_from_shown=True, val="~/v.json", val_images="i"))
    arguments = asked[0].arguments
    assert arguments.init == Path("/runs/first")
    assert arguments.val == Path.home() / "v.json" and arguments.val_images == Path("i")
    assert asked[0].project == annotated.path and asked[0].folder == annotated.runs_folder


def test_a_rehearsal_shows_its_numbers_and_may_be_followed_by_a_start(
    view: Any, annotated: Project, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Preparation(tried={"sentence": "0.50 s a step"})
    monkeypatch.setattr(starting, "rehearse_in_child", lambda request: tried)
    controller = TrainController(view)
    controller.set_project(annotated)
    controller.starting.rehearse(FORM)
    assert view.show_findings.call_args.kwargs == {"can_start": True, "summary": "Dry run: 0.50 s a step."}
    assert started == []
    controller.starting.start_anyway()
    assert len(started) == 1


def test_while_one_is_checked_no_other_is(view: Any, annotated: Project, started: Started) -> None:
    waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
    controller = TrainController(view, background=lambda work, done: waiting.append((work, done)))
    controller.set_project(annotated)
    before = len(waiting)
    controller.starting.start(FORM)
    controller.starting.start(FORM)
    controller.starting.start_anyway()
    assert len(waiting) == before + 1
    # the answer comes when another project is open: nobody wants it any more
    controller.set_project(None)
    _, done = waiting[before]
    view.show_findings.reset_mock()
    done(Preparation(run=annotated.path))
    view.show_findings.assert_not_called()
    assert started == []


def test_a_check_that_fails_is_a_sentence(view: Any, annotated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: Request) -> Preparation:
        raise InputError("the check ended")

    monkeypatch.setattr(starting, "prepare_in_child", fail)
    controller = TrainController(view)
    controller.set_project(annotated)
    controller.starting.start(FORM)
    view.notify.assert_called_with("the check ended")
    assert not controller.starting.is_busy


def test_immediately_hands_errors_over() -> None:
    got: list[Any] = []
    immediately(lambda: 1 / 0, got.append)
    assert isinstance(got[0], ZeroDivisionError)
