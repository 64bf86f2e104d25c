"""Sub-sampling of points: acceptance check 6 of PointSup."""

from __future__ import annotations

import numpy as np

from pointanno_models.point_sup.targets import subsample_points


def test_half_of_ten_without_replacement_and_without_preference() -> None:
    coords = np.stack([np.arange(10), np.zeros(10)], axis=-1)[None].astype(np.float32)
    labels = np.ones((1, 10), dtype=np.int8)
    rng = np.random.default_rng(0)
    used = np.zeros(10, dtype=int)
    for _ in range(1000):
        drawn, drawn_labels = subsample_points(coords, labels, rng)
        indices = drawn[0, :, 0].astype(int)
        assert len(set(indices.tolist())) == 5
        assert (drawn_labels == 1).all()
        used[indices] += 1
    assert ((used >= 450) & (used <= 550)).all(), used


def test_ignored_points_are_never_drawn_and_fill_no_slot() -> None:
    """Four usable points of ten: two are drawn, three slots stay ignored; none usable: all slots ignored."""
    coords = np.tile(np.arange(10, dtype=np.float32)[None, :, None], (2, 1, 2))
    labels = np.full((2, 10), -1, dtype=np.int8)
    labels[0, [1, 3, 5, 7]] = [0, 1, 0, 1]
    rng = np.random.default_rng(1)
    for _ in range(50):
        drawn, drawn_labels = subsample_points(coords, labels, rng)
        assert drawn.shape == (2, 5, 2)
        kept = drawn_labels[0] != -1
        assert kept.sum() == 2
        for x, label in zip(drawn[0, kept, 0], drawn_labels[0, kept], strict=True):
            assert labels[0, int(x)] == label
        assert (drawn_labels[1] == -1).all()


def test_a_single_point_is_always_kept() -> None:
    _, labels = subsample_points(np.zeros((3, 1, 2), np.float32), np.ones((3, 1), np.int8), np.random.default_rng(0))
    assert labels.tolist() == [[1], [1], [1]]


def test_no_points() -> None:
    coords, labels = subsample_points(
        np.zeros((2, 0, 2), np.float32), np.zeros((2, 0), np.int8), np.random.default_rng(0)
    )
    assert coords.shape == (2, 0, 2)
    assert labels.shape == (2, 0)
