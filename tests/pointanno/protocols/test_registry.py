"""A protocol from its name and options."""

from __future__ import annotations

from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.protocols import PROTOCOLS, BoxPoints, Mask, MultiPoint, make_protocol


def test_options_reach_the_protocol() -> None:
    shared = {"points_per_box": 7, "seed": 3}
    boxes = make_protocol("box_points", {**shared, "draw": "extreme", "order": "class"})
    assert isinstance(boxes, BoxPoints) and (boxes.points_per_box, boxes.seed, boxes.draw) == (7, 3, "extreme")
    several = make_protocol("multi_point", {**shared, "points_per_target": 4})
    assert isinstance(several, MultiPoint) and several.points_per_target == 4
    mask = make_protocol("mask", {**shared, "exclusive": False})
    assert isinstance(mask, Mask) and not mask.exclusive
    for name in PROTOCOLS:
        assert make_protocol(name, shared).name == name


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("boxes", {}, "protocol: expected one of single_point, multi_point, box_points, mask"),
        ("mask", {"radius": 3}, "protocol mask: 'radius' is not among its options (exclusive)"),
        ("single_point", {"n": 3}, "protocol single_point: 'n' is not among its options (it has none)"),
        ("multi_point", {"points_per_target": 0}, "points_per_target: expected at least 1"),
    ],
)
def test_refusals(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        make_protocol(name, options)
    assert words in str(refused.value)
