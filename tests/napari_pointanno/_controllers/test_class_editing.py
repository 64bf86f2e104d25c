from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers.class_editing import ClassEditing, connect_classes
from napari_pointanno._views.annotate_view import AnnotateView, ClassQuestion
from pointanno.errors import InputError
from pointanno.project.palette import PALETTE


@pytest.fixture
def editing(desktop: Any) -> ClassEditing:
    made: ClassEditing = desktop.controller.sitting.class_editing
    return made


def question(desktop: Any) -> ClassQuestion:
    asked: ClassQuestion = desktop.view.ask_about_class.call_args.args[0]
    return asked


def names(desktop: Any) -> list[str]:
    """What the list shows."""
    rows, _ = desktop.view.show_classes.call_args.args
    return [row.name for row in rows]


def annotate(desktop: Any) -> None:
    """Two clicks of class 2 and a box of class 1 on the first image, one click of class 2 on the second."""
    person = desktop.person
    person.key("2")
    person.click(5, 5)
    person.click(25, 5)
    person.key("N")
    person.click(9, 9)
    person.key("B")
    person.key("W")
    person.key("1")
    person.drag(30, 20, 50, 40)
    for _ in range(3):
        person.key("F")
    person.key("Q")


def test_a_new_class_is_current(desktop: Any, editing: ClassEditing) -> None:
    editing.add("  tree ", True)
    assert desktop.session.category.name == "tree"
    rows, current = desktop.view.show_classes.call_args.args
    assert rows[-1].name == "tree"
    assert current == rows[-1].id
    assert rows[-1].color in PALETTE
    assert rows[-1].color not in [row.color for row in rows[:-1]]
    assert "saved" in desktop.view.show_saved.call_args.args[0]


def test_undo_of_an_added_class_that_is_current(desktop: Any, editing: ClassEditing) -> None:
    editing.add("tree", True)
    desktop.person.click(5, 5)
    for _ in range(2):
        desktop.person.key("Ctrl+Z")
    assert names(desktop) == ["car", "person", "road", "sky"]
    assert desktop.session.category.name == "car"
    assert desktop.view.show_classes.call_args.args[1] == 1
    desktop.person.click(9, 9)
    assert desktop.session.annotations.clicks[-1].category_id == 1
    desktop.person.key("Ctrl+Z")
    desktop.person.key("Ctrl+Shift+Z")
    assert names(desktop) == ["car", "person", "road", "sky"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "expected at least one letter"), ("car", "already has a class 'car'"), ("CAR", "by capitals only")],
)
def test_a_bad_name_gets_one_sentence_and_no_event(
    desktop: Any, editing: ClassEditing, name: str, sentence: str
) -> None:
    before = len(list(desktop.project.events()))
    for act in (partial(editing.add, name, True), partial(editing.rename, 2, name), partial(editing.ask_unknown, name)):
        desktop.view.show_class_note.reset_mock()
        act()
        (said,) = desktop.view.show_class_note.call_args.args
        assert sentence in said
    assert len(list(desktop.project.events())) == before
    desktop.view.ask_about_class.assert_not_called()


def test_rename_recolour_and_key(desktop: Any, editing: ClassEditing) -> None:
    editing.rename(2, "Pedestrian")
    editing.recolor(2, (1, 2, 3))
    editing.set_digit(2, 7)
    rows, _ = desktop.view.show_classes.call_args.args
    assert (rows[1].name, rows[1].color, rows[1].digit) == ("Pedestrian", (1, 2, 3), 7)
    assert [row.digit for row in rows] == [1, 7, 2, 3]
    assert desktop.session.colors[2] == (1, 2, 3)
    for _ in range(3):
        desktop.person.key("Ctrl+Z")
    rows, _ = desktop.view.show_classes.call_args.args
    assert (rows[1].name, rows[1].digit) == ("person", 2)
    desktop.person.key("Ctrl+Shift+Z")
    assert names(desktop)[1] == "Pedestrian"


def test_order_and_digits_follow_each_other(desktop: Any, editing: ClassEditing) -> None:
    editing.reorder([4, 1, 2, 3])
    assert names(desktop) == ["sky", "car", "person", "road"]
    desktop.person.key("1")
    assert desktop.session.category.name == "sky"
    before = len(list(desktop.project.events()))
    editing.reorder([4, 1, 2, 3])
    assert len(list(desktop.project.events())) == before
    desktop.person.key("Ctrl+Z")
    assert names(desktop) == ["car", "person", "road", "sky"]


def test_a_name_that_was_searched_for_can_be_added(desktop: Any, editing: ClassEditing) -> None:
    editing.ask_unknown(" river ")
    assert question(desktop).text == "There is no class “river”."
    assert [choice.name for choice in question(desktop).choices] == ["thing", "stuff", ""]
    editing.answer("stuff")
    assert (desktop.session.category.name, desktop.session.category.isthing) == ("river", False)
    editing.ask_unknown("lake")
    editing.answer("")
    editing.answer("thing")
    assert names(desktop)[-1] == "river"


