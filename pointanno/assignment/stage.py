"""Every pixel to a click: the whole stage from images, probabilities and clicks to masks (PSPS 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pointanno.assignment.boundary import boundary_map
from pointanno.assignment.costs import edge_costs
from pointanno.assignment.fused import assign_by_distances, count_pixels
from pointanno.assignment.grid import (
    CLICK_SQUARE,
    gate_probabilities,
    grid_size,
    grid_stride,
    points_to_cells,
    present_classes,
    resize_bilinear,
)
from pointanno.assignment.paths import shortest_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Assignment:
    """Which target each pixel belongs to.

    Attributes
    ----------
    labels : (H, W) int32
        Index of the thing target, -1 for pixels of no thing.
    sem_seg : (H, W) uint8
        Contiguous class of each pixel: of its target for things; 255 where no class is sure enough.
    classes : (K,) int64
        Class of each target, as given.
    isthing : (C,) bool
    distances : (K, h, w) float32
        Path costs on the grid; infinite for stuff targets, which never enter the search.
    missing : tuple of int
        Targets that have no click. They are left out of everything.
    empty : tuple of int
        Targets that have clicks and got no pixel. They should be left out of matching and losses.
    """

    labels: NDArray[np.int32]
    sem_seg: NDArray[np.uint8]
    classes: NDArray[np.int64]
    isthing: NDArray[np.bool_]
    distances: Floats
    missing: tuple[int, ...]
    empty: tuple[int, ...]

    def mask(self, target: int) -> NDArray[np.bool_]:
        """Pixels of one target, (H, W): of a stuff target those of its class."""
        is_thing = self.isthing[self.classes[target]]
        found: NDArray[np.bool_] = self.labels == target if is_thing else self.sem_seg == self.classes[target]
        return found

    @property
    def kept(self) -> tuple[int, ...]:
        """Targets that have at least one pixel, in the order in which they were given."""
        dropped = {*self.missing, *self.empty}
        return tuple(target for target in range(len(self.classes)) if target not in dropped)

    def masks(self) -> NDArray[np.bool_]:
        """Masks of the kept targets, (len(kept), H, W)."""
        found = [self.mask(target) for target in self.kept]
        return np.stack(found) if found else np.zeros((0, *self.labels.shape), np.bool_)


def assign_pixels_to_points(
    probabilities: Floats,
    point_coords: Sequence[ArrayLike],
    classes: ArrayLike,
    isthing: ArrayLike,
    *,
    image: NDArray[np.generic] | None = None,
    boundary: Floats | None = None,
    embedding: Floats | None = None,
    stride: int | None = None,
    valid: tuple[int, int] | None = None,
    is_gated: bool = False,
    square: int = CLICK_SQUARE,
    boundary_weight: float = 0.1,
    manifold_weight: float = 0.1,
    tie: float = 1e-4,
    padding: Literal["replicate", "zero"] = "replicate",
    normalize_embedding: bool = True,
    compatibility: Literal["class", "class_and_stuff"] = "class",
    norm_margin: float = 0.0,
    stuff_threshold: float = 0.5,
    with_stuff: bool = True,
    boxes: ArrayLike | None = None,
    method: Literal["auto", "heap", "sweeps"] = "auto",
    threads: int = 1,
) -> Assignment:
    """Dense pseudo-labels of one image from its clicks and its class probabilities (PSPS Eq. 3 to 8).

    Costs and paths are computed on a grid, the assignment in the pixels of the probabilities. The authors' code is
    ``tie=0, padding="zero", normalize_embedding=False, compatibility="class_and_stuff"`` with ``stride=16``.

    Parameters
    ----------
    probabilities : (C, H, W) float32
        Softmax over the classes at output size.
    point_coords : one (n_k, 2) int array of pixel indices (x, y) for each target, things and stuff
        A target without a click is dropped, see `Assignment.missing`.
    classes : (K,) int
        Contiguous class of each target.
    isthing : (C,) bool
        Which classes are things.
    image : (H, W, 3) uint8 or float in [0, 1], optional
        RGB, from which the boundary is computed. Give this, or `boundary`, or neither for no boundary cost.
    boundary : (h, w) float32, optional
        Boundary on the grid, in [0, 1].
    embedding : (D, h', w') float32, optional
        Of any size; resampled to the grid.
    stride : int, optional
        Pixels per cell of the grid; `grid_stride` of the image by default. The grid is rounded down.
    valid : (height, width), optional
        The top left part that is image; the rest is padding, which is cut off before anything else. The result
        has this size.
    is_gated : bool
        The probabilities went through `gate_probabilities` already.
    square : int
        Side of the click squares, pixels, for the gate.
    boundary_weight, manifold_weight, tie, normalize_embedding
        See `edge_costs`.
    padding
        See `boundary_map`.
    compatibility, norm_margin, stuff_threshold, with_stuff, threads
        See `assign_by_distances`.
    boxes : (K, 4) float, optional
        XYXY, continuous pixels: a thing target takes only pixels that its box touches. Rows of NaN set no limit.
    method
        See `shortest_paths`.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If shapes contradict each other or a click lies outside the image.
    """
    classes = np.asarray(classes, np.int64).reshape(-1)
    isthing = np.asarray(isthing, np.bool_).reshape(-1)
    clicks = [np.asarray(coords, np.int64).reshape(-1, 2) for coords in point_coords]
    height, width = _checked_size(probabilities, clicks, classes, isthing, valid)
    canvas = probabilities.shape[1:]
    stride = grid_stride((height, width)) if stride is None else stride
    cells = grid_size((height, width), stride)
    scale = height / cells[0], width / cells[1]

    present = present_classes(clicks, classes)
    gated = np.ascontiguousarray(probabilities[:, :height, :width], np.float32)
    if not is_gated:
        gated = gate_probabilities(gated, clicks, classes, square=square)
    if boundary is None and image is not None:
        shown = np.moveaxis(image[:height, :width], 2, 0)
        seen = np.moveaxis(resize_bilinear(shown, cells), 0, 2)
        # bytes were resampled in 0 to 255
        boundary = boundary_map(seen / np.float32(255) if image.dtype == np.uint8 else seen, padding=padding)
    if embedding is not None:
        # cells of the embedding per pixel are those of the canvas, whatever part of it is valid
        rows, columns = embedding.shape[1] / canvas[0], embedding.shape[2] / canvas[1]
        inside = embedding[:, : max(1, round(height * rows)), : max(1, round(width * columns))]
        embedding = resize_bilinear(inside, cells, (scale[0] * rows, scale[1] * columns))
    costs = edge_costs(
        resize_bilinear(gated[present], cells),
        boundary,
        embedding,
        boundary_weight=boundary_weight,
        manifold_weight=manifold_weight,
        tie=tie,
        normalize_embedding=normalize_embedding,
    )

    missing = tuple(k for k, coords in enumerate(clicks) if len(coords) == 0)
    things = [k for k, index in enumerate(classes) if isthing[index] and k not in missing]
    found = shortest_paths(costs, [points_to_cells(clicks[k], stride, cells) for k in things], method=method)
    labels, sem_seg = assign_by_distances(
        found,
        classes[things],
        gated,
        isthing,
        present=present,
        boxes=None if boxes is None else np.asarray(boxes, np.float64).reshape(-1, 4)[things],
        compatibility=compatibility,
        norm_margin=norm_margin,
        stuff_threshold=stuff_threshold,
        with_stuff=with_stuff,
        numbers=things,
        threads=threads,
    )
    distances = np.full((len(classes), *cells), np.inf, np.float32)
    distances[things] = found
    pixels, pixels_of_class = count_pixels(labels, sem_seg, len(classes))
    areas = np.where(isthing[classes], pixels, pixels_of_class[classes])
    empty = tuple(k for k in range(len(classes)) if k not in missing and areas[k] == 0)
    return Assignment(labels, sem_seg, classes, isthing, distances, missing, empty)


def _checked_size(
    probabilities: Floats,
    clicks: list[NDArray[np.int64]],
    classes: NDArray[np.int64],
    isthing: NDArray[np.bool_],
    valid: tuple[int, int] | None,
) -> tuple[int, int]:
    """Height and width of the part that counts, after the shapes were compared."""
    if probabilities.ndim != 3 or len(probabilities) != len(isthing):
        raise ValueError(
            f"probabilities must have the shape ({len(isthing)}, H, W), one channel for each entry of isthing, "
            f"but got {probabilities.shape}"
        )
    if len(clicks) != len(classes):
        raise ValueError(f"{len(clicks)} targets have clicks, but {len(classes)} have a class")
    if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < len(isthing):
        raise ValueError(f"classes must lie in 0 to {len(isthing) - 1}, but got {classes.min()} to {classes.max()}")
    height, width = probabilities.shape[1:] if valid is None else valid
    for target, coords in enumerate(clicks):
        if len(coords) and not ((coords >= 0) & (coords < (width, height))).all():
            raise ValueError(f"a click of target {target} lies outside the image of {width} x {height} pixels")
    return height, width
