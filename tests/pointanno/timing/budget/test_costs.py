"""Seconds of annotations: measured in a journal on a clock that is moved by hand, given, or published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pointanno.dataset import Box, Category, Image, Instance, MaskLabel, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.timing.budget.costs import (
    FEWEST,
    cost_rows,
    costs_of,
    counts_by_picture,
    parse_seconds,
    seconds_of,
)
from pointanno.timing.fake_journal import FakeJournal
from pointanno.timing.log import make_log
from pointanno.timing.study import Study, study_of


def _study(times_ms: list[float]) -> Study:
    """Clicks of one session, each after so many milliseconds."""
    journal = FakeJournal()
    journal.begin("anon-1", mode="single_point")
    journal.write("image_shown", {}, image_id=1)
    for number, ms in enumerate(times_ms):
        journal.wait(ms)
        payload = {"uid": f"{number:032x}", "category_id": 1, "x": number, "y": 0}
        journal.write("click", payload, image_id=1)
    journal.wait(1000)
    journal.write("session_end")
    return study_of(make_log(journal.events, journal.annotators), warm_up=0)


def test_measured_seconds_are_the_mean_without_idle_time() -> None:
    times = [1000.0] * 6 + [2000.0] * 6 + [60_000.0]  # the last one idles from 10 s on at the latest
    cost = costs_of(_study(times))["click"]
    assert cost.is_measured and "mean of 13 clicks of this project" in cost.source
    # one minute without any input is idle from its first instant on
    assert cost.seconds.value == pytest.approx((6 * 1 + 6 * 2 + 0) / 13)
    assert cost.seconds.low < cost.seconds.value < cost.seconds.high


def test_too_few_measured_items_leave_the_published_time() -> None:
    cost = costs_of(_study([1000.0] * (FEWEST - 1)))["click"]
    assert not cost.is_measured and cost.seconds.value == 2.4
    assert cost.source.endswith(f"only {FEWEST - 1} measured here") and "arXiv:1506.02106" in cost.source


def test_published_times_have_their_sources() -> None:
    costs = costs_of()
    assert {unit: cost.seconds.value for unit, cost in costs.items()} == {
        "box": 7.0, "point": 0.9, "click": 2.4, "mask": 79.2,
    }  # fmt: skip
    assert all("arXiv:" in cost.source for cost in costs.values())
    assert costs["box"].draws(5, np.random.default_rng(0)).tolist() == [7.0] * 5


def test_given_seconds_win() -> None:
    cost = costs_of(_study([1000.0] * 20), {"click": 3.5})["click"]
    assert cost.seconds.value == 3.5 and cost.source == "given by --seconds"


def test_draws_of_measured_seconds_scatter_like_their_mean() -> None:
    cost = costs_of(_study([1000.0, 3000.0] * 50))["click"]
    draws = cost.draws(2000, np.random.default_rng(0))
    # a mean of 100 values of deviation 1 s scatters by 0.1 s
    assert draws.mean() == pytest.approx(2.0, abs=0.02) and draws.std() == pytest.approx(0.1, rel=0.15)


def test_seconds_of_the_reader() -> None:
    assert parse_seconds(["mask=41.5", "point=1"]) == {"mask": 41.5, "point": 1.0}
    for text in ("mask", "mask=0", "mask=x", "stroke=3", "mask=inf"):
        with pytest.raises(InputError, match="expected UNIT=SECONDS such as mask=41.5"):
            parse_seconds([text])


def _points(*status: str) -> Points:
    labels = np.array([{"ok": 1}.get(one, -1) for one in status], np.int8)
    many: tuple[Any, ...] = (None,) * len(status)
    return Points(np.zeros((len(status), 2), np.int32), labels, status, many, many, many, ("random",) * len(status))


def test_counts_are_what_a_person_did() -> None:
    box = Box(0, 0, 4, 4)
    mask = MaskLabel({"size": [5, 5], "counts": "0"}, "painted")
    dataset = PointDataset(
        images=(Image(1, "a", 5, 5), Image(2, "b", 5, 5), Image(3, "c", 5, 5)),
        categories=(Category(1, "x", True),),
        instances=(
            Instance(1, 1, 1, box, _points("ok", "unsure", "skip", "pad")),
            Instance(2, 1, 1, box, _points("ok"), mask=mask),
        ),
        targets=(Target(1, 2, 1, True, 1, _points("ok", "ok")),),
    )
    assert counts_by_picture(dataset, masks=False) == {1: {"box": 2, "point": 3}, 2: {"click": 2}, 3: {}}
    assert counts_by_picture(dataset, masks=True) == {1: {"mask": 1}, 2: {}, 3: {}}
    assert seconds_of({"box": 2, "point": 3}, costs_of()) == pytest.approx(2 * 7 + 3 * 0.9)


def test_rows_name_every_source() -> None:
    rows = cost_rows(costs_of(), ["box", "point"])
    assert [row["unit"] for row in rows] == ["box", "point"]
    assert rows[1]["seconds"] == 0.9 and rows[1]["seconds_low"] is None and "CVPR 2022" in str(rows[1]["source"])
