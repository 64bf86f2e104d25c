"""The assignment of pixels by distances and classes in one pass, without a map for each target (PSPS Eq. 8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import numpy as np

from pointanno.assignment.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]

#: Pixels whose class is not sure enough.
IGNORE_LABEL = 255

#: Added to the largest distance before the division by it, as in the authors' code.
_EPSILON = 1e-5


def assign_by_distances(
    distances: Floats,
    classes: ArrayLike,
    probabilities: Floats | None,
    isthing: ArrayLike,
    *,
    image_size: tuple[int, int] | None = None,
    present: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    compatibility: Literal["class", "class_and_stuff"] = "class",
    norm_margin: float = 0.0,
    stuff_threshold: float = 0.5,
    with_stuff: bool = True,
    numbers: ArrayLike | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Best target of every pixel: the largest ``(1 - D) * P[class of the target]`` (Eq. 8).

    ``D`` is the distance over the largest one of all targets and cells, interpolated to the pixels; among equals
    the first target wins. Pixels whose most probable class is stuff belong to no target.

    Parameters
    ----------
    distances : (K, h, w) float32
        From `shortest_paths`, of thing targets. A target never takes pixels of cells that it cannot reach.
    classes : (K,) int
    probabilities : (C, H, W) float32, optional
        Gated class probabilities. None: the distances alone decide, and there is no stuff.
    isthing : (C,) bool
    image_size : (H, W), optional
        Size of the result; that of the probabilities by default.
    present : (J,) int, optional
        Classes that have a click. The others are not even looked at; all by default.
    boxes : (K, 4) float, optional
        XYXY, continuous pixels: a target takes only pixels that its box touches. Rows of NaN set no limit.
    compatibility : {"class", "class_and_stuff"}
        "class" is the paper: P of the target's class. "class_and_stuff" is the authors' code, which adds the sum of
        P over the stuff classes that are present.
    norm_margin : float
        Distances are divided by (1 + norm_margin) times the largest. With 0, as published, classes do not count
        at all in the farthest pixels.
    stuff_threshold : float
        A pixel of stuff whose probability is below gets the class 255.
    with_stuff : bool
        False: every pixel goes to a thing.
    numbers : (K,) int, optional
        What to write for each target; 0 to K - 1 by default.
    threads : int
        Rows are divided among so many threads. One is right for small images and in workers.

    Returns
    -------
    labels : (H, W) int32
        Number of the target, or -1.
    sem_seg : (H, W) uint8
        Class of the target or of the stuff, or 255.

    Raises
    ------
    ValueError
        If there are more than 255 classes, or neither probabilities nor `image_size`.
    """
    isthing = np.asarray(isthing, np.bool_).reshape(-1)
    classes = np.asarray(classes, np.int64).reshape(-1)
    if len(isthing) > IGNORE_LABEL:
        raise ValueError(f"at most {IGNORE_LABEL} classes fit into sem_seg, but got {len(isthing)}")
    if probabilities is None:
        if image_size is None:
            raise ValueError("image_size is needed where there are no probabilities")
        channels = np.zeros((0, 0, 0), np.float32)
        with_stuff = False
    else:
        channels = np.ascontiguousarray(probabilities, np.float32)
        image_size = channels.shape[1:] if image_size is None else image_size
    shown = np.arange(len(channels)) if present is None else np.asarray(present)
    near, reached = _normalized(np.asarray(distances, np.float32), norm_margin)
    labels = np.empty(image_size, np.int32)
    sem_seg = np.empty(image_size, np.uint8)
    spans = _spans(boxes, len(near), image_size)
    written = np.arange(len(near), dtype=np.int32) if numbers is None else np.asarray(numbers, np.int32)

    def rows(begin: int, end: int) -> None:
        _assign_rows(
            begin,
            end,
            near,
            reached,
            channels,
            classes,
            np.ascontiguousarray(shown, np.int64),
            ~isthing,
            compatibility == "class_and_stuff",
            with_stuff,
            np.float32(stuff_threshold),
            spans,
            written,
            labels,
            sem_seg,
        )

    if threads <= 1:
        rows(0, image_size[0])
    else:
        edges = np.linspace(0, image_size[0], threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(rows, edges[:-1].tolist(), edges[1:].tolist()))
    return labels, sem_seg


