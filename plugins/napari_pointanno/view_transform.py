"""Where a pixel of the picture lies on the canvas, from the camera and the layer of the picture; knows no Qt.

Three frames meet here. *Picture* is the data of the layer that shows the picture, (row, column) with pixel centres at
integers. *World* is napari's scene, where the layer's scale, rotation, shear, translation, affine and units have been
applied. *Canvas* is (x, y) in pixels of the widget.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_pointanno.napari_versions import camera_of, grid_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import ArrayLike, NDArray

MARGIN = 0.25
"""Free border around a box while its points are asked, as a fraction of the box on each side."""

FILLED = 0.95
"""How much of the canvas a whole picture fills, as napari does it."""

LARGEST_ZOOM = 48.0
"""Canvas pixels per image pixel beyond which a tiny box is not magnified."""

PLACEMENT_EVENTS = ("scale", "translate", "rotate", "shear", "affine")
"""What a layer emits when it comes to lie elsewhere in the world; `units` comes on top."""

PICTURE_MARK = "pointanno_picture"
"""Key in the metadata of the layer that shows the picture of the session."""

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the picture lies in the world: ``world = matrix @ (row, column) + offset``.

    The axes of the world are those on the canvas, vertical first: where the person swapped rows and columns, so does
    the matrix.
    """

    matrix: tuple[Pair, Pair] = ((1.0, 0.0), (0.0, 1.0))
    offset: Pair = (0.0, 0.0)

    @classmethod
    def of_layer(cls, layer: Layer, viewer: ViewerModel) -> Placement:
        """Placement of a layer with two axes."""
        factors, rows = _unit_factors(layer, viewer), _affine_of(layer)
        scaled = [tuple(value * factor for value in row) for row, factor in zip(rows, factors, strict=True)]
        (a, b, y), (c, d, x) = (scaled[axis] for axis in _vertical_horizontal(viewer))
        return cls(((a, b), (c, d)), (y, x))

    @property
    def is_flat(self) -> bool:
        """Whether every position of the world is one position of the picture."""
        (a, b), (c, d) = self.matrix
        return abs(a * d - b * c) > 1e-12 * max(abs(a) + abs(b), abs(c) + abs(d)) ** 2

    @property
    def pixel(self) -> float:
        """Length of an image pixel in the world, along a row: napari sizes points by it."""
        (_, b), (_, d) = self.matrix
        return float(np.hypot(b, d))

    def to_world(self, row: float, column: float) -> Pair:
        """World position of a position of the picture."""
        (a, b), (c, d) = self.matrix
        return a * row + b * column + self.offset[0], c * row + d * column + self.offset[1]

    def to_picture(self, vertical: float, horizontal: float) -> Pair:
        """(row, column) of a position of the world."""
        (a, b), (c, d) = self.matrix
        y, x = vertical - self.offset[0], horizontal - self.offset[1]
        determinant = a * d - b * c
        return (d * y - b * x) / determinant, (a * x - c * y) / determinant

    def bounds(self, low: Pair, high: Pair) -> tuple[Pair, Pair]:
        """The upright rectangle of the world around a rectangle of the picture."""
        corners = [self.to_world(row, column) for row in (low[0], high[0]) for column in (low[1], high[1])]
        verticals, horizontals = zip(*corners, strict=True)
        return (min(verticals), min(horizontals)), (max(verticals), max(horizontals))


