"""Medians, slopes, rates and kappas beside those of scipy and scikit-learn, on the exported tables."""

from __future__ import annotations

import csv
import io
import math
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from pointanno.timing.accuracy import accuracies, judged, kappa_of, speed_accuracy
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.log import make_log
from pointanno.timing.simulated_study import Plan, simulate_study
from pointanno.timing.statistics import (
    IDLE_SECONDS,
    Estimate,
    bootstrap,
    forecast,
    learning_curve,
    loglog_slope,
    mean_of,
    median_of,
    rate_of,
    sensitivity,
)
from pointanno.timing.study import Study, study_of
from pointanno.timing.tables import (
    correction_rows,
    exclusion_rows,
    item_rows,
    session_rows,
    time_rows,
    to_csv,
    to_jsonl,
    total_rows,
)

CLASSES = {1: "cell"}


@pytest.fixture(scope="module")
def study() -> Study:
    journal = simulate_study(Plan(annotators=3, pictures=12), seed=5)
    return study_of(make_log(journal.events, journal.annotators))


def read(rows: list[dict[str, object]]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(rows).decode())))


def test_tables_hold_what_scipy_computes_from_the_exported_items(study: Study) -> None:
    exported = read(item_rows(study, CLASSES))
    shown = [row for row in read(time_rows(study, CLASSES)) if row["kind"] == "object"]
    assert {row["by"] for row in shown} == {"all", "annotator", "class", "condition"}
    for row in shown:
        column = {"all": None, "annotator": "annotator", "class": "class", "condition": "condition"}[row["by"]]
        values = [
            float(item["raw_ms"])
            for item in exported
            if item["kind"] == "object"
            and "warm_up" not in item["flags"]
            and (column is None or item[column] == row["group"])
        ]
        assert len(values) == int(row["n"])
        assert float(row["median_ms"]) == pytest.approx(np.median(values))
        assert float(row["mean_ms"]) == pytest.approx(np.mean(values))
        # another generator and another number of samples: the same interval within what chance leaves
        found = stats.bootstrap(
            (np.array(values),), np.median, n_resamples=4000, method="percentile", random_state=np.random.default_rng(1)
        ).confidence_interval
        width = found.high - found.low
        assert abs(float(row["median_ms_low"]) - found.low) < 0.15 * width
        assert abs(float(row["median_ms_high"]) - found.high) < 0.15 * width


def test_totals_add_up(study: Study) -> None:
    totals = total_rows(study)
    whole = totals[-1]
    assert whole["annotator"] == "all" and len(totals) > 6
    sessions = session_rows(study)
    for name in ("elapsed_s", "raw_s", "work_s", "idle_s", "loading_s"):
        assert sum(row[name] for row in sessions) == pytest.approx(whole[name])
        assert sum(row[name] for row in totals[:-1]) == pytest.approx(whole[name])
    (at_ten,) = [row for row in sensitivity(study) if row["idle_after_s"] == 10]
    assert at_ten["work_s"] == pytest.approx(whole["work_s"]) and at_ten["raw_s"] == pytest.approx(whole["raw_s"])
    works = [row["work_s"] for row in sensitivity(study)]
    assert works == sorted(works) and len(works) == len(IDLE_SECONDS)


def test_median_of_little_has_no_interval() -> None:
    assert median_of([]).n == 0 and math.isnan(median_of([]).value)
    one = median_of([7.0])
    assert (one.value, one.n) == (7.0, 1) and math.isnan(one.low)
    same = median_of([3.0, 3.0, 3.0])
    assert same.value == 3.0 and math.isnan(same.high)


def test_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(100, 20, 400)
    found, error = mean_of(values), values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.25)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.25)


def test_slope_is_that_of_linregress() -> None:
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.uniform(1, 6, 200))
    times = 300 * sizes**0.4 * np.exp(rng.normal(0, 0.2, 200))
    found = loglog_slope([*sizes, 0.0], [*times, 5.0])
    expected = stats.linregress(np.log(sizes), np.log(times))
    assert found.value == pytest.approx(expected.slope) and found.n == 200
    assert found.low < 0.4 < found.high
    reach = stats.t.ppf(0.975, 198) * expected.stderr
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.15)
    assert math.isnan(loglog_slope([5.0, 5.0, 5.0], [1.0, 2.0, 3.0]).value)


def test_rate_has_wilsons_interval() -> None:
    found = rate_of(3, 50)
    z = stats.norm.ppf(0.975)
    middle = (0.06 + z**2 / 100) / (1 + z**2 / 50)
    reach = z * math.sqrt(0.06 * 0.94 / 50 + z**2 / 10_000) / (1 + z**2 / 50)
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach))
    assert math.isnan(rate_of(0, 0).value)


def test_learning_curve_is_the_median_of_the_neighbours() -> None:
    assert learning_curve([5, 1, 9, 2, 8], 3).tolist() == [3.0, 5.0, 2.0, 8.0, 5.0]
    assert learning_curve([], 3).tolist() == []


def test_forecast_holds_what_comes() -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(100):
        costs = rng.lognormal(3, 0.6, 60)
        found = forecast(costs, 40)
        held += found.low <= rng.lognormal(3, 0.6, 40).sum() <= found.high
    assert 88 <= held <= 99
    assert forecast([10.0, 20.0], 0) == Estimate(0.0, 0.0, 0.0, 2)


