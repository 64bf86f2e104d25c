"""Pseudo-masks of a picture from its clicks and from what the network knows by now. No gradients.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.3, eq. (3) to (8). The assignment itself is `pointanno.assignment` on the
processor and `layers/shortest_paths.py` on a GPU; here the network's maps are brought into its form, and its answer
into targets. Everything happens in the valid part of the canvas.

Shapes: C classes, K of them present, N targets of a picture, P its clicks, n its things, m its stuff classes, H_b W_b
its valid part, h w cells of the canvas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch.nn import functional

from pointanno import assignment
from pointanno.assignment import grid_size, grid_stride
from pointanno_models.layers import shortest_paths as device
from pointanno_models.layers.bilinear import cells_for, resample
from pointanno_models.layers.edge_map import edge_map
from pointanno_models.psps.click_squares import click_cells, square_masks, square_side
from pointanno_models.psps.targets import targets_from_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pointanno_models.psps.outputs import Batch, ImageTargets, NetworkOutputs, PanopticTargets

_CLASSES_AT_ONCE = 16
"""Maps at the size of the picture that exist at a time: 133 classes of a large one are half a gigabyte."""


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """Costs of the paths, and how pixels choose a click."""

    grid_stride: int = 0
    """Pixels for one cell of the grid on which paths are searched; 0: 4 up to 256 pixels, 8 up to 512, else 16."""
    click_square: int = 0
    """Side of the square around a click whose class is known, an odd number of pixels; 0: one more than 3 % of the
    shorter side, and here at least one more than `grid_stride`."""
    semantic_weight: float = 1.0
    """Of the class probabilities; 1 as published."""
    boundary_weight: float = 0.1
    """Of the edges in the picture (lambda_b); 0 leaves them out."""
    manifold_weight: float = 0.1
    """Of the learnt embedding (lambda_m); 0 leaves it out."""
    tie: float = 1e-4
    """Added to every step: where nothing costs anything, the nearer click wins. 0 as in the original."""
    compatibility: str = "class"
    """"class" (the paper) or "class_and_stuff" (the authors' code, which adds the probability of all stuff)."""
    norm_margin: float = 0.0
    """Distances are divided by 1 + this times the largest; with 0 classes count nothing in the farthest pixels."""
    stuff_threshold: float = 0.5
    """Least probability of stuff; pixels below are left without a label."""

    def __post_init__(self) -> None:
        if self.compatibility not in ("class", "class_and_stuff"):
            raise ValueError(f"compatibility must be 'class' or 'class_and_stuff', but is {self.compatibility!r}")
        if self.click_square < 0 or (self.click_square and self.click_square % 2 == 0):
            raise ValueError(f"click_square must be 0 or an odd number of pixels, but is {self.click_square}")
        if self.grid_stride < 0:
            raise ValueError(f"grid_stride must be 0 or a number of pixels, but is {self.grid_stride}")
        weights = ("semantic_weight", "boundary_weight", "manifold_weight", "tie", "norm_margin", "stuff_threshold")
        for name in weights:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """What the generator made of one picture.

    Attributes
    ----------
    targets : PanopticTargets
    missing : tuple of int
        Targets without a click: they take no part in anything.
    empty : tuple of int
        Targets that got no pixel: they are no targets of the losses.
    """

    targets: PanopticTargets
    missing: tuple[int, ...] = field(default=())
    empty: tuple[int, ...] = field(default=())


@torch.no_grad()
def present_probabilities(logits: Tensor, classes: Tensor, stride: int) -> Tensor:
    """Probabilities of some classes, at the size of the picture.

    Parameters
    ----------
    logits : (C, h, w) float
        Z of the last layer, without the padding.
    classes : (K,) int64
    stride : int
        Pixels for one cell.

    Returns
    -------
    (K, h * stride, w * stride) float32
        Softmax over all C classes of the enlarged logits.
    """
    size = (logits.shape[-2] * stride, logits.shape[-1] * stride)
    chosen = logits.new_empty((len(classes), *size), dtype=torch.float32)
    total: Tensor | None = None
    for first in range(0, len(logits), _CLASSES_AT_ONCE):
        part = logits[None, first : first + _CLASSES_AT_ONCE].float()
        enlarged = functional.interpolate(part, size=size, mode="bilinear", align_corners=False)[0]
        own = enlarged.logsumexp(dim=0)
        total = own if total is None else torch.logaddexp(total, own)
        inside = (classes >= first) & (classes < first + len(enlarged))
        chosen[inside] = enlarged[classes[inside] - first]
    assert total is not None, "a network has classes"
    return (chosen - total).exp_()


@torch.no_grad()
def gated_probabilities(probabilities: Tensor, click_coords: Tensor, click_classes: Tensor, side: int) -> Tensor:
    """Probabilities that know the clicks: 1 in the squares around them.

    Parameters
    ----------
    probabilities : (K, H, W) float
        Of the classes that have a click: the others count as 0 everywhere. They are not normalised again.
    click_coords : (P, 2) float, (x, y), continuous
    click_classes : (P,) int64
        Index of each click's class among the K.
    side : int
        Of the squares, in pixels, odd.

    Returns
    -------
    (K, H, W) float
    """
    count, height, width = probabilities.shape
    squares = square_masks(click_coords, click_classes, count, (height, width), side)
    return torch.where(squares, 1.0, probabilities)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """One picture before the search: K classes are present, n things have clicks."""

    classes: Tensor
    """(K,) int64"""
    isthing: Tensor
    """(K,) bool"""
    gated: Tensor
    """(K, H_b, W_b) float"""
    things: Tensor
    """(n,) int64, among the N targets"""
    thing_classes: Tensor
    """(n,) int64, among the K"""
    costs: Tensor
    """(8, h, w) float of the steps on the grid"""
    seeds: list[Tensor]
    """n of (P_n, 2) int64, (x, y) of cells"""


def _prepare(
    logits: Tensor,
    embedding: Tensor | None,
    rgb: Tensor,
    image_targets: ImageTargets,
    has_click: Tensor,
    *,
    stride: int,
    settings: GeneratorSettings,
    on_device: bool,
) -> _Prepared:
    """All up to the costs of the steps, in the valid part."""
    size = (rgb.shape[-2], rgb.shape[-1])
    rows, columns = cells_for(size, stride)
    classes = image_targets.labels[has_click].unique()
    isthing = torch.zeros(len(classes), dtype=torch.bool, device=classes.device)
    isthing[torch.searchsorted(classes, image_targets.labels[has_click])] = image_targets.isthing[has_click]
    enlarged = present_probabilities(logits[:, :rows, :columns], classes, stride)[:, : size[0], : size[1]]
    click_classes = torch.searchsorted(classes, image_targets.labels[image_targets.click_targets])
    cell = settings.grid_stride or grid_stride(size)
    cells = grid_size(size, cell)
    # a square that covers what its own cell reads only in part makes the way out of it cheaper: clicks would differ
    side = settings.click_square or max(square_side(size), cell + 1)
    gated = gated_probabilities(enlarged, image_targets.click_coords, click_classes, side)
    on_grid = None
    if settings.manifold_weight and embedding is not None:
        step = (size[0] / cells[0] / stride, size[1] / cells[1] / stride)
        on_grid = resample(embedding[:, :rows, :columns].float(), cells, step)
    find_costs = _edge_costs_on_device if on_device else _edge_costs
    costs = find_costs(
        _resized(gated, cells) * settings.semantic_weight, _resized(rgb.float(), cells), on_grid, settings
    )
    things = (has_click & image_targets.isthing).nonzero()[:, 0]
    click_rows, click_columns = click_cells(image_targets.click_coords, size, cells)
    clicks = torch.stack([click_columns, click_rows], dim=1)
    return _Prepared(
        classes=classes,
        isthing=isthing,
        gated=gated,
        things=things,
        thing_classes=torch.searchsorted(classes, image_targets.labels[things]),
        costs=costs,
        seeds=[clicks[image_targets.click_targets == thing] for thing in things],
    )


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, H, W) as (C, h, w): plain bilinear, corners not aligned, no smoothing before."""
    return functional.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def _edge_costs(probabilities: Tensor, rgb: Tensor, embedding: Tensor | None, settings: GeneratorSettings) -> Tensor:
    """(8, h, w) float32 costs of the steps, eq. (4) to (7)."""
    costs = assignment.edge_costs(
        probabilities.numpy(),
        assignment.boundary_map(rgb.permute(1, 2, 0).numpy()) if settings.boundary_weight else None,
        None if embedding is None else embedding.numpy(),
        boundary_weight=settings.boundary_weight,
        manifold_weight=settings.manifold_weight,
        tie=settings.tie,
    )
    return torch.from_numpy(costs)


def _edge_costs_on_device(
    probabilities: Tensor, rgb: Tensor, embedding: Tensor | None, settings: GeneratorSettings
) -> Tensor:
    """The same without leaving the device."""
    costs = device.edge_costs(
        probabilities[None],
        edge_map(rgb)[None] if settings.boundary_weight else None,
        None if embedding is None else embedding[None],
        boundary_weight=settings.boundary_weight,
        manifold_weight=settings.manifold_weight,
        tie=settings.tie,
    )
    return costs[0]


def _search(prepared: Sequence[_Prepared]) -> list[Tensor]:
    """(n, h, w) float32 distances from the things of each picture, eq. (3)."""
    return [
        torch.from_numpy(assignment.shortest_paths(one.costs.numpy(), [seeds.numpy() for seeds in one.seeds]))
        for one in prepared
    ]


def _search_on_device(prepared: Sequence[_Prepared]) -> list[Tensor]:
    """The same, all pictures at once, without leaving the device."""
    sizes = [one.costs.shape[-2:] for one in prepared]
    height, width = (max(extents) for extents in zip(*sizes, strict=True))
    # cells beyond a picture's grid cannot be reached
    costs = torch.stack(
        [
            functional.pad(one.costs, (0, width - own[1], 0, height - own[0]), value=torch.inf)
            for one, own in zip(prepared, sizes, strict=True)
        ]
    )
    rows = [
        functional.pad(seeds, (2, 0)) + seeds.new_tensor([picture, thing, 0, 0])
        for picture, one in enumerate(prepared)
        for thing, seeds in enumerate(one.seeds)
    ]
    seeds = torch.cat(rows) if rows else prepared[0].things.new_zeros((0, 4))
    distances = device.shortest_paths(costs, seeds, max(len(one.seeds) for one in prepared))
    return [
        distances[picture, : len(one.seeds), : own[0], : own[1]]
        for picture, (one, own) in enumerate(zip(prepared, sizes, strict=True))
    ]


def _assign(one: _Prepared, distances: Tensor, settings: GeneratorSettings) -> tuple[Tensor, Tensor]:
    """(H_b, W_b) int64 index of the thing or -1, and of the class or 255; eq. (8)."""
    labels, sem_seg = assignment.assign_by_distances(
        distances.numpy(),
        one.thing_classes.numpy(),
        one.gated.numpy(),
        one.isthing.numpy(),
        compatibility=_compatibility(settings),
        norm_margin=settings.norm_margin,
        stuff_threshold=settings.stuff_threshold,
    )
    return torch.from_numpy(labels).long(), torch.from_numpy(sem_seg).long()


def _assign_on_device(one: _Prepared, distances: Tensor, settings: GeneratorSettings) -> tuple[Tensor, Tensor]:
    """The same without leaving the device."""
    winner, present = device.assign_by_distances(
        distances[None],
        one.thing_classes[None],
        one.gated[None],
        one.isthing,
        compatibility=_compatibility(settings),
        norm_margin=settings.norm_margin,
        stuff_threshold=settings.stuff_threshold,
    )
    return winner[0], present[0]


def _compatibility(settings: GeneratorSettings) -> Literal["class", "class_and_stuff"]:
    """The setting as a type: its values were checked when it was read."""
    return cast("Literal['class', 'class_and_stuff']", settings.compatibility)


def _named(one: _Prepared, winner: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """(H_b, W_b) int64 number among the N targets or -1, and class or -1."""
    # -1 picks the last entry
    by_thing = torch.cat([one.things, one.things.new_full((1,), -1)])
    by_class = torch.cat([one.classes, one.classes.new_full((1,), -1)])
    return by_thing[winner], by_class[torch.where(present < len(one.classes), present, -1)]


def _to_targets(labels: Tensor, sem_seg: Tensor, image_targets: ImageTargets, has_click: Tensor) -> PseudoLabels:
    """Targets of the losses from the maps of things and of classes."""
    numbers = torch.arange(len(has_click), device=labels.device)
    by_target = labels[None] == numbers[:, None, None]
    by_class = (sem_seg[None] == image_targets.labels[:, None, None]) & (labels < 0)
    masks = torch.where(image_targets.isthing[:, None, None], by_target, by_class) & has_click[:, None, None]
    missing = tuple((~has_click).nonzero()[:, 0].tolist())
    empty = tuple((has_click & ~masks.flatten(1).any(dim=1)).nonzero()[:, 0].tolist())
    return PseudoLabels(targets_from_masks(masks, image_targets.labels, image_targets.isthing), missing, empty)


@torch.no_grad()
def generate_pseudo_labels(
    logits: Sequence[Tensor],
    embeddings: Sequence[Tensor | None],
    pictures: Sequence[Tensor],
    targets: Sequence[ImageTargets],
    *,
    stride: int,
    settings: GeneratorSettings,
    on_device: bool | None = None,
) -> list[PseudoLabels]:
    """Masks of the targets of some pictures.

    Parameters
    ----------
    logits : B of (C, h, w) float
        Z of the last layer of the semantic head.
    embeddings : B of (D, h, w) float or None
        Not needed with a `manifold_weight` of 0.
    pictures : B of (3, H_b, W_b) float in [0, 1]
        Their valid parts.
    targets : B of ImageTargets
        Targets without a click get no mask.
    stride : int
        Pixels for one cell of logits and embeddings.
    settings : GeneratorSettings
    on_device : bool, optional
        True works with tensors throughout, for all pictures at once; False with compiled loops on the processor, where
        the tensors must be. By default what suits the tensors.

    Returns
    -------
    B of PseudoLabels

    Notes
    -----
    Original: `wsup_panformer_head.py`, `get_pseudo_gt_from_semantic` and `get_dijkstra_pseudo_label`. Differs: the
    padding takes no part, a target without a click or without a pixel is left out, the embedding has length 1 on the
    grid too, the picture's frame is no edge, and each step costs a little.
    """
    with torch.autocast(logits[0].device.type, enabled=False):  # sums of costs need all their digits
        return _generate(logits, embeddings, pictures, targets, stride, settings, on_device)


def _generate(
    logits: Sequence[Tensor],
    embeddings: Sequence[Tensor | None],
    pictures: Sequence[Tensor],
    targets: Sequence[ImageTargets],
    stride: int,
    settings: GeneratorSettings,
    on_device: bool | None,
) -> list[PseudoLabels]:
    """`generate_pseudo_labels` in full precision."""
    is_on_device = logits[0].is_cuda if on_device is None else on_device
    search, assign = (_search_on_device, _assign_on_device) if is_on_device else (_search, _assign)
    has_click, prepared, clicked = [], [], []
    for own, embedding, rgb, given in zip(logits, embeddings, pictures, targets, strict=True):
        is_clicked = torch.zeros(len(given.labels), dtype=torch.bool, device=own.device)
        is_clicked[given.click_targets] = True
        has_click.append(is_clicked)
        if len(given.click_targets):
            clicked.append(len(has_click) - 1)
            one = _prepare(
                own, embedding, rgb, given, is_clicked, stride=stride, settings=settings, on_device=is_on_device
            )
            prepared.append(one)
    maps = [(torch.full(rgb.shape[-2:], -1, dtype=torch.int64, device=rgb.device),) * 2 for rgb in pictures]
    for picture, one, distances in zip(clicked, prepared, search(prepared) if prepared else (), strict=True):
        maps[picture] = _named(one, *assign(one, distances, settings))
    return [
        _to_targets(*found, given, is_clicked)
        for found, given, is_clicked in zip(maps, targets, has_click, strict=True)
    ]


def generate_batch(
    outputs: NetworkOutputs, batch: Batch, *, stride: int, settings: GeneratorSettings
) -> list[PseudoLabels]:
    """Masks for each picture of a batch, from the network's last word on it.

    Parameters
    ----------
    outputs : NetworkOutputs
        With the semantic head.
    batch : Batch
    stride : int
        Pixels for one cell of the grid.
    settings : GeneratorSettings

    Raises
    ------
    ValueError
        If the network ran without its semantic head.
    """
    if outputs.semantic is None:
        raise ValueError("pseudo-labels need the semantic head, but the network ran without it")
    pictures = len(batch.targets)
    return generate_pseudo_labels(
        list(outputs.semantic.logits[-1].detach()),
        [None] * pictures if outputs.embedding is None else list(outputs.embedding.detach()),
        [batch.rgb[index, :, :height, :width] for index, (height, width) in enumerate(batch.valid_sizes)],
        batch.targets,
        stride=stride,
        settings=settings,
    )
