"""Several protocols in one project: which images are annotated how, and how that changes and comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_pointanno._models.plan import ALL, EVERYTHING, LISTED, SET, PlanState, PlanWish, words_of
from pointanno.project.image_list import ImageFilter


def _shown(desktop: Any) -> PlanState:
    state = desktop.view.show_plan.call_args.args[0]
    assert isinstance(state, PlanState)
    return state


def _ask(desktop: Any, *wish: Any) -> None:
    desktop.controller.sitting.plans.apply(PlanWish(*wish))


def test_all_images_get_a_protocol(desktop: Any) -> None:
    _ask(desktop, EVERYTHING, "multi_point", {"points_per_target": 6}, ALL)
    assert desktop.session.mode == "multi_point"
    assert desktop.canvas.drawing.headline.startswith("Click 6 times")
    assert desktop.canvas.drawing.hint.startswith("all images: 3 images")
    state = _shown(desktop)
    assert state.current == EVERYTHING
    assert state.current_set is not None and state.current_set.images == 3


def test_the_listed_images_get_another_one_and_the_mode_follows_the_image(desktop: Any) -> None:
    _ask(desktop, EVERYTHING, "single_point", {}, ALL)
    desktop.view.filter_chosen.emit(ImageFilter(text="b"))
    desktop.controller.sitting.images.navigation.go(0)
    desktop.session.pages.select(ImageFilter(text="b"))
    _ask(desktop, "few", "mask", {"exclusive": False}, LISTED)
    sets = {one.name: one.images for one in desktop.project.image_sets()}
    assert sets == {EVERYTHING: 2, "few": 1}
    desktop.session.pages.select(ImageFilter())
    modes = []
    for row in range(3):
        desktop.controller.show_image(row)
        modes.append(desktop.session.mode)
    assert modes == ["single_point", "mask", "single_point"]
    desktop.controller.show_image(1)
    assert desktop.controller.sitting.desk.mode.protocol().exclusive is False


def test_a_set_that_is_there_gets_other_options(desktop: Any) -> None:
    _ask(desktop, EVERYTHING, "box_points", {"draw": "drag"}, ALL)
    _ask(desktop, EVERYTHING, "box_points", {"draw": "extreme", "points_per_box": 4}, SET)
    (one,) = desktop.project.image_sets()
    assert one.images == 3 and one.options["draw"] == "extreme"
    assert desktop.controller.sitting.desk.mode.protocol().points_per_box == 4


def test_undo_and_redo_change_the_mode_of_the_shown_image(desktop: Any) -> None:
    _ask(desktop, EVERYTHING, "single_point", {}, ALL)
    _ask(desktop, EVERYTHING, "mask", {}, ALL)
    assert desktop.session.mode == "mask"
    desktop.person.key("Ctrl+Z")
    assert desktop.session.mode == "single_point"
    current = _shown(desktop).current_set
    assert current is not None and current.protocol == "single_point"
    desktop.person.key("Ctrl+Z")
    assert desktop.session.planned is None and _shown(desktop).current == ""
    desktop.person.key("Ctrl+Shift+Z")
    desktop.person.key("Ctrl+Shift+Z")
    assert desktop.session.mode == "mask"


def test_what_cannot_be_is_said(desktop: Any) -> None:
    before = desktop.project.projection_hash()
    _ask(desktop, "", "mask", {}, LISTED)
    _ask(desktop, "x", "mask", {"draw": "extreme"}, ALL)
    first, second = desktop.notified()
    assert first == "image set, name: expected a name for these images. Type one"
    assert "'draw' is not among its options" in second
    assert desktop.project.projection_hash() == before


def test_a_restart_opens_the_image_in_the_way_of_its_set(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    _ask(desktop, EVERYTHING, "mask", {}, ALL)
    desktop.person.key("Q")
    assert desktop.session.mode == "single_point", "the person may do something else for once"
    assert reopened(desktop).session.mode == "mask"


def test_words() -> None:
    assert words_of("box_points", {"points_per_box": 5, "draw": "extreme", "order": "image"}) == (
        "Box + points, 5 points, extreme points"
    )
    assert words_of("multi_point", {"points_per_target": 20}) == "Several points, 20 each"
    assert words_of("mask", {"exclusive": False}) == "Mask, objects may overlap"
    assert words_of("single_point", {}) == "One point"
