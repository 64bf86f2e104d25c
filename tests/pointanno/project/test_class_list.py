"""Classes are ordered, merged, deleted and given digits; every step can be undone."""

from __future__ import annotations

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.class_list import CategoryUse


def two_cells(project: Project) -> PointDataset:
    """A box and a click of the first class on the first image."""
    points = Points.answered(np.array([[3, 4], [5, 6]]), np.array([1, 0]), source="imported")
    return PointDataset(
        images=project.dataset().images[:1],
        categories=(Category(1, "cell", True),),
        instances=(Instance(1, 1, 1, Box(2, 3, 9, 10.5), points),),
        targets=(Target(1, 1, 1, True, 1, Points.answered(np.array([[7, 7]]), np.array([1]), source="click")),),
    )


def click(project: Project, uid: str, category_id: int, image_id: int = 1) -> None:
    payload = {"uid": uid * 32, "category_id": category_id, "x": ord(uid) % 40, "y": 1}
    project.record("click", payload, image_id=image_id)


def test_merging_makes_everything_of_one_class_another(project: Project) -> None:
    project.import_dataset(two_cells(project))
    click(project, "a", 1)
    click(project, "b", 2, image_id=2)
    project.record("absent", {"category_id": 1, "absent": True}, image_id=3)
    before = project.projection_hash()
    project.merge_categories(1, 2)
    assert [one.name for one in project.categories()] == ["debris", "ground"]
    assert {one.category_id for one in project.annotations(1).clicks + project.annotations(2).clicks} == {2}
    assert [box.category_id for box in project.annotations(1).boxes] == [2], "imported and never touched"
    assert project.annotations(3).absent_category_ids == (), "only one half was looked for"
    assert {one.category_id for one in project.dataset().instances} == {2}
    click(project, "c", 2)  # unpacks the imported objects
    with pytest.raises(InputError, match="1 is not among the classes of the project"):
        click(project, "d", 1)
    after = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == after
    assert project.add_category("new", isthing=True).id == 4, "numbers that were used are never given again"
    for _ in range(3):
        project.undo()
    assert project.projection_hash() == before
    assert [box.category_id for box in project.annotations(1).boxes] == [1]


def test_merging_twice_follows_on(project: Project) -> None:
    other = project.add_category("nucleus", isthing=True).id
    click(project, "a", 1)
    project.record("absent", {"category_id": other, "absent": True}, image_id=3)
    project.merge_categories(1, 2)
    project.merge_categories(2, other)
    assert project.annotations(1).clicks[0].category_id == other
    project.record("absent", {"category_id": other, "absent": True}, image_id=3)
    assert project.annotations(3).absent_category_ids == (other,), "now all of its parts are absent"
    with pytest.raises(InputError, match="is thing and 'ground' is stuff"):
        project.merge_categories(other, 3)
    with pytest.raises(InputError, match="cannot be merged with itself"):
        project.merge_categories(other, other)


def test_deleting_a_class_needs_a_plan(project: Project) -> None:
    project.import_dataset(two_cells(project))
    click(project, "a", 1, image_id=2)
    click(project, "b", 2, image_id=2)
    before = project.projection_hash()
    with pytest.raises(InputError, match="'cell' is annotated on 2 images. Merge it into another class"):
        project.delete_category(1)
    project.delete_category(3)
    project.delete_category(1, annotations="delete")
    assert [one.name for one in project.categories()] == ["debris"]
    assert project.image(1).boxes == 0 and [one.category_id for one in project.annotations(2).clicks] == [2]
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    project.undo()
    project.undo()
    assert project.projection_hash() == before


def test_order_and_digits(project: Project) -> None:
    assert project.digits() == {1: 1, 2: 2, 3: 3}
    assert [one.id for one in project.reorder_categories([3, 1, 2])] == [3, 1, 2]
    assert project.digits() == {1: 3, 2: 1, 3: 2}
    project.change_category(1, digit=0)
    assert project.digits() == {0: 1, 1: 3, 2: 2}
    project.change_category(3, digit=0)
    assert project.digits() == {0: 3, 1: 1, 2: 2}, "a digit belongs to one class"
    project.change_category(3, digit=-1)
    assert project.digits() == {1: 3, 2: 1, 3: 2}
    with pytest.raises(InputError, match="expected each of"):
        project.reorder_categories([1, 2])
    assert project.add_category("last", isthing=False).id == project.categories()[-1].id


def test_what_a_change_of_kind_would_do_is_said_before(project: Project) -> None:
    click(project, "a", 1)
    click(project, "b", 1)
    assert project.category_use(1) == CategoryUse(images=1, clicks=2, boxes=0, masks=0)
    assert "The 2 clicks on cell become clicks on one region" in project.describe_kind_change(1, isthing=False)
    assert "stuff already" in project.describe_kind_change(3, isthing=False)
    click(project, "c", 3)
    assert "Each of the 1 clicks on ground becomes an object" in project.describe_kind_change(3, isthing=True)
    project.import_dataset(two_cells(project))
    assert "cell has 1 drawn boxes, and only things have boxes" in project.describe_kind_change(1, isthing=False)
    with pytest.raises(InputError, match="there are boxes of 'cell'"):
        project.change_category(1, isthing=False)
    with pytest.raises(InputError, match="9 is not among the classes"):
        project.describe_kind_change(9, isthing=True)