def _normalized(distances: Floats, norm_margin: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Distances over their largest finite one, and which are finite (of size 0 if all are).

    Cells that cannot be reached count as the farthest, so that interpolation beside them stays finite.
    """
    finite = np.isfinite(distances)
    if finite.all():
        largest = distances.max(initial=0)
        reached = np.zeros((0, 0, 0), np.bool_)
    else:
        largest = distances.max(initial=0, where=finite)
        distances = np.where(finite, distances, largest).astype(np.float32)
        reached = np.ascontiguousarray(finite)
    over = np.float32(largest) * np.float32(1 + norm_margin) + np.float32(_EPSILON)
    return np.ascontiguousarray(distances / over), reached


def _spans(boxes: ArrayLike | None, count: int, image_size: tuple[int, int]) -> Integers:
    """(K, 4) int64 x0, y0, x1, y1 of the pixels that each target may take, ends excluded."""
    spans = np.tile(np.array([0, 0, image_size[1], image_size[0]], np.int64), (count, 1))
    if boxes is not None:
        given = np.asarray(boxes, np.float64).reshape(-1, 4)
        limited = ~np.isnan(given).any(axis=1)
        low = np.floor(given[limited, :2]).astype(np.int64)
        high = np.ceil(given[limited, 2:]).astype(np.int64)
        spans[limited, :2] = np.maximum(low, 0)
        spans[limited, 2:] = np.minimum(high, spans[limited, 2:])
    return spans


@compiled
def _assign_rows(
    begin: int,
    end: int,
    near: Floats,
    reached: NDArray[np.bool_],
    probabilities: Floats,
    classes: Integers,
    present: Integers,
    is_stuff: NDArray[np.bool_],
    add_stuff: bool,
    with_stuff: bool,
    threshold: np.float32,
    spans: Integers,
    numbers: NDArray[np.int32],
    labels: NDArray[np.int32],
    sem_seg: NDArray[np.uint8],
) -> None:
    """Fill the rows begin to end of `labels` and `sem_seg`.

    Rows of the grid are stretched to the width of the image when the first pixel row needs them, and two of them
    are kept for each target; what remains for a pixel is one interpolation between both, without any look-up.
    """
    count, grid_height, grid_width = near.shape
    height, width = labels.shape
    has_classes = probabilities.shape[0] > 0
    has_holes = reached.shape[0] > 0
    one = np.float32(1)
    row_scale = np.float32(grid_height / height)
    column_scale = np.float32(grid_width / width)
    half = np.float32(0.5)
    left = np.empty(width, np.int64)
    right = np.empty(width, np.int64)
    weight = np.empty(width, np.float32)
    nearest = np.empty(width, np.int64)
    for x in range(width):
        position = max((np.float32(x) + half) * column_scale - half, np.float32(0))
        left[x] = min(np.int64(position), grid_width - 1)
        right[x] = min(left[x] + 1, grid_width - 1)
        weight[x] = position - np.float32(left[x])
        nearest[x] = min(np.int64((np.float32(x) + half) * column_scale), grid_width - 1)
    stretched = np.empty((2, count, width), np.float32)
    held = np.full(2, -1, np.int64)
    best = np.empty(width, np.float32)
    winner = np.empty(width, np.int32)
    top = np.empty(width, np.float32)
    top_class = np.empty(width, np.int32)
    stuff_sum = np.zeros(width, np.float32)
    ones = np.ones(width, np.float32)
    for y in range(begin, end):
        position = max((np.float32(y) + half) * row_scale - half, np.float32(0))
        upper = min(np.int64(position), grid_height - 1)
        lower = min(upper + 1, grid_height - 1)
        lower_weight = position - np.float32(upper)
        upper_weight = one - lower_weight
        own = min(np.int64((np.float32(y) + half) * row_scale), grid_height - 1)
        # row r of the grid lies in slot r modulo 2, so that going down replaces only the older one
        for row in (upper, lower):
            if held[row % 2] != row:
                for k in range(count):
                    _stretch(near[k, row], left, right, weight, stretched[row % 2, k])
                held[row % 2] = row
        best[:] = -1
        winner[:] = -1
        if has_classes and add_stuff:
            stuff_sum[:] = 0
            for j in range(len(present)):
                if is_stuff[present[j]]:
                    stuff_sum += probabilities[present[j], y, :width]
        for k in range(count):
            if y < spans[k, 1] or y >= spans[k, 3]:
                continue
            x0, x1 = spans[k, 0], spans[k, 2]
            if x1 <= x0:
                continue
            compatible = probabilities[classes[k], y, x0:x1] if has_classes else ones[x0:x1]
            if has_holes:
                for x in range(x0, x1):
                    if reached[k, own, nearest[x]]:
                        far = upper_weight * stretched[upper % 2, k, x] + lower_weight * stretched[lower % 2, k, x]
                        score = (one - far) * (compatible[x - x0] + stuff_sum[x])
                        if score > best[x]:
                            best[x] = score
                            winner[x] = k
            else:
                _take(
                    stretched[upper % 2, k, x0:x1],
                    stretched[lower % 2, k, x0:x1],
                    upper_weight,
                    lower_weight,
                    compatible,
                    stuff_sum[x0:x1],
                    np.int32(k),
                    best[x0:x1],
                    winner[x0:x1],
                )
        if with_stuff:
            top[:] = -1
            top_class[:] = 0
            for j in range(len(present)):
                _keep_larger(probabilities[present[j], y, :width], np.int32(present[j]), top, top_class)
        for x in range(width):
            if with_stuff and is_stuff[top_class[x]] and top[x] >= 0:
                labels[y, x] = -1
                sem_seg[y, x] = top_class[x] if top[x] >= threshold else IGNORE_LABEL
            else:
                labels[y, x] = numbers[winner[x]] if winner[x] >= 0 else -1
                sem_seg[y, x] = classes[winner[x]] if winner[x] >= 0 else IGNORE_LABEL


@compiled
def _stretch(row: Floats, left: Integers, right: Integers, weight: Floats, stretched: Floats) -> None:
    """Interpolate one row of the grid to all pixels of a row."""
    for x in range(len(stretched)):
        stretched[x] = (np.float32(1) - weight[x]) * row[left[x]] + weight[x] * row[right[x]]


@compiled
def _take(
    upper: Floats,
    lower: Floats,
    upper_weight: np.float32,
    lower_weight: np.float32,
    compatible: Floats,
    stuff_sum: Floats,
    target: np.int32,
    best: Floats,
    winner: NDArray[np.int32],
) -> None:
    """Give the pixels of a row to a target where its score is larger than the best so far."""
    for x in range(len(best)):
        far = upper_weight * upper[x] + lower_weight * lower[x]
        score = (np.float32(1) - far) * (compatible[x] + stuff_sum[x])
        is_better = score > best[x]
        best[x] = score if is_better else best[x]
        winner[x] = target if is_better else winner[x]


@compiled
def _keep_larger(values: Floats, index: np.int32, top: Floats, top_class: NDArray[np.int32]) -> None:
    """Keep the largest value of each pixel of a row and the class that has it."""
    for x in range(len(top)):
        is_larger = values[x] > top[x]
        top[x] = values[x] if is_larger else top[x]
        top_class[x] = index if is_larger else top_class[x]


@compiled
def count_pixels(labels: NDArray[np.int32], sem_seg: NDArray[np.uint8], targets: int) -> tuple[Integers, Integers]:
    """Pixels of each target, (targets,) int64, and of each class of the semantic map, (256,) int64."""
    of_target = np.zeros(targets, np.int64)
    of_class = np.zeros(256, np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x] >= 0:
                of_target[labels[y, x]] += 1
            of_class[sem_seg[y, x]] += 1
    return of_target, of_class
