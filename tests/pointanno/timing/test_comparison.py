"""Comparisons of conditions: t tests where the design is balanced, and the known effect of simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pointanno.timing.comparison import Cell, cells_of, compare, log_ratio
from pointanno.timing.log import make_log
from pointanno.timing.simulated_study import CONDITIONS, Plan, simulate_study
from pointanno.timing.study import study_of

TRIALS = 40


def cells(people: int, pictures: int, seed: int, taste: float = 0.0) -> list[Cell]:
    """Everybody does every picture under both conditions."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0, 0.5, pictures)
    found = []
    for person in range(people):
        pace, effect = rng.normal(0, 0.5), 0.7 + rng.normal(0, taste)
        for picture in range(pictures):
            for second in (False, True):
                log_s = pace + hard[picture] + effect * second + rng.normal(0, 0.3)
                found.append(Cell(f"p{person}", picture, "b" if second else "a", log_s, math.exp(log_s)))
    return found


def test_one_person_gives_the_paired_t_test_over_pictures() -> None:
    data = cells(1, 25, seed=2)
    found, scope = log_ratio(data, "a", "b")
    before = np.array([one.log_s for one in data if one.condition == "a"])
    after = np.array([one.log_s for one in data if one.condition == "b"])
    expected = stats.ttest_rel(after, before).confidence_interval()
    assert scope == "these people"
    assert found.value == pytest.approx((after - before).mean(), abs=1e-6)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-3)


def test_several_people_give_the_t_test_over_people() -> None:
    data = cells(8, 12, seed=3, taste=0.5)
    found, scope = log_ratio(data, "a", "b")
    effects = [
        np.mean([one.log_s for one in data if one.annotator == f"p{i}" and one.condition == "b"])
        - np.mean([one.log_s for one in data if one.annotator == f"p{i}" and one.condition == "a"])
        for i in range(8)
    ]
    expected = stats.ttest_1samp(effects, 0).confidence_interval()
    assert scope == "people"
    assert found.value == pytest.approx(np.mean(effects), abs=1e-4)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_one_person_without_a_common_picture_gives_the_two_sample_t_test() -> None:
    data = [one for one in cells(1, 30, seed=4) if (one.picture or 0) % 2 == (one.condition == "a")]
    found, _ = log_ratio(data, "a", "b")
    before = np.array([one.log_s for one in data if one.condition == "a"])
    after = np.array([one.log_s for one in data if one.condition == "b"])
    expected = stats.ttest_ind(after, before).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-3)


def test_two_people_under_one_condition_each_are_compared_by_their_pictures() -> None:
    """Nothing tells people and conditions apart; the interval is about these two."""
    data = [one for one in cells(2, 20, seed=6) if (one.annotator == "p0") == (one.condition == "a")]
    found, scope = log_ratio(data, "a", "b")
    before, after = (np.array([one.log_s for one in data if one.condition == name]) for name in "ab")
    expected = stats.ttest_rel(after, before).confidence_interval()
    assert scope == "these people"
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_little_says_so(count: int) -> None:
    found, _ = log_ratio(cells(1, 1, seed=0)[:count], "a", "b")
    assert math.isnan(found.low) and (count == 2) == math.isfinite(found.value)


def test_known_effect_of_simulated_studies_is_found_again() -> None:
    """The interval holds it in about 95 of 100; of 40 trials, fewer than 34 or none outside would be odd."""
    plan, held, high = Plan(), 0, 0
    for trial in range(TRIALS):
        journal = simulate_study(plan, 1000 + trial)
        study = study_of(make_log(journal.events, journal.annotators))
        found, scope = log_ratio(cells_of(study.chosen("object")), *CONDITIONS)
        assert scope == "people"
        held += found.low <= math.log(plan.ratio) <= found.high
        high += found.value > math.log(plan.ratio)
    assert 34 <= held <= TRIALS and TRIALS / 4 < high < TRIALS * 3 / 4


def test_comparison_in_words_and_seconds() -> None:
    journal = simulate_study(Plan(annotators=4, pictures=16, ratio=2.0), seed=8)
    study = study_of(make_log(journal.events, journal.annotators))
    found = compare(study.chosen("object"), *CONDITIONS)
    assert (found.annotators, found.kind) == (4, "object") and 14 <= found.pictures <= 16  # some are warm-up only
    assert found.ratio.low < 2.0 < found.ratio.high
    assert (
        found.difference_s.n == found.pictures
        and found.difference_s.low < found.difference_s.value < found.difference_s.high
    )
    turned = compare(study.chosen("object"), *CONDITIONS[::-1])
    assert turned.ratio.value == pytest.approx(1 / found.ratio.value, rel=1e-3)
    assert turned.difference_s.value == pytest.approx(-found.difference_s.value)
    nothing = compare([], *CONDITIONS)
    assert nothing.items == 0 and math.isnan(nothing.ratio.value)