def test_another_kind_is_asked_for_first(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    editing.ask_kind(2, False)
    assert "The 3 clicks on person become clicks on one region an image" in question(desktop).text
    assert desktop.project.categories()[1].isthing
    editing.answer("change")
    assert not desktop.project.categories()[1].isthing
    rows, _ = desktop.view.show_classes.call_args.args
    assert not rows[1].isthing
    desktop.person.key("Ctrl+Z")
    assert desktop.session.categories[1].isthing


def test_a_class_with_boxes_stays_a_thing(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    editing.ask_kind(1, False)
    assert "car has 1 drawn box, and only things have boxes" in question(desktop).text
    assert [choice.name for choice in question(desktop).choices] == [""]
    editing.answer("")
    assert desktop.project.categories()[0].isthing


def test_merging_says_numbers_and_can_be_undone(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    desktop.person.key("2")
    before = desktop.project.projection_hash()
    editing.ask_merge(2)
    sentence, ids = desktop.view.pick_class.call_args.args
    assert sentence.startswith("Merge person into which class?")
    assert "Classes that are stuff cannot be chosen" in sentence
    assert ids == {1}
    editing.picked(1)
    assert desktop.view.pick_class.call_args.args == ("", None)
    assert question(desktop).text.startswith("3 clicks of person on 2 images count as car from then on")
    assert desktop.project.projection_hash() == before
    editing.answer("merge")
    assert names(desktop) == ["car", "road", "sky"]
    assert desktop.session.category.name == "car"
    assert {click.category_id for click in desktop.session.annotations.clicks} == {1}
    desktop.person.key("Ctrl+Z")
    assert desktop.project.projection_hash() == before
    assert names(desktop) == ["car", "person", "road", "sky"]
    desktop.person.key("Ctrl+Shift+Z")
    assert names(desktop) == ["car", "road", "sky"]


def test_picking_can_be_left(desktop: Any, editing: ClassEditing) -> None:
    editing.ask_merge(2)
    editing.answer("")
    assert desktop.view.pick_class.call_args.args == ("", None)
    desktop.view.ask_about_class.assert_not_called()
    editing.picked(1)
    desktop.view.ask_about_class.assert_not_called()


def test_there_may_be_nothing_to_merge_with(desktop: Any, editing: ClassEditing) -> None:
    desktop.project.delete_category(3)
    desktop.session.reload_categories()
    editing.ask_merge(4)
    assert "there is no other class of that kind" in question(desktop).text
    desktop.view.pick_class.assert_not_called()


def test_deleting_says_what_goes(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    desktop.person.key("Shift+4")
    before = desktop.project.projection_hash()
    editing.ask_delete(2)
    asked = question(desktop)
    assert asked.text.startswith("3 clicks of person on 2 images would be deleted.")
    assert [choice.name for choice in asked.choices] == ["delete", "merge", ""]
    assert asked.choices[asked.preferred].name == ""
    assert desktop.project.projection_hash() == before
    editing.answer("delete")
    assert names(desktop) == ["car", "road", "sky"]
    assert desktop.session.annotations.clicks == ()
    assert desktop.session.pages.row(1).clicks == 0
    desktop.person.key("Ctrl+Z")
    assert desktop.project.projection_hash() == before
    assert len(desktop.session.annotations.clicks) == 2
    assert desktop.session.pages.row(1).clicks == 1
    assert desktop.session.pages.touched() == 2
    editing.ask_delete(4)
    assert 'but 1 declaration "no sky here" would go with it' in question(desktop).text
    assert [choice.name for choice in question(desktop).choices] == ["delete", ""]


def test_merging_instead_of_deleting(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    editing.ask_delete(2)
    editing.answer("merge")
    editing.picked(1)
    editing.answer("merge")
    assert names(desktop) == ["car", "road", "sky"]
    assert len(desktop.session.annotations.clicks) == 2


def test_after_a_deletion_the_neighbour_is_current(desktop: Any, editing: ClassEditing) -> None:
    for expected in ("road", "sky", "car", "person", None):
        if expected == "road":
            desktop.person.key("2")
            editing.ask_delete(2)
        elif expected == "sky":
            editing.ask_delete(3)
        elif expected == "car":
            editing.ask_delete(4)
        elif expected == "person":
            for _ in range(3):
                desktop.person.key("Ctrl+Z")
            desktop.person.key("1")
            editing.ask_delete(1)
        else:
            for category in list(desktop.session.categories):
                editing.ask_delete(category.id)
                editing.answer("delete")
        editing.answer("delete")
        assert (desktop.session.category.name if desktop.session.category else None) == expected


def test_classes_of_a_file(desktop: Any, editing: ClassEditing, tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("car\ntree\ngrass, stuff\n")
    editing.add_from_file(str(path))
    assert names(desktop) == ["car", "person", "road", "sky", "tree", "grass"]
    assert desktop.notified() == [f"{path}: 2 classes added, 1 were there already (car)"]
    desktop.person.key("Ctrl+Z")
    assert names(desktop) == ["car", "person", "road", "sky"]
    editing.add_from_file(str(tmp_path / "none.txt"))
    assert "No such file" in desktop.notified()[-1]


def test_the_tool_tip_counts_the_project(desktop: Any, editing: ClassEditing) -> None:
    annotate(desktop)
    desktop.person.key("Shift+3")
    editing.show_use(2)
    assert desktop.view.show_class_use.call_args.args == (
        2, "person\nthing, key 2, id 2\nin the project: 3 clicks on 2 images"
    )  # fmt: skip
    editing.show_use(3)
    assert desktop.view.show_class_use.call_args.args[1].endswith("in the project: nothing\ndeclared absent on 1 image")


def test_the_tool_tip_of_a_large_project_does_not_count(
    desktop: Any, editing: ClassEditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate(desktop)
    monkeypatch.setattr("napari_pointanno._controllers.class_editing.COUNTED_AT_ONCE", 3)
    editing.show_use(2)
    assert desktop.view.show_class_use.call_args.args == (2, "person\nthing, key 2, id 2")
    editing.ask_delete(2)
    assert question(desktop).text.startswith("3 clicks"), "who asks waits for the number"


def test_a_dialog_stops_the_clock(desktop: Any, editing: ClassEditing) -> None:
    watch = desktop.session.watch
    editing.dialog("colour", is_open=True)
    assert "dialog" in watch._reasons
    editing.dialog("colour", is_open=False)
    assert watch._reasons == set()
    events = desktop.events("dialog_open", "dialog_close")
    assert [(event.kind, event.payload) for event in events] == [
        ("dialog_open", {"reason": "colour"}), ("dialog_close", {"reason": "colour"})
    ]  # fmt: skip


def test_a_refusal_of_the_project_is_shown(
    desktop: Any, editing: ClassEditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    for name in ("add_category", "change_category"):
        monkeypatch.setattr(desktop.project, name, refuse)
    editing.add("tree", True)
    editing.recolor(1, (1, 2, 3))
    assert desktop.notified() == ["the disk is full"]  # once, not with every try
    assert desktop.view.show_saved.call_args.args == ("not saved", False)


def test_a_class_that_could_not_be_deleted_or_merged_stays_current(
    desktop: Any, editing: ClassEditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    for name in ("delete_category", "merge_categories"):
        monkeypatch.setattr(desktop.project, name, refuse)
    desktop.person.key("2")
    editing.ask_delete(2)
    editing.answer("delete")
    editing.ask_merge(2)
    editing.picked(1)
    editing.answer("merge")
    assert desktop.session.category.name == "person"


def test_every_signal_reaches_the_editor() -> None:
    class View(AnnotateView):
        pass

    View.__abstractmethods__ = frozenset()
    view, editing = View(), MagicMock(spec=ClassEditing)  # type: ignore[abstract]
    connect_classes(view, lambda act: act(editing))
    view.category_added.emit("a", True)
    view.category_renamed.emit(1, "b")
    view.category_color_chosen.emit(1, (1, 2, 3))
    view.category_kind_chosen.emit(1, False)
    view.category_digit_chosen.emit(1, 5)
    view.categories_reordered.emit([2, 1])
    view.category_merge_wanted.emit(3)
    view.category_delete_wanted.emit(4)
    view.category_unknown.emit("c")
    view.category_picked.emit(5)
    view.category_use_wanted.emit(6)
    view.class_answered.emit("merge")
    view.class_file_chosen.emit("/a.txt")
    view.dialog_opened.emit("colour")
    calls = [(call[0], call[1]) for call in editing.mock_calls]
    assert calls == [
        ("add", ("a", True)), ("rename", (1, "b")), ("recolor", (1, (1, 2, 3))), ("ask_kind", (1, False)),
        ("set_digit", (1, 5)), ("reorder", ([2, 1],)), ("ask_merge", (3,)), ("ask_delete", (4,)),
        ("ask_unknown", ("c",)), ("picked", (5,)), ("show_use", (6,)), ("answer", ("merge",)),
        ("add_from_file", ("/a.txt",)), ("dialog", ("colour",)),
    ]  # fmt: skip


def test_what_was_annotated_while_a_question_was_open_is_not_deleted(desktop: Any, editing: ClassEditing) -> None:
    editing.ask_delete(2)
    desktop.person.key("2")
    desktop.person.click(5, 5)
    editing.answer("delete")
    assert [click.category_id for click in desktop.session.annotations.clicks] == [2]
    assert "person" in names(desktop)
    assert len(desktop.notified()) == 1