IDENTITY = Placement()


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """Canvas pixels (x, y) to positions of the picture (row, column) and back, for a flat view."""

    center: Pair
    """World position in the middle of the canvas, vertical first."""
    camera_zoom: float
    """Canvas pixels per unit of the world."""
    canvas_size: Pair
    """(height, width)"""
    signs: tuple[int, int] = (1, 1)
    """-1 where the person turned an axis of the view round: (vertical, horizontal)."""
    placement: Placement = IDENTITY

    @classmethod
    def of_viewer(cls, viewer: ViewerModel, canvas_size: Pair) -> ViewTransform:
        """The view as it is now, of the picture that is shown."""
        camera = camera_of(viewer)
        vertical, horizontal = (str(axis) for axis in camera.orientation[1:])
        signs = (-1 if vertical == "up" else 1, -1 if horizontal == "left" else 1)
        layer = picture_layer(viewer)
        placement = IDENTITY if layer is None else Placement.of_layer(layer, viewer)
        return cls((camera.center[-2], camera.center[-1]), camera.zoom, canvas_size, signs, placement)

    @property
    def zoom(self) -> float:
        """Canvas pixels per image pixel, along a row."""
        return self.camera_zoom * self.placement.pixel

    @property
    def largest_pixel(self) -> float:
        """Canvas pixels of the longer side of an image pixel."""
        (a, b), (c, d) = self.placement.matrix
        return self.camera_zoom * max(float(np.hypot(a, c)), float(np.hypot(b, d)))

    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """The affine from (column, row) to (x, y) as Qt writes it: m11, m12, m21, m22, dx, dy."""
        (dx, dy), (x1, y1), (x2, y2) = self.to_canvas(0, 0), self.to_canvas(0, 1), self.to_canvas(1, 0)
        return x1 - dx, y1 - dy, x2 - dx, y2 - dy, dx, dy

    def world_at(self, x: float, y: float) -> Pair:
        """World position under a canvas pixel, vertical first."""
        height, width = self.canvas_size
        return (
            self.center[0] + self.signs[0] * (y - height / 2) / self.camera_zoom,
            self.center[1] + self.signs[1] * (x - width / 2) / self.camera_zoom,
        )

    def to_picture(self, x: float, y: float) -> Pair:
        """(row, column) under a canvas pixel."""
        return self.placement.to_picture(*self.world_at(x, y))

    def to_canvas(self, row: float, column: float) -> Pair:
        """(x, y) of a position of the picture."""
        height, width = self.canvas_size
        vertical, horizontal = self.placement.to_world(row, column)
        x = width / 2 + self.signs[1] * (horizontal - self.center[1]) * self.camera_zoom
        y = height / 2 + self.signs[0] * (vertical - self.center[0]) * self.camera_zoom
        return x, y

    def distances(self, positions: ArrayLike, x: float, y: float) -> NDArray[np.float64]:
        """Canvas pixels between positions of the picture, (N, 2) row and column, and a canvas pixel: (N,)."""
        row, column = self.to_picture(x, y)
        apart = np.asarray(positions, dtype=np.float64).reshape(-1, 2) - (row, column)
        across = apart @ np.array(self.placement.matrix).T
        return np.asarray(np.hypot(across[:, 0], across[:, 1]) * self.camera_zoom)

    def edge_distance(self, corners: ArrayLike, x: float, y: float) -> float:
        """Canvas pixels between the outline of a polygon of the picture, (M, 2) row and column, and a canvas pixel."""
        points = np.array([self.to_canvas(row, column) for row, column in np.asarray(corners, dtype=np.float64)])
        starts, here = points, np.array([x, y])
        along = np.roll(points, -1, axis=0) - starts
        squares = np.maximum((along**2).sum(axis=1), 1e-12)
        share = np.clip(((here - starts) * along).sum(axis=1) / squares, 0.0, 1.0)
        nearest = starts + share[:, None] * along
        return float(np.hypot(*(nearest - here).T).min())


def picture_layer(viewer: ViewerModel) -> Layer | None:
    """The layer of the picture of the session, None if there is none."""
    return next((layer for layer in viewer.layers if PICTURE_MARK in layer.metadata), None)


def obstacle(viewer: ViewerModel) -> str:
    """Why positions of the canvas are no pixels of the picture now, in words; "" if they are.

    A `ViewTransform` holds for one flat view of the rows and columns of the picture. Further axes, which layers of
    others bring along, do not matter while they are sliders. But napari can turn the picture in space, show another
    axis than its rows or columns, and spread the layers over a grid; a click would then mean another pixel than the one
    under the pointer.
    """
    dims = viewer.dims
    if dims.ndisplay != 2:
        return "3D view: go back to 2D to annotate"
    if set(dims.displayed) != {dims.ndim - 2, dims.ndim - 1}:
        return "Another axis than rows and columns is displayed: roll the axes back to annotate"
    if grid_of(viewer).enabled:
        return "Grid view: leave the grid to annotate"
    layer = picture_layer(viewer)
    if layer is not None and not Placement.of_layer(layer, viewer).is_flat:
        return "The picture is squeezed to a line: correct scale, shear or affine of its layer to annotate"
    return ""


