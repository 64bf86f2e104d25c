from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_pointanno.napari_versions import camera_of, grid_of
from napari_pointanno.view_transform import (
    LARGEST_ZOOM,
    PICTURE_MARK,
    Placement,
    ViewTransform,
    obstacle,
    view_of_box,
    view_of_picture,
)
from pointanno.coords import napari_to_index

SIZE = (600.0, 800.0)


def test_the_centre_of_the_camera_is_the_middle_of_the_canvas() -> None:
    view = ViewTransform((10.0, 20.0), 4.0, (600, 800))
    assert view.to_canvas(10, 20) == (400, 300)
    assert view.to_canvas(11, 22) == (408, 304)


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1)])
def test_there_and_back(signs: tuple[int, int]) -> None:
    view = ViewTransform((10.0, 20.0), 3.7, (601, 803), signs)
    assert view.to_picture(*view.to_canvas(3.25, -7.5)) == pytest.approx((3.25, -7.5))


def test_turned_axes_follow_the_viewer() -> None:
    viewer = ViewerModel()
    camera_of(viewer).orientation = ("towards", "up", "right")
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
    grid_of(viewer).enabled = True
    assert "grid" in obstacle(viewer).lower()


def test_a_picture_is_fitted_as_napari_does_it() -> None:
    viewer = ViewerModel()
    if "canvas" in type(viewer).model_fields:
        viewer.canvas.size = (600, 800)
    else:  # before napari 0.9
        viewer._canvas_size = (600, 800)
    viewer.add_image(np.zeros((50, 40)))
    viewer.reset_view()
    center, zoom = view_of_picture((50, 40), (600, 800))
    assert camera_of(viewer).center[1:] == center
    assert camera_of(viewer).zoom == pytest.approx(zoom)


def test_a_box_is_shown_with_a_quarter_of_margin_on_each_side() -> None:
    """A box of 40 x 20 needs 60 x 30 with its margins: 600 / 60 = 10 and 600 / 30 = 20, so 10 fits."""
    assert view_of_box((10, 5, 50, 25), (600, 600)) == ((15, 30), 10)


def test_a_tiny_box_is_not_magnified_without_end() -> None:
    assert view_of_box((10, 10, 11, 11), (600, 600))[1] == LARGEST_ZOOM


def test_a_fixed_zoom_does_not_follow_the_size_of_the_box() -> None:
    """At 20 screen pixels a box of 40 x 20 takes 800 x 400: too wide for 600, so the point is in the middle."""
    assert view_of_box((10, 5, 50, 25), (600, 600), zoom=8) == ((15, 30), 8)
    assert view_of_box((10, 5, 50, 25), (600, 600), zoom=8, point=(6, 11)) == ((15, 30), 8)
    assert view_of_box((10, 5, 50, 25), (600, 600), zoom=20, point=(6, 11)) == ((6, 11), 20)
    assert view_of_box((10, 10, 11, 11), (600, 600), zoom=2)[1] == 2
    (y, x), zoom = view_of_box((10, 5, 50, 25), (600, 600), Placement(((0.5, 0), (0, 0.5))), zoom=20, point=(6, 11))
    assert (y, x, zoom) == (3, 5.5, 40), "the zoom counts pixels of the picture"


def test_the_margin_can_be_set() -> None:
    assert view_of_box((10, 5, 50, 25), (600, 600), margin=0) == ((15, 30), 15)


def _viewer(**placed: Any) -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((50, 40)), metadata={PICTURE_MARK: True}, **placed)
    return viewer


_lengths = st.floats(0.01, 1000)
_places = st.floats(-1e4, 1e4)
_placed = st.fixed_dictionaries(
    {
        "scale": st.tuples(_lengths, _lengths),
        "translate": st.tuples(_places, _places),
        "rotate": st.floats(-180, 180),
        "shear": st.lists(st.floats(-1, 1), min_size=1, max_size=1),
    }
)


