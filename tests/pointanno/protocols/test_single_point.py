"""One click per target."""

from __future__ import annotations

import pytest

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project.records import Click, ImageAnnotations
from pointanno.protocols import PROTOCOLS, AskClick, SinglePoint

THING, STUFF = Category(1, "cell", True), Category(2, "ground", False)
SIZE = (40, 60)


def click(uid: str, category: Category, x: int, y: int, instance: int = 0) -> Click:
    return Click(uid, category.id, category.isthing, x, y, instance, None, "click", 0, 0)


THERE = ImageAnnotations(1, clicks=(click("a", THING, 10, 10, 1), click("b", STUFF, 16, 10)))


def test_press_makes_a_click_of_its_own() -> None:
    [(kind, payload)] = SinglePoint().press(THERE, THING, 59, 39, SIZE)
    assert kind == "click" and len(payload["uid"]) == 32
    assert {**payload, "uid": ""} == {"uid": "", "category_id": 1, "x": 59, "y": 39}
    assert SinglePoint().press(THERE, THING, 0, 0, SIZE, uid="c" * 32)[0][1]["uid"] == "c" * 32


@pytest.mark.parametrize(("x", "y"), [(60, 0), (0, 40), (-1, 0), (0, -1)])
def test_outside_is_refused_with_a_reason(x: int, y: int) -> None:
    with pytest.raises(InputError, match=rf"pixel \({x}, {y}\) lies outside of the image of 60 x 40 pixels"):
        SinglePoint().press(THERE, THING, x, y, SIZE)


def test_double_click_is_one_click() -> None:
    assert SinglePoint().press(THERE, THING, 10, 10, SIZE) == []
    assert len(SinglePoint().press(THERE, STUFF, 10, 10, SIZE)) == 1, "another class at this pixel is another target"


def test_stuff_takes_any_number() -> None:
    assert len(SinglePoint().press(THERE, STUFF, 17, 10, SIZE)) == 1


def test_selected_click_moves() -> None:
    assert SinglePoint().press(THERE, THING, 3, 4, SIZE, selected="a") == [("move", {"uid": "a", "x": 3, "y": 4})]
    assert SinglePoint().press(THERE, THING, 10, 10, SIZE, selected="a") == []


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (10, 16, "a"),  # exactly six pixels away
        (10, 17, None),
        (12, 10, "a"),
        (14, 10, "b"),
        (13, 10, "b"),  # three pixels from both: the newer one
        (30, 30, None),
    ],
)
def test_find_within_six_pixels(x: int, y: int, expected: str | None) -> None:
    found = SinglePoint().find(THERE, x, y)
    assert (None if found is None else found.uid) == expected


def test_ask_and_done() -> None:
    protocol = SinglePoint()
    assert protocol.ask(THERE) == AskClick(placed=2)
    assert not protocol.is_done(THERE)
    assert not protocol.is_done(ImageAnnotations(1, complete={"things": True, "stuff": False}))
    assert protocol.is_done(ImageAnnotations(1, complete={"things": True, "stuff": True}))


def test_protocols_by_name() -> None:
    assert list(PROTOCOLS) == ["single_point", "multi_point", "box_points", "mask"]
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())
