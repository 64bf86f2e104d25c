"""Pixels that the segments of two label maps share: all that PQ and mIoU need of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Pairs of ids that occur at the same pixel.

    Attributes
    ----------
    gt_ids, pred_ids : (N,) int64
        Ids of each pair, pairs ascending.
    pixels : (N,) int64
        Pixels of each pair.
    """

    gt_ids: NDArray[np.int64]
    pred_ids: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def gt_areas(self) -> dict[int, int]:
        """Pixels of each id of the truth."""
        return _sum_by_id(self.gt_ids, self.pixels)

    def pred_areas(self) -> dict[int, int]:
        """Pixels of each id of the prediction."""
        return _sum_by_id(self.pred_ids, self.pixels)


def count_overlaps(gt_seg: NDArray[Any], pred_seg: NDArray[Any]) -> Overlaps:
    """Count all pairs of ids in one pass.

    Only places where either map changes are sorted; along a row both are constant over many pixels, so this is
    several times faster than sorting pixels.

    Parameters
    ----------
    gt_seg, pred_seg : (H, W) int, from 0 to 2**31 - 1

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if gt_seg.shape != pred_seg.shape:
        raise ValueError(f"the prediction has shape {pred_seg.shape}, but the truth has {gt_seg.shape}")
    joint = np.asarray(gt_seg, dtype=np.int64).ravel() << 32
    joint |= np.asarray(pred_seg, dtype=np.int64).ravel()
    if joint.size == 0:
        empty = np.zeros(0, np.int64)
        return Overlaps(empty, empty, empty)
    starts = np.concatenate([[0], np.flatnonzero(joint[1:] != joint[:-1]) + 1])
    lengths = np.diff(starts, append=joint.size)
    pairs, inverse = np.unique(joint[starts], return_inverse=True)
    pixels = np.bincount(inverse, weights=lengths, minlength=len(pairs))  # exact below 2**53 pixels
    return Overlaps(pairs >> 32, pairs & (2**32 - 1), pixels.astype(np.int64))


def _sum_by_id(ids: NDArray[np.int64], pixels: NDArray[np.int64]) -> dict[int, int]:
    """Sum of pixels of each id."""
    found, inverse = np.unique(ids, return_inverse=True)
    sums = np.bincount(inverse, weights=pixels, minlength=len(found)).astype(np.int64)
    return dict(zip(found.tolist(), sums.tolist(), strict=True))
