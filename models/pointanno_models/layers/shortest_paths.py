"""Pixels to clicks on the device: the twin of ``pointanno.assignment``, batched over images and targets.

Shapes: B images, K targets, C classes, H W pixels, h w cells of the grid. Nothing is copied to the host but one
flag every few relaxations, which says whether any distance still fell.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

#: (row, column) of the eight neighbours, row-major without the centre; 7 - n is opposite to n.
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))

#: Pixels whose class is not sure enough.
IGNORE_LABEL = 255

_EPSILON = 1e-5


@torch.no_grad()
def edge_costs(
    probabilities: Tensor | None,
    boundary: Tensor | None,
    embedding: Tensor | None = None,
    *,
    boundary_weight: float = 0.1,
    manifold_weight: float = 0.1,
    tie: float = 1e-4,
    normalize_embedding: bool = True,
    valid: Tensor | None = None,
) -> Tensor:
    """Directed costs of all steps, as ``pointanno.assignment.edge_costs`` computes them for one image (PSPS Eq. 4).

    Parameters
    ----------
    probabilities : (B, C, h, w) float, optional
        Gated class probabilities on the grid.
    boundary : (B, h, w) float, optional
        In [0, 1].
    embedding : (B, D, h, w) float, optional
    boundary_weight, manifold_weight, tie, normalize_embedding
        See ``pointanno.assignment.edge_costs``.
    valid : (B, h, w) bool, optional
        Cells that exist; no step leads into or out of others.

    Returns
    -------
    (B, 8, h, w) float32
        Infinite where a step does not exist.
    """
    given = next(each for each in (probabilities, boundary, embedding) if each is not None)
    batch, (height, width) = given.shape[0], given.shape[-2:]
    exists = given.new_ones((batch, height, width), dtype=torch.bool) if valid is None else valid
    if embedding is not None and normalize_embedding:
        embedding = functional.normalize(embedding.float(), dim=1)
    costs = given.new_full((batch, 8, height, width), torch.inf, dtype=torch.float32)
    for n, (dy, dx) in enumerate(NEIGHBOURS):
        here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
        cost = torch.full_like(costs[:, n, *here], tie)
        if probabilities is not None:
            cost += (probabilities[..., *here].float() - probabilities[..., *there].float()).abs().sum(1)
        if embedding is not None:
            cosine = (embedding[..., *here].float() * embedding[..., *there].float()).sum(1)
            cost += manifold_weight * (1 - cosine).clamp(min=0)
        if boundary is not None:
            cost += boundary_weight * boundary[..., *there].float()
        costs[:, n, *here] = cost.masked_fill(~(exists[..., *here] & exists[..., *there]), torch.inf)
    return costs


@torch.no_grad()
def shortest_paths(costs: Tensor, seeds: Tensor, targets: int, *, check_every: int = 8) -> Tensor:
    """Smallest sum of costs on a way from any click of a target to each cell (PSPS Eq. 3).

    Every relaxation compares each cell with its eight neighbours at once, until nothing falls any more; the result
    has the same bits as ``pointanno.assignment.shortest_paths``.

    Parameters
    ----------
    costs : (B, 8, h, w) float32, not negative
        From `edge_costs`; infinite where no step exists.
    seeds : (S, 4) int64
        One row for each click: image, target, x, y of the cell. Several clicks of a target: the smallest over them.
    targets : int
        K, the largest number of targets of an image.
    check_every : int
        Relaxations between two looks at whether anything fell. Each look waits for the device.

    Returns
    -------
    (B, K, h, w) float32
        0 at the clicks; infinite in cells that cannot be reached, and everywhere for a target without a click.
    """
    batch, _, height, width = costs.shape
    # a frame of unreachable cells, so that all eight neighbours are plain views
    framed = costs.new_full((batch, targets, height + 2, width + 2), torch.inf)
    image, target, x, y = seeds.to(costs.device).unbind(1)
    framed[image, target, y + 1, x + 1] = 0
    inner = framed[:, :, 1:-1, 1:-1]
    # [b, k, i, j] is the framed grid moved by (i - 1, j - 1): a view, so that one addition reaches all neighbours
    moved = framed.unfold(2, height, 1).unfold(3, width, 1)
    entering = _entering_costs(costs)[:, None]
    reached = costs.new_empty((batch, targets, 3, 3, height, width))
    while True:
        before = inner.clone()
        for _ in range(check_every):
            torch.add(moved, entering, out=reached)
            inner.copy_(reached.amin((2, 3)))
        if torch.equal(before, inner):
            return inner.contiguous()


def _entering_costs(costs: Tensor) -> Tensor:
    """Costs by the cell that is entered, (B, 3, 3, h, w): [:, i, j] is the step from the neighbour at (i - 1, j - 1).

    The centre is the cell itself, which costs nothing.
    """
    batch, _, height, width = costs.shape
    padded = functional.pad(costs, (1, 1, 1, 1), value=torch.inf)
    entering = costs.new_zeros((batch, 3, 3, height, width))
    for n, (dy, dx) in enumerate(NEIGHBOURS):
        entering[:, 1 + dy, 1 + dx] = padded[:, 7 - n, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
    return entering


@torch.no_grad()
def assign_by_distances(
    distances: Tensor,
    classes: Tensor,
    probabilities: Tensor,
    isthing: Tensor,
    *,
    valid: Tensor | None = None,
    compatibility: Literal["class", "class_and_stuff"] = "class",
    norm_margin: float = 0.0,
    stuff_threshold: float = 0.5,
    with_stuff: bool = True,
) -> tuple[Tensor, Tensor]:
    """Best target of every pixel (PSPS Eq. 8), as ``pointanno.assignment.assign_by_distances`` for one image.

    Targets are taken one after another, so that no map of all of them at full size exists.

    Parameters
    ----------
    distances : (B, K, h, w) float32
        From `shortest_paths`, of thing targets.
    classes : (B, K) int64
        Class of each target; -1 where an image has fewer.
    probabilities : (B, C, H, W) float
        Gated class probabilities.
    isthing : (C,) bool
    valid : (B, h, w) bool, optional
        Cells that count for the largest distance, by which all are divided.
    compatibility, norm_margin, stuff_threshold, with_stuff
        See ``pointanno.assignment.assign_by_distances``.

    Returns
    -------
    labels : (B, H, W) int64
        Index of the target, or -1.
    sem_seg : (B, H, W) int64
        Class of the target or of the stuff, or 255.
    """
    batch, targets = classes.shape
    size = probabilities.shape[-2:]
    counts = distances.isfinite() & (classes >= 0)[..., None, None]
    if valid is not None:
        counts = counts & valid[:, None]
    largest = distances.masked_fill(~counts, 0).flatten(1).amax(1) if targets else distances.new_zeros(batch)
    near = torch.where(counts, distances, largest[:, None, None, None])
    near = near / (largest * (1 + norm_margin) + _EPSILON)[:, None, None, None]
    extra = probabilities[:, ~isthing].float().sum(1) if compatibility == "class_and_stuff" else 0
    best = probabilities.new_full((batch, *size), -1, dtype=torch.float32)
    labels = classes.new_full((batch, *size), -1)
    images = torch.arange(batch, device=classes.device)
    for k in range(targets):
        far = functional.interpolate(near[:, k : k + 1], size=size, mode="bilinear", align_corners=False)[:, 0]
        reached = functional.interpolate(counts[:, k : k + 1].float(), size=size, mode="nearest-exact")[:, 0] > 0
        score = (1 - far) * (probabilities[images, classes[:, k].clamp(min=0)].float() + extra)
        is_better = (score > best) & reached
        best = torch.where(is_better, score, best)
        labels = labels.masked_fill(is_better, k)
    ignored = classes.new_full((), IGNORE_LABEL)
    known = torch.cat([classes, classes.new_full((batch, 1), IGNORE_LABEL)], dim=1)
    sem_seg = known.gather(1, labels.where(labels >= 0, classes.new_full((), targets)).flatten(1)).view_as(labels)
    if with_stuff:
        top, top_class = probabilities.max(1)
        is_stuff = ~isthing[top_class]
        labels = labels.masked_fill(is_stuff, -1)
        sem_seg = torch.where(is_stuff, torch.where(top >= stuff_threshold, top_class, ignored), sem_seg)
    return labels, sem_seg