def test_bootstrap_does_not_depend_on_the_call() -> None:
    values = np.random.default_rng(2).exponential(500, 100)
    assert bootstrap([values], np.median) == bootstrap([values], np.median)


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    truth = rng.choice(["object", "background"], 300, p=[0.7, 0.3])
    given = np.where(rng.random(300) < 0.85, truth, rng.choice(["object", "background"], 300))
    found = kappa_of(list(zip(truth.tolist(), given.tolist(), strict=True)))
    assert found.value == pytest.approx(cohen_kappa_score(truth, given))
    drawn = []
    for _ in range(600):
        index = rng.integers(0, 300, 300)
        drawn.append(cohen_kappa_score(truth[index], given[index]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)
    assert math.isnan(kappa_of([("object", "object")]).value)


def twice_judged(accuracy_of_slow: float) -> FakeJournal:
    """A first person who answers, and a second one who is asked the same and is right the more the slower they are."""
    journal, rng = FakeJournal(), np.random.default_rng(9)
    coords = [[i, i] for i in range(100)]
    truth = rng.choice(["object", "background"], 100)
    for person, uid in (("anon-1", "first"), ("anon-2", "copy")):
        journal.begin(person)
        journal.write("image_shown", image_id=1)
        payload = {"uid": uid, "category_id": 1, "box": [0, 0, 9, 9], "point_coords": coords}
        if person == "anon-2":
            payload |= {"layer": "second", "copy_of": "first"}
        journal.write("box", payload, image_id=1)
        for point in range(100):
            journal.write("point_shown", {"uid": uid, "point": point}, image_id=1)
            slow = bool(rng.random() < 0.5)
            journal.wait(1200 if slow else 400)
            wrong = person == "anon-2" and rng.random() > (accuracy_of_slow if slow else 0.6)
            value = str(truth[point])
            value = {"object": "background", "background": "object"}[value] if wrong else value
            journal.write("answer", {"uid": uid, "point": point, "value": value}, image_id=1)
    return journal


def test_speed_and_accuracy_of_a_second_opinion() -> None:
    journal = twice_judged(1.0)
    study = study_of(make_log(journal.events, journal.annotators), warm_up=0)
    pairs = judged(study, "second")
    assert len(pairs) == 200 and not judged(study, "gold")
    by_person = {one.annotator: one for one in accuracies(pairs)}
    assert set(by_person) == {"anon-1", "anon-2", ""}
    both = [(one.expected, one.item.value) for one in pairs if one.item.annotator == "anon-2"]
    assert by_person["anon-2"].kappa.value == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))
    assert by_person["anon-2"].share.value == by_person["anon-1"].share.value
    mine = [one for one in pairs if one.item.annotator == "anon-2"]
    fast, slow = speed_accuracy(mine, 2)
    assert (fast[0].value, slow[0].value) == (400, 1200) and slow[1].value > fast[1].value + 0.2
    assert [one.share.n for one in accuracies(mine)] == [100]


def test_corrections_and_exclusions_are_counted() -> None:
    journal = FakeJournal()
    journal.begin("anon-1")
    journal.write("image_shown", image_id=1)
    for number in range(20):
        journal.wait(300)
        payload = {"uid": f"{number}", "category_id": 1, "x": 0, "y": 0, "instance": number + 1}
        event = journal.write("click", payload, image_id=1)
        if number % 5 == 0:
            journal.wait(200)
            journal.turn("undo", event)
    study = study_of(make_log(journal.events, journal.annotators))
    (row,) = correction_rows(study)
    assert (row["given"], row["taken_back"], row["rate"]) == (20, 4, 0.2)
    of_clicks = next(row for row in exclusion_rows(study) if row["kind"] == "click")
    assert (of_clicks["items"], of_clicks["counted"], of_clicks["warm_up"], of_clicks["superseded"]) == (20, 10, 10, 4)


SCRIPT = """
import hashlib
from pointanno.timing.log import make_log
from pointanno.timing.simulated_study import Plan, simulate_study
from pointanno.timing.study import study_of
from pointanno.timing.tables import *
journal = simulate_study(Plan(annotators=2, pictures=4), seed=1)
study = study_of(make_log(journal.events, journal.annotators))
classes = {1: "cell"}
tables = [item_rows(study, classes), session_rows(study), total_rows(study), timeline_rows(study),
          time_rows(study, classes), correction_rows(study)]
print(hashlib.sha256(b"".join(to_csv(rows) + to_jsonl(rows) for rows in tables)).hexdigest())
"""


def test_same_log_gives_the_same_tables_elsewhere() -> None:
    """Another time zone, another language, another order of hashes."""

    def digests() -> Iterator[str]:
        for zone, language, seed in (("UTC", "C", "0"), ("Asia/Kathmandu", "de_DE.UTF-8", "4242")):
            surroundings = {**os.environ, "TZ": zone, "LC_ALL": language, "LANG": language, "PYTHONHASHSEED": seed}
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT], env=surroundings, capture_output=True, text=True, check=True
            )
            yield done.stdout.strip()

    first, second = digests()
    assert first == second and len(first) == 64


def test_jsonl_has_an_object_a_line(study: Study) -> None:
    rows = item_rows(study, CLASSES)
    assert to_jsonl(rows).count(b"\n") == len(rows)


def test_slope_of_few_boxes_leaves_out_samples_of_one_size() -> None:
    """Three boxes: in every ninth sample all are the same one, which has no slope."""
    found = loglog_slope([2.0, 4.0, 16.0], [100.0, 200.0, 800.0])
    assert found.value == pytest.approx(1.0) and (found.low, found.high) == pytest.approx((1.0, 1.0))


def test_intervals_of_many_values_are_what_the_bootstrap_tends_to() -> None:
    values = np.random.default_rng(6).lognormal(6, 0.5, 6000)
    for found, statistic in ((median_of(values), np.median), (mean_of(values), np.mean)):
        expected = bootstrap([values], statistic)
        assert found.value == expected.value and found.n == 6000
        width = expected.high - expected.low
        assert found.low == pytest.approx(expected.low, abs=0.1 * width)
        assert found.high == pytest.approx(expected.high, abs=0.1 * width)
