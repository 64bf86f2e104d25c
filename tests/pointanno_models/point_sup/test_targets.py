"""Sub-sampling of points: acceptance check 6 of PointSup; and points as targets of the implicit head (3, 4)."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from pointanno_models.point_sup.losses import point_cross_entropy
from pointanno_models.point_sup.targets import answered_points, subsample_points


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


def test_answered_points_are_relative_to_the_proposal_and_some_do_not_count() -> None:
    """Proposal 2..10 x 4..12: a border point counts, one outside and an unsure one do not; classes by match."""
    target = {
        "point_coords": torch.tensor([[[0.0, 0.0]] * 4, [[4.0, 8.0], [10.0, 12.0], [10.5, 8.0], [5.0, 6.0]]]),
        "point_labels": torch.tensor([[0] * 4, [1, 0, 1, -1]], dtype=torch.int8),
    }
    empty = {"point_coords": torch.zeros(0, 4, 2), "point_labels": torch.zeros(0, 4, dtype=torch.int8)}
    places, answers, weight = answered_points(
        [torch.zeros(0, 4), torch.tensor([[2.0, 4.0, 10.0, 12.0]])],
        [empty, target],
        [torch.zeros(0, dtype=torch.long), torch.tensor([1])],
    )
    assert places.tolist() == [[[0.25, 0.5], [1.0, 1.0], [0.5, 0.5], [0.5, 0.5]]]
    assert weight.tolist() == [[1.0, 1.0, 0.0, 0.0]]
    assert answers[0, :2].tolist() == [1.0, 0.0]
    assert ((answers == 0) | (answers == 1)).all()


def test_loss_at_answered_points_is_that_of_the_conv_head() -> None:
    """Check 3 for the implicit head: same terms, same division by all points: 0.228567."""
    target = {
        "point_coords": torch.tensor([[[2.0, 2.0], [6.0, 2.0], [2.0, 6.0], [6.0, 6.0]]]),
        "point_labels": torch.tensor([[1, 0, 1, -1]], dtype=torch.int8),
    }
    box, matched = [torch.tensor([[0.0, 0.0, 8.0, 8.0]])], [torch.tensor([0])]
    places, answers, weight = answered_points(box, [target], matched)
    values = torch.tensor([[2.0, -1.0, 0.5, 3.0]])
    loss = functional.binary_cross_entropy_with_logits(values, answers, weight)
    conv = point_cross_entropy(values.reshape(1, 2, 2), places, target["point_labels"])
    torch.testing.assert_close(loss, conv)
    torch.testing.assert_close(loss, torch.tensor(0.228567), atol=1e-5, rtol=0)


def test_no_proposals_have_no_answered_points() -> None:
    target = {"point_coords": torch.zeros(0, 5, 2), "point_labels": torch.zeros(0, 5, dtype=torch.int8)}
    places, answers, weight = answered_points([torch.zeros(0, 4)], [target], [torch.zeros(0, dtype=torch.long)])
    assert places.shape == (0, 5, 2)
    assert answers.shape == weight.shape == (0, 5)
