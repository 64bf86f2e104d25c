"""Sentences about what becomes of annotations; the numbers are tested with the list of classes."""

from __future__ import annotations

import pytest

from pointanno.dataset import Category
from pointanno.project.class_use import (
    CategoryUse,
    counted,
    describe_deletion,
    describe_kind_change,
    describe_merge,
)

CAR, BUS, ROAD = Category(1, "car", True), Category(2, "bus", True), Category(3, "road", False)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (CategoryUse(), "nothing"),
        (CategoryUse(images=1, clicks=1), "1 click on 1 image"),
        (CategoryUse(images=3, boxes=2, drawn=2), "2 boxes on 3 images"),
        (CategoryUse(images=2, clicks=1200, boxes=3, masks=2), "1,200 clicks, 1 box and 2 masks on 2 images"),
    ],
)
def test_use_in_words(use: CategoryUse, words: str) -> None:
    assert use.in_words() == words


def test_plurals() -> None:
    assert [counted(1, "box"), counted(2, "box"), counted(0, "image")] == ["1 box", "2 boxes", "0 images"]


def test_others_are_named_where_they_go_along() -> None:
    use = CategoryUse(others=3)
    assert use.is_used
    assert describe_deletion(CAR, use).startswith("3 objects that do not count (second opinions, known answers) would")
    assert "3 objects that do not count" in describe_merge(CAR, BUS, use, 0)
    one = CategoryUse(images=1, clicks=1)
    assert describe_merge(CAR, BUS, one, 0).startswith("1 click of car on 1 image counts as bus")


def test_masks_stay_when_the_kind_changes() -> None:
    use = CategoryUse(images=1, boxes=1, masks=1)
    assert describe_kind_change(CAR, use, isthing=False) == "The 1 mask of car stays."
    both = CategoryUse(images=1, clicks=2, boxes=2, masks=2)
    assert describe_kind_change(ROAD, both, isthing=True).endswith("joins them again. The 2 masks of road stay.")
    assert "Nothing is annotated as road yet" in describe_kind_change(ROAD, CategoryUse(), isthing=True)
