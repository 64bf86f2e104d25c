"""Kappa and distances by hand."""

from __future__ import annotations

import pytest

from pointanno.project.agreement import agreement_of, cohen_kappa, pair_clicks
from pointanno.project.records import Click


def test_kappa_by_hand() -> None:
    """50 items: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no; p_o = 0.7, p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("y", "y"), ("n", "n")]) == 1.0
    assert cohen_kappa([("y", "n"), ("n", "y")]) == -1.0
    assert cohen_kappa([]) is None and cohen_kappa([("y", "y")]) is None, "chance alone agrees"


def click(x: int, category_id: int = 1) -> Click:
    return Click(str(x), category_id, True, x, 0, 1, None, "click", None, None)


def test_pairs_of_clicks() -> None:
    """The best pairs together: 0-1 and 10-12, although 10 and 9 are nearer; class 2 has no partner."""
    firsts = [click(0), click(10), click(100), click(5, 2)]
    distances, unmatched = pair_clicks(firsts, [click(1), click(12), click(160)], radius=20)
    assert sorted(distances) == [1.0, 2.0] and unmatched == 3
    assert pair_clicks([], [], 5) == ([], 0)
    summary = agreement_of([("object", "object"), ("object", "background")], distances, unmatched)
    assert (summary.answers, summary.same, summary.share, summary.median_distance) == (2, 1, 0.5, 1.5)
