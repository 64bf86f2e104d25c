"""Several clicks inside each target, one target after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.project.records import Click, ImageAnnotations
from pointanno.protocols import AskTarget, MultiPoint

SIZE = (40, 60)
CELL, DEBRIS, GROUND = Category(1, "cell", True), Category(2, "debris", True), Category(3, "ground", False)


def clicks(*wanted: tuple[str, int, int, int]) -> ImageAnnotations:
    """Clicks of (uid, class, object, x); class 3 is stuff."""
    made = tuple(
        Click(uid, category, category != 3, x, 5, instance if category != 3 else 0, None, "click", 0, 0)
        for uid, category, instance, x in wanted
    )
    return ImageAnnotations(1, clicks=made)


def test_clicks_of_a_thing_are_counted_until_there_are_enough() -> None:
    protocol = MultiPoint(3)
    assert protocol.ask(ImageAnnotations(1)) == AskTarget(None, None, 0, placed=0, total=3, targets=0)
    found = clicks(("a", 1, 1, 10))
    assert protocol.ask(found) == AskTarget("a", 1, 1, placed=1, total=3, targets=0)
    [(kind, payload)] = protocol.press(found, CELL, 11, 5, SIZE, uid="b")
    assert (kind, payload["instance"], payload["category_id"]) == ("click", 1, 1)
    found = clicks(("a", 1, 1, 10), ("b", 1, 1, 11), ("c", 1, 1, 12))
    assert protocol.ask(found) == AskTarget(None, None, 0, placed=0, total=3, targets=1)
    [(kind, payload)] = protocol.press(found, CELL, 30, 5, SIZE)
    assert kind == "click" and "instance" not in payload, "the next object gets a number of its own"


def test_stuff_is_one_target_however_far_apart_its_clicks() -> None:
    protocol = MultiPoint(2)
    found = clicks(("a", 3, 1, 1))
    assert protocol.ask(found) == AskTarget("a", 3, 0, placed=1, total=2, targets=0)
    [(_, payload)] = protocol.press(found, GROUND, 50, 30, SIZE)
    assert payload["category_id"] == 3 and "instance" not in payload
    done = clicks(("a", 3, 1, 1), ("b", 3, 2, 50))
    assert protocol.ask(done).targets == 1 and [one.placed for one in protocol.targets(done)] == [2]


def test_done_before_all_clicks_are_there() -> None:
    protocol = MultiPoint(5)
    found = clicks(("a", 1, 1, 10), ("b", 1, 1, 11))
    assert protocol.finish_target(found) == ("target_done", {"uid": "b", "done": True})
    closed = replace(found, clicks=tuple(replace(one, closed=True) for one in found.clicks))
    assert protocol.ask(closed) == AskTarget(None, None, 0, 0, 5, targets=1)
    with pytest.raises(InputError, match="no open target"):
        protocol.finish_target(closed)
    assert protocol.reopen_target("b") == ("target_done", {"uid": "b", "done": False})
    steps = protocol.press(found, CELL, 40, 5, SIZE, new_target=True)
    assert [kind for kind, _ in steps] == ["target_done", "click"] and "instance" not in steps[1][1]


def test_another_class_must_wait_and_stuff_need_not() -> None:
    protocol = MultiPoint(3)
    found = clicks(("a", 1, 1, 10))
    with pytest.raises(InputError, match="1 of 3 clicks and is of another class"):
        protocol.press(found, DEBRIS, 30, 5, SIZE)
    [(_, payload)] = protocol.press(found, GROUND, 30, 5, SIZE)
    assert payload["category_id"] == 3
    both = clicks(("a", 1, 1, 10), ("g", 3, 2, 30))
    [(_, payload)] = protocol.press(both, CELL, 12, 5, SIZE)
    assert payload["instance"] == 1, "the thing that was begun goes on after the stuff between"


def test_presses_that_mean_something_else() -> None:
    protocol = MultiPoint(3)
    found = clicks(("a", 1, 1, 10), ("z", 2, 2, 40))
    assert protocol.press(found, DEBRIS, 40, 5, SIZE) == [], "the same pixel of the same target"
    assert protocol.press(found, CELL, 9, 9, SIZE, selected="a") == [("move", {"uid": "a", "x": 9, "y": 9})]
    [(_, payload)] = protocol.press(found, CELL, 20, 5, SIZE, prefer="a")
    assert payload["instance"] == 1
    with pytest.raises(InputError, match="outside of the image"):
        protocol.press(found, DEBRIS, 60, 5, SIZE)
    assert protocol.find(found, 12, 5) == found.clicks[0]
    assert protocol.delete_target("a")[1]["whole_target"] and protocol.reclass_target("a", 2)[1]["category_id"] == 2
    with pytest.raises(InputError, match="points_per_target: expected at least 1"):
        MultiPoint(0)


def test_done_when_declared_and_nothing_open() -> None:
    protocol = MultiPoint(1)
    complete = {"things": True, "stuff": True}
    assert not protocol.is_done(clicks(("a", 1, 1, 10)))
    assert protocol.is_done(replace(clicks(("a", 1, 1, 10)), complete=complete))
    assert not MultiPoint(2).is_done(replace(clicks(("a", 1, 1, 10)), complete=complete))
