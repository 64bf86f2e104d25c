"""n clicks on each target: which target a click belongs to, and how one gets from one to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pointanno.protocols import MultiPoint


@pytest.fixture
def several(desktop: Any) -> Any:
    """Four clicks a target on all images."""
    project = desktop.project
    project.set_protocol("all", "multi_point", [image.id for image in project.images()], points_per_target=4)
    desktop.controller.show_image(0)
    return desktop


def _targets(desktop: Any) -> list[tuple[int, int]]:
    """Class and number of clicks of each target."""
    found = MultiPoint(4).targets(desktop.session.annotations)
    return [(target.category_id, target.placed) for target in found]


def _click(desktop: Any, *places: tuple[int, int]) -> None:
    for place in places:
        desktop.person.click(*place)


def test_the_set_of_an_image_chooses_the_mode_and_the_number(several: Any) -> None:
    assert several.session.mode == "multi_point"
    assert several.canvas.drawing.headline.startswith("Click 4 times inside a car")
    assert several.view.show_now.call_args.args[0].progress == "0/4"


def test_clicks_go_to_one_target_until_it_has_all_of_them(several: Any) -> None:
    _click(several, (10, 10), (14, 10))
    assert [cross.text for cross in several.canvas.drawing.crosses] == ["", "2/4"]
    assert several.view.show_now.call_args.args[0].progress == "2/4"
    _click(several, (10, 14), (14, 14), (40, 40))
    assert _targets(several) == [(1, 4), (1, 1)]
    assert several.view.show_now.call_args.args[0].progress == "1/4"


def test_enter_ends_a_target_early(several: Any) -> None:
    _click(several, (10, 10), (14, 10))
    several.person.key("Return")
    assert "car done with 2 of 4 clicks" in several.canvas.drawing.hint
    _click(several, (40, 40))
    assert _targets(several) == [(1, 2), (1, 1)]
    several.person.key("Ctrl+Z")
    several.person.key("Ctrl+Z")
    _click(several, (12, 12))
    assert _targets(several) == [(1, 3)], "the end was undone, so the target goes on"


def test_a_begins_another_thing_with_the_next_click(several: Any) -> None:
    _click(several, (10, 10))
    several.person.key("A")
    assert several.canvas.drawing.crosses == ()
    _click(several, (40, 40), (44, 40))
    assert _targets(several) == [(1, 1), (1, 2)]
    first, second = MultiPoint(4).targets(several.session.annotations)
    assert first.closed and not second.closed


def test_escape_takes_another_one_back_and_leaves_a_target_open(several: Any) -> None:
    _click(several, (10, 10))
    several.person.key("A")
    several.person.key("Escape")
    _click(several, (14, 10))
    assert _targets(several) == [(1, 2)]
    several.person.key("Escape")
    _click(several, (40, 40))
    assert _targets(several) == [(1, 2), (1, 1)]
    assert not any(target.closed for target in MultiPoint(4).targets(several.session.annotations))


def test_a_click_on_an_older_target_goes_on_with_it(several: Any) -> None:
    _click(several, (10, 10), (14, 10))
    several.person.key("2")  # the open car becomes a person
    several.person.key("A")
    several.person.key("1")
    _click(several, (40, 40))
    assert _targets(several) == [(2, 2), (1, 1)]
    _click(several, (10, 10))
    assert several.session.category.name == "person"
    assert "person 2/4: click inside it" in several.canvas.drawing.hint
    assert len(several.canvas.drawing.crosses) == 2
    _click(several, (12, 14))
    assert _targets(several) == [(2, 3), (1, 1)]
    _click(several, (14, 14))  # the last of four
    _click(several, (60, 20))
    assert _targets(several) == [(2, 4), (1, 1), (2, 1)], "a target that got all its clicks is left"


def test_a_point_of_the_present_target_is_moved(several: Any) -> None:
    _click(several, (10, 10), (30, 10), (10, 10))
    assert several.session.selected is not None
    _click(several, (12, 22))
    places = {(click.x, click.y) for click in several.session.annotations.clicks}
    assert places == {(12, 22), (30, 10)}
    assert _targets(several) == [(1, 2)]


def test_a_digit_gives_the_whole_thing_another_class(several: Any) -> None:
    _click(several, (10, 10), (14, 10))
    several.person.key("2")
    assert _targets(several) == [(2, 2)]
    assert "it is person now" in several.canvas.drawing.hint
    several.person.key("Ctrl+Z")
    assert _targets(several) == [(1, 2)]


def test_a_digit_after_a_click_on_stuff_only_picks_a_class(several: Any) -> None:
    several.person.key("3")
    _click(several, (10, 10), (14, 10))
    several.person.key("4")
    _click(several, (10, 50))
    assert _targets(several) == [(3, 2), (4, 1)]
    several.person.key("3")
    _click(several, (18, 10))
    assert _targets(several) == [(3, 3), (4, 1)], "stuff is one region wherever it is clicked"


def test_delete_takes_one_click_or_the_whole_target(several: Any) -> None:
    _click(several, (10, 10), (30, 10), (10, 30))
    several.canvas.handler.on_hover(several.person._at(30, 10))
    several.person.key("Delete")
    assert _targets(several) == [(1, 2)]
    several.canvas.handler.on_hover(several.person._at(70, 50))
    several.person.key("Delete")
    assert _targets(several) == []
    several.person.key("Ctrl+Z")
    assert _targets(several) == [(1, 2)]


def test_targets_that_nobody_finished_do_not_swallow_clicks(several: Any) -> None:
    """Single clicks of another way of annotating are open targets, too."""
    several.person.key("Q")
    _click(several, (60, 10), (70, 10))
    several.person.key("T")
    _click(several, (10, 10))
    assert _targets(several) == [(1, 1), (1, 2)], "the newest one goes on"
    several.person.key("Return")
    _click(several, (10, 30))
    assert _targets(several) == [(1, 1), (1, 2), (1, 1)], "the older one does not"


def test_a_restart_goes_on_with_the_open_target(several: Any, reopened: Callable[[Any], Any]) -> None:
    several.person.key("2")
    _click(several, (10, 10), (14, 10))
    again = reopened(several)
    assert again.session.mode == "multi_point"
    assert again.session.category.name == "person"
    _click(again, (12, 14))
    assert _targets(again) == [(2, 3)]


def test_a_restart_without_a_plan_goes_on_in_the_same_way(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    desktop.person.key("T")
    _click(desktop, (10, 10), (14, 10))
    again = reopened(desktop)
    assert again.session.mode == "multi_point"
    _click(again, (12, 14))
    assert _targets(again) == [(1, 3)]


def test_undo_and_redo_step_through_clicks(several: Any) -> None:
    start = several.project.projection_hash()
    _click(several, (10, 10), (14, 10), (12, 14))
    several.person.key("A")
    _click(several, (40, 40))
    end = several.project.projection_hash()
    for _ in range(5):
        several.person.key("Backspace")
    assert several.project.projection_hash() == start
    for _ in range(5):
        several.person.key("Ctrl+Shift+Z")
    assert several.project.projection_hash() == end
    assert _targets(several) == [(1, 3), (1, 1)]


def test_clicks_are_timed_from_one_to_the_next(several: Any) -> None:
    _click(several, (10, 10), (14, 10))
    times = [click.time_ms for click in several.session.annotations.clicks]
    assert times[1] == 2000, "press to press: one second to the release, one to the next press"
