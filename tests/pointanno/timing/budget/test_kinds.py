"""Kinds of supervision and the systems that learn from them."""

from __future__ import annotations

import pytest

from pointanno.errors import InputError
from pointanno.systems import SystemDescriptor
from pointanno.timing.budget import kinds
from pointanno.timing.budget.kinds import Kind, find_systems, kinds_of, parse_kind


def _system(name: str, annotation: str, metric: str, supervisions: tuple[str, ...]) -> SystemDescriptor:
    return SystemDescriptor(
        name=name, title=name, package="p", implementation="p:P", supervisions=supervisions, annotation=annotation,
        output="instances" if metric == "ap" else "panoptic", stages=("train",), metric=metric,
    )  # fmt: skip


BOXES = _system("boxes", "box_points", "ap", ("points", "masks"))
CLICKS = _system("clicks", "single_point", "pq", ("points", "masks"))
NO_MASKS = _system("third", "multi_point", "ap", ("points",))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    systems = {one.name: one for one in (BOXES, CLICKS, NO_MASKS)}
    monkeypatch.setattr(kinds, "available_systems", lambda: tuple(systems))
    monkeypatch.setattr(kinds, "load_system", lambda name: systems[name])


@pytest.mark.parametrize(
    ("text", "kind", "name", "title"),
    [
        ("masks", Kind("masks", 0), "masks", "masks"),
        ("box_points:5", Kind("box_points", 5), "box_points:5", "box+5"),
        ("box-points", Kind("box_points", 10), "box_points:10", "box+10"),
        ("single-point", Kind("single_point", 1), "single_point", "single points"),
        ("multi_point:3", Kind("multi_point", 3), "multi_point:3", "3 points"),
    ],
)
def test_words(text: str, kind: Kind, name: str, title: str) -> None:
    found = parse_kind(text)
    assert found == kind and found.name == name and found.title == title
    assert parse_kind(found.name) == found


@pytest.mark.parametrize(
    "text", ["", "mask", "box_points:0", "box_points:x", "masks:3", "single_point:2", "multi_point:-1"]
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected masks, single_point, box_points:N or multi_point:N"):
        parse_kind(text)


@pytest.mark.usefixtures("installed")
def test_a_kind_finds_the_system_of_its_protocol_and_masks_follow() -> None:
    found = find_systems([parse_kind("masks"), parse_kind("box_points:3")], None)
    assert {kind.name: system.name for kind, system in found.items()} == {"masks": "boxes", "box_points:3": "boxes"}
    found = find_systems([parse_kind("single_point"), parse_kind("masks")], None)
    assert {system.name for system in found.values()} == {"clicks"}


@pytest.mark.usefixtures("installed")
def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match=r"measured differently \(boxes by AP and clicks by PQ\)"):
        find_systems([parse_kind("box_points"), parse_kind("single_point")], None)
    with pytest.raises(InputError, match="boxes and clicks learn from it; choose one by --system"):
        find_systems([parse_kind("masks")], None)
    with pytest.raises(InputError, match=r"no installed system learns from it \(third: multi_point:10\)"):
        find_systems([parse_kind("masks")], "third")


def test_everything_that_a_system_learns_from() -> None:
    assert [kind.name for kind in kinds_of(BOXES)] == ["masks", "box_points:10"]
    assert [kind.name for kind in kinds_of(NO_MASKS)] == ["multi_point:10"]
