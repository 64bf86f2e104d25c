from __future__ import annotations

from typing import Any


def test_digits_choose_by_place(desktop: Any) -> None:
    desktop.person.key("3")
    assert desktop.session.category.name == "road"
    desktop.project.reorder_categories([3, 1, 2, 4])
    desktop.session.reload_categories()
    desktop.person.key("1")
    assert desktop.session.category.name == "road"
    desktop.person.key("2")
    assert desktop.session.category.name == "car"
    desktop.person.key("9")
    assert desktop.session.hint == "no class has the key 9"
    assert desktop.session.category.name == "car"


def test_a_digit_of_its_own_goes_before_the_place(desktop: Any) -> None:
    desktop.project.change_category(4, digit=9)
    desktop.session.reload_categories()
    desktop.person.key("9")
    assert desktop.session.category.name == "sky"
    desktop.person.key("Shift+9")
    assert desktop.session.annotations.absent_category_ids == (4,)
    desktop.person.key("Shift+8")
    assert desktop.session.hint == "no class has the key 8"
    rows, _ = desktop.view.show_classes.call_args.args
    assert [row.digit for row in rows] == [1, 2, 3, 9]


def test_the_tenth_class_has_no_digit(desktop: Any) -> None:
    """0 is the key of the search."""
    for number in range(8):
        desktop.project.add_category(f"more {number}", isthing=True)
    desktop.session.reload_categories()
    desktop.controller.sitting.refresh()
    rows, _ = desktop.view.show_classes.call_args.args
    assert [row.digit for row in rows] == [*range(1, 10), None, None, None]
    desktop.person.key("0")
    desktop.view.focus_search.assert_called_once_with()


def test_the_list_counts_what_is_on_the_image(desktop: Any) -> None:
    desktop.person.key("3")
    desktop.person.click(5, 5)
    desktop.person.click(25, 5)
    desktop.person.key("Shift+4")
    rows, current = desktop.view.show_classes.call_args.args
    assert [(row.count, row.absent) for row in rows] == [(0, False), (0, False), (2, False), (0, True)]
    assert current == 3
