"""Copies of a project come together again: nothing is lost, and the order of joining makes no difference."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.merging import merge_projects

Act = Callable[[Project], None]


def copy_of(project: Project, name: str) -> Path:
    """A copy beside the project, which is closed for it."""
    project.close()
    target = project.path.with_name(f"{name}.pointanno")
    shutil.copytree(project.path, target)
    return target


def work(path: Path, act: Act, annotator: str = "anon-1") -> None:
    with Project.open(path, annotator=annotator) as project:
        act(project)


def state(path: Path) -> str:
    with Project.open(path, writable=False) as project:
        return project.projection_hash()


def uuids(path: Path) -> set[str]:
    with Project.open(path, writable=False) as project:
        return {event.uuid for event in project.events()}


def journal(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path / "project.db")) as raw:
        return raw.execute(
            "select seq, uuid, kind, image_id, payload, stamp, before from events order by seq"
        ).fetchall()


def click(uid: str, x: int, image_id: int = 1, category_id: int = 1, **more: Any) -> Act:
    payload = {"uid": uid * 32, "category_id": category_id, "x": x, "y": 1, **more}
    return lambda project: void(project.record("click", payload, image_id=image_id))


def void(_: object) -> None:
    """For a callable that returns nothing."""


def test_two_people_on_different_images(project: Project) -> None:
    click("0", 3)(project)
    other = copy_of(project, "b")
    work(project.path, click("a", 5, image_id=1), "anna")
    work(other, click("b", 6, image_id=2), "ben")
    ours, theirs = uuids(project.path), uuids(other)
    report = merge_projects(project.path, [other])
    assert (report.events, report.images, report.conflicts) == (1, 0, ())
    assert uuids(project.path) >= ours | theirs
    with Project.open(project.path) as joined:
        assert [one.x for one in joined.annotations(1).clicks] == [3, 5]
        assert [one.x for one in joined.annotations(2).clicks] == [6]
        people = joined.dataset().annotators
        assert [one["name"] for one in people] == ["anon-1", "anna", "ben"]
        before = joined.projection_hash()
        joined.rebuild()
        assert joined.projection_hash() == before
        assert joined.undo() is not None and joined.annotations(2).clicks == ()
        joined.rebuild()
        assert joined.annotations(2).clicks == () and joined.can_redo
        joined.redo()
        assert joined.projection_hash() == before
    backups = list((project.path / "backups").glob("before-merge-*.db"))
    assert len(backups) == 1
    with closing(sqlite3.connect(backups[0])) as raw:
        assert {row[0] for row in raw.execute("select uuid from events")} == ours


@pytest.mark.parametrize("seed", range(5))
def test_any_work_in_any_order(project: Project, person: Any, every_kind: list[str], seed: int) -> None:
    """Random work in three copies: joined in either order they are the same, and joining again changes nothing."""
    someone = person(project, seed, every_kind)
    for step in range(15):
        someone.act()
        if step % 4 == 3:
            project.undo()
    paths = {"a": project.path, "b": copy_of(project, "b"), "c": copy_of(project, "c")}
    for number, (name, path) in enumerate(paths.items()):
        with Project.open(path, annotator=name) as opened:
            someone = person(opened, 100 * seed + number + 10, every_kind)
            for _ in range(25):
                draw = someone.random.random()
                if draw < 0.2:
                    opened.undo()
                elif draw < 0.3:
                    opened.redo()
                else:
                    someone.act()
    everything = set().union(*map(uuids, paths.values()))
    fresh = {name: shutil.copytree(path, path.with_name(f"again_{name}.pointanno")) for name, path in paths.items()}

    merge_projects(paths["a"], [paths["b"], paths["c"]])
    assert uuids(paths["a"]) >= everything
    final = state(paths["a"])
    with Project.open(paths["a"]) as joined:
        joined.rebuild()
        assert joined.projection_hash() == final and not joined.repaired
    lines = journal(paths["a"])
    assert merge_projects(paths["a"], [paths["b"], paths["c"]]).events == 0
    assert journal(paths["a"]) == lines, "joining twice changes nothing"

    merge_projects(fresh["c"], [fresh["a"], fresh["b"]])
    assert state(fresh["c"]) == final and journal(fresh["c"]) == lines, "whoever takes the others in"
    # a copy that knew less becomes the same by joining with the result, and the result learns nothing from it
    merge_projects(paths["b"], [paths["a"]])
    assert state(paths["b"]) == final
    assert merge_projects(paths["a"], [paths["b"]]).events == 0

    with Project.open(paths["a"]) as joined:
        someone = person(joined, 1000 + seed, every_kind)
        for _ in range(10):
            someone.act()
        for _ in range(15):
            joined.undo()
        for _ in range(15):
            joined.redo()
        now = joined.projection_hash()
        joined.rebuild()
        assert joined.projection_hash() == now


def test_the_later_answer_holds_and_both_are_listed(project: Project) -> None:
    payload = {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1], [2, 2]]}
    project.record("box", payload, image_id=1)
    other = copy_of(project, "b")

    def answer(value: str, point: int = 0) -> Act:
        payload = {"uid": "b" * 32, "point": point, "value": value}
        return lambda opened: void(opened.record("answer", payload, image_id=1))

    work(project.path, answer("object"))
    work(other, answer("background"))
    work(other, answer("unsure", point=1))
    [conflict] = merge_projects(project.path, [other]).conflicts
    assert conflict["what"] == "changed_twice" and "the later change holds" in conflict["sentence"]
    assert conflict["image"] == 1 and len(conflict["superseded"]) == 1
    with Project.open(project.path) as joined:
        assert joined.annotations(1).boxes[0].answers == ("background", "unsure")
        marker = [event for event in joined.events() if event.kind == "merge"]
        assert [one["what"] for one in marker[0].payload["conflicts"]] == ["changed_twice"]


def test_work_on_what_the_other_deleted_has_no_effect_and_is_kept(project: Project) -> None:
    payload = {"uid": "b" * 32, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": [[1, 1]]}
    project.record("box", payload, image_id=1)
    other = copy_of(project, "b")
    work(project.path, lambda opened: void(opened.record("delete", {"uid": "b" * 32}, image_id=1)))
    answer = {"uid": "b" * 32, "point": 0, "value": "object"}
    work(other, lambda opened: void(opened.record("answer", answer, image_id=1)))
    kept = uuids(other)
    [conflict] = merge_projects(project.path, [other]).conflicts
    assert conflict["what"] == "without_effect" and "has no box" in conflict["sentence"]
    with Project.open(project.path) as joined:
        assert joined.annotations(1).boxes == ()
        assert kept <= {event.uuid for event in joined.events()}
        assert joined.undo() is not None and len(joined.annotations(1).boxes) == 1, "the deletion can be undone"


def test_new_objects_of_both_sides_stay_apart(project: Project) -> None:
    """Both copies give the number 1 to an object of their own: joined, these are two objects."""
    other = copy_of(project, "b")
    work(project.path, click("a", 5))
    work(other, click("b", 6))
    work(other, click("c", 7, instance=1))  # a second click on the object of this copy
    [conflict] = merge_projects(project.path, [other]).conflicts
    assert conflict["what"] == "annotated_twice"
    with Project.open(project.path) as joined:
        number = {one.x: one.instance for one in joined.annotations(1).clicks}
    assert number[6] == number[7] != number[5]


def test_new_classes_of_both_sides(project: Project) -> None:
    """The same number for different classes, and different numbers for the same class."""
    other = copy_of(project, "b")

    def first(opened: Project) -> None:
        road = opened.add_category("road", isthing=False).id
        tree = opened.add_category("tree", isthing=True).id
        click("a", 5, category_id=road)(opened)
        click("b", 6, category_id=tree)(opened)

    def second(opened: Project) -> None:
        tree = opened.add_category("tree", isthing=True).id
        sky = opened.add_category("sky", isthing=False).id
        pole = opened.add_category("road", isthing=True).id
        for uid, x, category_id in (("c", 7, tree), ("d", 8, sky), ("e", 9, pole)):
            click(uid, x, category_id=category_id)(opened)

    work(project.path, first)
    work(other, second)
    report = merge_projects(project.path, [other])
    assert "class_renamed" in {one["what"] for one in report.conflicts}
    with Project.open(project.path) as joined:
        name = {one.id: one.name for one in joined.categories()}
        found = {one.x: name[one.category_id] for one in joined.annotations(1).clicks}
    assert found == {5: "road", 6: "tree", 7: "tree", 8: "sky", 9: "road (thing)"}


def test_copies_made_apart_from_the_same_pictures(tmp_path: Path, pictures: Path) -> None:
    """No common start: images are matched by path, classes by name; a picture of another name by its content."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(pictures, elsewhere)
    (elsewhere / "a3.png").rename(elsewhere / "moved.png")
    (elsewhere / "a0.png").write_bytes((elsewhere / "a1.png").read_bytes())  # equal to another one, and new
    cell, ground = Category(1, "cell", True), Category(2, "ground", False)
    with Project.create(tmp_path / "one", images=pictures, categories=[cell, ground]) as one:
        click("a", 5, image_id=3, category_id=2)(one)
    with Project.create(tmp_path / "two", images=elsewhere, categories=[ground, Category(1, "cell", True)]) as two:
        ids = {image.file_name: image.id for image in two.images()}
        click("b", 6, image_id=ids["moved.png"], category_id=2)(two)
        click("c", 7, image_id=ids["a0.png"], category_id=1)(two)
    report = merge_projects(one.path, [two.path])
    assert (report.events, report.images) == (len(uuids(two.path)), 1)
    with Project.open(one.path) as joined:
        images = {image.file_name: image for image in joined.images()}
        assert list(images) == ["a1.png", "a2.png", "a3.png", "a0.png"]
        assert [found.x for found in joined.annotations(images["a3.png"].id).clicks] == [5, 6]
        assert [found.x for found in joined.annotations(images["a0.png"].id).clicks] == [7]
        assert [category.name for category in joined.categories()] == ["cell", "ground"]
    assert merge_projects(one.path, [two.path]).events == 0


