"""Plans of studies: who sees what under which condition, and the sentences about plans that cannot be."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointanno.errors import InputError
from pointanno.protocols import BoxPoints
from pointanno.protocols.study_plan import StudyPlan, parse_condition, parse_plan, read_plan

MODES = ("single_point", "box_points", "mask", "multi_point", "box_points", "mask")


def plan_of(conditions: int = 2, images: int = 4, **more: Any) -> StudyPlan:
    values: dict[str, Any] = {
        "conditions": [{"name": f"c{number}", "mode": MODES[number]} for number in range(conditions)],
        "participants": 2,
        "images": [f"{number}.png" for number in range(images)],
    }
    return parse_plan(values | more)


@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**40), st.integers(0, 3))
def test_balance(conditions: int, rounds: int, per_block: int, seed: int, gold: int) -> None:
    """Conditions at every place, images under every condition, nobody twice; known answers in every block."""
    images = [f"{number}.png" for number in range(conditions * per_block)]
    gold_names = images[: min(gold * conditions, len(images))]
    people = 2 * conditions * rounds
    plan = plan_of(conditions, len(images), participants=people, seed=seed, gold=gold_names)
    assert plan.imbalance() == ()
    schedules = [plan.schedule(number) for number in range(1, people + 1)]
    for schedule in schedules:
        seen = [name for block in schedule.blocks for name in block.images]
        assert sorted(seen) == sorted(images), "everybody sees every image once"
        assert {len(set(block.images) & set(gold_names)) for block in schedule.blocks} == {
            len(gold_names) // conditions
        }
        assert [block.number for block in schedule.blocks] == list(range(conditions))
    places = Counter((block.number, block.condition.name) for one in schedules for block in one.blocks)
    met = Counter((name, block.condition.name) for one in schedules for block in one.blocks for name in block.images)
    assert set(places.values()) == {people // conditions} and len(places) == conditions**2
    assert set(met.values()) == {people // conditions} and len(met) == conditions * len(images)
    orders = [[block.condition.name for block in one.blocks] for one in schedules]
    before = Counter(pair for order in orders for pair in pairwise(order))
    assert len(set(before.values())) <= 1 and len(before) == conditions * (conditions - 1)


@given(st.integers(1, 5), st.integers(0, 20), st.integers(1, 9), st.integers(0, 99))
def test_any_number_goes_as_far_as_it_can(conditions: int, more: int, people: int, seed: int) -> None:
    plan = plan_of(conditions, conditions + more, participants=people, seed=seed)
    for number in range(1, people + 1):
        sizes = [len(block.images) for block in plan.schedule(number).blocks]
        assert sum(sizes) == conditions + more and max(sizes) - min(sizes) <= 1


def test_everybody_may_see_every_image_under_every_condition() -> None:
    plan = plan_of(again=True, practice=["p.png"])
    for block in plan.schedule(2).blocks:
        assert sorted(block.images) == sorted(plan.images) and block.practice == ("p.png",)


def test_a_plan_means_the_same_wherever_it_is_read(tmp_path: Path) -> None:
    plan = plan_of(3, 7, seed=5, practice=["p.png", "q.png", "r.png"], zoom=4, breaks={"minutes": 20})
    file = tmp_path / "plan.json"
    file.write_bytes(orjson.dumps(plan.as_payload()))
    again = parse_plan(read_plan(file))
    assert again == plan and again.schedule(2) == plan.schedule(2)
    assert plan.schedule(1) != plan_of(3, 7, seed=6, practice=["p.png", "q.png", "r.png"]).schedule(1)
    practised = [name for block in plan.schedule(1).blocks for name in block.practice]
    assert sorted(practised) == ["p.png", "q.png", "r.png"]


def test_a_plan_of_a_toml_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        'participants = 4\nimages = ["a.png", "b.png"]\nzoom = "fit"\n[[conditions]]\nname = "points"\n'
        'mode = "single_point"\n[[conditions]]\nname = "box+5"\nmode = "box_points"\noptions = {points_per_box = 5}\n'
    )
    plan = parse_plan(read_plan(file))
    protocol = plan.conditions[1].protocol({"seed": 9, "points_per_box": 10})
    assert isinstance(protocol, BoxPoints) and (protocol.points_per_box, protocol.seed) == (5, 9)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"participants": 0}, "plan.toml, participants: Input should be greater than or equal to 1, received 0"),
        ({"seed": -1}, "plan.toml, seed: "),
        ({"zoom": -2}, "plan.toml, zoom: "),
        ({"images": ["a.png"]}, "images: expected at least one for each of 2 conditions"),
        ({"images": ["a.png", "a.png"]}, "images: 'a.png' is named twice"),
        ({"practice": ["0.png", "x.png"]}, "practice: '0.png' is among the measured images, too"),
        ({"practice": ["x.png"]}, "practice: expected at least one image for each of 2 conditions"),
        ({"gold": ["x.png"]}, "gold: 'x.png' is not among the images"),
        ({"breaks": {"minutes": -1}}, "plan.toml, breaks.minutes: "),
        ({"breaks": {"hours": 1}}, "plan.toml, breaks.hours: "),
        ({"conditions": []}, "plan.toml, conditions: "),
        ({"conditions": [{"name": "a", "mode": "polygon"}]}, "mode: expected one of single_point"),
        ({"conditions": [{"name": "a", "mode": "mask", "options": {"order": 1}}]}, "mask has no option 'order' here"),
        (
            {"conditions": [{"name": "a", "mode": "box_points", "options": {"points_per_box": 2.5}}]},
            "points_per_box: expected a whole number, received 2.5",
        ),
        (
            {"conditions": [{"name": "a", "mode": "multi_point", "options": {"points_per_target": 0}}]},
            "points_per_target: expected at least 1",
        ),
    ],
)
def test_wrong_plans_are_told_by_field(more: dict[str, Any], sentence: str) -> None:
    values = plan_of().as_payload() | more
    with pytest.raises(InputError) as caught:
        parse_plan(values, file="plan.toml")
    assert sentence in str(caught.value) and str(caught.value).startswith("plan.toml")


def test_files_that_are_no_plans(tmp_path: Path) -> None:
    for name, text, sentence in (
        ("a.json", "{", "is not valid JSON"),
        ("a.toml", "x =", "is not valid TOML"),
        ("b.json", "[]", "expected a table of fields"),
        ("b.toml", "foo = 1", "foo: there is no such field"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=sentence):
            read_plan(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        read_plan(tmp_path / "none.toml")


def test_what_cannot_be_balanced_is_told() -> None:
    assert plan_of(3, 6, participants=4).imbalance()[0].startswith("4 participants are no multiple of 3")
    assert "precede one another" in plan_of(3, 6, participants=3).imbalance()[0]
    assert plan_of(3, 7, participants=6).imbalance() == ("7 images are no multiple of 3: blocks differ by one image",)
    with pytest.raises(InputError, match="participant 3 is not among 1 to 2"):
        plan_of().schedule(3)


def test_conditions_of_the_command_line() -> None:
    assert parse_condition("mask") == {"name": "mask", "mode": "mask", "options": {}}
    found = parse_condition("B10=box_points:10,draw=extreme")
    assert found == {"name": "B10", "mode": "box_points", "options": {"points_per_box": 10, "draw": "extreme"}}
    assert parse_condition("multi_point:7")["options"] == {"points_per_target": 7}
    assert parse_condition("mask:exclusive=false")["options"] == {"exclusive": False}
    for text, sentence in (
        ("polygon", "expected one of single_point"),
        ("mask:3", "'3' is no option of mask"),
        ("box_points:draw=", "is no option"),
        ("box_points:0", "at least 1"),
        ("single_point:draw=drag", "has no option 'draw'"),
    ):
        with pytest.raises(InputError, match=sentence):
            parse_condition(text)
