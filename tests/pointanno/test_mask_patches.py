"""Patches against pycocotools on whole pictures."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from pointanno import mask_patches
from pointanno.formats.rle import mask_to_rle
from pointanno.mask_patches import MaskPatch, patch_to_rle, rle_in_window, rle_to_patch

MASKS = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 1))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(MASKS, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_there_and_back(patch: np.ndarray, top: int, left: int, below: int, beside: int) -> None:
    whole = np.zeros((patch.shape[0] + top + below, patch.shape[1] + left + beside), np.uint8)
    whole[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
    code = coco_mask.encode(np.asfortranarray(whole))
    rle = patch_to_rle(MaskPatch((top, left), patch), whole.shape)
    assert rle["counts"] == code["counts"].decode()
    assert tuple(rle["size"]) == whole.shape
    for small in (2**20, 0):  # both ways of decoding
        mask_patches._SMALL = small
        try:
            found = rle_to_patch(rle)
        finally:
            mask_patches._SMALL = 2**20
        again = np.zeros_like(whole)
        row, column = found.origin
        again[row : row + found.patch.shape[0], column : column + found.patch.shape[1]] = found.patch
        assert np.array_equal(again, whole)
        if whole.any():
            patch = found.patch.astype(bool)
            assert patch[:, 0].any() and patch[:, -1].any()
            assert patch[0].any() and patch[-1].any()
        else:
            assert found.patch.size == 0


def test_a_small_mask_of_a_huge_picture_needs_little_memory() -> None:
    """60000 x 60000 pixels are 3.6 GB as an array."""
    patch = np.ones((40, 50), np.uint8)
    patch[3, 4] = 0
    tracemalloc.start()
    rle = patch_to_rle(MaskPatch((31_000, 59_000), patch), (60_000, 60_000))
    found = rle_to_patch(rle)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.origin == (31_000, 59_000)
    assert np.array_equal(found.patch, patch)
    assert peak < 20e6


def test_a_patch_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="does not lie in a picture of 10 x 8"):
        patch_to_rle(MaskPatch((5, 5), np.ones((4, 2), np.uint8)), (8, 10))


def test_a_window_of_a_mask() -> None:
    """Against the decoded mask, for windows that touch every border."""
    rng = np.random.default_rng(5)
    mask = rng.random((31, 23)) < 0.4
    for picture in (mask, np.zeros_like(mask), np.ones_like(mask)):
        rle = mask_to_rle(picture)
        for window in ((0, 0, 31, 23), (0, 5, 31, 6), (3, 0, 4, 23), (7, 9, 30, 23), (30, 22, 31, 23)):
            top, left, bottom, right = window
            found = rle_in_window(rle, window)
            assert found.dtype == np.bool_
            np.testing.assert_array_equal(found, picture[top:bottom, left:right])