def test_imports_of_both_sides(project: Project) -> None:
    def dataset(x: int) -> PointDataset:
        base = PointDataset(images=(), categories=())
        points = Points.answered(np.array([[x, 3]]), np.array([1]), source="click", annotator=0, session=0)
        return PointDataset(
            images=images,
            categories=(Category(1, "cell", True), Category(2, f"new {x}", True)),
            instances=(Instance(1, 1, 2, Box(0, 0, 9, 9), points, box_annotator=0, box_session=0),),
            targets=(Target(1, 1, 1, True, 1, points, 1),),
            annotators=({"index": 0, "name": f"person {x}"},),
            sessions=({"index": 0, "id": f"s-{x}"},),
            points_per_instance=base.points_per_instance,
        )

    images = project.dataset().images[:1]
    project.import_dataset(dataset(1))
    other = copy_of(project, "b")
    work(project.path, lambda opened: void(opened.import_dataset(dataset(2))))
    work(other, lambda opened: void(opened.import_dataset(dataset(3))))
    work(other, click("a", 9, instance=1))  # joins the object of the import that both share
    merge_projects(project.path, [other])
    with Project.open(project.path) as joined:
        found = joined.dataset()
        name = {one.id: one.name for one in found.categories}
        assert sorted(name[one.category_id] for one in found.instances) == ["new 1", "new 2", "new 3"]
        by_click = {int(t.points.coords[0, 0]): t for t in found.targets}
        assert sorted(by_click) == [1, 2, 3] and len({t.instance for t in found.targets}) == 3
        assert by_click[1].points.coords[:, 0].tolist() == [1, 9]
        people = {one["index"]: one["name"] for one in found.annotators}
        for number, target in by_click.items():
            assert people[target.points.annotator[0] or 0] == f"person {number}"
            linked = next(one for one in found.instances if one.id == target.linked_annotation_id)
            assert linked.points.coords[0, 0] == number
        hashed = joined.projection_hash()
        joined.rebuild()
        assert joined.projection_hash() == hashed


def test_refusals(project: Project, tmp_path: Path) -> None:
    other = copy_of(project, "b")
    with pytest.raises(InputError, match="this is the project itself"):
        merge_projects(project.path, [project.path])
    with pytest.raises(InputError, match="there is no such project"):
        merge_projects(project.path, [tmp_path / "nowhere"])
    work(other, click("a", 3))
    with Project.open(project.path), pytest.raises(InputError, match="open for writing elsewhere"):
        merge_projects(project.path, [other])
    with Project.open(project.path, writable=False) as reader:
        reader.annotations(1)
        before = journal(project.path)
        try:
            merge_projects(project.path, [other])
        except InputError as refused:
            assert "open for reading in another program" in str(refused)
            assert journal(project.path) == before
    merge_projects(project.path, [other])
    assert not list(project.path.glob("project.db.merging*"))
