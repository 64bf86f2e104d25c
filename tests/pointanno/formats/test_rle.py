from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from pointanno.formats.rle import (
    box_to_rle,
    counts_to_rle,
    label_map_to_rles,
    mask_to_rle,
    rle_area,
    rle_at,
    rle_difference,
    rle_to_counts,
    rle_to_mask,
    rle_to_xywh,
    rle_union,
    segmentation_to_rle,
)


def _random_mask(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    height, width = generator.integers(1, 70, 2)
    blocks = generator.random((height // 3 + 1, width // 3 + 1)) < generator.random()
    return np.kron(blocks, np.ones((3, 3), bool))[:height, :width]


def _code_of(counts: list[int]) -> str:
    """COCO's string of any run lengths, impossible ones too; up to three of them."""
    text = ""
    for count in counts:
        more = True
        while more:
            bits, count = count & 31, count >> 5
            more = count != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return text


@given(st.integers(0, 2**32))
def test_runs_and_lookups_agree_with_pycocotools(seed: int) -> None:
    mask = _random_mask(seed)
    rle = mask_to_rle(mask)
    assert np.array_equal(rle_to_mask(rle), mask)
    counts = rle_to_counts(rle)
    decoded = np.repeat(np.arange(len(counts)) % 2, counts).reshape(mask.shape, order="F")
    assert np.array_equal(decoded, mask)
    y, x = np.indices(mask.shape)
    assert np.array_equal(rle_at(rle, np.stack([x, y], axis=-1)), mask)
    assert rle_area(rle) == mask.sum()


def test_long_runs_need_several_characters() -> None:
    """A run of 600,000 has 20 bits, four characters; differences to it are negative."""
    mask = np.zeros((1000, 1000), bool)
    mask[:, 600:] = True
    mask[5, 7] = True
    rle = mask_to_rle(mask)
    assert rle_to_counts(rle).tolist() == [7005, 1, 592994, 400000]
    assert rle_at(rle, [[7, 5], [8, 5], [600, 0], [599, 999]]).tolist() == [1, 0, 1, 0]


def test_points_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="5 x 4 pixels"):
        rle_at(mask_to_rle(np.ones((4, 5), bool)), [[5, 0]])


def test_all_forms_of_a_segmentation_give_the_same_code() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2:5, 1:4] = True
    rle = mask_to_rle(mask)
    polygon = [[1.0, 2.0, 4.0, 2.0, 4.0, 5.0, 1.0, 5.0]]
    uncompressed = {"size": [6, 8], "counts": rle_to_counts(rle).tolist()}
    as_bytes = {"size": [6, 8], "counts": rle["counts"].encode()}
    for segmentation in (polygon, uncompressed, as_bytes, rle):
        before = copy.deepcopy(segmentation)
        assert segmentation_to_rle(segmentation, (6, 8)) == rle
        assert segmentation == before


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([], "at least one polygon"),
        ([[1.0, 2.0, 3.0, 4.0]], "at least 6 values, but got 4"),
        ([[1.0] * 7], "at least 6 values, but got 7"),
        ({"size": [8, 6], "counts": "0"}, r"size \[8, 6\], but the image has \[6, 8\]"),
        ({"size": [6, 8], "counts": [10]}, "cover 10 pixels, but the image has 48"),
        ({"size": [6, 8], "counts": "04"}, "cover 4 pixels, but the image has 48"),
        ({"size": [6, 8], "counts": 7}, "a list of integers or a string"),
        ("polygon", "must be polygons or"),
    ],
)
def test_broken_segmentations_are_named(segmentation: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        segmentation_to_rle(segmentation, (6, 8))


def test_a_label_map_is_taken_apart_at_once() -> None:
    labels = np.random.default_rng(1).integers(0, 5, (9, 7)) * 300
    codes = label_map_to_rles(labels)
    assert list(codes) == [300, 600, 900, 1200]
    for label, rle in codes.items():
        assert rle == mask_to_rle(labels == label)
    assert label_map_to_rles(np.zeros((3, 3), int)) == {}
    assert label_map_to_rles(np.full((3, 3), 2)) == {2: mask_to_rle(np.ones((3, 3), bool))}


def test_a_filled_box_covers_the_pixels_whose_centres_it_holds() -> None:
    """x: centres 2.5 and 3.5 lie in [2.4, 3.6], 1.5 and 4.5 do not; y: 0.5 lies in [-1, 0.5] as its lower end."""
    mask = rle_to_mask(box_to_rle((2.4, -1.0, 3.6, 1.0), (4, 6)))
    assert np.argwhere(mask).tolist() == [[0, 2], [0, 3]]
    assert rle_to_xywh(box_to_rle((1, 1, 4, 3), (4, 6))) == (1.0, 1.0, 3.0, 2.0)
    assert rle_area(box_to_rle((9, 9, 12, 12), (4, 6))) == 0


def test_counts_must_cover_the_picture() -> None:
    assert counts_to_rle([0, 6], (2, 3)) == mask_to_rle(np.ones((2, 3), bool))
    assert coco_mask.area(counts_to_rle([1, 2, 3], (2, 3))) == 2
    with pytest.raises(ValueError, match="cover 7 pixels"):
        counts_to_rle([7], (2, 3))


@pytest.mark.parametrize(
    "segmentation",
    [
        [[0, 0, 1e9, 0, 5, 1e9]],
        [[-1e9, -1e9, 9, 0, 5, 9]],
        [[None] * 6],
        [[0, 0, "9", 0, 9, 9]],
        [[[1, 2], [3], [5, 6]]],
        {"size": [64, 64], "counts": [5000, -1000, 96]},
        {"size": [64, 64], "counts": [2**63 - 1, 2**63 - 1, 4098]},
        {"size": [64, 64], "counts": [2**64 - 1]},
        {"size": [64, 64], "counts": [2047.5, 2048.5]},
        {"size": [64, 64], "counts": "PPP"},
        {"size": [64, 64], "counts": "o" * 100 + "0"},
        {"size": [64, 64], "counts": _code_of([5000, -1000, 96])},
        {"size": [64, 64], "counts": _code_of([4096 + 2**32, -(2**32)])},
    ],
)
def test_what_would_crash_pycocotools_is_refused(segmentation: object) -> None:
    with pytest.raises(ValueError, match=r"polygon|runs? cover|counts"):
        segmentation_to_rle(segmentation, (64, 64))


def test_masks_beyond_32_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="up to 4294967295 pixels"):
        segmentation_to_rle([[0, 0, 9, 0, 9, 9]], (2**20, 2**20))


def test_unions_and_differences_by_runs() -> None:
    """Against the masks themselves, and as the same text that encoding the result gives."""
    rng = np.random.default_rng(3)
    corner = np.zeros((9, 7), dtype=bool)
    corner[0, 0] = corner[-1, -1] = True
    masks = [rng.random((9, 7)) < share for share in (0.0, 0.2, 0.5, 0.9, 1.0)] + [corner]
    for one in masks:
        for other in masks:
            codes = mask_to_rle(one), mask_to_rle(other)
            assert rle_union(codes) == mask_to_rle(one | other)
            assert rle_difference(*codes) == mask_to_rle(one & ~other)
    assert rle_union([mask_to_rle(one) for one in masks[:3]]) == mask_to_rle(masks[0] | masks[1] | masks[2])
