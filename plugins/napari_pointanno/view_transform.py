"""Where a position of the picture lies on the canvas, from the camera alone; knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel

MARGIN = 0.25
"""Free border around a box while its points are asked, as a fraction of the box on each side."""

FILLED = 0.95
"""How much of the canvas a whole picture fills, as napari does it."""

LARGEST_ZOOM = 48.0
"""Canvas pixels per image pixel beyond which a tiny box is not magnified."""


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """Canvas pixels (x, y) to world (row, column) and back, for a flat view."""

    center: tuple[float, float]
    """(row, column) in the middle of the canvas."""
    zoom: float
    """Canvas pixels per unit of the world."""
    canvas_size: tuple[float, float]
    """(height, width)"""
    signs: tuple[int, int] = (1, 1)
    """-1 where the person turned an axis of the view round: (rows, columns)."""

    @classmethod
    def of_viewer(cls, viewer: ViewerModel, canvas_size: tuple[float, float]) -> ViewTransform:
        """The view as it is now."""
        camera = viewer.scene.camera
        vertical, horizontal = (str(axis) for axis in camera.orientation[1:])
        signs = (-1 if vertical == "up" else 1, -1 if horizontal == "left" else 1)
        return cls((camera.center[-2], camera.center[-1]), camera.zoom, canvas_size, signs)

    def to_world(self, x: float, y: float) -> tuple[float, float]:
        """(row, column) under a canvas pixel."""
        height, width = self.canvas_size
        row = self.center[0] + self.signs[0] * (y - height / 2) / self.zoom
        column = self.center[1] + self.signs[1] * (x - width / 2) / self.zoom
        return row, column

    def to_canvas(self, row: float, column: float) -> tuple[float, float]:
        """(x, y) of a position of the world."""
        height, width = self.canvas_size
        x = width / 2 + self.signs[1] * (column - self.center[1]) * self.zoom
        y = height / 2 + self.signs[0] * (row - self.center[0]) * self.zoom
        return x, y


def obstacle(viewer: ViewerModel) -> str:
    """Why positions of the canvas are no pixels of the picture now, in words; "" if they are.

    A `ViewTransform` holds for one flat view whose vertical and horizontal axes are rows and columns. napari
    can turn the picture in space, swap its axes, and spread the layers over a grid; a click would then mean
    another pixel than the one under the pointer.
    """
    dims = viewer.dims
    if dims.ndisplay != 2:
        return "3D view: go back to 2D to annotate"
    if tuple(dims.displayed) != (dims.ndim - 2, dims.ndim - 1):
        return "The axes are swapped: swap them back to annotate"
    if viewer.canvas.grid.enabled:
        return "Grid view: leave the grid to annotate"
    return ""


def view_of_picture(image_size: tuple[int, int], canvas_size: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Centre and zoom that show a whole picture.

    Parameters
    ----------
    image_size : (height, width)
    canvas_size : (height, width) in canvas pixels

    Returns
    -------
    (row, column), zoom
    """
    height, width = image_size
    zoom = FILLED * min(canvas_size[0] / height, canvas_size[1] / width)
    return ((height - 1) / 2, (width - 1) / 2), zoom


def view_of_box(
    box: tuple[float, float, float, float], canvas_size: tuple[float, float]
) -> tuple[tuple[float, float], float]:
    """Centre and zoom that show a box with its margin.

    Parameters
    ----------
    box : XYXY, in napari positions (pixel centres at integers)
    canvas_size : (height, width) in canvas pixels

    Returns
    -------
    (row, column), zoom
    """
    x0, y0, x1, y1 = box
    height, width = canvas_size
    factor = 1 + 2 * MARGIN
    zoom = min(height / max(factor * (y1 - y0), 1e-6), width / max(factor * (x1 - x0), 1e-6), LARGEST_ZOOM)
    return ((y0 + y1) / 2, (x0 + x1) / 2), zoom
