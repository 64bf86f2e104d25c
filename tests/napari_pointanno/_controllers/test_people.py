"""Who is recorded, what leaves the project, and copies that come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_pointanno._controllers.people import agreement_words
from pointanno.dataset import Box, Instance, PointDataset, Points
from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset
from pointanno.project import Project
from pointanno.project.agreement import Agreement

BOX = "b" * 32


def shown(desktop: Any, name: str) -> Any:
    """What the part of the dock was told last."""
    return getattr(desktop.view.people, name).call_args


def answer_box(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    for key in "FJF":
        desktop.person.key(key)


def test_the_first_person_is_told_once_what_is_recorded(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    sentence = shown(desktop, "greet").args[0]
    assert "anon-1" in sentence and "personal data" in sentence and "how long each answer takes" in sentence
    desktop.controller.people.name("Anna Alpha")
    assert shown(desktop, "greet").args[0] == ""
    [row] = shown(desktop, "show_annotators").args[0]
    assert (row.pseudonym, row.name) == ("anon-1", "Anna Alpha")
    answer_box(desktop)
    again = reopened(desktop)
    assert again.project.annotator == "anon-1" and shown(again, "greet").args[0] == ""


def test_somebody_at_another_computer_gets_a_pseudonym(
    desktop: Any, reopened: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_box(desktop)
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    again = reopened(desktop)
    assert again.project.annotator not in ("", "anon-1")
    assert again.project.annotator in shown(again, "greet").args[0]


def test_people_take_turns_and_every_event_has_its_own(desktop: Any, tmp_path: Path) -> None:
    project, people = desktop.project, desktop.controller.people
    people.name("Anna Alpha")
    answer_box(desktop)
    people.welcome()
    people.name("Ben Beta")
    ben = project.annotator
    assert ben != "anon-1"
    rows, current = shown(desktop, "show_annotators").args
    assert [(row.pseudonym, row.name) for row in rows] == [("anon-1", "Anna Alpha"), (ben, "Ben Beta")]
    assert current == ben
    desktop.person.key("Q")
    desktop.person.click(60, 50)
    people.choose("anon-1")
    desktop.person.click(70, 50)
    starts = [event.session for event in desktop.events("session_start")]
    assert len(set(starts)) == 3 and len(desktop.events("session_end")) == 2
    file = tmp_path / "out.json"
    FORMATS["coco-point"].write(project.dataset(with_events=True), file)
    text = file.read_text()
    assert "Anna" not in text and "Ben" not in text
    found = read_dataset(file)
    names = [entry["name"] for entry in found.annotators]
    clicked = [names[one.points.annotator[0] or 0] for one in found.targets]
    assert clicked == [ben, "anon-1"]
    assert {names[index or 0] for index in found.instances[0].points.annotator} == {"anon-1"}
    of_events = {names[event["annotator"]] for event in found.events if event["kind"] == "label"}
    assert of_events == {"anon-1"}


@pytest.mark.parametrize("method", ["record", "change_annotator"])
def test_nobody_takes_over_while_it_cannot_be_written_down(
    desktop: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    people, greeted = desktop.controller.people, desktop.view.people.greet.call_count
    desktop.person.click(5, 5)
    monkeypatch.setattr(desktop.project, method, refuse)
    people.welcome()
    people.choose("anon-7")
    assert desktop.project.annotator == "anon-1"
    assert desktop.project.annotator_here() == "anon-1"
    assert shown(desktop, "show_annotators").args[1] == "anon-1"
    assert desktop.view.people.greet.call_count == greeted
    assert set(desktop.notified()) == {"the disk is full"}
    monkeypatch.undo()
    people.choose("anon-7")
    assert desktop.project.annotator == "anon-7"


def test_a_second_pass_is_planned_for_the_list(desktop: Any) -> None:
    project, people = desktop.project, desktop.controller.people
    answer_box(desktop)
    people.plan_second_pass(1.0, False)
    assert shown(desktop, "show_second_pass").args[0] == "0 of 3 images done"
    people.plan_second_pass(0.0, False)
    assert shown(desktop, "show_second_pass").args[0] == "no image is chosen"
    desktop.controller.sitting.images.navigation.seek("")
    from pointanno.project.image_list import ImageFilter

    desktop.controller.sitting.images.navigation.filter(ImageFilter(state="in_progress"))
    people.plan_second_pass(1.0, True)
    assert [image.second_pass for image in project.images()] == ["chosen", None, None]
    desktop.person.key("Ctrl+Z")
    assert [image.second_pass for image in project.images()] == [None, None, None]


def test_agreement_is_told_between_parts_of_the_work(desktop: Any) -> None:
    people = desktop.controller.people
    people.compare()
    assert "no second opinion and no known answer" in shown(desktop, "show_agreement").args[0]
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    people.compare()
    assert "A point is asked just now" in shown(desktop, "show_agreement").args[0]
    for key in "FJF":
        desktop.person.key(key)
    people.plan_second_pass(1.0, False)
    desktop.controller.enter("second_look")
    for key in "FJU":
        desktop.person.key(key)
    people.compare()
    assert shown(desktop, "show_agreement").args[0] == "Second opinion: 2 of 2 answers the same (100 %, κ 1.00)."


def test_words_of_an_agreement() -> None:
    """Both said the same one thing: chance alone gives full agreement, so kappa is undefined."""
    nothing = Agreement(0, 0, None, 0, None, 0)
    assert agreement_words(Agreement(4, 4, None, 0, None, 0), nothing) == (
        "Second opinion: 4 of 4 answers the same (100 %, κ undefined)."
    )
    assert agreement_words(nothing, Agreement(20, 18, 0.7, 3, 2.25, 1)) == (
        "Known answers: 18 of 20 answers right (90 %, κ 0.70); 3 pairs of clicks, median 2.2 px apart; "
        "1 clicks without a partner."
    )


def gold_file(project: Project, path: Path) -> Path:
    """A known car in (40, 10, 50, 20) of the first image, with two answers."""
    points = Points.answered(np.array([[42, 12], [48, 18]]), np.array([1, 0]), source="imported")
    dataset = PointDataset(
        images=project.dataset().images[:1],
        categories=tuple(project.categories()),
        instances=(Instance(1, project.images()[0].id, 1, Box(40, 10, 50, 20), points),),
        points_per_instance=2,
    )
    FORMATS["coco-point"].write(dataset, path)
    return path


def test_known_answers_are_imported_without_a_trace_on_the_screen(desktop: Any, tmp_path: Path) -> None:
    project = desktop.project
    desktop.controller.people.take_gold(str(gold_file(project, tmp_path / "gold.json")))
    assert shown(desktop, "show_agreement").args[0] == "Known answers: 1 boxes and 0 clicks on 1 images."
    assert desktop.session.annotations.boxes == () and project.dataset().instances == ()
    assert len(project.annotations(project.images()[0].id, layer="gold").boxes) == 1
    desktop.controller.people.take_gold(str(tmp_path / "missing.json"))
    assert "missing.json" in desktop.notified()[-1]


def test_a_copy_is_joined_and_the_project_is_open_again(
    project: Project, make_desktop: Callable[[Any], Any], tmp_path: Path
) -> None:
    other = tmp_path / "copy.pointanno"
    project.close()
    shutil.copytree(project.path, other)
    with Project.open(other, annotator="anon-7") as copy:
        copy.record("click", {"uid": "c" * 32, "category_id": 1, "x": 5, "y": 5}, image_id=copy.images()[1].id)
        copy.record("absent", {"category_id": 3, "absent": True}, image_id=copy.images()[0].id)
    desktop = make_desktop(Project.open(project.path))
    opened_before = desktop.session.image.id
    desktop.person.click(20, 20)
    desktop.project.record("absent", {"category_id": 3, "absent": False}, image_id=desktop.session.image.id)
    desktop.controller.people.join(str(other))
    text, conflicts = shown(desktop, "show_joining").args
    assert text.startswith("Joined: ") and "1 changed twice (the later change holds)" in text
    assert [row.image_id for row in conflicts] == [opened_before]
    opened = desktop.controller.project
    assert opened is not None and opened is not desktop.project and opened.writable
    assert opened.counts()["clicks"] == 2
    assert "anon-7" in [row.pseudonym for row in shown(desktop, "show_annotators").args[0]]
    assert list((project.path / "backups").glob("before-merge-*.db"))
    desktop.controller.people.join(str(other))
    assert shown(desktop, "show_joining").args[0] == "Nothing new: this copy was joined already."


def test_what_cannot_be_joined_leaves_the_project_open(desktop: Any, tmp_path: Path, images_folder: Path) -> None:
    people = desktop.controller.people
    people.join(str(tmp_path / "missing"))
    people.join(str(desktop.project.path))
    assert ["no such project folder" in desktop.notified()[-2], "the project itself" in desktop.notified()[-1]] == [
        True, True
    ]  # fmt: skip
    assert desktop.controller.project is desktop.project
    people.join(str(images_folder))
    text = shown(desktop, "show_joining").args[0]
    assert text.startswith("Nothing was joined: ") and str(images_folder) in text
    opened = desktop.controller.project
    assert opened is not None and opened.path == desktop.project.path
