"""The main job in a real window, with nothing but real mouse and key events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from pointanno.formats import FORMATS
from pointanno.formats.validate import validate_file
from pointanno.project import Project

pytestmark = pytest.mark.gui

CLASSES = (("window", True), ("door", True), ("wall", False), ("sky", False))
ANSWERS = "fjuffjffjf"


def _add_class(hands: Any, name: str, isthing: bool, count: int) -> None:
    """Type the name, choose the kind by an arrow, Enter."""
    hands.click_widget("class_name")
    hands.wait("the line of the class name", lambda state: state["focus"] == "pointanno_class_name")
    hands.type(name)
    hands.key("Tab")
    hands.wait("the menu of kinds", lambda state: state["focus"] == "pointanno_class_kind")
    hands.key("Up" if isthing else "Down")
    hands.key("shift+Tab")
    hands.wait("the line again", lambda state: state["focus"] == "pointanno_class_name")
    hands.key("Return")
    hands.wait_session(f"class {name}", lambda session: len(session["classes"]) == count)


def _create(hands: Any, images: Path, project: Path) -> None:
    """The form: paste two paths, Enter."""
    hands.click_widget("new")
    hands.wait("the form", lambda state: state["focus"] == "pointanno_new_images")
    hands.type(str(images))
    hands.key("Tab")
    hands.wait("its second line", lambda state: state["focus"] == "pointanno_new_project")
    hands.type(str(project))
    hands.key("Return")


def test_create_annotate_undo_be_killed_and_go_on(hands: Any, data_folder: Path, tmp_path: Path) -> None:
    images, folder = data_folder / "facades" / "val" / "images", tmp_path / "facades.pointanno"
    hands.open()
    hands.photograph("1_empty")
    _create(hands, images, folder)
    session = hands.wait_session("the project", lambda session: session["shown"])
    assert session["row"] == 0
    for count, (name, isthing) in enumerate(CLASSES, start=1):
        _add_class(hands, name, isthing, count)
    hands.wait("the canvas", lambda state: state["focus"] == "canvas")

    height, width = session["size"]
    for index in range(12):
        if index % 3 == 0:
            hands.key(str(index // 3 + 1))
            hands.wait_session("the class", lambda session, digit=index // 3 + 1: session["category"] == digit)
        hands.click(width * (0.15 + 0.2 * (index // 3)), height * (0.2 + 0.3 * (index % 3)))
        hands.wait_session("a point", lambda session, count=index + 1: session["clicks"] == count)
    hands.photograph("2_points")

    hands.key("w")
    hands.wait_session("box mode", lambda session: session["mode"] == "box_points")
    hands.key("1")
    for number in range(3):
        left, top = width * (0.1 + 0.28 * number), height * 0.3
        hands.drag(left, top, left + width * 0.2, top + height * 0.3)
        hands.wait_session("a box", lambda session, count=number + 1: session["boxes"] == count and session["shown"])
        for index, key in enumerate(ANSWERS):
            hands.wait_session("a question", lambda session, index=index: session["asked"][1] == index)
            if (number, index) == (1, 5):
                hands.photograph("3_question")
            hands.key(key)
            total = 10 * number + index + 1
            hands.wait_session("an answer", lambda session, total=total: session["answers"] == total)
        hands.wait_session("the end of the box", lambda session: session["asked"] is None)

    for left in range(29, 24, -1):
        hands.key("ctrl+z")
        hands.wait_session("an undo", lambda session, left=left: session["answers"] == left)
    for left in range(26, 29):
        hands.key("ctrl+shift+z")
        hands.wait_session("a redo", lambda session, left=left: session["answers"] == left)
    hands.key("n")
    hands.wait_session("the next image", lambda session: session["row"] == 1 and session["clicks"] == 0)
    hands.key("b")
    hands.wait_session("the first image", lambda session: session["row"] == 0 and session["answers"] == 28)

    # leave the open box, begin to draw another one, and lose the power
    hands.key("Escape")
    hands.wait_session("leaving the box", lambda session: session["asked"] is None)
    hands.press_and_move(width * 0.3, height * 0.7, width * 0.6, height * 0.9)
    hands.wait_session("half a box", lambda session: session["drag"])
    hands.photograph("4_half_a_box")
    hands.kill()
    hands.xdotool("mouseup", 1)

    hands.open(str(folder))
    session = hands.wait_session("the project again", lambda session: session["shown"])
    assert (session["clicks"], session["boxes"], session["answers"]) == (12, 3, 28)
    assert (session["file"], session["mode"], session["asked"][1]) == (session["file"], "box_points", 8)
    hands.photograph("5_again")
    for index in (8, 9):
        hands.wait_session("an open question", lambda session, index=index: session["asked"][1] == index)
        hands.key("j")
        hands.wait_session("its answer", lambda session, index=index: session["answers"] == 21 + index)
    hands.kill()

    _check_export(folder, images, tmp_path)


def _check_export(folder: Path, images: Path, tmp_path: Path) -> None:
    """What the files hold is what was clicked."""
    with Project.open(folder) as project:
        dataset = project.dataset(with_events=True)
        events = [event.kind for event in project.events()]
    things = [target for target in dataset.targets if target.isthing]
    stuff = [target for target in dataset.targets if not target.isthing]
    # each thing is a target of its own; the clicks on one stuff class belong together
    assert ([len(target.points) for target in things], [len(target.points) for target in stuff]) == ([1] * 6, [3, 3])
    assert len(dataset.instances) == 3
    times = [time for instance in dataset.instances for time in instance.points.times_ms]
    assert len(times) == 30
    assert all(time is not None and time >= 0 for time in times)
    assert events.count("point_shown") >= 30
    assert events.count("session_start") == 2

    free, strict = tmp_path / "export.json", tmp_path / "strict.json"
    FORMATS["coco-point"].write(dataset, free)
    FORMATS["pointsup"].write(dataset, strict)
    assert [finding for finding in validate_file(free, images=images) if finding.severity == "error"] == []
    assert [finding for finding in validate_file(strict, strict=True) if finding.severity == "error"] == []
    coco = COCO(str(free))
    assert (len(coco.getAnnIds()), len(coco.getCatIds()), len(coco.getImgIds())) == (3, 4, len(dataset.images))
    for annotation in json.loads(strict.read_text())["annotations"]:
        assert len(annotation["point_coords"]) == len(annotation["point_labels"]) == 10
        # one "unsure" in each box keeps its place and is ignored by the loader
        assert (annotation["point_labels"].count(-1), annotation["point_labels"][2]) == (1, -1)
