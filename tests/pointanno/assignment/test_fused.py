"""Acceptance L of PSPS: Eq. 8, and the pass over the pixels against maps of every target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.assignment import IGNORE_LABEL, assign_by_distances
from pointanno.benchmark.assignment_peers import choose_from_maps


def label_of(near: tuple[float, float], probability: tuple[float, float], **switches: Any) -> int:
    """Label of one pixel of an image of two: the other one is the farthest, at distance 1 of a click of class 0."""
    distances = np.array([[[near[0], 1]], [[near[1], 0.5]]], np.float32)
    probabilities = np.array([[[probability[0], 1]], [[probability[1], 0]]], np.float32)
    labels, _ = assign_by_distances(distances, [0, 1], probabilities, [True, True], **switches)
    return int(labels[0, 0])


def test_class_and_distance_are_multiplied() -> None:
    """.2 * .9 = .18 against .6 * .05 = .03: the class decides, although the other click is nearer."""
    assert label_of((0.8, 0.4), (0.9, 0.05)) == 0


def test_in_the_farthest_pixels_the_class_does_not_count() -> None:
    """0 * .9 against .5 * .05: the weakness that the spec documents; with a margin it is gone."""
    assert label_of((1.0, 0.5), (0.9, 0.05)) == 1
    assert label_of((1.0, 0.5), (0.9, 0.05), norm_margin=0.1) == 0


def test_stuff_in_the_compatibility_lets_a_wrong_class_win() -> None:
    """Paper: .2 * .3 = .06 against .6 * .05 = .03. Code: .2 * .5 = .10 against .6 * .25 = .15."""
    distances = np.array([[[0.8, 1]], [[0.4, 0]]], np.float32)
    probabilities = np.array([[[0.3, 1]], [[0.05, 0]], [[0.2, 0]]], np.float32)
    found = {}
    for compatibility in ("class", "class_and_stuff"):
        switches: Any = {"compatibility": compatibility}
        labels, _ = assign_by_distances(distances, [0, 1], probabilities, [True, True, False], **switches)
        found[compatibility] = int(labels[0, 0])
    assert found == {"class": 0, "class_and_stuff": 1}


def test_stuff_is_what_is_most_probable_and_sure_enough() -> None:
    distances = np.zeros((1, 1, 4), np.float32)
    probabilities = np.array([[[0.6, 0.3, 0.45, 0.5]], [[0.4, 0.7, 0.46, 0.5]]], np.float32)
    labels, sem_seg = assign_by_distances(distances, [0], probabilities, [True, False])
    # a tie between both classes goes to the first
    assert labels.tolist() == [[0, -1, -1, 0]]
    assert sem_seg.tolist() == [[0, 1, IGNORE_LABEL, 0]]
    labels, sem_seg = assign_by_distances(distances, [0], probabilities, [True, False], with_stuff=False)
    assert labels.tolist() == [[0, 0, 0, 0]] == sem_seg.tolist()


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    """Grids of any shape under images of any other, ties included, and present classes only."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    things, stuff, targets = draw(st.integers(1, 4)), draw(st.integers(0, 3)), draw(st.integers(1, 12))
    distances = rng.random((targets, *cells)).astype(np.float32)
    if draw(st.booleans()):
        distances = np.round(distances * 2) / np.float32(2)
    probabilities = rng.random((things + stuff, *size)).astype(np.float32)
    probabilities /= probabilities.sum(axis=0)
    isthing = np.arange(things + stuff) < things
    return distances, rng.integers(0, things, targets), probabilities, isthing


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(1, 3))
def test_one_pass_equals_a_map_for_each_target(case: tuple[Any, ...], threads: int) -> None:
    """Ties and rounding included: both interpolate in the same order."""
    labels, sem_seg = assign_by_distances(*case, compatibility="class_and_stuff", threads=threads)
    expected, expected_sem_seg = choose_from_maps(*case)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(sem_seg, expected_sem_seg)


def test_only_present_classes_are_looked_at() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random((6, 20, 30)).astype(np.float32)
    distances = rng.random((3, 5, 7)).astype(np.float32)
    isthing = [True, True, True, False, False, False]
    absent = probabilities.copy()
    absent[[1, 3]] = 0
    expected = assign_by_distances(distances, [0, 2, 2], absent, isthing)
    found = assign_by_distances(distances, [0, 2, 2], probabilities, isthing, present=[0, 2, 4, 5])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_box_limits_its_target() -> None:
    """Pixels that the box touches; what no box covers belongs to nobody."""
    distances = np.array([[[0.0]], [[1.0]]], np.float32)
    probabilities = np.ones((1, 4, 6), np.float32)
    boxes = np.array([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 4.5, 4.0]])
    labels, sem_seg = assign_by_distances(distances, [0, 0], probabilities, [True], boxes=boxes)
    assert labels.tolist() == [
        [1, 1, 1, 1, 1, -1],
        [1, 0, 0, 1, 1, -1],
        [1, 0, 0, 1, 1, -1],
        [1, 1, 1, 1, 1, -1],
    ]
    assert (sem_seg == np.where(labels < 0, IGNORE_LABEL, 0)).all()
    boxes[1] = np.nan
    labels, _ = assign_by_distances(distances, [0, 0], probabilities, [True], boxes=boxes)
    assert (labels >= 0).all()
    nothing = np.array([[3.0, 3.0, 3.0, 3.0], [9.0, 9.0, 12.0, 12.0]])
    assert (assign_by_distances(distances, [0, 0], probabilities, [True], boxes=nothing)[0] == -1).all()


def test_cells_that_are_out_of_reach_are_not_taken() -> None:
    distances = np.array([[[0, np.inf]], [[np.inf, np.inf]]], np.float32)
    labels, _ = assign_by_distances(distances, [0, 0], np.ones((1, 2, 8), np.float32), [True])
    assert labels.tolist() == [[0, 0, 0, 0, -1, -1, -1, -1]] * 2


def test_without_probabilities_the_distance_decides() -> None:
    distances = np.array([[[0.0, 1.0]], [[1.0, 0.0]]], np.float32)
    labels, sem_seg = assign_by_distances(distances, [0, 1], None, [True, False], image_size=(1, 4))
    assert labels.tolist() == [[0, 0, 1, 1]] == sem_seg.tolist()
    labels, _ = assign_by_distances(distances, [0, 1], None, [True, False], image_size=(1, 4), numbers=[7, 3])
    assert labels.tolist() == [[7, 7, 3, 3]]
    with pytest.raises(ValueError, match="image_size"):
        assign_by_distances(distances, [0, 1], None, [True, False])


def test_no_target_at_all() -> None:
    """An image with stuff only: its classes are found as usual."""
    probabilities = np.array([[[0.2, 0.9]], [[0.8, 0.1]]], np.float32)
    labels, sem_seg = assign_by_distances(np.zeros((0, 1, 1), np.float32), [], probabilities, [True, False])
    assert labels.tolist() == [[-1, -1]]
    assert sem_seg.tolist() == [[1, IGNORE_LABEL]]


def test_more_classes_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 255 classes"):
        assign_by_distances(np.zeros((1, 1, 1), np.float32), [0], np.zeros((256, 1, 1), np.float32), [True] * 256)
