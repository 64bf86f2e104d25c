"""Masks from clicks alone, at once and after every further click: colours and edges, no training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.assignment.boundary import boundary_map, rgb_to_lab
from pointanno.assignment.compiled import compiled
from pointanno.assignment.costs import edge_costs
from pointanno.assignment.fused import assign_by_distances
from pointanno.assignment.grid import gate_probabilities, points_to_cells, resize_bilinear
from pointanno.assignment.paths import shortest_paths

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]

#: Most cells of the grid along the longer side: one more click then costs one search of some milliseconds.
MOST_CELLS = 160

#: What an edge of full strength costs to enter, in units of Lab difference.
EDGE_WEIGHT = 20.0

#: Share of the median Lab difference of neighbours that costs nothing: so much is noise or texture, and over a long way
#: it would add up to more than an edge.
NOISE_SHARE = 0.75

#: What every step costs, in units of Lab difference: among equals the nearer click wins.
STEP_COST = 0.005

#: What the largest difference of class probabilities costs, an L1 distance of 2, in units of Lab difference.
CLASS_WEIGHT = 50.0


class InstantMasks:
    """Masks of one image that grow with its clicks.

    Every target keeps its distances, so that one more click costs one search from one cell and one assignment.
    Things and stuff compete alike: a pixel goes to the target to which the cheapest way leads. With class
    probabilities a pixel whose most probable class is stuff goes to that stuff, and among things their class
    counts as in Eq. 8 of PSPS. The probabilities enter the costs as they are, without what the clicks say about
    them, so that the searches made before stay true.

    Parameters
    ----------
    image : (H, W, 3) uint8, or float in [0, 1]
        RGB.
    isthing : (C,) bool
        Which classes are things.
    probabilities : (C, H', W') float32, optional
        Softmax over the classes, of any size: they are resampled.
    most_cells : int
        Cells of the grid along the longer side of the image.
    edge_weight, color_weight, class_weight, step_cost : float
        What the image's edges, the Lab difference of both cells of a step (beyond what is usual in the image, see
        `color_differences`), half the L1 distance of their class probabilities and the step itself cost.
    """

    def __init__(
        self,
        image: NDArray[np.generic],
        isthing: ArrayLike,
        *,
        probabilities: Floats | None = None,
        most_cells: int = MOST_CELLS,
        edge_weight: float = EDGE_WEIGHT,
        color_weight: float = 1.0,
        class_weight: float = CLASS_WEIGHT,
        step_cost: float = STEP_COST,
    ) -> None:
        self.image_size = image.shape[0], image.shape[1]
        self._isthing = np.asarray(isthing, np.bool_).reshape(-1)
        self._stride = -(-max(self.image_size) // most_cells)
        cells = -(-self.image_size[0] // self._stride), -(-self.image_size[1] // self._stride)
        self._cells = cells
        small = block_means(image, self._stride)
        on_grid = None
        if probabilities is not None:
            on_grid = resize_bilinear(probabilities, cells) * np.float32(class_weight / 2)
        costs = edge_costs(on_grid, boundary_map(small), boundary_weight=edge_weight, tie=step_cost)
        _add_color_costs(costs, color_differences(rgb_to_lab(small)), np.float32(color_weight))
        self._costs = costs
        self._probabilities = probabilities
        self._channels: dict[int, Floats] = {}
        self._clicks: dict[Hashable, list[tuple[int, int]]] = {}
        self._classes: dict[Hashable, int] = {}
        self._distances: dict[Hashable, Floats] = {}

    @property
    def targets(self) -> tuple[Hashable, ...]:
        """Targets that have a click, in the order of their first one: `labels` holds positions in this."""
        return tuple(self._clicks)

    def add_click(self, target: Hashable, class_index: int, point_coords: ArrayLike) -> None:
        """Add one click to a target that may be new.

        Parameters
        ----------
        target
            Whatever names it.
        class_index : int
            Its contiguous class; a target that has clicks takes over the new class.
        point_coords : (2,) int
            Pixel index (x, y).

        Raises
        ------
        ValueError
            If the click lies outside the image or there is no such class.
        """
        click = self._checked(point_coords)
        if not 0 <= class_index < len(self._isthing):
            raise ValueError(f"there is no class {class_index}: isthing tells of {len(self._isthing)}")
        found = self._search([click])
        before = self._distances.get(target)
        self._distances[target] = found if before is None else np.minimum(before, found)
        self._clicks.setdefault(target, []).append(click)
        self._classes[target] = class_index

    def add_targets(self, point_coords: Sequence[ArrayLike], classes: ArrayLike) -> None:
        """Add new targets, named by their position; several are searched together, faster than one by one.

        Parameters
        ----------
        point_coords : one (n_k, 2) int array of pixel indices (x, y) for each target
            Targets without a click are left out.
        classes : (K,) int
        """
        clicks = {
            target: [self._checked(click) for click in np.asarray(coords, np.int64).reshape(-1, 2)]
            for target, coords in enumerate(point_coords)
            if len(np.asarray(coords).reshape(-1, 2))
        }
        seeds = [points_to_cells(of_target, self._stride, self._cells) for of_target in clicks.values()]
        found = shortest_paths(self._costs, seeds)
        each_class = np.asarray(classes, np.int64).reshape(-1)
        for target, distances in zip(clicks, found, strict=True):
            self._clicks[target] = clicks[target]
            self._classes[target] = int(each_class[target])
            self._distances[target] = distances

    def remove_click(self, target: Hashable, point_coords: ArrayLike) -> None:
        """Take one click of a target back, the last one at this place; a target without clicks is gone.

        Raises
        ------
        KeyError
            If the target has no click there.
        """
        click = self._checked(point_coords)
        clicks = self._clicks.get(target, [])
        if click not in clicks:
            raise KeyError(f"target {target!r} has no click at {click}")
        del clicks[len(clicks) - 1 - clicks[::-1].index(click)]
        if clicks:
            self._distances[target] = self._search(clicks)
        else:
            del self._clicks[target], self._classes[target], self._distances[target]

    def labels(self) -> NDArray[np.int32]:
        """Position in `targets` of the target of each pixel, (H, W) int32; -1 everywhere if there is no click."""
        classes = np.array(list(self._classes.values()), np.int64)
        if not len(classes):
            return np.full(self.image_size, -1, np.int32)
        if self._probabilities is None:
            # classes do not matter then, and there may be more of them than a semantic map can hold
            distances = np.stack(list(self._distances.values()))
            found, _ = assign_by_distances(distances, 0 * classes, None, [True], image_size=self.image_size)
            return found
        return self._labels_by_class(classes, self._probabilities)

    def mask(self, target: Hashable) -> NDArray[np.bool_]:
        """Pixels of one target, (H, W) bool."""
        found: NDArray[np.bool_] = self.labels() == self.targets.index(target)
        return found

    def _labels_by_class(self, classes: NDArray[np.int64], probabilities: Floats) -> NDArray[np.int32]:
        """Labels where there are class probabilities."""
        present = np.unique(classes)
        for index in present.tolist():
            if index not in self._channels:
                self._channels[index] = resize_bilinear(probabilities[index], self.image_size)
        # only the classes that were clicked are looked at, renumbered
        contiguous = np.searchsorted(present, classes)
        isthing = self._isthing[present]
        side = max(3, 2 * round((0.03 * min(self.image_size) - 1) / 2) + 1)
        shown = np.stack([self._channels[index] for index in present.tolist()])
        clicks = list(self._clicks.values())
        gated = gate_probabilities(shown, clicks, contiguous, square=side)
        things = np.flatnonzero(isthing[contiguous])
        distances = np.stack(list(self._distances.values()))[things]
        labels, sem_seg = assign_by_distances(
            distances, contiguous[things], gated, isthing, numbers=things, stuff_threshold=0
        )
        # stuff that was clicked as several targets is one region: it is shown as the first of them
        first_of_class = np.full(256, -1, np.int32)
        for position in np.flatnonzero(~isthing[contiguous])[::-1]:
            first_of_class[contiguous[position]] = position
        return np.where(labels >= 0, labels, first_of_class[sem_seg])

    def _search(self, clicks: list[tuple[int, int]]) -> Floats:
        """Distances from some clicks of one target, (h, w)."""
        seeds = [points_to_cells(clicks, self._stride, self._cells)]
        found: Floats = shortest_paths(self._costs, seeds)[0]
        return found

    def _checked(self, point_coords: ArrayLike) -> tuple[int, int]:
        x, y = (int(each) for each in np.asarray(point_coords).reshape(2))
        height, width = self.image_size
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"click ({x}, {y}) lies outside the image of {width} x {height} pixels")
        return x, y


def masks_from_clicks(
    image: NDArray[np.generic],
    point_coords: Sequence[ArrayLike],
    classes: ArrayLike,
    isthing: ArrayLike,
    *,
    probabilities: Floats | None = None,
    most_cells: int = MOST_CELLS,
    edge_weight: float = EDGE_WEIGHT,
    color_weight: float = 1.0,
    class_weight: float = CLASS_WEIGHT,
    step_cost: float = STEP_COST,
) -> NDArray[np.int32]:
    """Index of the target of each pixel from clicks alone.

    Parameters
    ----------
    image : (H, W, 3) uint8, or float in [0, 1]
        RGB.
    point_coords : one (n_k, 2) int array of pixel indices (x, y) for each target, things and stuff
    classes : (K,) int
        Contiguous class of each target.
    isthing, probabilities, most_cells, edge_weight, color_weight, class_weight, step_cost
        See `InstantMasks`.

    Returns
    -------
    (H, W) int32
        -1 where no target is.
    """
    masks = InstantMasks(
        image, isthing, probabilities=probabilities, most_cells=most_cells, edge_weight=edge_weight,
        color_weight=color_weight, class_weight=class_weight, step_cost=step_cost,
    )  # fmt: skip
    masks.add_targets(point_coords, classes)
    numbers = np.array([*masks.targets, -1], np.int32)
    return numbers[masks.labels()]


def block_means(image: NDArray[np.generic], side: int) -> Floats:
    """Mean colour of square blocks of an image; those at the right and lower end may be smaller.

    Parameters
    ----------
    image : (H, W, 3) uint8, or float in [0, 1]
    side : int
        Of a block, pixels.

    Returns
    -------
    (ceil(H / side), ceil(W / side), 3) float32 in [0, 1]
    """
    height, width, channels = image.shape
    means = np.empty((-(-height // side), -(-width // side), channels), np.float32)
    scale = 1 / 255 if image.dtype == np.uint8 else 1.0
    _fill_block_means(np.ascontiguousarray(image), side, scale, means)
    return means


@compiled
def _fill_block_means(image: NDArray[np.generic], side: int, scale: float, means: Floats) -> None:
    """Fill `means` with the mean of each block times `scale`."""
    height, width, channels = image.shape
    for row in range(means.shape[0]):
        for column in range(means.shape[1]):
            y1, x1 = min((row + 1) * side, height), min((column + 1) * side, width)
            count = (y1 - row * side) * (x1 - column * side)
            for c in range(channels):
                total = 0.0
                for y in range(row * side, y1):
                    for x in range(column * side, x1):
                        total += image[y, x, c]
                means[row, column, c] = total * scale / count


def color_differences(lab: Floats) -> Floats:
    """Lab differences of neighbours, less what is usual in the image.

    Parameters
    ----------
    lab : (h, w, 3) float32

    Returns
    -------
    (4, h, w) float32
        To the right, the lower left, the lower and the lower right neighbour, less `NOISE_SHARE` of their median and
        at least 0; 0 where there is no neighbour.
    """
    differences = np.full((4, *lab.shape[:2]), np.nan, np.float32)
    _fill_differences(np.ascontiguousarray(lab, np.float32), differences)
    usual = np.nanmedian(differences) if np.isfinite(differences).any() else 0
    beyond: Floats = np.maximum(np.nan_to_num(differences) - np.float32(NOISE_SHARE * usual), 0).astype(np.float32)
    return beyond


@compiled
def _fill_differences(lab: Floats, differences: Floats) -> None:
    """Fill (4, h, w) `differences` with the Euclidean distance of colours where there is a neighbour."""
    height, width, _ = lab.shape
    for y in range(height):
        for x in range(width):
            for k in range(4):
                ny = y + (0 if k == 0 else 1)
                nx = x + (1 if k == 0 else k - 2)
                if ny >= height or nx < 0 or nx >= width:
                    continue
                squares = np.float32(0)
                for c in range(3):
                    squares += (lab[y, x, c] - lab[ny, nx, c]) ** 2
                differences[k, y, x] = np.sqrt(squares)


@compiled
def _add_color_costs(costs: Floats, differences: Floats, weight: np.float32) -> None:
    """Add `weight` times (4, h, w) `differences` to the (8, h, w) `costs` of both directions."""
    _, height, width = differences.shape
    for y in range(height):
        for x in range(width):
            for k in range(4):
                ny = y + (0 if k == 0 else 1)
                nx = x + (1 if k == 0 else k - 2)
                if ny < height and 0 <= nx < width:
                    costs[4 + k, y, x] += weight * differences[k, y, x]
                    costs[3 - k, ny, nx] += weight * differences[k, y, x]
