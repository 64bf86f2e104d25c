"""A box from four clicks on the edge of an object, in any order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from pointanno.dataset import Box
from pointanno.errors import InputError
from pointanno.project.records import BoxAnnotation, Extreme, ImageAnnotations
from pointanno.protocols import AskBox, AskExtreme, BoxPoints, box_of_extremes

SIZE = (40, 60)
TOP, LEFT, BOTTOM, RIGHT = (20, 4), (7, 15), (24, 30), (41, 12)


@pytest.mark.parametrize("order", list(permutations((TOP, LEFT, BOTTOM, RIGHT)))[::5])
def test_any_order_gives_the_same_box(order: tuple[tuple[int, int], ...]) -> None:
    """The clicked pixels lie inside: x from 7 to 41 and y from 4 to 30, hence edges at 42 and 31."""
    box, roles = box_of_extremes(order)
    assert box == [7.0, 4.0, 42.0, 31.0]
    assert [order[role] for role in roles] == [TOP, LEFT, BOTTOM, RIGHT]


def test_a_corner_serves_one_side_only() -> None:
    """(0, 0) is topmost and leftmost at once; the other roles go to the clicks that miss them by least."""
    clicks = [(0, 0), (1, 9), (9, 9), (9, 3)]
    box, roles = box_of_extremes(clicks)
    assert box == [0.0, 0.0, 10.0, 10.0] and sorted(roles) == [0, 1, 2, 3]
    assert roles == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="must be 4 pixels"):
        box_of_extremes(clicks[:3])


def test_three_clicks_and_a_box() -> None:
    protocol = BoxPoints(4, seed=1, draw="extreme")
    found = ImageAnnotations(1)
    assert protocol.ask(found) == AskExtreme(placed=0)
    for number, (x, y) in enumerate((RIGHT, TOP, LEFT)):
        kind, payload = protocol.extreme_click(found, 2, x, y, "image", SIZE, time_ms=100 * number)
        assert (kind, payload) == ("extreme", {"x": x, "y": y, "category_id": 2, "time_ms": 100 * number})
        found = ImageAnnotations(1, extremes=(*found.extremes, Extreme(x, y, 100 * number, 2)))
        assert protocol.ask(found) == AskExtreme(placed=number + 1) and not protocol.is_done(found)
    kind, payload = protocol.extreme_click(found, 2, *BOTTOM, "image", SIZE, time_ms=700, uid="a" * 32)
    assert kind == "box" and payload["box"] == [7.0, 4.0, 42.0, 31.0] and len(payload["point_coords"]) == 4
    assert payload["extreme_points"] == [list(TOP), list(LEFT), list(BOTTOM), list(RIGHT)]
    assert payload["extreme_times_ms"] == [100, 200, 700, 0]
    with pytest.raises(InputError, match="lies outside of the image"):
        protocol.extreme_click(found, 2, 60, 0, "image", SIZE)


def test_begun_extremes_come_first_where_boxes_are_drawn_so() -> None:
    coords = np.array([[3, 3]], dtype=np.int32)
    box = BoxAnnotation("a", 1, Box(0, 0, 9, 9), coords, (None,), (None,), None, "drag", None, None)
    found = ImageAnnotations(1, boxes=(box,), extremes=(Extreme(5, 5, None, 1),))
    assert BoxPoints(draw="extreme").ask(found) == AskExtreme(placed=1)
    with pytest.raises(InputError, match="Click the others first, or give them up"):
        BoxPoints(draw="extreme").answer(found, "object")
    for draw in ("drag", "none"):
        assert BoxPoints(draw=draw).answer(found, "object")[1]["uid"] == "a"


def test_how_boxes_are_drawn() -> None:
    assert BoxPoints(draw="drag").ask(ImageAnnotations(1)) == AskBox(drawn=0)
    assert BoxPoints(draw="none").ask(ImageAnnotations(1)) is None
    assert BoxPoints(draw="none").is_done(ImageAnnotations(1)), "answers are all that is wanted of given boxes"
    with pytest.raises(InputError, match="draw: expected one of drag, extreme, none"):
        BoxPoints(draw="circle")
    with pytest.raises(InputError, match="order: expected one of image, class, shuffled"):
        BoxPoints(order="random")
