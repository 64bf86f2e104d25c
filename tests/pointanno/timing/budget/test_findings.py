"""What is told of trainings: gains, comparisons, and sentences that claim no more than is known."""

from __future__ import annotations

import numpy as np
import pytest

from pointanno.timing.budget.costs import costs_of
from pointanno.timing.budget.findings import (
    Findings,
    Trained,
    as_json,
    find,
    hours_of,
    in_hours,
    level_rows,
    sentences,
    signed,
    training_rows,
    worth_rows,
)
from pointanno.timing.budget.kinds import parse_kind

HOURS = (3.0, 9.0, 27.0, 81.0)


def ladder(
    name: str, top: float, drop: float, hours: tuple[float, ...] = HOURS, noise: float = 0.004, seed: int = 0
) -> list[Trained]:
    """Two trainings for each of some hours, top - drop / sqrt(hours), with samples that move together."""
    rng = np.random.default_rng(seed)
    together = np.random.default_rng(99).normal(0, 0.01, 100)
    found = []
    for number in range(2):
        for one in hours:
            quality = top - drop * one**-0.5 + rng.normal(0, noise)
            samples = tuple((quality + together).tolist())
            kind = parse_kind(name)
            found.append(Trained(f"{name}-{one:g}-{number}", kind, one, quality, {"box": 10}, 5, samples, number, 100))
    return found


def told(trained: list[Trained], more: float = 9.0, spent: float | None = 9.0) -> Findings:
    costs = costs_of()
    return find(trained, {"box": costs["box"]}, metric="ap", more=more, spent=spent)


def test_the_better_kind_is_named_with_its_lead() -> None:
    """Box+10 from 0.5 - 0.3/3 = 0.4 at 9 h to 0.5 - 0.3/sqrt(18) = 0.429 at 18 h; masks 0.2 below."""
    findings = told(ladder("box_points:10", 0.5, 0.3) + ladder("masks", 0.3, 0.3, seed=1))
    first, second = worth_rows(findings)
    assert (first["kind"], second["kind"]) == ("box_points:10", "masks")
    assert first["gain"] == pytest.approx(0.029, abs=0.008) and first["gain_low"] > 0
    assert first["reached"] == pytest.approx(0.429, abs=0.01)
    assert second["behind"] == pytest.approx(0.2, abs=0.012) and second["behind_low"] > 0.15
    said = sentences(findings)
    assert said[0].startswith("9 more hours of box+10, after 9 h, are worth about +")
    assert any("box+10 is ahead by" in one and "After these hours" in one for one in said)
    assert any(one.startswith("With 81 h in all the AP is about: box+10 ") for one in said)


def test_equal_kinds_are_not_told_apart() -> None:
    findings = told(ladder("box_points:10", 0.5, 0.3, noise=0.01) + ladder("masks", 0.5, 0.3, noise=0.01, seed=1))
    said = " ".join(sentences(findings))
    assert "cannot be told apart by these trainings" in said and "is ahead" not in said


def test_too_few_amounts_are_said_and_shown_as_points() -> None:
    findings = told(ladder("box_points:10", 0.5, 0.3) + ladder("masks", 0.3, 0.3, hours=(3.0, 9.0)))
    assert [row["kind"] for row in worth_rows(findings)] == ["box_points:10"]
    assert sentences(findings)[-1].startswith(
        "Masks: 2 amounts of annotation have been trained, and a curve needs 3, so nothing can be told"
    )
    assert sum(row["kind"] == "masks" for row in training_rows(findings)) == 4
    assert level_rows(findings) == []


def test_extrapolation_is_said_and_ends_at_twice_the_hours() -> None:
    findings = told(ladder("masks", 0.5, 0.3), more=40.0, spent=None)
    (row,) = worth_rows(findings)
    assert row["spent_h"] == 81 and row["more_h"] == 40 and row["is_extrapolated"] and not row["is_cut"]
    assert "that is beyond what was trained" in sentences(findings)[0]
    findings = told(ladder("masks", 0.5, 0.3), more=500.0, spent=None)
    (row,) = worth_rows(findings)
    assert row["more_h"] == 81 and row["is_cut"]
    assert "nothing is told beyond 162 h, twice what was trained" in sentences(findings)[0]


def test_cut_hours_are_not_compared() -> None:
    short = ladder("masks", 0.3, 0.3, hours=(1.0, 2.0, 4.0), seed=1)
    findings = told(ladder("box_points:10", 0.5, 0.3) + short, more=9.0)
    assert "The hours that can be told of are cut, so which kind leads higher is not told." in sentences(findings)


def test_the_true_difference_lies_in_its_interval() -> None:
    """Of 20 pairs of ladders that truly differ by 0.02 at least 17 say so within their interval."""
    hits = 0
    for trial in range(20):
        first = ladder("box_points:10", 0.52, 0.3, noise=0.008, seed=2 * trial)
        second = ladder("masks", 0.50, 0.3, noise=0.008, seed=2 * trial + 1)
        rows = worth_rows(told(first + second))
        low, high = rows[1]["behind_low"], rows[1]["behind_high"]
        if rows[0]["kind"] == "masks":
            low, high = -high, -low
        hits += low <= 0.02 <= high
    assert hits >= 17


def test_hours_follow_from_counts() -> None:
    assert hours_of({"box": 100, "point": 1000}, costs_of()) == pytest.approx((700 + 900) / 3600)


def test_uncertain_seconds_widen_what_is_told() -> None:
    from dataclasses import replace

    from pointanno.timing.statistics import Estimate

    trained = ladder("box_points:10", 0.5, 0.3)
    sure = costs_of()["box"]
    wide = replace(sure, seconds=Estimate(7.0, 1.0, 40.0, 4), times=(1.0, 2.0, 3.0, 22.0))
    first, second = (
        worth_rows(find(trained, {"box": cost}, metric="ap", more=9.0, spent=9.0))[0] for cost in (sure, wide)
    )
    assert second["reached_high"] - second["reached_low"] > 1.2 * (first["reached_high"] - first["reached_low"])


def test_everything_for_machines() -> None:
    found = as_json(told(ladder("box_points:10", 0.5, 0.3)))
    assert found["metric"] == "ap" and len(found["trainings"]) == 8 and found["seconds"][0]["unit"] == "box"
    assert {row["kind"] for row in found["curves"]} == {"box_points:10"}
    assert max(row["hours"] for row in found["curves"]) == pytest.approx(162)


def test_numbers_as_a_person_says_them() -> None:
    assert in_hours(2, "more") == "2 more hours" and in_hours(1, "more") == "1 more hour" and in_hours(0.5) == "0.5 h"
    assert signed(0.0183) == "+1.8" and signed(-0.02) == "-2.0" and signed(0.0001) == "0.0"
