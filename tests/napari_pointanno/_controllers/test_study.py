"""A study leads through its blocks, keeps everything else locked, and goes on where it was left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pointanno.dataset import Box, Category, Instance, PointDataset, Points
from pointanno.formats.instance_records import no_points
from pointanno.project import Project
from pointanno.project.merging import merge_projects
from pointanno.project.studies import store_plan, stored_plan
from pointanno.protocols.study_plan import StudyPlan, parse_plan
from pointanno.timing.findings import Options, find
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

NAMES = tuple(f"{letter}.png" for letter in "abcdef")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Six pictures of 60 by 80 pixels; closed by the session of a test."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        Image.fromarray(rng.integers(0, 256, (60, 80), dtype=np.uint8)).save(folder / name)
    categories = (Category(1, "car", True), Category(2, "person", True), Category(3, "road", False))
    return Project.create(tmp_path / "set", images=folder, categories=categories, points_per_box=3)


def plan_of(**more: Any) -> StudyPlan:
    values: dict[str, Any] = {
        "conditions": [
            {"name": "point", "mode": "single_point"},
            {"name": "box+2", "mode": "box_points", "options": {"points_per_box": 2}},
        ],
        "participants": 2,
        "images": NAMES[:4],
        "practice": NAMES[4:],
    }
    return parse_plan(values | more)


class Participant:
    """Somebody who takes part: reads pages, clicks once or answers a box, and is done."""

    def __init__(self, desktop: Any) -> None:
        self.desktop, self.person = desktop, desktop.person
        self.seen: list[tuple[str, str]] = []

    @property
    def page(self) -> Any:
        return self.desktop.canvas.drawing.page

    def image(self) -> str:
        return str(self.desktop.session.image.file_name)

    def annotate(self) -> None:
        """One object in the way of the block."""
        mode = self.desktop.session.mode
        self.seen.append((mode, self.image()))
        if mode == "single_point":
            self.person.click(20, 20)
        else:
            self.person.drag(10, 10, 30, 30)
            while self.desktop.session.asked is not None:
                self.person.key("F")

    def go_on(self, until: Callable[[], bool] = lambda: False) -> None:
        """To the end of the study, or until something holds."""
        for _ in range(60):
            if until() or not self.desktop.controller.sitting.study.runs:
                return
            if self.page is not None:
                self.person.key("Return")
            else:
                self.annotate()
                self.person.key("D")
        raise AssertionError("it does not end")


def run(desktop: Any) -> Participant:
    """Press the button and leave the first page."""
    who = Participant(desktop)
    desktop.controller.sitting.study.toggle(who.person.tick())
    return who


def test_blocks_come_as_planned_and_the_times_tell_of_both(project: Project, make_desktop: Callable[..., Any]) -> None:
    plan = plan_of(breaks={"after_block": True})
    store_plan(project, plan)
    who = run(make_desktop(project))
    assert who.page.title == "Study: study" and "participant 1 of 2" in who.page.lines[0]
    who.go_on()
    schedule = plan.schedule(1)
    modes = [block.condition.mode for block in schedule.blocks]
    wanted = [
        (mode, name)
        for mode, block in zip(modes, schedule.blocks, strict=True)
        for name in (*block.practice, *block.images)
    ]
    assert who.seen == wanted and sorted(modes) == ["box_points", "single_point"]
    kinds = [
        e.kind for e in project.events() if e.kind in ("study_start", "block_start", "pause", "resume", "study_end")
    ]
    assert kinds == ["study_start", *["block_start"] * 2, "pause", "resume", *["block_start"] * 2, "study_end"]
    blocks = [e.payload for e in project.events() if e.kind == "block_start"]
    assert [(one["block"], one["practice"]) for one in blocks] == [(0, True), (0, False), (1, True), (1, False)]

    study = study_of(read_log(project), warm_up=0)
    measured = [item for item in study.chosen("image") if item.condition]
    names = {image.id: image.file_name for image in project.images()}
    assert [(item.condition, names[item.image_id]) for item in measured if item.image_id] == [
        (block.condition.name, name) for block in schedule.blocks for name in block.images
    ]
    assert len(study.chosen("image", left_out=())) >= len(wanted), "practice is there, and marked"
    times = study.times[max(study.times)]
    assert times.whole().excluded["break"] == pytest.approx(1e9), "the second that the break took"
    assert times.whole().excluded["dialog"] >= 4e9, "pages are read, which is no work"
    findings = find(project, Options(warm_up=0))
    conditions = {row["group"] for row in findings.tables["times"] if row["by"] == "condition"}
    assert {"point", "box+2"} <= conditions


def test_what_is_locked_says_so_and_does_nothing(project: Project, make_desktop: Callable[..., Any]) -> None:
    store_plan(project, plan_of(practice=[]))
    desktop = make_desktop(project)
    runs: list[bool] = []
    desktop.controller.study_runs.connect(runs.append)
    who = run(desktop)
    assert runs == [True]
    who.go_on(lambda: who.page is None)
    before, image, mode = len(desktop.events("mode_set")), who.image(), desktop.session.mode
    annotator = project.annotator
    toggled: list[bool] = []
    desktop.controller.preview_toggled.connect(lambda: toggled.append(True))
    for key in ("N", "B", "Shift+N", "G", "Q", "W", "E", "M", "T", "P", "L", "K", "R", "X", "Shift+2", "0"):
        desktop.session.hint = ""
        who.person.key(key)
        assert "locked while the study runs" in desktop.canvas.drawing.hint, key
    desktop.controller.show_image(0)
    desktop.controller.enter("mask")
    desktop.controller.change_annotator("somebody")
    desktop.controller.go_to(1)
    assert (who.image(), desktop.session.mode, project.annotator) == (image, mode, annotator)
    assert len(desktop.events("mode_set")) == before and not toggled
    desktop.view.focus_search.assert_not_called()
    who.person.key("2")
    assert desktop.session.category_id == 2, "classes are chosen by their digit"
    camera = desktop.viewer.scene.camera
    zoom = camera.zoom
    camera.zoom = 3 * zoom
    assert camera.zoom == zoom and not camera.mouse_zoom
    who.person.key("Escape")
    assert runs == [True, False] and camera.mouse_zoom
    camera.zoom = 3 * zoom
    assert camera.zoom == 3 * zoom
    assert desktop.events("study_end")[-1].payload["reason"] == "left"


def test_undo_stays_within_the_part(project: Project, make_desktop: Callable[..., Any]) -> None:
    store_plan(project, plan_of(practice=[], images=NAMES))
    desktop = make_desktop(project)
    desktop.person.click(5, 5)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    count = len(desktop.events("undo"))
    who.person.key("Ctrl+Z")
    assert "nothing to undo in this part" in desktop.canvas.drawing.hint and len(desktop.events("undo")) == count
    first = who.image()
    who.annotate()
    who.person.key("D")
    second = who.image()
    assert second != first
    who.person.key("Ctrl+Z")
    assert who.image() == first and desktop.session.hint.startswith("undone: complete")
    who.person.key("Ctrl+Shift+Z")
    assert who.image() == second
    who.person.key("Ctrl+Z")
    who.person.key("D")
    assert who.image() == second, "it goes on with the first image that is not done"


def test_an_image_is_not_done_while_points_wait(project: Project, make_desktop: Callable[..., Any]) -> None:
    conditions = [{"name": "b", "mode": "box_points", "options": {"points_per_box": 2}}]
    store_plan(project, plan_of(conditions=conditions, practice=[]))
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    image = who.image()
    who.person.drag(10, 10, 30, 30)
    who.person.key("D")
    assert "waits for its answer" in desktop.canvas.drawing.hint
    who.person.key("Escape")
    who.person.key("D")
    assert "wait for answers" in desktop.canvas.drawing.hint and who.image() == image
    who.person.key("Return")
    who.person.key("F")
    who.person.key("J")
    who.person.key("D")
    assert who.image() != image


def test_after_a_crash_it_goes_on_at_the_same_image(
    project: Project, make_desktop: Callable[..., Any], tmp_path: Path
) -> None:
    plan = plan_of()
    store_plan(project, plan)
    desktop = make_desktop(project)
    who = run(desktop)
    block = plan.schedule(1).blocks[0]
    who.go_on(lambda: who.page is None and who.image() == block.images[1])
    if desktop.session.mode == "single_point":
        who.person.click(40, 40)
    else:
        who.person.drag(10, 10, 30, 30)
        who.person.key("F")
    uids = [one.uid for one in (*desktop.session.annotations.clicks, *desktop.session.annotations.boxes)]
    copy = tmp_path / "copy.pointanno"
    copy.mkdir()
    project.store.fold()
    (copy / "project.db").write_bytes((project.path / "project.db").read_bytes())  # as it is on the disk now
    again = make_desktop(Project.open(copy))
    who = run(again)
    assert "goes on where you stopped" in who.page.lines[1] and "1 of 4" in who.page.lines[1]
    who.person.key("N")
    assert "participant 1" in who.page.lines[0], "the number is known"
    who.go_on(lambda: who.page is None)
    assert who.image() == block.images[1]
    assert [one.uid for one in (*again.session.annotations.clicks, *again.session.annotations.boxes)] == uids
    who.go_on()
    assert again.events("study_end")[-1].payload["reason"] == "finished"
    assert [event.payload["resumed"] for event in again.events("study_start")] == [False, True]


def test_people_in_one_project_see_nothing_of_one_another(project: Project, make_desktop: Callable[..., Any]) -> None:
    store_plan(project, plan_of(practice=[]))
    desktop = make_desktop(project)
    first = project.annotator
    run(desktop).go_on()
    desktop.controller.change_annotator("anon-second")
    who = run(desktop)
    assert "participant 2 of 2" in who.page.lines[0], "the first number that is free"
    who.person.key("B")
    who.person.key("Return")
    assert f"Participant 1 is {first}" in who.page.note and len(desktop.events("study_start")) == 1
    who.person.key("N")
    seen: list[int] = []

    def look() -> bool:
        if who.page is None and not seen:
            seen.append(len(desktop.session.annotations.clicks) + len(desktop.session.annotations.boxes))
        return False

    who.go_on(look)
    assert seen == [0]
    conditions = {
        participant: {
            name: block.condition.name
            for block in plan_of(practice=[]).schedule(participant).blocks
            for name in block.images
        }
        for participant in (1, 2)
    }
    assert all(conditions[1][name] != conditions[2][name] for name in NAMES[:4])
    assert len(project.dataset().instances) >= 4


def test_copies_of_participants_are_joined(project: Project, make_desktop: Callable[..., Any], tmp_path: Path) -> None:
    plan = plan_of(practice=[])
    stored = store_plan(project, plan)
    project.store.fold()
    copy = tmp_path / "copy.pointanno"
    copy.mkdir()
    (copy / "project.db").write_bytes((project.path / "project.db").read_bytes())
    first = make_desktop(project)
    name = project.annotator
    run(first).go_on()
    other = Project.open(copy, annotator="anon-other")
    second = make_desktop(other)
    second.controller.change_annotator("anon-other")
    who = run(second)
    who.person.key("N")
    assert "participant 2" in who.page.lines[0]
    who.go_on()
    for one in (first, second):
        one.controller.close()
    merge_projects(project.path, [copy])
    with Project.open(project.path, writable=False) as joined:
        assert stored_plan(joined) == stored
        items = study_of(read_log(joined), warm_up=0).chosen("image")
    assert {(item.annotator, item.condition) for item in items} == {
        (annotator, condition) for annotator in (name, "anon-other") for condition in ("point", "box+2")
    }


def test_a_picture_that_cannot_be_read_is_passed_by(project: Project, make_desktop: Callable[..., Any]) -> None:
    plan = plan_of(practice=[])
    store_plan(project, plan)
    names = [name for block in plan.schedule(1).blocks for name in block.images]
    (project.images_folder / names[1]).unlink()
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None and who.image() == names[1])
    assert "cannot be read. D goes on" in desktop.canvas.drawing.headline
    who.go_on()
    assert [event.payload for event in desktop.events("skip")] == [{"reason": "unreadable"}]
    assert desktop.events("study_end")[-1].payload["reason"] == "finished"


def test_what_was_begun_outside_is_no_part_of_it(project: Project, make_desktop: Callable[..., Any]) -> None:
    """Extreme points of an object that nobody finished would change how boxes are drawn."""
    conditions = [{"name": "b", "mode": "box_points", "options": {"points_per_box": 2}}]
    store_plan(project, plan_of(conditions=conditions, practice=[], images=["a.png"]))
    desktop = make_desktop(project)
    desktop.person.key("W")
    desktop.controller.sitting.use_tool("extreme")
    desktop.person.click(5, 5)
    assert len(desktop.session.annotations.extremes) == 1
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    assert not desktop.session.annotations.extremes
    who.annotate()
    assert len(desktop.session.annotations.boxes) == 1
    who.go_on()


def test_boxes_of_a_file_are_asked_in_a_copy_of_ones_own(project: Project, make_desktop: Callable[..., Any]) -> None:
    known_boxes(project, NAMES[:4], layer="main", answered=False)
    conditions = [{"name": "given", "mode": "box_points", "options": {"draw": "none"}}]
    store_plan(project, plan_of(conditions=conditions, practice=[]))
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    image = who.image()
    for _ in range(3):
        assert desktop.session.asked is not None
        who.person.key("F")
    who.person.key("Return")
    assert who.image() == image, "the way to the next open box is the study's affair"
    who.person.key("Escape")
    desktop.controller.change_annotator("anon-second")
    who = run(desktop)
    who.person.key("Return")
    assert "Use a copy of the project" in who.page.note and len(desktop.events("study_start")) == 1


def known_boxes(project: Project, names: tuple[str, ...], layer: str = "gold", *, answered: bool = True) -> None:
    """A car on each of these images, with two known answers or points that wait for them."""
    ids = {image.file_name: image.id for image in project.images()}
    known = Points.answered(np.array([[42, 12], [48, 18]]), np.array([1, 0]), source="imported")
    points = known if answered else no_points()
    instances = tuple(
        Instance(number, ids[name], 1, Box(40, 10, 50, 20), points) for number, name in enumerate(names, 1)
    )
    images = tuple(image for image in project.dataset().images if image.file_name in names)
    dataset = PointDataset(images=images, categories=tuple(project.categories()), instances=instances)
    project.import_dataset(dataset, layer=layer)


def test_practice_tells_what_is_right(project: Project, make_desktop: Callable[..., Any]) -> None:
    known_boxes(project, (*NAMES[4:], NAMES[0], NAMES[1]))
    store_plan(project, plan_of(gold=[NAMES[0]]))
    desktop = make_desktop(project)
    who = run(desktop)
    told: list[str] = []
    asked: dict[str, bool] = {}

    def look() -> bool:
        if who.page is not None and who.page.title == "Practice":
            told.extend(who.page.lines)
        elif who.page is None and desktop.session.mode == "box_points":
            asked.setdefault(who.image(), desktop.session.asked is not None)
            if desktop.session.asked is not None and desktop.session.practice:
                hints = []
                while desktop.session.asked is not None:
                    who.person.key("F")
                    hints.append(desktop.canvas.drawing.hint)
                assert hints == ["right", "the known answer is: no"]
            while desktop.session.asked is not None:
                who.person.key("F")
                assert desktop.canvas.drawing.hint == "", "nobody tells in the measured part"
        return False

    who.go_on(look)
    assert told == [
        "0 of 1 known object found. 1 mark on none of them.",
        "0 of 1 known object found. 1 mark on none of them.",
    ]
    box = next(block for block in stored_plan(project).plan.schedule(1).blocks if block.condition.mode == "box_points")  # type: ignore[union-attr]
    assert asked == {**dict.fromkeys(box.practice, True), **{name: name == NAMES[0] for name in box.images}}


def test_a_break_comes_after_some_minutes(project: Project, make_desktop: Callable[..., Any]) -> None:
    conditions = [{"name": "point", "mode": "single_point"}]
    store_plan(project, plan_of(conditions=conditions, practice=[], breaks={"minutes": 1}))
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    who.annotate()
    who.person.key("D")
    assert who.page is None
    who.annotate()
    who.person.tick(61_000)
    who.person.key("D")
    assert (desktop.session.page.title, desktop.session.page.lines[0]) == ("Break", "2 of 4 images are done.")
    who.person.tick(600_000)
    who.person.key("Return")
    assert who.page is None
    times = next(iter(study_of(read_log(project)).times.values()))
    assert times.whole().excluded["break"] == pytest.approx(601e9)
    desktop.controller.close()


def test_an_image_seen_twice_is_two_items(project: Project, make_desktop: Callable[..., Any]) -> None:
    """Under the second condition nothing is to be seen of the first, and the times stay apart."""
    store_plan(project, plan_of(again=True, practice=[], images=NAMES[:2]))
    desktop = make_desktop(project)
    who = run(desktop)
    bare: list[bool] = []

    def look() -> bool:
        if desktop.session.is_led and who.page is None:
            seen = desktop.session.annotations
            bare.append(not seen.clicks and not seen.boxes)
        return False

    who.go_on(look)
    assert bare == [True] * 4 and len(set(who.seen)) == 4
    names = {image.id: image.file_name for image in project.images()}
    items = [item for item in study_of(read_log(project), warm_up=0).chosen("image") if item.image_id is not None]
    found = sorted((item.condition, names[item.image_id or 0]) for item in items)
    assert found == [(name, image) for name in ("box+2", "point") for image in NAMES[:2]]
    assert all(item.time is not None and item.time.elapsed < 20e9 for item in items)


def test_a_zoom_of_its_own(project: Project, make_desktop: Callable[..., Any]) -> None:
    conditions = [{"name": "b", "mode": "box_points", "options": {"points_per_box": 2}}]
    store_plan(project, plan_of(conditions=conditions, practice=[], zoom=5.0))
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    zooms = [desktop.canvas.transform().zoom]
    who.person.drag(10, 10, 30, 30)
    zooms.append(desktop.canvas.transform().zoom)
    who.person.key("F")
    who.person.key("F")
    zooms.append(desktop.canvas.transform().zoom)
    assert zooms == pytest.approx([5.0, 5.0, 5.0])


def test_without_a_plan_it_says_how_to_make_one(project: Project, make_desktop: Callable[..., Any]) -> None:
    desktop = make_desktop(project)
    desktop.controller.sitting.study.toggle(0)
    assert "pointanno study-plan" in desktop.notified()[-1] and not desktop.controller.sitting.study.runs
    store_plan(project, plan_of())
    desktop.person.key("F10")
    desktop.controller.sitting.study.toggle(0)
    assert "the clock is paused" in desktop.notified()[-1]


def test_closing_the_project_leaves_the_study(project: Project, make_desktop: Callable[..., Any]) -> None:
    store_plan(project, plan_of())
    desktop = make_desktop(project)
    who = run(desktop)
    who.go_on(lambda: who.page is None)
    desktop.controller.close()
    with Project.open(project.path, writable=False) as closed:
        kinds = [(event.kind, event.payload.get("reason")) for event in closed.events()][-2:]
    assert kinds == [("study_end", "closed"), ("session_end", None)]
