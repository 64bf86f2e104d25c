"""Classes are ordered, merged, deleted and given digits; every step can be undone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Instance, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.rle import mask_to_rle
from pointanno.project import Project
from pointanno.project.class_use import CategoryUse


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
    assert "The one click on ground becomes an object" in project.describe_kind_change(3, isthing=True)
    click(project, "d", 3)
    assert "Each of the 2 clicks on ground becomes an object" in project.describe_kind_change(3, isthing=True)
    project.import_dataset(two_cells(project))
    assert "cell has 1 drawn box, and only things have boxes" in project.describe_kind_change(1, isthing=False)
    with pytest.raises(InputError, match="there are boxes of 'cell'"):
        project.change_category(1, isthing=False)
    with pytest.raises(InputError, match="9 is not among the classes"):
        project.describe_kind_change(9, isthing=True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "expected at least one letter, received ''"),
        (" \t\n", "expected at least one letter"),
        ("\u200b\u200e", "expected at least one letter"),  # nothing that can be seen
        ("cell", "already has a class 'cell'. Choose another name"),
        (" CELL ", "already has a class 'cell', and 'CELL' differs from it by capitals only"),
        ("STRASSE", "already has a class 'Straße', and 'STRASSE' differs from it by capitals only"),
        ("cafe\u0301", "already has a class 'café'"),  # the same letters, put together otherwise
    ],
)
def test_a_name_is_new_and_can_be_seen(project: Project, name: str, sentence: str) -> None:
    project.add_category("Straße", isthing=False)
    project.add_category("café", isthing=True)
    count = len(list(project.events()))
    for act in (partial(project.add_category, name, isthing=True), partial(project.change_category, 2, name=name)):
        with pytest.raises(InputError) as refused:
            act()
        assert sentence in str(refused.value)
        assert "\n" not in str(refused.value)
    assert len(list(project.events())) == count


def test_names_are_tidied_and_may_change_their_own_capitals(project: Project) -> None:
    assert project.add_category("  traffic \n light ", isthing=True).name == "traffic light"
    assert project.change_category(1, name="Cell").name == "Cell"
    for name in ("خلية", "細胞", "🚲 " * 40 + "end", "x" * 5000):
        assert project.change_category(1, name=name).name == name


def test_new_classes_get_colours_that_are_free(project: Project) -> None:
    first = project.add_category("first", isthing=True)
    second = project.add_category("second", isthing=True)
    colors = [one.color for one in project.categories()]
    assert len(set(colors)) == len(colors)
    project.delete_category(first.id)
    assert project.add_category("third", isthing=True).color == first.color != second.color


def test_boxes_of_unknown_origin_are_drawn_ones(project: Project) -> None:
    """Files that do not say how a box came about: the same before and after somebody edits the image."""
    project.import_dataset(two_cells(project))
    assert project.category_use(1).drawn == 1
    click(project, "a", 2)  # unpacks the image
    assert project.category_use(1).drawn == 1
    assert "1 drawn box" in project.describe_kind_change(1, isthing=False)
    with pytest.raises(InputError, match="there are boxes of 'cell'"):
        project.change_category(1, isthing=False)


def test_use_counts_what_lies_where(project: Project) -> None:
    project.import_dataset(two_cells(project))
    click(project, "a", 1, image_id=2)
    image = project.image(2)
    mask = np.zeros((image.height, image.width), dtype=bool)
    mask[2:5, 3:6] = True
    project.record("mask", {"uid": "e" * 32, "rle": mask_to_rle(mask), "category_id": 1}, image_id=2)
    project.record("absent", {"category_id": 1, "absent": True}, image_id=3)
    second = {"uid": "f" * 32, "category_id": 1, "x": 1, "y": 1, "layer": "second"}
    project.record("click", second, image_id=2)
    assert project.category_use(1) == CategoryUse(images=2, clicks=2, boxes=2, masks=1, drawn=1, others=1, absences=1)
    assert project.category_use(1).in_words() == "2 clicks, 1 box and 1 mask on 2 images"
    project.merge_categories(1, 2)
    assert project.category_use(2) == CategoryUse(images=2, clicks=2, boxes=2, masks=1, drawn=1, others=1)
    assert project.category_use(3) == CategoryUse()


def test_what_merging_would_do_is_said_before(project: Project) -> None:
    assert project.describe_merge(1, 2) == "Nothing is annotated as cell, so only its name goes. Undo parts them again."
    click(project, "a", 1)
    click(project, "b", 1)
    project.record("absent", {"category_id": 1, "absent": True}, image_id=3)
    project.record("absent", {"category_id": 2, "absent": True}, image_id=2)
    said = project.describe_merge(1, 2)
    assert said.startswith("2 clicks of cell on 1 image count as debris from then on, and cell goes.")
    assert '2 declarations "none here" no longer hold' in said
    project.record("absent", {"category_id": 2, "absent": True}, image_id=3)
    assert '1 declaration "none here" no longer holds' in project.describe_merge(1, 2)
    project.merge_categories(1, 2)
    assert project.category_use(2).absences == 1


def test_what_deleting_would_do_is_said_before(project: Project) -> None:
    assert project.describe_deletion(1) == "Nothing is annotated as cell. Undo brings all of it back."
    project.record("absent", {"category_id": 1, "absent": True}, image_id=3)
    assert 'but 1 declaration "no cell here" would go with it' in project.describe_deletion(1)
    click(project, "a", 1)
    before = project.projection_hash()
    assert project.describe_deletion(1).startswith("1 click of cell on 1 image would be deleted, with 1 declaration")
    project.delete_category(1, annotations="delete")
    project.undo()
    assert project.projection_hash() == before
    assert project.annotations(3).absent_category_ids == (1,)


def test_classes_of_a_file_are_one_step(project: Project, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("Cell\nvessel\nfat, stuff\nvessel\n", encoding="utf-8")
    before = project.projection_hash()
    added, there = project.add_classes_of(tmp_path / "classes.txt")
    assert [(one.name, one.isthing) for one in added] == [("vessel", True), ("fat", False)]
    assert there == ["Cell"]
    assert project.categories()[-2:] == added
    assert len({one.color for one in project.categories()}) == 5
    click(project, "a", added[0].id)
    state = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == state
    project.undo()
    project.undo()
    assert project.projection_hash() == before
    project.redo()
    assert [one.name for one in project.categories()][-2:] == ["vessel", "fat"]
