from __future__ import annotations

from typing import Any

import pytest

from napari_pointanno._controllers.classes import Classes
from pointanno.errors import InputError


@pytest.fixture
def classes(desktop: Any) -> Classes:
    made: Classes = desktop.controller._classes
    return made


def test_a_new_class_is_current(desktop: Any, classes: Classes) -> None:
    classes.add("tree", True)
    assert desktop.session.category.name == "tree"
    rows, current = desktop.view.show_classes.call_args.args
    assert [row.name for row in rows][-1] == "tree"
    assert current == rows[-1].id


def test_colour_and_kind_can_be_changed(desktop: Any, classes: Classes) -> None:
    classes.change(4, color=(1, 2, 3))
    classes.change(4, isthing=True)
    category = desktop.project.categories()[-1]
    assert (category.color, category.isthing) == ((1, 2, 3), True)
    assert desktop.session.colors[4] == (1, 2, 3)


def test_adding_can_be_undone(desktop: Any, classes: Classes) -> None:
    classes.add("tree", True)
    desktop.person.key("Ctrl+Z")
    assert [category.name for category in desktop.session.categories] == ["car", "person", "road", "sky"]
    assert desktop.session.category.name == "car"


def test_a_refusal_is_shown(desktop: Any, classes: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    monkeypatch.setattr(desktop.project, "add_category", refuse)
    monkeypatch.setattr(desktop.project, "change_category", refuse)
    classes.add("tree", True)
    classes.change(1, isthing=False)
    assert desktop.notified() == ["the disk is full"] * 2


def test_the_list_counts_what_is_on_the_image(desktop: Any) -> None:
    desktop.person.key("3")
    desktop.person.click(5, 5)
    desktop.person.click(25, 5)
    desktop.person.key("Shift+4")
    rows, current = desktop.view.show_classes.call_args.args
    assert [(row.count, row.absent) for row in rows] == [(0, False), (0, False), (2, False), (0, True)]
    assert current == 3
