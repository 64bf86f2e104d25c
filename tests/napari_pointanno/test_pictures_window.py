"""Pictures of every kind in a real window: a click means the pixel that is seen under it, wherever the picture lies."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_pointanno._views.qt_canvas_view import find_canvas
from napari_pointanno.application import open_docks
from napari_pointanno.napari_versions import camera_of
from napari_pointanno.view_transform import ViewTransform
from napari_pointanno.workbench import Workbench, workbench
from pointanno.dataset import Category
from pointanno.project import Project

pytestmark = pytest.mark.gui

HEIGHT, WIDTH = 400, 600
ZOOMS = (0.4, 1.0, 3.3, 12.0, 45.0)
"""Canvas pixels per unit of the world."""

Start = Callable[..., Workbench]


@pytest.fixture
def start(tmp_path: Path, make_napari_viewer: Callable[..., Any], qtbot: Any) -> Iterator[Start]:
    """Open a window on a project with the pictures of a folder."""
    benches: list[Workbench] = []

    def begin(folder: Path) -> Workbench:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1200, 800)
        bench = open_docks(viewer)
        project = Project.create(
            tmp_path / f"set{len(benches)}", images=folder, categories=[Category(1, "road", False)]
        )
        bench.annotate.start(project)
        benches.append(bench)
        _shown(qtbot, bench)
        return bench

    yield begin
    for bench in benches:
        bench.annotate.close()
        workbench(bench.viewer).abandon()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


def _save(path: Path, array: np.ndarray[Any, Any], **options: Any) -> None:
    tifffile.imwrite(path, array, photometric="rgb" if array.ndim == 3 else "minisblack", **options)


def _shown(qtbot: Any, bench: Workbench) -> None:
    session: Any = bench.annotate.session
    qtbot.waitUntil(lambda: session.watch.running, timeout=60_000)


def _canvas(bench: Workbench) -> Any:
    return find_canvas(bench.annotate_widget())


def _view(bench: Workbench) -> ViewTransform:
    canvas = _canvas(bench)
    return ViewTransform.of_viewer(bench.viewer, (canvas.height(), canvas.width()))


def _click_at(bench: Workbench, target: QPoint) -> None:
    QTest.mouseClick(_canvas(bench), Qt.MouseButton.LeftButton, pos=target)


def _look_at(bench: Workbench, world: tuple[float, ...], target: QPoint, zoom: float) -> None:
    """Put a position of the world under a pixel of the canvas."""
    canvas, camera = _canvas(bench), camera_of(bench.viewer)
    camera.zoom = zoom
    camera.center = (
        0.0,
        world[0] - (target.y() - canvas.height() / 2) / zoom,
        world[1] - (target.x() - canvas.width() / 2) / zoom,
    )


def test_fifty_pixels_at_five_zooms_are_exported_as_clicked(
    start: Start, folder: Path, tmp_path: Path, qtbot: Any
) -> None:
    """Scale and translation are set, unequal for rows and columns; the positions come from napari, not from us."""
    rng = np.random.default_rng(0)
    for number in range(len(ZOOMS)):
        _save(folder / f"{number}.tif", rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    bench = start(folder)
    layer = bench.viewer.layers["image"]
    layer.scale, layer.translate = (0.6, 1.7), (-133.25, 71.5)
    known: dict[str, list[list[int]]] = {}
    for number, zoom in enumerate(ZOOMS):
        bench.annotate.show_image(number)
        _shown(qtbot, bench)
        assert layer.scale.tolist() == [0.6, 1.7], "what a person set stays from image to image"
        # far enough from each other that no click means a point that is there already
        rows = (np.arange(5) * 80 + rng.integers(0, 30, 5)).tolist()
        columns = (np.arange(10) * 60 + rng.integers(0, 30, 10)).tolist()
        pixels = [[x, y] for y in rows for x in columns]
        canvas = _canvas(bench)
        for x, y in pixels:
            target = QPoint(int(rng.integers(100, canvas.width() - 100)), int(rng.integers(60, canvas.height() - 60)))
            _look_at(bench, layer.data_to_world((y, x)), target, zoom)
            _click_at(bench, target)
        known[f"{number}.tif"] = sorted(pixels)
    project = bench.annotate.project
    assert project is not None
    project.write_coco_point(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    names = {image["id"]: image["file_name"] for image in written["images"]}
    exported: dict[str, list[list[int]]] = {name: [] for name in names.values()}
    for target in written["point_annotations"]:
        exported[names[target["image_id"]]] += target["point_coords"]
    assert {name: sorted(points) for name, points in exported.items()} == known


PLACEMENTS: dict[str, Callable[[Any], None]] = {
    "scale and translate": lambda layer: _set(layer, scale=(2.0, 0.5), translate=(40, -10)),
    "rotate": lambda layer: _set(layer, scale=(1.0, 1.5), rotate=30, translate=(40, -10)),
    "shear": lambda layer: _set(layer, shear=[0.4]),
    "affine": lambda layer: _set(layer, scale=(3.0, 2.0), affine=[[0.0, 1.5, 4.0], [-1.0, 0.3, 9.0], [0, 0, 1]]),
    "units": lambda layer: _set(layer, scale=(0.3, 0.2), units=("um", "um")),
}


def _set(layer: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(layer, name, value)


@pytest.mark.parametrize("name", [*PLACEMENTS, "swapped axes", "finer units beside it", "five axes beside it"])
def test_a_click_means_the_pixel_that_is_seen(start: Start, folder: Path, qtbot: Any, name: str) -> None:
    """One pixel is white: where the window shows it, a click must land on it."""
    picture = np.zeros((60, 80), dtype=np.uint8)
    picture[17, 52] = 255
    _save(folder / "a.tif", picture)
    bench = start(folder)
    viewer = bench.viewer
    layer = viewer.layers["image"]
    if name in PLACEMENTS:
        PLACEMENTS[name](layer)
    elif name == "swapped axes":
        viewer.dims.transpose()
    elif name == "finer units beside it":
        layer.units = ("um", "um")
        viewer.add_image(np.zeros((3, 9, 9), np.uint8), units=("pixel", "nm", "nm"), blending="additive")
    else:
        viewer.add_image(np.zeros((2, 3, 4, 9, 9), np.uint8), scale=(1, 1, 1, 5, 5), blending="additive")
    viewer.layers.selection.active = layer
    qtbot.wait(300)  # sliders of further axes take room from the canvas
    view = _view(bench)
    x, y = view.to_canvas(17, 52)
    world = view.world_at(x, y)
    target = QPoint(_canvas(bench).width() // 2 + 37, _canvas(bench).height() // 2 - 21)
    _look_at(bench, world, target, 20 / view.placement.pixel)
    before = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    rows, columns = np.nonzero(before.min(axis=2) > 200)
    assert rows.size > 50, "the white pixel is seen"
    seen = (columns.mean() + 0.5, rows.mean() + 0.5)
    assert np.hypot(*np.subtract(seen, (target.x(), target.y()))) < 1.5
    _click_at(bench, target)
    session: Any = bench.annotate.session
    assert [(click.x, click.y) for click in session.annotations.clicks] == [(52, 17)]
    points = viewer.layers["points"]
    qtbot.waitUntil(lambda: len(points.data) == 1, timeout=10_000)
    assert points.data.tolist() == [[17, 52]]
    assert np.allclose(points.data_to_world((17, 52)), layer.data_to_world((17, 52)))
    # and the point is drawn over the pixel
    after = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    drawn = np.argwhere(np.abs(after - before).max(axis=2) > 60)
    assert np.hypot(*(drawn.mean(axis=0)[::-1] + 0.5 - (target.x(), target.y()))) < 2


def test_layers_that_are_deleted_come_back(start: Start, folder: Path, qtbot: Any) -> None:
    _save(folder / "a.tif", np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8))
    bench = start(folder)
    viewer, layers = bench.viewer, bench.viewer.layers
    layers["image"].scale = (2, 3)
    _click_at(bench, QPoint(*(round(value) for value in _view(bench).to_canvas(30, 20))))
    qtbot.waitUntil(lambda: len(layers["points"].data) == 1, timeout=10_000)
    for name in ("points", "image"):
        layers.remove(name)
        qtbot.waitUntil(lambda name=name: name in layers, timeout=5_000)
    layers.clear()
    qtbot.waitUntil(lambda: {"points", "image"} <= {layer.name for layer in layers}, timeout=5_000)
    assert layers[0].name == "image"
    assert layers["points"].data.tolist() == [[30, 20]]
    assert layers["image"].scale.tolist() == layers["points"].scale.tolist() == [2, 3]
    assert viewer.layers["image"].data.shape == (HEIGHT, WIDTH, 3)


def test_a_picture_that_is_deleted_takes_no_click_astray(start: Start, folder: Path, qtbot: Any) -> None:
    _save(folder / "a.tif", np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8))
    bench = start(folder)
    layer = bench.viewer.layers["image"]
    layer.scale, layer.translate = (2, 3), (-50, 9)
    target = QPoint(*(round(value) for value in _view(bench).to_canvas(30, 20)))
    bench.viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: "image" in bench.viewer.layers, timeout=5_000)
    _click_at(bench, target)
    session: Any = bench.annotate.session
    assert [(click.x, click.y) for click in session.annotations.clicks] == [(20, 30)]


def test_visiting_pictures_leaves_nothing_behind(start: Start, folder: Path, qtbot: Any) -> None:
    """Layers, scene nodes and widgets after 30 visits are those after 6; pictures of all kinds in turn."""
    rng = np.random.default_rng(0)
    for number in range(6):
        size = (90 + 10 * number, 120)
        if number % 3 == 0:
            _save(folder / f"{number}.tif", rng.integers(0, 255, (*size, 3), dtype=np.uint8))
        elif number % 3 == 1:
            _save(folder / f"{number}.tif", rng.integers(0, 4000, size, dtype=np.uint16))
        else:
            channels = rng.integers(0, 4000, (5, *size), dtype=np.uint16)
            tifffile.imwrite(folder / f"{number}.tif", channels, metadata={"axes": "CYX"}, photometric="minisblack")
    bench = start(folder)

    def visit() -> None:
        for number in range(6):
            bench.annotate.show_image(number)
            _shown(qtbot, bench)
            _click_at(bench, QPoint(*(round(value) for value in _view(bench).to_canvas(30, 20))))
            assert bench.annotate.sitting is not None
            bench.annotate.sitting.refresh()

    visit()
    first = _objects(bench)
    for _ in range(4):
        visit()
    assert _objects(bench) == first


def _objects(bench: Workbench) -> dict[str, int]:
    """How many things that could pile up are alive."""
    from napari.layers import Layer
    from vispy.gloo import Texture2D  # type: ignore[import-untyped]
    from vispy.scene import Node  # type: ignore[import-untyped]

    from napari_pointanno._models.shown_picture import ShownPicture

    gc.collect()
    alive = [type(one) for one in gc.get_objects()]  # asking the objects themselves wakes lazy modules of others
    kinds = {"layers": Layer, "nodes": Node, "textures": Texture2D}
    counts = {name: sum(issubclass(one, kind) for one in alive) for name, kind in kinds.items()}
    counts["pictures held"] = max(sum(issubclass(one, ShownPicture) for one in alive), 5)
    counts["widgets"] = len(bench.viewer.window._qt_window.findChildren(object))
    return counts


def test_no_widget_outlives_its_viewer(tmp_path: Path, folder: Path, make_napari_viewer: Any, qtbot: Any) -> None:
    _save(folder / "a.tif", np.full((40, 50, 3), 90, dtype=np.uint8))
    viewer = make_napari_viewer(show=True)
    bench = open_docks(viewer)
    bench.annotate.start(Project.create(tmp_path / "set", images=folder))
    _shown(qtbot, bench)
    controller: Any = bench.annotate
    gone: set[str] = set()
    for name, widget in {
        "dock": bench.annotate_widget(),
        "second dock": bench.train_widget(),
        "filter": controller._canvas._filter,
        "overlay": controller._canvas._overlay,
        "canvas": _canvas(bench),
    }.items():
        widget.destroyed.connect(lambda *_, name=name: gone.add(name))
    watched = {
        "controller": weakref.ref(controller),
        "picture": weakref.ref(controller.sitting.desk.layers.picture),
        "pictures": weakref.ref(controller.sitting.desk.pictures),
        "bench": weakref.ref(bench),
    }
    viewer.close()
    del bench, viewer, controller, widget
    for _ in range(10):
        qtbot.wait(20)
        gc.collect()
    assert gone == {"dock", "second dock", "filter", "overlay", "canvas"}
    assert {name for name, reference in watched.items() if reference() is not None} == set()
