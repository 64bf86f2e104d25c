from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image


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
    zoom = desktop.viewer.scene.camera.zoom
    desktop.viewer.add_points([[10_000, 10_000]])
    desktop.viewer.add_image(np.zeros((2, 9, 9)))
    assert desktop.viewer.dims.ndim == 3
    desktop.person.click(5, 5)
    desktop.person.key("N")
    assert desktop.viewer.scene.camera.zoom == zoom


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
