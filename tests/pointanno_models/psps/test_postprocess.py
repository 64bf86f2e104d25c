"""Scores and merging by hand; acceptance check I of PSPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pointanno_models.psps.postprocess import (
    best_candidates,
    candidates_to_prediction,
    enlarge_mask,
    merge_segments,
    segment_scores,
)
from pointanno_models.psps.recipe import TestSettings as Settings

SETTINGS = Settings(
    short_side=0,
    long_side=0,
    candidates=100,
    mask_threshold=0.5,
    least_score=0.25,
    thing_overlap=0.4,
    stuff_overlap=0.2,
    tile=0,
    tile_overlap=0,
)
IDS = (30, 40, 7, 8)
"""Two things, two kinds of stuff."""


def merge(masks: np.ndarray, scores: list[float], labels: list[int]) -> tuple[np.ndarray, list[Any]]:
    found = merge_segments(masks, np.array(scores), np.array(labels), num_things=2, category_ids=IDS, settings=SETTINGS)
    return found.panoptic_seg, list(found.segments_info)


@pytest.mark.parametrize(("class_score", "expected"), [(0.8, 0.648), (0.3, 0.243)])
def test_class_score_and_mean_mask(class_score: float, expected: float) -> None:
    """Check I: 0.8 times the square of 0.9; over a large mask the 1 in the denominator hardly counts."""
    masks = torch.zeros(1, 400, 400)
    masks[:, :200] = 0.9
    masks[:, 200:] = 0.4  # below the threshold: not part of the mask
    scores, binary = segment_scores(masks, torch.tensor([class_score]), 0.5)
    assert scores.item() == pytest.approx(expected, abs=1e-4)
    assert binary.sum() == 400 * 200


def test_check_i_rejects_the_lower_class_score() -> None:
    masks = torch.full((2, 100, 100), 0.9)
    masks[0, :, 50:] = 0
    masks[1, :, :50] = 0
    found = candidates_to_prediction(
        masks, torch.tensor([0.8, 0.3]), torch.tensor([0, 1]),
        input_size=(100, 100), image_size=(100, 100), stride=1, num_things=2, category_ids=IDS, settings=SETTINGS,
    )  # fmt: skip
    assert [info["category_id"] for info in found.segments_info] == [30]
    assert found.segments_info[0]["score"] == pytest.approx(0.648, abs=1e-3)


def test_what_exceeds_one_counts_as_one() -> None:
    """Unbounded masks of 3 over 99 pixels: mean 99 / 100, score 0.5 * 0.99^2."""
    masks = torch.zeros(1, 10, 10)
    masks.view(-1)[:99] = 3.0
    scores, _ = segment_scores(masks, torch.tensor([0.5]), 0.5)
    assert scores.item() == pytest.approx(0.5 * 0.99**2)


def test_the_best_is_painted_first_and_the_rest_around_it() -> None:
    """A row of ten: the second covers 4 to 9, of which 4 and 5 are taken (a third, allowed to a thing)."""
    masks = np.zeros((2, 1, 10), bool)
    masks[0, 0, :6] = True
    masks[1, 0, 4:] = True
    seg, infos = merge(masks, [0.5, 0.9], [0, 1])
    assert seg.tolist() == [[2, 2, 2, 2, 1, 1, 1, 1, 1, 1]]
    assert infos == [
        {"id": 1, "category_id": 40, "isthing": True, "area": 6, "score": 0.9},
        {"id": 2, "category_id": 30, "isthing": True, "area": 4, "score": 0.5},
    ]


def test_too_much_overlap_is_left_out_more_strictly_for_stuff() -> None:
    """Three of ten pixels are taken: allowed to a thing (0.4), too much for stuff (0.2). Five are too much for both."""
    masks = np.zeros((2, 1, 14), bool)
    masks[0, 0, :4] = True
    masks[1, 0, 1:11] = True
    assert merge(masks, [0.9, 0.8], [0, 1])[0].tolist() == [[1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0]]
    assert len(merge(masks, [0.9, 0.8], [0, 2])[1]) == 1
    masks[0, 0, :6] = True
    assert len(merge(masks, [0.9, 0.8], [0, 1])[1]) == 1


def test_exactly_the_limit_is_allowed() -> None:
    """Two of ten are taken: 0.2 is not more than 0.2."""
    masks = np.zeros((2, 1, 12), bool)
    masks[0, 0, :4] = True
    masks[1, 0, 2:12] = True
    assert len(merge(masks, [0.9, 0.8], [0, 2])[1]) == 2


def test_low_scores_and_empty_masks_are_left_out() -> None:
    masks = np.zeros((3, 2, 2), bool)
    masks[0] = True
    seg, infos = merge(masks, [0.24, 0.9, 0.9], [0, 1, 2])
    assert not seg.any() and not infos


def test_order_of_the_candidates_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((6, 12, 12)) < 0.4
    scores = [0.3, 0.9, 0.5, 0.7, 0.4, 0.6]
    labels = [0, 1, 2, 3, 0, 1]
    one, infos = merge(masks, scores, labels)
    order = rng.permutation(6)
    two, others = merge(masks[order], [scores[i] for i in order], [labels[i] for i in order])
    assert (one == two).all() and infos == others


def test_best_pairs_of_query_and_class() -> None:
    """A query may come twice with different classes."""
    logits = torch.tensor([[2.0, 3.0], [-1.0, 0.5]])
    found = best_candidates(logits, 3)
    assert found.queries.tolist() == [0, 0, 1]
    assert found.labels.tolist() == [1, 0, 1]
    torch.testing.assert_close(found.scores, torch.tensor([3.0, 2.0, 0.5]).sigmoid())
    assert len(best_candidates(logits, 100).queries) == 4


def test_masks_are_enlarged_without_their_padding() -> None:
    """Cells of four pixels, of which the first two and a half are the picture: the padding counts nothing."""
    mask = torch.tensor([[0.0, 1.0, 1.0, 9.0]]).expand(4, 4)
    found = enlarge_mask(mask, (16, 10), (16, 10), 4)
    assert found.shape == (16, 10)
    assert found.max() == 1
    torch.testing.assert_close(found[0, 2:6], torch.tensor([0.125, 0.375, 0.625, 0.875]))
    assert enlarge_mask(mask, (16, 10), (33, 21), 4).shape == (33, 21)
