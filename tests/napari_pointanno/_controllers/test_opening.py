from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from napari.components import ViewerModel
from PIL import Image

from napari_pointanno._controllers.annotate import AnnotateController
from napari_pointanno._controllers.background import immediately
from napari_pointanno._controllers.opening import Opening
from napari_pointanno._models.opening import Cancelled, OpeningJob
from napari_pointanno._views.annotate_view import AnnotateView
from pointanno.project import Project


class Later:
    """Background work that is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def __call__(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.waiting.append((work, done))

    def run(self) -> Any:
        """Do the oldest work; returns how to deliver its result."""
        work, done = self.waiting.pop(0)
        results: list[Any] = []
        immediately(work, results.append)
        return lambda: done(results[0])


class Bench:
    def __init__(self) -> None:
        self.view: Any = MagicMock(spec=AnnotateView)
        self.later = Later()
        self.opened: list[Project] = []
        self.opening = Opening(self.view, self.later, self.opened.append)

    def told(self) -> list[str]:
        return [call.args[0] for call in self.view.notify.call_args_list]


@pytest.fixture
def bench() -> Any:
    made = Bench()
    yield made
    for project in made.opened:
        project.close()


def test_nothing_is_done_before_the_thread_does_it(bench: Bench, images_folder: Path, tmp_path: Path) -> None:
    bench.opening.create(str(images_folder), str(tmp_path / "new"))
    assert bench.opening.is_busy and not (tmp_path / "new.pointanno").exists()
    job = bench.view.show_opening.call_args.args[0]
    assert job.text() == "looking at the pictures …"
    deliver = bench.later.run()
    assert (job.done, job.total) == (3, 3)
    assert job.text() == "looking at the pictures: 3 of 3 pictures"
    assert bench.opened == []
    deliver()
    assert bench.opened[0].image_count() == 3
    assert not bench.opening.is_busy
    bench.view.show_opening.assert_called_with(None)


def test_one_at_a_time(bench: Bench, images_folder: Path, tmp_path: Path) -> None:
    bench.opening.create(str(images_folder), str(tmp_path / "one"))
    bench.opening.create(str(images_folder), str(tmp_path / "two"))
    assert "goes on already" in bench.told()[0]
    assert len(bench.later.waiting) == 1


def test_given_up_before_or_while_pictures_are_looked_at(bench: Bench, images_folder: Path, tmp_path: Path) -> None:
    bench.opening.create(str(images_folder), str(tmp_path / "new"))
    bench.opening.cancel()
    assert bench.view.show_opening.call_args.args[0].text() == "stopping …"
    bench.later.run()()
    assert bench.told() == ["given up; everything is as before"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
    assert bench.opened == [] and not bench.opening.is_busy


@pytest.mark.parametrize("when", ["after the pictures", "after the thread"])
def test_given_up_too_late_leaves_nothing_either(
    when: str, bench: Bench, images_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Project.create.__func__  # type: ignore[attr-defined]

    def made(cls: Any, *args: Any, **options: Any) -> Project:
        project: Project = create(cls, *args, **options)
        if when == "after the pictures":
            bench.opening.cancel()
        return project

    monkeypatch.setattr(Project, "create", classmethod(made))
    bench.opening.create(str(images_folder), str(tmp_path / "new"))
    deliver = bench.later.run()
    bench.opening.cancel()
    deliver()
    assert bench.opened == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_opening_given_up_keeps_the_project(bench: Bench, project: Project) -> None:
    path = project.path
    project.close()
    bench.opening.open(str(path))
    deliver = bench.later.run()
    bench.opening.cancel()
    deliver()
    with Project.open(path) as again:
        assert again.image_count() == 3


def test_what_goes_wrong_is_a_sentence(bench: Bench, tmp_path: Path) -> None:
    bench.opening.open(str(tmp_path / "nothing"))
    bench.later.run()()
    assert "there is no such project" in bench.told()[0]
    assert not bench.opening.is_busy


def test_a_mistake_of_ours_stays_visible(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Project, "open", classmethod(lambda cls, path: 1 / 0))
    bench.opening.open("x")
    with pytest.raises(ZeroDivisionError):
        bench.later.run()()


def test_a_dock_that_is_closed_wants_no_project(images_folder: Path, tmp_path: Path) -> None:
    later = Later()
    controller = AnnotateController(ViewerModel(), MagicMock(spec=AnnotateView), later)
    controller.create(str(images_folder), str(tmp_path / "new"))
    controller.close()
    later.run()()
    assert controller.project is None
    assert not (tmp_path / "new.pointanno").exists()


def test_a_job_stops_at_the_next_picture() -> None:
    job = OpeningJob("looking")
    job.progress(1, 3)
    job.cancel()
    with pytest.raises(Cancelled):
        job.progress(2, 3)


def _ask(desktop: Any, signal: str, *values: Any) -> None:
    for call in getattr(desktop.view, signal).connect.call_args_list:
        call.args[0](*values)


def test_pictures_that_moved_are_asked_for_and_found(
    project: Project, images_folder: Path, tmp_path: Path, begin: Callable[[Project], Any]
) -> None:
    images_folder.rename(tmp_path / "moved")
    desktop = begin(project)
    desktop.view.show_missing.assert_called_with(str(images_folder))
    assert not desktop.session.readable
    _ask(desktop, "relocate_requested", str(tmp_path / "empty"))
    assert "there is no such folder" in desktop.notified()[-1]
    _ask(desktop, "relocate_requested", "")
    assert "no path was given" in desktop.notified()[-1]
    desktop.view.show_missing.assert_called_with(str(images_folder))
    _ask(desktop, "relocate_requested", str(tmp_path / "moved"))
    desktop.view.show_missing.assert_called_with("")
    assert desktop.session.readable and desktop.session.image.path == tmp_path / "moved" / "a.png"
    assert desktop.session.pages.unreadable == set()
    desktop.person.click(5, 5)
    assert len(desktop.events("click")) == 1


def test_a_folder_with_some_of_the_pictures_says_which_are_missing(
    project: Project, images_folder: Path, tmp_path: Path, begin: Callable[[Project], Any]
) -> None:
    shutil.copytree(images_folder, tmp_path / "some")
    (tmp_path / "some" / "c.png").unlink()
    shutil.rmtree(images_folder)
    desktop = begin(project)
    desktop.person.key("N")
    _ask(desktop, "relocate_requested", str(tmp_path / "some"))
    assert "c.png: the picture is missing" in desktop.notified()[-1]
    assert desktop.session.readable
    desktop.person.key("N")
    desktop.view.show_missing.assert_called_with(str(tmp_path / "some"))
    desktop.person.key("B")
    desktop.view.show_missing.assert_called_with("")


def test_a_changed_picture_is_no_missing_one(
    project: Project, images_folder: Path, begin: Callable[[Project], Any]
) -> None:
    Image.new("RGB", (9, 9)).save(images_folder / "a.png")
    desktop = begin(project)
    assert not desktop.session.readable
    assert all(call.args == ("",) for call in desktop.view.show_missing.call_args_list)


def test_what_is_dropped_is_opened_or_made(desktop: Any, images_folder: Path, tmp_path: Path) -> None:
    desktop.controller.close()
    _ask(desktop, "dropped", str(images_folder))
    made = desktop.controller.project
    assert made.path == tmp_path / f"{tmp_path.name}.pointanno"
    desktop.controller.close()
    for path in (images_folder, made.path, made.path / "project.db"):
        _ask(desktop, "dropped", str(path))
        assert desktop.controller.project.path == made.path
        desktop.controller.close()
    _ask(desktop, "dropped", str(images_folder / "a.png"))
    assert "neither a folder of images nor a COCO" in desktop.notified()[-1]
