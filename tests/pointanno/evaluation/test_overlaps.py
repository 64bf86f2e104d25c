from __future__ import annotations

import numpy as np
import pytest

from pointanno.evaluation.overlaps import count_overlaps


def test_pairs_are_counted_like_pixel_by_pixel() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, (30, 40)) * 5_000_000
    guess = np.sort(generator.integers(0, 3, (30, 40)), axis=1)
    result = count_overlaps(truth, guess)
    expected = {
        (int(a), int(b)): int(((truth == a) & (guess == b)).sum()) for a in np.unique(truth) for b in np.unique(guess)
    }
    found = zip(result.gt_ids.tolist(), result.pred_ids.tolist(), result.pixels.tolist(), strict=True)
    assert {(a, b): n for a, b, n in found} == {pair: n for pair, n in expected.items() if n}
    assert result.gt_areas() == {int(a): int((truth == a).sum()) for a in np.unique(truth)}
    assert sum(result.pred_areas().values()) == 1200


def test_edges() -> None:
    assert len(count_overlaps(np.zeros((0, 4), int), np.zeros((0, 4), int)).pixels) == 0
    assert count_overlaps(np.ones((2, 2), int), np.ones((2, 2), int)).pixels.tolist() == [4]
    with pytest.raises(ValueError, match="shape"):
        count_overlaps(np.ones((2, 2)), np.ones((2, 3)))
