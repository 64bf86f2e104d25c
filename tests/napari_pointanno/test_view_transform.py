from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_pointanno.view_transform import LARGEST_ZOOM, ViewTransform, obstacle, view_of_box, view_of_picture


def test_the_centre_of_the_camera_is_the_middle_of_the_canvas() -> None:
    view = ViewTransform((10.0, 20.0), 4.0, (600, 800))
    assert view.to_canvas(10, 20) == (400, 300)
    assert view.to_canvas(11, 22) == (408, 304)


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1)])
def test_there_and_back(signs: tuple[int, int]) -> None:
    view = ViewTransform((10.0, 20.0), 3.7, (601, 803), signs)
    assert view.to_world(*view.to_canvas(3.25, -7.5)) == pytest.approx((3.25, -7.5))


def test_turned_axes_follow_the_viewer() -> None:
    viewer = ViewerModel()
    viewer.scene.camera.orientation = ("towards", "up", "right")
    assert ViewTransform.of_viewer(viewer, (600, 800)).signs == (-1, 1)


def test_only_a_flat_view_of_rows_and_columns_can_be_clicked() -> None:
    viewer = ViewerModel()
    assert obstacle(viewer) == ""
    viewer.dims.ndim = 3
    assert obstacle(viewer) == ""
    viewer.dims.order = (1, 0, 2)
    assert "axes" in obstacle(viewer)
    viewer.dims.order = (0, 1, 2)
    viewer.dims.ndisplay = 3
    assert "3D" in obstacle(viewer)
    viewer.dims.ndisplay = 2
    viewer.canvas.grid.enabled = True
    assert "grid" in obstacle(viewer).lower()


def test_a_picture_is_fitted_as_napari_does_it() -> None:
    viewer = ViewerModel()
    viewer.canvas.size = (600, 800)
    viewer.add_image(np.zeros((50, 40)))
    viewer.reset_view()
    center, zoom = view_of_picture((50, 40), (600, 800))
    assert viewer.scene.camera.center[1:] == center
    assert viewer.scene.camera.zoom == pytest.approx(zoom)


def test_a_box_is_shown_with_a_quarter_of_margin_on_each_side() -> None:
    """A box of 40 x 20 needs 60 x 30 with its margins: 600 / 60 = 10 and 600 / 30 = 20, so 10 fits."""
    assert view_of_box((10, 5, 50, 25), (600, 600)) == ((15, 30), 10)


def test_a_tiny_box_is_not_magnified_without_end() -> None:
    assert view_of_box((10, 10, 11, 11), (600, 600))[1] == LARGEST_ZOOM
