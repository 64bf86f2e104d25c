"""Random points in a box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.protocols.sampling import pixel_range, point_seed, sample_points

SIDE = st.floats(-3, 23, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(SIDE, SIDE, st.floats(1, 12), st.floats(1, 12), st.integers(1, 30), st.integers(0, 9))
def test_distinct_pixels_of_box_and_image(x0: float, y0: float, w: float, h: float, n: int, seed: int) -> None:
    box, size = (x0, y0, x0 + w, y0 + h), (20, 18)
    left, right = pixel_range(box[0], box[2], size[1])
    top, bottom = pixel_range(box[1], box[3], size[0])
    total = max(0, right - left) * max(0, bottom - top)
    if total == 0:
        with pytest.raises(ValueError, match="box must touch the image of 18 x 20 pixels"):
            sample_points(box, n, size, seed=seed)
        return
    found = sample_points(box, n, size, seed=seed)
    assert found.shape == (min(n, total), 2) and found.dtype == np.int32
    assert len({tuple(point) for point in found.tolist()}) == len(found)
    assert (found >= [left, top]).all() and (found < [right, bottom]).all()
    assert (found >= 0).all() and (found < [18, 20]).all()
    assert np.array_equal(found, sample_points(box, n, size, seed=seed))


def test_floor_rule() -> None:
    """Box [2.4, 4.1] + [3.2, 2.9]: the first position falls on (2, 4), the last one on (5, 6)."""
    assert pixel_range(2.4, 2.4 + 3.2, 100) == (2, 6)
    assert pixel_range(4.1, 4.1 + 2.9, 100) == (4, 7)
    found = sample_points((2.4, 4.1, 5.6, 7.0), 100, (50, 50), seed=0)
    assert sorted(map(tuple, found.tolist())) == [(x, y) for x in range(2, 6) for y in range(4, 7)]


@pytest.mark.parametrize("size", [(4, 4), (40, 40)])
def test_pixels_are_drawn_by_the_part_that_the_box_covers(size: tuple[int, int]) -> None:
    """A box from 0.5 to 2.0 covers half of column 0 and all of column 1: a third and two thirds of the draws.

    3,000 draws of one point: the share of column 0 is 1/3 with a standard deviation of 0.0086; five are allowed.
    """
    height = 2.0 if size == (4, 4) else 30.0
    first = [sample_points((0.5, 0, 2, height), 1, size, seed=seed)[0, 0] for seed in range(3000)]
    assert abs(np.mean(np.array(first) == 0) - 1 / 3) < 5 * 0.0086


def test_other_seeds_give_other_points() -> None:
    drawn = {sample_points((0, 0, 30, 30), 10, (30, 30), seed=seed).tobytes() for seed in range(20)}
    assert len(drawn) == 20


def test_seed_depends_on_everything() -> None:
    seeds = {
        point_seed(project, image, box, resample)
        for project in (0, 1)
        for image in "ab"
        for box in "cd"
        for resample in (0, 1)
    }
    assert len(seeds) == 16 and all(0 <= seed < 2**48 for seed in seeds)
    assert point_seed(0, "a", "b", 0) == point_seed(0, "a", "b", 0)


def test_a_large_box_needs_no_list_of_its_pixels() -> None:
    found = sample_points((0, 0, 1e6, 1e6), 10, (10**6, 10**6), seed=1)
    assert found.shape == (10, 2) and found.max() > 10**5
