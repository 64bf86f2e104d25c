"""A box, then questions about its points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointanno.dataset import Box
from pointanno.errors import InputError
from pointanno.project.records import BoxAnnotation, ImageAnnotations
from pointanno.protocols import AskBox, AskPoint, BoxPoints, point_seed

SIZE = (40, 60)


def box(uid: str, *answers: str | None, iscrowd: bool = False) -> BoxAnnotation:
    coords = np.array([[number, 5] for number in range(len(answers))], dtype=np.int32).reshape(-1, 2)
    times = (None,) * len(answers)
    return BoxAnnotation(uid, 1, Box(0, 0, 20, 20), coords, answers, times, 1, "drag", None, None, iscrowd=iscrowd)


def test_asks_for_a_box_and_then_about_its_points() -> None:
    protocol = BoxPoints(3)
    assert protocol.ask(ImageAnnotations(1)) == AskBox(drawn=0)
    begun = ImageAnnotations(1, boxes=(box("a", "object", None, None),))
    assert protocol.ask(begun) == AskPoint("a", index=1, total=3, x=1, y=5, category_id=1)
    assert protocol.answer(begun, "unsure") == ("answer", {"uid": "a", "point": 1, "value": "unsure"})
    finished = ImageAnnotations(1, boxes=(box("a", "object", "background", "unsure"),))
    assert protocol.ask(finished) == AskBox(drawn=1)
    with pytest.raises(InputError, match="no open point to answer"):
        protocol.answer(finished, "object")
    with pytest.raises(InputError, match="expected one of object, background, unsure, received 'perhaps'"):
        protocol.answer(begun, "perhaps")


def test_which_box_comes_first() -> None:
    protocol = BoxPoints(2)
    boxes = (box("crowd", None, iscrowd=True), box("new", None, None), box("begun", "object", None), box("last", None))
    there = ImageAnnotations(1, boxes=boxes)

    def asked(prefer: str | None = None) -> str:
        question = protocol.ask(there, prefer=prefer)
        assert isinstance(question, AskPoint)
        return question.box_uid

    assert asked() == "begun"
    assert asked("last") == "last"
    assert asked("crowd") == "begun", "crowd regions are never asked about"
    there = replace(there, boxes=boxes[:2])
    assert asked() == "new"


def test_commit_box() -> None:
    kind, payload = BoxPoints(5, seed=7).commit_box("image", SIZE, 2, [-3, 1.5, 20, 90], uid="c" * 32)
    assert kind == "box"
    assert payload["box"] == [0.0, 1.5, 20.0, 40.0] and payload["category_id"] == 2
    assert payload["point_seed"] == point_seed(7, "image", "c" * 32, 0) and payload["sampler"] == "distinct-1"
    coords = np.array(payload["point_coords"])
    assert coords.shape == (5, 2) and (coords >= [0, 1]).all() and (coords < [20, 40]).all()
    again = BoxPoints(5, seed=7).commit_box("image", SIZE, 2, [-3, 1.5, 20, 90], uid="c" * 32)
    assert again == (kind, payload)
    other = BoxPoints(5, seed=8).commit_box("image", SIZE, 2, [-3, 1.5, 20, 90], uid="c" * 32)
    assert other[1]["point_coords"] != payload["point_coords"]


def test_tiny_boxes_get_as_many_points_as_they_have_pixels() -> None:
    _, payload = BoxPoints(10).commit_box("image", SIZE, 1, [3, 3, 5, 5])
    assert sorted(payload["point_coords"]) == [[3, 3], [3, 4], [4, 3], [4, 4]]


@pytest.mark.parametrize("drawn", [[3, 3, 3.9, 9], [3, 3, 9, 3.9], [59.5, 3, 70, 9], [70, 70, 80, 80], [5, 5, 5, 5]])
def test_slips_of_the_hand_are_refused(drawn: list[float]) -> None:
    with pytest.raises(InputError, match="both sides must have at least 1 pixel"):
        BoxPoints(10).commit_box("image", SIZE, 1, drawn)


def test_resample_draws_other_points_each_time() -> None:
    protocol = BoxPoints(6, seed=3)
    there = ImageAnnotations(1, boxes=(box("a", "object"),))
    kind, first = protocol.resample(there, "a", "image", SIZE)
    assert kind == "resample" and first["point_seed"] == point_seed(3, "image", "a", 1)
    there = replace(there, boxes=(replace(there.boxes[0], resample=1),))
    _, second = protocol.resample(there, "a", "image", SIZE)
    assert second["point_coords"] != first["point_coords"]
    with pytest.raises(InputError, match="image 1 has no box zz"):
        protocol.resample(there, "zz", "image", SIZE)


def test_done_when_nothing_is_open() -> None:
    protocol = BoxPoints(1)
    complete = {"things": True, "stuff": False}
    assert not protocol.is_done(ImageAnnotations(1))
    assert not protocol.is_done(ImageAnnotations(1, boxes=(box("a", None),), complete=complete))
    assert protocol.is_done(ImageAnnotations(1, boxes=(box("a", "object"),), complete=complete))
    with pytest.raises(InputError, match="points_per_box: expected at least 1"):
        BoxPoints(0)