@settings(max_examples=60, deadline=None)
@given(_placed, st.integers(0, 49), st.integers(0, 39), st.floats(-0.49, 0.49), st.floats(-0.49, 0.49), st.booleans())
def test_wherever_the_picture_lies_a_click_in_a_pixel_means_this_pixel(
    placed: dict[str, Any], row: int, column: int, down: float, right: float, swapped: bool
) -> None:
    """The way there is napari's (layer to world) and the camera's definition, the way back is ours."""
    viewer = _viewer(**placed)
    if swapped:
        viewer.dims.transpose()
    layer = viewer.layers[0]
    placement = Placement.of_layer(layer, viewer)
    assume(placement.is_flat)
    center, zoom = view_of_picture((50, 40), SIZE, placement)
    camera_of(viewer).center, camera_of(viewer).zoom = (0.0, *center), zoom
    view = ViewTransform.of_viewer(viewer, SIZE)
    world = np.array(layer.data_to_world((row + down, column + right)))[list(viewer.dims.displayed)]
    x, y = (world - center)[::-1] * zoom + np.array(SIZE)[::-1] / 2
    assert 0 <= x <= SIZE[1] and 0 <= y <= SIZE[0], "the whole picture is in view"
    assert napari_to_index(view.to_picture(x, y)).tolist() == [column, row]
    assert view.to_canvas(row + down, column + right) == pytest.approx((x, y), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(_placed, st.lists(st.tuples(st.floats(0, 50), st.floats(0, 40)), min_size=1, max_size=5), st.floats(0.1, 50))
def test_distances_are_those_on_the_canvas(
    placed: dict[str, Any], positions: list[tuple[float, float]], zoom: float
) -> None:
    viewer = _viewer(**placed)
    assume(Placement.of_layer(viewer.layers[0], viewer).is_flat)
    camera_of(viewer).zoom = zoom
    view = ViewTransform.of_viewer(viewer, SIZE)
    there = np.array([view.to_canvas(*position) for position in positions])
    x, y = there[0] + (3.0, -4.0)
    expected = np.hypot(*(there - (x, y)).T)
    assert view.distances(positions, x, y) == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_the_edge_of_a_box_is_near_on_both_sides_and_the_middle_is_not() -> None:
    view = ViewTransform((0.0, 0.0), 2.0, SIZE, placement=Placement(((1.0, 0.0), (0.0, 3.0))))
    corners = [(0, 0), (0, 40), (20, 40), (20, 0)]  # on the canvas 240 wide and 40 high
    left, top = view.to_canvas(0, 0)
    assert view.edge_distance(corners, left + 120, top + 5) == pytest.approx(5)
    assert view.edge_distance(corners, left + 120, top - 5) == pytest.approx(5)
    assert view.edge_distance(corners, left - 3, top - 4) == pytest.approx(5)
    assert view.edge_distance(corners, left + 120, top + 20) == pytest.approx(20)


def test_the_placement_follows_changes_by_hand() -> None:
    viewer = _viewer(scale=(2, 3))
    layer = viewer.layers[0]
    assert Placement.of_layer(layer, viewer) == Placement(((2.0, 0.0), (0.0, 3.0)))
    layer.scale, layer.translate = (5, 7), (1, -2)
    assert Placement.of_layer(layer, viewer) == Placement(((5.0, 0.0), (0.0, 7.0)), (1.0, -2.0))
    layer.affine = [[0, 1, 10], [1, 0, 20], [0, 0, 1]]
    assert Placement.of_layer(layer, viewer) == Placement(((0.0, 7.0), (5.0, 0.0)), (8.0, 21.0))


def test_the_finest_unit_of_all_layers_is_that_of_the_world() -> None:
    viewer = _viewer(scale=(0.5, 0.25), units=("um", "um"))
    viewer.add_image(np.zeros((9, 9)), units=("nm", "nm"))
    placement = Placement.of_layer(viewer.layers[0], viewer)
    assert np.array(placement.matrix) == pytest.approx(np.diag([500.0, 250.0]))
    viewer.add_image(np.zeros((9, 9)))  # pixels and lengths cannot be compared: napari ignores units then
    assert Placement.of_layer(viewer.layers[0], viewer).matrix == ((0.5, 0.0), (0.0, 0.25))


def test_a_picture_squeezed_to_a_line_is_an_obstacle() -> None:
    viewer = _viewer()
    assert obstacle(viewer) == ""
    viewer.layers[0].affine = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert "squeezed" in obstacle(viewer)


def test_swapped_rows_and_columns_are_none() -> None:
    viewer = _viewer()
    viewer.add_image(np.zeros((3, 4, 9, 9)))
    viewer.dims.order = (0, 1, 3, 2)
    assert obstacle(viewer) == ""
    assert Placement.of_layer(viewer.layers[0], viewer).matrix == ((0.0, 1.0), (1.0, 0.0))


def test_boxes_and_pictures_fill_the_canvas_in_any_unit() -> None:
    small = Placement(((0.001, 0.0), (0.0, 0.004)), (5.0, -3.0))
    (y, x), zoom = view_of_box((10, 5, 50, 25), SIZE, small)
    assert (y, x) == pytest.approx((5.015, -2.88))
    assert zoom == pytest.approx(800 / (1.5 * 40 * 0.004))
    assert view_of_box((10, 10, 11, 11), SIZE, small)[1] == pytest.approx(LARGEST_ZOOM / 0.004)
    (y, x), zoom = view_of_picture((100, 200), SIZE, small)
    assert (y, x) == pytest.approx((5 + 49.5 * 0.001, -3 + 99.5 * 0.004))
    assert zoom == pytest.approx(0.95 * 800 / 0.8)
