"""Ids of a preview's segments that stay put from one refresh to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

LEAST_IOU = 0.1
"""Overlap below which two segments are not the same object."""


def stable_ids(
    before: NDArray[np.unsignedinteger[Any]] | None,
    classes_before: Mapping[int, int],
    labels: NDArray[np.unsignedinteger[Any]],
    segments: Sequence[Mapping[str, Any]],
) -> dict[int, int]:
    """Display id of each new segment.

    Segments of one class keep the id of the old segment that they overlap most, as a whole: the assignment
    with the largest sum of IoU. All others get the smallest free ids.

    Parameters
    ----------
    before : (H, W) unsigned int or None
        What is displayed now, in display ids; None or another size if there is nothing to follow.
    classes_before : mapping
        Category id of each display id in `before`.
    labels : (H, W) unsigned int
        New ids, 0 is void.
    segments : sequence of mapping
        `id` and `category_id` of each new segment.

    Returns
    -------
    dict
        New id to display id, from 1.
    """
    ids = [int(segment["id"]) for segment in segments]
    result: dict[int, int] = {}
    if before is not None and before.shape == labels.shape and classes_before and ids:
        iou = _iou(before, sorted(classes_before), labels, ids)
        same = np.array(
            [[classes_before[old] == segment["category_id"] for segment in segments] for old in sorted(classes_before)]
        )
        iou = np.where(same, iou, 0.0)
        rows, columns = linear_sum_assignment(-iou)
        olds = sorted(classes_before)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if iou[row, column] >= LEAST_IOU:
                result[ids[column]] = olds[row]
    taken = set(result.values())
    free = (number for number in range(1, len(ids) + len(taken) + 2) if number not in taken)
    for number in ids:
        if number not in result:
            result[number] = next(free)
    return result


def relabelled(labels: NDArray[np.unsignedinteger[Any]], ids: Mapping[int, int]) -> NDArray[np.unsignedinteger[Any]]:
    """The labels in display ids, in the smallest unsigned type that holds them."""
    largest = max([*ids.values(), 0])
    table = np.zeros(max(int(labels.max(initial=0)), *ids, 0) + 1, dtype=np.uint8 if largest < 256 else np.uint16)
    for number, display in ids.items():
        table[number] = display
    shown: NDArray[np.unsignedinteger[Any]] = table[labels]
    return shown


def _iou(
    before: NDArray[np.unsignedinteger[Any]], olds: list[int], labels: NDArray[np.unsignedinteger[Any]], news: list[int]
) -> NDArray[np.float64]:
    """IoU of each old with each new segment: (old, new)."""
    old_index = np.zeros(max(int(before.max(initial=0)), *olds) + 1, dtype=np.int64)
    old_index[olds] = np.arange(1, len(olds) + 1)
    new_index = np.zeros(max(int(labels.max(initial=0)), *news) + 1, dtype=np.int64)
    new_index[news] = np.arange(1, len(news) + 1)
    pairs = old_index[before] * (len(news) + 1) + new_index[labels]
    table = np.bincount(pairs.ravel(), minlength=(len(olds) + 1) * (len(news) + 1))
    table = table.reshape(len(olds) + 1, len(news) + 1).astype(np.float64)
    inter = table[1:, 1:]
    union = table.sum(axis=1)[1:, None] + table.sum(axis=0)[None, 1:] - inter
    iou: NDArray[np.float64] = inter / np.maximum(union, 1)
    return iou
