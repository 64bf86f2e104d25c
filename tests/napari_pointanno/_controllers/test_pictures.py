"""Pictures of every kind in a session without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from napari_pointanno.picture_layer import IDLE
from pointanno.dataset import Category
from pointanno.images import read_image
from pointanno.project import Project
from tests.napari_pointanno.conftest import Desktop

CHANNELS = np.stack([np.full((40, 50), 100 * (i + 1), np.uint16) for i in range(5)])
Begin = Callable[[], Desktop]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kinds"
    made.mkdir()
    return made


@pytest.fixture
def begin(tmp_path: Path, folder: Path) -> Iterator[Begin]:
    made: list[Desktop] = []

    def start() -> Desktop:
        project = Project.create(tmp_path / f"set{len(made)}", images=folder, categories=[Category(1, "cell", True)])
        made.append(Desktop(project))
        return made[-1]

    yield start
    for desktop in made:
        desktop.controller.close()


def _channels(folder: Path, name: str, values: Any = CHANNELS, **metadata: Any) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": [f"stain {i}" for i in range(len(values))]}, **metadata}
    tifffile.imwrite(folder / name, values, ome=True, photometric="minisblack", metadata=metadata)


def _pictures(desktop: Desktop) -> Any:
    assert desktop.controller.sitting is not None
    return desktop.controller.sitting.desk.pictures


def _looks(desktop: Desktop) -> list[tuple[str, bool, tuple[float, float]]]:
    channels = desktop.view.show_channels.call_args.args[0]
    return [(one.name, one.visible, one.limits) for one in channels]


def test_channels_are_chosen_in_the_dock_and_stay_from_picture_to_picture(folder: Path, begin: Begin) -> None:
    for name in ("a.ome.tif", "b.ome.tif"):
        _channels(folder, name)
    desktop = begin()
    layer = desktop.viewer.layers["image"]
    assert layer.rgb and layer.data.shape == (40, 50, 3)
    assert [look[:2] for look in _looks(desktop)] == [(f"stain {i}", i < 4) for i in range(5)]
    _pictures(desktop).show_only(4)
    _pictures(desktop).set_limits(4, 0.0, 1000.0)
    assert np.unique(layer.data).tolist() == [128]
    desktop.person.key("N")
    assert desktop.viewer.layers["image"] is layer, "no new layer for another picture of the same kind"
    assert np.unique(layer.data).tolist() == [128]
    _pictures(desktop).show_channel(0, True)
    assert [look[1] for look in _looks(desktop)] == [True, False, False, False, True]
    _pictures(desktop).set_limits(4, 0.0, 0.0)
    assert _looks(desktop)[4][2] == (500.0, 501.0)


def test_the_last_visible_channel_stays(folder: Path, begin: Begin) -> None:
    _channels(folder, "a.ome.tif", CHANNELS[:2])
    desktop = begin()
    for index in (0, 1, 1):
        _pictures(desktop).show_channel(index, False)
    assert [look[1] for look in _looks(desktop)] == [False, True]


def test_pictures_without_channels_offer_none(desktop: Desktop) -> None:
    assert _looks(desktop) == []
    _pictures(desktop).show_only(0)
    _pictures(desktop).set_limits(3, 0.0, 1.0)


def test_the_physical_size_is_that_of_the_file(folder: Path, begin: Begin) -> None:
    micro = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    _channels(folder, "a.ome.tif", PhysicalSizeX=0.25, PhysicalSizeY=0.5, **micro)
    _channels(folder, "b.ome.tif", PhysicalSizeX=0.25, PhysicalSizeY=0.5, **micro)
    _channels(folder, "c.ome.tif")
    desktop = begin()
    layer = desktop.viewer.layers["image"]
    assert layer.scale.tolist() == [0.5, 0.25]
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    desktop.person.click(7, 30)
    points = desktop.viewer.layers["points"]
    assert points.scale.tolist() == [0.5, 0.25] and points.units == layer.units
    layer.scale = (3, 4)  # by hand
    assert points.scale.tolist() == [3, 4]
    desktop.person.key("N")
    assert layer.scale.tolist() == [3, 4], "the file says the same: what was set by hand stays"
    desktop.person.click(8, 31)
    desktop.person.key("N")
    assert layer.scale.tolist() == [1, 1] and {str(unit) for unit in layer.units} == {"pixel"}
    desktop.person.click(9, 32)
    clicks = [desktop.project.annotations(image.id).clicks[0] for image in desktop.project.images()]
    assert [(click.x, click.y) for click in clicks] == [(7, 30), (8, 31), (9, 32)]


def test_a_change_by_hand_redraws_the_overlay_and_keeps_asking(desktop: Desktop) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    asked = desktop.session.asked
    repaints = desktop.canvas.repaints
    desktop.viewer.layers["image"].translate = (100, -30)
    assert desktop.canvas.repaints > repaints
    assert desktop.session.asked == asked
    assert desktop.viewer.layers["points"].translate.tolist() == [100, -30]
    desktop.viewer.layers["image"].affine = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert "squeezed" in desktop.canvas.drawing.headline


def test_the_camera_fits_a_picture_of_any_size_of_pixels(folder: Path, begin: Begin) -> None:
    _channels(
        folder, "a.ome.tif", PhysicalSizeX=0.001, PhysicalSizeY=0.004, PhysicalSizeXUnit="mm", PhysicalSizeYUnit="mm"
    )
    desktop = begin()
    view = desktop.canvas.transform()
    left, top = view.to_canvas(-0.5, -0.5)
    right, bottom = view.to_canvas(39.5, 49.5)
    assert (bottom - top) / 600 == pytest.approx(0.95)
    assert (left + right) / 2 == pytest.approx(400)


def test_planes_of_a_stack_are_annotated_one_by_one(folder: Path, begin: Begin) -> None:
    stack = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)
    tifffile.imwrite(folder / "s.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    desktop = begin()
    for z in range(3):
        assert np.array_equal(desktop.viewer.layers["image"].data, stack[z])
        desktop.person.click(5 + z, 6)
        desktop.person.key("N")
    names = {image.id: image.file_name for image in desktop.project.images()}
    found = {names[i]: desktop.project.annotations(i).clicks[0].x for i in names}
    assert found == {"s#z=0.tif": 5, "s#z=1.tif": 6, "s#z=2.tif": 7}


def _pyramid(path: Path, values: np.ndarray[Any, Any]) -> None:
    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    for level in range(2):
        part = values[:: 2**level, :: 2**level]
        group.create_array(str(level), shape=part.shape, chunks=(64, 64), dtype=part.dtype)[:] = part
    axes = [{"name": name, "type": "space"} for name in "yx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]


def test_a_picture_larger_than_memory_is_read_where_one_looks(
    folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointanno.pictures.IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr("napari_pointanno._models.lazy_levels.OVERVIEW_SIDE", 120)
    values = (np.arange(700 * 900) % 60_001).astype(np.uint16).reshape(700, 900)
    _pyramid(folder / "a.zarr", values)
    _pyramid(folder / "b.zarr", values[::-1])
    desktop = begin()
    layer = desktop.viewer.layers["image"]
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(700, 900), (350, 450), (175, 225), (87, 112)]
    assert np.array_equal(layer.data[0][600:650, 3:20], values[600:650, 3:20])
    assert np.array_equal(layer.data[-1][:, :], values[::2, ::2][2::4, 2::4][:87, :112])
    desktop.person.click(899, 651)
    assert [(click.x, click.y) for click in desktop.session.annotations.clicks] == [(899, 651)]
    desktop.person.key("N")
    assert desktop.viewer.layers["image"] is layer
    assert np.array_equal(layer.data[0][600:650, 3:20], values[::-1][600:650, 3:20])


def test_an_overview_that_takes_long_is_read_behind_the_picture(
    folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointanno.pictures.IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr("napari_pointanno._models.shown_picture.READ_AT_ONCE_BYTES", 1000)
    monkeypatch.setattr("napari_pointanno._models.lazy_levels.OVERVIEW_SIDE", 100)
    monkeypatch.setattr("napari_pointanno._controllers.pictures.PART_S", 0.0)
    values = np.random.default_rng(0).integers(0, 255, (2000, 700), dtype=np.uint8)
    tifffile.imwrite(folder / "a.tif", values, tile=(128, 128), compression="zlib")
    desktop = begin()
    layer = desktop.viewer.layers["image"]
    assert np.array_equal(layer.data[-1][:, :], values[16::32, 16::32][: layer.data[-1].shape[0], :21])
    assert "overview" not in desktop.canvas.drawing.hint
    assert np.array_equal(layer.data[0][1990:2000, 5:9], read_image(folder / "a.tif")[1990:2000, 5:9])


def test_without_memory_for_a_picture_the_rest_goes_on(
    folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.ome.tif", "b.ome.tif"):
        _channels(folder, name)

    def open_picture(path: Path) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("napari_pointanno._models.shown_picture.open_picture", open_picture)
        desktop = begin()
    assert any("tiled TIFF" in sentence for sentence in desktop.notified())
    assert not desktop.session.readable


def test_removed_layers_come_back(desktop: Desktop) -> None:
    desktop.person.click(7, 30)
    layers = desktop.viewer.layers
    for name in ("points", "image"):
        layers.remove(name)
        desktop.canvas.settle()
        assert name in layers
    layers.clear()
    desktop.canvas.settle()
    assert [layer.name for layer in layers] == ["image", "points"]
    assert layers["points"].data.tolist() == [[30, 7]]


def test_pictures_of_another_kind_share_two_layers(folder: Path, begin: Begin) -> None:
    """napari keeps every layer that was removed, so a change of the kind must not make one."""
    for number in range(2):
        tifffile.imwrite(folder / f"{number}a.tif", CHANNELS[number])
        _channels(folder, f"{number}b.ome.tif")
    desktop = begin()
    layers = desktop.viewer.layers
    layers["image"].scale = (2, 3)
    desktop.controller.show_image(1)
    known = set(layers)
    for row in (2, 3, 0, 1, 0):
        desktop.controller.show_image(row)
        assert set(layers) == known
        idle, shown, points = (layers[name] for name in (IDLE, "image", "points"))
        assert (idle.visible, shown.visible, idle.data.size <= 3) == (False, True, True)
        assert shown.rgb == bool(row % 2) and shown.data.shape[:2] == (40, 50)
        assert shown.scale.tolist() == idle.scale.tolist() == points.scale.tolist() == [2, 3]
        desktop.person.click(3 + row, 9)
        assert desktop.session.annotations.clicks[0].x == 3 + row
    desktop.controller.close()
    assert len(layers) == 0
