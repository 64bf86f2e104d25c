from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from napari_pointanno.napari_versions import camera_of
from pointanno.project.image_list import EVERY_IMAGE, ImageFilter


def test_next_and_back_stop_at_the_ends(desktop: Any) -> None:
    desktop.person.key("B")
    assert desktop.canvas.drawing.hint == "this is the first image"
    desktop.person.key("N")
    desktop.person.key("N")
    desktop.person.key("N")
    assert (desktop.session.row, desktop.canvas.drawing.hint) == (2, "this is the last image")


def test_next_unlabelled(desktop: Any) -> None:
    desktop.person.key("N")
    desktop.person.click(5, 5)
    desktop.person.key("B")
    desktop.person.key("Shift+N")
    assert desktop.session.row == 2
    desktop.person.click(5, 5)
    desktop.person.key("Shift+N")
    assert desktop.session.row == 0
    desktop.person.click(5, 5)
    desktop.person.key("Shift+N")
    assert desktop.canvas.drawing.hint == "every image carries annotations"


def test_each_image_has_its_own_annotations(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert len(desktop.viewer.layers["points"].data) == 0
    desktop.person.key("B")
    assert len(desktop.viewer.layers["points"].data) == 1


def test_the_view_fits_the_picture_whatever_was_on_the_last_one(desktop: Any, images_folder: Any) -> None:
    """Points of a large picture must not make the next, small one a stamp in the corner."""
    zoom = camera_of(desktop.viewer).zoom
    desktop.viewer.add_points([[10_000, 10_000]])
    desktop.viewer.add_image(np.zeros((2, 9, 9)))
    assert desktop.viewer.dims.ndim == 3
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert camera_of(desktop.viewer).zoom == zoom


def test_a_missing_image_is_a_sentence_and_one_can_go_on(desktop: Any, images_folder: Any) -> None:
    (images_folder / "c.png").unlink()
    desktop.person.key("N")
    desktop.person.key("N")
    assert not desktop.session.readable
    assert len(desktop.notified()) == 1
    assert "c.png" in desktop.notified()[0]
    assert desktop.session.pages.unreadable == {desktop.session.image.id}
    desktop.person.click(5, 5)
    desktop.person.key("W")
    desktop.person.drag(5, 5, 40, 40)
    assert desktop.events("click", "box") == []
    assert "cannot be read" in desktop.canvas.drawing.headline
    desktop.person.key("B")
    assert desktop.session.readable
    assert "image" in desktop.viewer.layers


def test_a_picture_of_another_size_is_not_annotated(desktop: Any, images_folder: Any) -> None:
    Image.new("RGB", (10, 10)).save(images_folder / "c.png")
    desktop.person.key("N")
    desktop.person.key("N")
    assert not desktop.session.readable
    assert "10 x 10" in desktop.notified()[0]


def test_an_image_is_timed_from_its_display(desktop: Any) -> None:
    desktop.canvas.hold = True
    desktop.person.key("N")
    assert not desktop.session.watch.running
    desktop.canvas.release(desktop.person.tick(700))
    desktop.person.click(5, 5)
    assert desktop.session.annotations.clicks[0].time_ms == 1000
    load, shown = desktop.events("image_load_start", "image_shown")[-2:]
    assert (load.image_id, shown.image_id) == (desktop.session.image.id,) * 2


def test_what_was_never_shown_is_not_logged(desktop: Any) -> None:
    desktop.canvas.hold = True
    desktop.person.key("N")
    desktop.person.key("N")
    desktop.canvas.release(desktop.person.tick())
    assert len(desktop.events("image_shown")) == 2


def test_grey_16_bit_pictures_keep_their_values(desktop: Any) -> None:
    desktop.person.key("N")
    layer = desktop.viewer.layers["image"]
    assert layer.data.max() > 255
    low, high = layer.contrast_limits
    assert 90 <= low < high <= 4000


def _ask(desktop: Any, signal: str, *values: Any) -> None:
    """What the dock would emit."""
    for call in getattr(desktop.view, signal).connect.call_args_list:
        call.args[0](*values)


def _listed(desktop: Any) -> list[str]:
    pages = desktop.session.pages
    return [pages.row(row).file_name for row in range(len(pages))]


def test_keys_walk_what_the_filter_lists(desktop: Any) -> None:
    desktop.project.record("flag", {"flagged": True}, image_id=desktop.session.pages.row(0).id)
    desktop.project.record("flag", {"flagged": True}, image_id=desktop.session.pages.row(2).id)
    _ask(desktop, "filter_chosen", ImageFilter(attention="flagged"))
    assert _listed(desktop) == ["a.png", "c.png"]
    desktop.person.key("N")
    assert (desktop.session.image.file_name, desktop.session.row) == ("c.png", 1)
    desktop.person.key("N")
    assert desktop.canvas.drawing.hint == "this is the last image of the list: 2 of 3 pass the filter"
    desktop.person.key("B")
    assert desktop.session.image.file_name == "a.png"
    assert desktop.view.show_row.call_args.args == (0, 0, 3)


def test_an_answer_that_ends_the_match_moves_nothing_until_one_goes_on(desktop: Any) -> None:
    _ask(desktop, "filter_chosen", ImageFilter(state="unlabelled"))
    desktop.person.key("N")
    desktop.person.click(5, 5)
    assert _listed(desktop) == ["a.png", "b.png", "c.png"]
    assert (desktop.session.image.file_name, desktop.session.row) == ("b.png", 1)
    desktop.person.key("N")
    assert _listed(desktop) == ["a.png", "c.png"]
    assert (desktop.session.image.file_name, desktop.session.row) == ("c.png", 1)
    desktop.person.key("Ctrl+Z")
    assert desktop.session.image.file_name == "b.png", "undo shows where it undid"
    assert _listed(desktop) == ["a.png", "b.png", "c.png"]


def test_the_image_in_view_stays_when_the_filter_does_not_list_it(desktop: Any) -> None:
    desktop.project.record("flag", {"flagged": True}, image_id=desktop.session.pages.row(2).id)
    desktop.person.key("N")
    _ask(desktop, "filter_chosen", ImageFilter(attention="flagged"))
    assert desktop.session.image.file_name == "b.png"
    assert desktop.session.pages.is_guest(desktop.session.row)
    desktop.person.click(5, 5)
    assert len(desktop.events("click")) == 1, "one can work on it"
    desktop.person.key("N")
    assert _listed(desktop) == ["c.png"]
    _ask(desktop, "filter_chosen", EVERY_IMAGE)
    assert (desktop.session.row, desktop.session.image.file_name) == (2, "c.png")


def test_undo_beyond_the_filter_lets_the_image_in(desktop: Any) -> None:
    desktop.person.click(5, 5)
    desktop.person.key("N")
    _ask(desktop, "filter_chosen", ImageFilter(text="c.png"))
    desktop.person.key("N")
    assert _listed(desktop) == ["c.png"]
    desktop.person.key("Ctrl+Z")
    assert desktop.session.image.file_name == "a.png"
    assert _listed(desktop) == ["a.png", "c.png"]


def test_a_search_that_finds_one_goes_there_and_is_over(desktop: Any) -> None:
    where = ImageFilter(text="c.p")
    _ask(desktop, "filter_chosen", where)
    _ask(desktop, "image_sought", "c.p")
    assert desktop.session.image.file_name == "c.png"
    assert _listed(desktop) == ["a.png", "b.png", "c.png"]
    desktop.view.show_filter.assert_called_with(EVERY_IMAGE)


def test_a_search_that_finds_several_goes_on(desktop: Any) -> None:
    desktop.project.record("flag", {"flagged": True}, image_id=desktop.session.pages.row(1).id)
    desktop.project.record("flag", {"flagged": True}, image_id=desktop.session.pages.row(2).id)
    where = ImageFilter(attention="flagged", text="png")
    _ask(desktop, "filter_chosen", where)
    _ask(desktop, "image_sought", "png")
    assert desktop.session.image.file_name == "b.png", "the image that was in view is no match"
    assert desktop.session.pages.where == where


def test_a_search_that_finds_nothing_says_so(desktop: Any) -> None:
    _ask(desktop, "filter_chosen", ImageFilter(text="zebra"))
    assert _listed(desktop) == ["a.png"]
    _ask(desktop, "image_sought", "zebra")
    assert "no image of this list has 'zebra' in its name" in desktop.canvas.drawing.hint
    assert _listed(desktop) == ["a.png", "b.png", "c.png"]


def test_a_number_is_a_place(desktop: Any) -> None:
    _ask(desktop, "image_sought", "#3")
    assert desktop.session.image.file_name == "c.png"
    for wrong in ("#0", "#4", "#two", "#" + 30 * "9"):
        _ask(desktop, "image_sought", wrong)
        assert desktop.session.image.file_name == "c.png"
        assert "1 to 3" in desktop.canvas.drawing.hint


def test_an_image_set_that_is_gone_is_a_sentence(desktop: Any) -> None:
    _ask(desktop, "filter_chosen", ImageFilter(image_set="old"))
    assert "'old' is not among the image sets" in desktop.notified()[0]
    desktop.view.show_filter.assert_called_with(EVERY_IMAGE)


def test_pictures_that_cannot_be_read_never_stop_the_list(
    project: Any, images_folder: Any, begin: Callable[[Any], Any]
) -> None:
    (images_folder / "b.png").write_bytes(b"\x89PNG, but no more")
    (images_folder / "c.png").unlink()
    desktop = begin(project)
    desktop.person.key("N")
    desktop.person.key("N")
    assert (desktop.session.image.file_name, desktop.session.readable) == ("c.png", False)
    desktop.person.key("Shift+N")
    assert (desktop.session.image.file_name, desktop.session.readable) == ("a.png", True)
    desktop.person.key("Shift+N")
    assert desktop.session.image.file_name == "b.png", "it waits for its picture, and is no end"
    desktop.person.key("K")
    desktop.person.key("5")
    assert desktop.session.image.file_name == "c.png"
    assert len(desktop.session.pages.unreadable) == 2