def view_of_picture(
    image_size: tuple[int, int], canvas_size: Pair, placement: Placement = IDENTITY
) -> tuple[Pair, float]:
    """Centre and zoom that show a whole picture.

    Parameters
    ----------
    image_size : (height, width)
    canvas_size : (height, width) in canvas pixels
    placement : Placement

    Returns
    -------
    (vertical, horizontal) of the world, canvas pixels per unit of the world
    """
    height, width = image_size
    low, high = placement.bounds((-0.5, -0.5), (height - 0.5, width - 0.5))
    zoom = FILLED * min(canvas_size[0] / (high[0] - low[0]), canvas_size[1] / (high[1] - low[1]))
    return ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2), zoom


def view_of_box(
    box: tuple[float, float, float, float],
    canvas_size: Pair,
    placement: Placement = IDENTITY,
    *,
    margin: float = MARGIN,
    zoom: float | None = None,
    point: Pair | None = None,
) -> tuple[Pair, float]:
    """Centre and zoom that show a box with its margin.

    Parameters
    ----------
    box : XYXY, in napari positions (pixel centres at integers)
    canvas_size : (height, width) in canvas pixels
    placement : Placement
    margin : float
        What is to be seen around the box, as a fraction of its size on each side.
    zoom : float or None
        Canvas pixels per image pixel, whatever the size of the box; None to fit it.
    point : (row, column) or None
        In the middle, if the box is larger than the canvas at this zoom.

    Returns
    -------
    (vertical, horizontal) of the world, canvas pixels per unit of the world
    """
    x0, y0, x1, y1 = box
    low, high = placement.bounds((y0, x0), (y1, x1))
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    if zoom is not None:
        fixed = zoom / placement.pixel
        fits = all(fixed * (top - bottom) <= side for top, bottom, side in zip(high, low, canvas_size, strict=True))
        return middle if fits or point is None else placement.to_world(*point), fixed
    factor, smallest = 1 + 2 * margin, 1e-6 * placement.pixel
    fitted = min(
        canvas_size[0] / max(factor * (high[0] - low[0]), smallest),
        canvas_size[1] / max(factor * (high[1] - low[1]), smallest),
        LARGEST_ZOOM / placement.pixel,
    )
    return middle, fitted


_AFFINES: WeakKeyDictionary[Layer, tuple[tuple[float, float, float], ...]] = WeakKeyDictionary()
"""What `_affine_of` worked out: napari takes most of a millisecond, and every move of the pointer asks."""


def _affine_of(layer: Layer) -> tuple[tuple[float, float, float], ...]:
    """The two rows of the affine from picture to world, in the units of the layer."""
    known = _AFFINES.get(layer)
    if known is None:
        if layer not in _AFFINES:
            for name in PLACEMENT_EVENTS:
                getattr(layer.events, name).connect(_forget_affine)
        origin, down, right = (np.array(layer.data_to_world(at)) for at in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
        rows = np.stack([down - origin, right - origin, origin], axis=1).tolist()
        known = _AFFINES[layer] = tuple((row[0], row[1], row[2]) for row in rows)
    return known


def _forget_affine(event: Any) -> None:
    _AFFINES.pop(event.source, None)


def _vertical_horizontal(viewer: ViewerModel) -> list[int]:
    """Which of (row, column) is vertical, which horizontal; as they are where neither can be told."""
    dims = viewer.dims
    order = [axis - (dims.ndim - 2) for axis in dims.displayed[-2:]]
    return order if sorted(order) == [0, 1] else [0, 1]


def _unit_factors(layer: Layer, viewer: ViewerModel) -> Pair:
    """Units of the world per unit of the layer, for its two axes: napari draws all layers in the finest unit."""
    world: tuple[Any, ...] | None = getattr(viewer.layers.extent, "units", None)
    own = getattr(layer, "units", None)
    if world is None or own is None or tuple(world[-2:]) == tuple(own[-2:]):
        return 1.0, 1.0
    return _unit_factor(own[-2], world[-2]), _unit_factor(own[-1], world[-1])


@lru_cache(maxsize=64)
def _unit_factor(unit: Any, target: Any) -> float:
    return float((1 * unit).to(target).magnitude)
