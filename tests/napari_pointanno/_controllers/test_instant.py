"""Masks from clicks while one clicks: shown, followed, taken over, locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pointanno.assignment import masks_from_clicks
from pointanno.dataset import Category
from pointanno.images import read_image
from pointanno.project import Project
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

SIZE = 60, 80
CATEGORIES = (Category(1, "cell", True, color=(230, 159, 0)), Category(2, "ground", False))


def _picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Two discs of one colour on a ground with a little noise."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    image = np.full((*SIZE, 3), (90, 120, 90), np.uint8)
    for centre in (20, 58):
        image[(rows - 30) ** 2 + (columns - centre) ** 2 < 144] = (200, 60, 60)
    noise = np.random.default_rng(0).integers(-6, 7, image.shape)
    return (image.astype(int) + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def clicking(tmp_path: Path, make_desktop: Callable[[Project], Any]) -> Iterator[Any]:
    folder = tmp_path / "cells"
    folder.mkdir()
    for name in ("a", "b"):
        Image.fromarray(_picture()).save(folder / f"{name}.png")
    yield make_desktop(Project.create(tmp_path / "cells_set", images=folder, categories=CATEGORIES))


def _layer(desktop: Any) -> Any:
    return desktop.viewer.layers["masks from clicks"]


def _clicks(desktop: Any) -> None:
    """A click in each disc and one on the ground."""
    for digit, x, y in (("1", 20, 30), ("1", 58, 30), ("2", 39, 5)):
        desktop.person.key(digit)
        desktop.person.click(x, y)


def _same_partition(labels: Any, wanted: Any) -> bool:
    """Whether two label maps are equal but for the numbers."""
    pairs = {*zip(np.asarray(labels).ravel().tolist(), np.asarray(wanted).ravel().tolist(), strict=True)}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_masks_follow_every_click_undo_and_image(clicking: Any) -> None:
    clicking.person.key("I")
    assert "on" in clicking.canvas.drawing.hint
    _clicks(clicking)
    shown = np.asarray(_layer(clicking).data)
    image = read_image(clicking.session.image.path)
    wanted = masks_from_clicks(image, [[(20, 30)], [(58, 30)], [(39, 5)]], [0, 0, 1], [True, False])
    assert _same_partition(shown, wanted)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (rows - 30) ** 2 + (columns - 20) ** 2 < 144
    there = shown == shown[30, 20]
    assert (there & disc).sum() / (there | disc).sum() > 0.9
    clicking.person.key("Ctrl+Z")
    wanted = masks_from_clicks(image, [[(20, 30)], [(58, 30)]], [0, 0], [True, False])
    assert _same_partition(_layer(clicking).data, wanted)
    clicking.person.key("N")
    assert not clicking.controller.sitting.desk.instant.shows(1)
    assert not np.asarray(_layer(clicking).data).any()
    clicking.person.key("B")
    assert _same_partition(_layer(clicking).data, wanted)


def test_a_mask_is_taken_over_with_its_clicks(clicking: Any) -> None:
    clicking.person.key("I")
    _clicks(clicking)
    shown = np.asarray(_layer(clicking).data)
    clicking.controller.sitting.on_hover(clicking.person._at(22, 33))
    clicking.person.key("Return")
    (box,) = clicking.session.annotations.boxes
    assert (box.mask.source, box.category_id) == ("accepted_prediction", 1)
    (event,) = clicking.events("mask")
    first = next(click for click in clicking.session.annotations.clicks if (click.x, click.y) == (20, 30))
    assert event.payload["suggested_by"] == "clicks" and event.payload["clicks"] == [first.uid]
    assert first.linked_uid == box.uid
    from pointanno.formats.rle import rle_to_mask

    np.testing.assert_array_equal(rle_to_mask(box.mask.rle), shown == shown[30, 20])
    dataset = clicking.project.dataset()
    (instance,) = dataset.instances
    assert instance.mask is not None
    target = next(one for one in dataset.targets if one.points.coords.tolist() == [[20, 30]])
    assert target.linked_annotation_id == instance.id
    clicking.person.key("Return")  # once more: nothing is left of it
    assert len(clicking.session.annotations.boxes) == 1 and "Nothing is left" in clicking.canvas.drawing.hint
    clicking.person.key("Ctrl+Z")
    assert not clicking.session.annotations.boxes
    assert all(click.linked_uid is None for click in clicking.session.annotations.clicks)
    clicking.person.key("M")  # the way of the masks takes it over as well
    clicking.controller.sitting.on_hover(clicking.person._at(58, 30))
    clicking.person.key("Return")
    (box,) = clicking.session.annotations.boxes
    assert sum(click.linked_uid == box.uid for click in clicking.session.annotations.clicks) == 1


def test_what_the_person_saw_is_in_the_log(clicking: Any) -> None:
    clicking.person.key("1")
    clicking.person.click(20, 30)
    clicking.person.key("I")
    clicking.person.click(58, 30)
    clicking.person.key("I")
    assert not _layer(clicking).visible
    clicking.person.click(20, 50)
    kinds = [(event.kind, event.payload["source"]) for event in clicking.events("preview_visible", "preview_hidden")]
    assert kinds == [("preview_visible", "clicks"), ("preview_hidden", "clicks")]
    items = [item for item in study_of(read_log(clicking.project)).items if item.kind == "click"]
    assert ["preview" in item.flags for item in items] == [False, True, False]


def test_work_beside_the_window_is_done_one_after_the_other(clicking: Any) -> None:
    waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
    desk = clicking.controller.sitting.desk
    desk.background = lambda work, done: waiting.append((work, done))
    clicking.person.key("I")
    _clicks(clicking)
    assert len(waiting) == 1, "one at a time, however fast somebody clicks"
    work, done = waiting.pop()
    done(work())
    assert len(waiting) == 1, "what was clicked meanwhile comes next"
    work, done = waiting.pop()
    done(work())
    assert not waiting and len(np.unique(_layer(clicking).data)) == 3
    clicking.person.click(39, 55)
    work, done = waiting.pop()
    clicking.person.key("N")
    done(work())  # of the image before
    assert not np.asarray(_layer(clicking).data).any()


def test_a_failure_is_told_and_the_next_click_works(clicking: Any) -> None:
    desk = clicking.controller.sitting.desk
    really = desk.background
    desk.background = lambda work, done: done(MemoryError("no room"))
    clicking.person.key("I")
    assert "masks from clicks: no room" in clicking.notified()
    desk.background = really
    _clicks(clicking)
    assert len(np.unique(_layer(clicking).data)) == 3


def test_the_layer_goes_with_the_project(clicking: Any) -> None:
    clicking.person.key("I")
    _clicks(clicking)
    clicking.controller.close()
    assert "masks from clicks" not in clicking.viewer.layers


def test_without_masks_enter_names_both_keys(clicking: Any) -> None:
    clicking.person.click(20, 30)
    clicking.person.key("Return")
    hint = clicking.canvas.drawing.hint
    assert "no prediction is shown" in hint and "P shows" in hint and "I masks from clicks" in hint
