"""What lies in other places in napari 0.7 and 0.8 than from 0.9 on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import Camera, ViewerModel
    from napari.components.grid import GridCanvas


def camera_of(viewer: ViewerModel) -> Camera:
    """The camera, which is a part of the scene from napari 0.9 on."""
    return viewer.scene.camera if _has_scene(viewer) else viewer.camera


def grid_of(viewer: ViewerModel) -> GridCanvas:
    """The division of the canvas into a grid, which is a part of the canvas from napari 0.9 on."""
    return viewer.canvas.grid if _has_scene(viewer) else viewer.grid


def _has_scene(viewer: ViewerModel) -> bool:
    """The older names still work in 0.9, with a warning."""
    return "scene" in type(viewer).model_fields
