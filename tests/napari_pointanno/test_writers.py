from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import napari
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Points, Shapes
from npe2 import PluginManager, PluginManifest

from napari_pointanno.readers import read_points
from napari_pointanno.writers import write_points
from pointanno.cli.main import main
from pointanno.errors import InputError
from pointanno.formats import read_dataset

TOP = Path(__file__).parents[2]
RECTANGLE = [[9.5, 19.5], [9.5, 39.5], [29.5, 39.5], [29.5, 19.5]]
"""Rows 10 ... 29 and columns 20 ... 39 as napari draws it."""


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> ViewerModel:
    """A window with one picture of 60 x 80 pixels."""
    made = ViewerModel()
    made.add_image(np.zeros((60, 80), np.uint8), name="cells")
    monkeypatch.setattr(napari, "current_viewer", lambda: made)
    return made


def _write(path: Path, *layers: Any) -> Any:
    assert write_points(str(path), [layer.as_layer_data_tuple() for layer in layers]) == [str(path)]
    return json.loads(path.read_text())


def _validated(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> list[Any]:
    main(["validate", str(path), "--json", *more])
    findings: list[Any] = json.loads(capsys.readouterr().out)["findings"]
    return findings


def test_points_are_clicks_of_the_class_that_the_layer_is_called_after(
    viewer: ViewerModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _write(tmp_path / "a.json", Points([[5.3, 2.6], [4.5, 2.5]], name="nucleus"))
    (image,) = data["images"]
    assert (image["file_name"], image["height"], image["width"]) == ("cells.png", 60, 80)
    assert [one["name"] for one in data["categories"]] == ["nucleus"]
    assert [one["point_coords"] for one in data["point_annotations"]] == [[[3, 5]], [[3, 5]]]
    assert [one["instance"] for one in data["point_annotations"]] == [1, 2]
    assert data["annotations"] == []
    assert _validated(capsys, tmp_path / "a.json") == []


def test_boxes_take_the_answers_inside_them(
    viewer: ViewerModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = Points(
        [[15, 25], [20, 30], [25, 35], [50, 70]],
        features={"class": ["cell", "cell", "cell", "cell"], "label": ["object", "background", "unsure", "click"]},
    )
    boxes = Shapes([RECTANGLE], shape_type="rectangle", features={"class": ["cell"]})
    data = _write(tmp_path / "a.json", points, boxes)
    (box,) = data["annotations"]
    assert box["bbox"] == [20, 10, 20, 20]
    assert box["point_coords"] == [[25, 15], [30, 20], [35, 25]]
    assert (box["point_labels"], box["point_status"]) == ([1, 0, -1], ["ok", "ok", "unsure"])
    assert [one["point_coords"] for one in data["point_annotations"]] == [[[70, 50]]]
    assert _validated(capsys, tmp_path / "a.json") == []


def test_features_of_things_and_stuff(viewer: ViewerModel, tmp_path: Path) -> None:
    features = {"category": ["car", "road", "road"], "isthing": [True, False, False]}
    data = _write(tmp_path / "a.json", Points([[1, 1], [2, 2], [3, 3]], features=features))
    assert [(one["name"], one["isthing"]) for one in data["categories"]] == [("car", 1), ("road", 0)]
    assert [one["point_coords"] for one in data["point_annotations"]] == [[[1, 1]], [[2, 2], [3, 3]]]
    assert [one["instance"] for one in data["point_annotations"]] == [1, 0]


def test_clicks_on_one_object_share_its_number(viewer: ViewerModel, tmp_path: Path) -> None:
    features = {"class": ["car"] * 4, "instance": [7, 0, 7, float("nan")]}
    data = _write(tmp_path / "a.json", Points([[1, 1], [2, 2], [3, 3], [4, 4]], features=features))
    assert [one["point_coords"] for one in data["point_annotations"]] == [[[1, 1], [3, 3]], [[2, 2]], [[4, 4]]]
    assert [one["instance"] for one in data["point_annotations"]] == [1, 2, 3]


def test_a_label_column_may_hold_classes(viewer: ViewerModel, tmp_path: Path) -> None:
    data = _write(tmp_path / "a.json", Points([[1, 1], [2, 2]], features={"label": ["red", "green"]}))
    assert [one["name"] for one in data["categories"]] == ["red", "green"]


def test_several_layers_one_class_each(viewer: ViewerModel, tmp_path: Path) -> None:
    data = _write(tmp_path / "a.json", Points([[1, 1]], name="car"), Points([[2, 2], [3, 3]], name="person"))
    assert [one["category_id"] for one in data["point_annotations"]] == [1, 2, 2]


def test_scale_and_translation_of_both_layers_count(viewer: ViewerModel, tmp_path: Path) -> None:
    viewer.layers[0].scale, viewer.layers[0].translate = (0.5, 0.25), (10, 20)
    points = Points([[10 + 0.5 * 7, 20 + 0.25 * 3]])  # in the world, on row 7 and column 3 of the picture
    scaled = Points([[7, 3]], scale=(0.5, 0.25), translate=(10, 20))
    for layer in (points, scaled):
        data = _write(tmp_path / "a.json", layer)
        assert data["point_annotations"][0]["point_coords"] == [[3, 7]]
    box = Shapes([np.array(RECTANGLE)], shape_type="rectangle", scale=(0.5, 0.25), translate=(10, 20))
    assert _write(tmp_path / "a.json", scaled, box)["annotations"][0]["bbox"] == [20, 10, 20, 20]


def test_a_box_that_hangs_over_the_edge_is_clipped(viewer: ViewerModel, tmp_path: Path) -> None:
    over = np.add(RECTANGLE, [40, 0])
    assert _write(tmp_path / "a.json", Points([[1, 1]]), Shapes([over]))["annotations"][0]["bbox"] == [20, 50, 20, 10]


def test_the_size_may_stand_in_the_metadata(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    layer = Points([[1, 1]], metadata={"image_size": (30, 40), "file_name": "x/b.tif"})
    (image,) = _write(tmp_path / "a.json", layer)["images"]
    assert (image["file_name"], image["height"], image["width"]) == ("x/b.tif", 30, 40)


def test_a_written_file_is_read_again_as_it_was(
    desktop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The layers of a session are stock layers as well: what they show is what is written."""
    monkeypatch.setattr(napari, "current_viewer", lambda: desktop.viewer)
    desktop.person.click(7, 3)
    desktop.person.key("W")
    desktop.person.drag(10, 10, 50, 40)
    for key in "FJU":
        desktop.person.key(key)
    layers = [layer for layer in desktop.viewer.layers if isinstance(layer, (Points, Shapes)) and len(layer.data)]
    path = tmp_path / "a.coco-points.json"
    _write(path, *layers)
    assert _validated(capsys, path, "--images", str(tmp_path / "images")) == []
    ours, theirs = desktop.project.dataset(), read_dataset(path)
    (box,), (read_box,) = ours.instances, theirs.instances
    assert read_box.box == box.box
    assert read_box.points.coords.tolist() == box.points.coords.tolist()
    assert read_box.points.labels.tolist() == box.points.labels.tolist()
    assert theirs.targets[0].points.coords.tolist() == [[7, 3]]
    first = read_points(str(path))
    again = tmp_path / "again.coco-points.json"
    write_points(str(again), [(data, {"name": kind, **meta}, kind) for data, meta, kind in first if kind != "image"])
    for part in ("annotations", "point_annotations", "categories"):
        assert json.loads(again.read_text())[part] == json.loads(path.read_text())[part]


def _polygon() -> Shapes:
    return Shapes([[[1, 1], [1, 9], [9, 9]]], shape_type="polygon", name="boxes")


def _turned() -> Shapes:
    return Shapes([[[10, 0], [20, 10], [10, 20], [0, 10]]], shape_type="rectangle", name="boxes")


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (
            lambda: [Points([[1, 100]], name="p")],
            "p, point 0: column 100, row 1 lies outside of cells.png with 80 x 60",
        ),
        (lambda: [Points([[0, 1, 1]], name="p")], "p: its points have 3 coordinates, expected 2"),
        (lambda: [Points([[1, 1]]), _polygon()], "boxes, shape 0: it is a polygon, expected a rectangle"),
        (lambda: [Points([[1, 1]]), _turned()], "boxes, shape 0: it is turned or has no area"),
        (
            lambda: [Points([[1, 1]]), Shapes([np.array(RECTANGLE) + 500], name="boxes")],
            "boxes, shape 0: it lies outside of cells.png",
        ),
        (
            lambda: [Points([[1, 1]], name="p", features={"class": ["a"], "label": ["background"]})],
            "p, point 0: 'background' is an answer about a box, and no box of the class 'a' lies around it",
        ),
        (
            lambda: [Points([[1, 1], [2, 2]], name="p", features={"class": ["a", None]})],
            "p, row 1: the feature 'class' is empty",
        ),
        (
            lambda: [Points([[1, 1], [2, 2]], name="p", features={"class": ["a", "a"], "isthing": [True, False]})],
            "p, row 1: the class 'a' is a thing in one row and stuff in another",
        ),
    ],
)
def test_what_cannot_be_written_is_said(viewer: ViewerModel, tmp_path: Path, layers: Any, sentence: str) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(InputError) as caught:
        _write(path, *layers())
    assert sentence in str(caught.value)
    assert not path.exists()


def test_no_picture_two_pictures_and_a_stack_are_said(viewer: ViewerModel, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    second = viewer.add_image(np.zeros((6, 8), np.uint8), name="other")
    with pytest.raises(InputError, match="pictures cells, other differ in size; hide all but the one"):
        _write(path, Points([[1, 1]]))
    second.visible = False
    assert _write(path, Points([[1, 1]]))["images"][0]["width"] == 80
    viewer.layers.clear()
    with pytest.raises(InputError, match="no picture is open"):
        _write(path, Points([[1, 1]]))
    viewer.add_image(np.zeros((4, 60, 80), np.uint8), name="stack")
    with pytest.raises(InputError, match="stack: the picture has 3 dimensions, expected 2"):
        _write(path, Points([[1, 1]]))


def test_napari_finds_the_writer(npe2pm: Any, viewer: ViewerModel, tmp_path: Path) -> None:
    npe2pm.register(PluginManifest.from_file(TOP / "napari.yaml"))
    manager: Any = PluginManager.instance()
    writer, path = manager.get_writer(str(tmp_path / "a.coco-points.json"), ["points", "points", "shapes"])
    assert writer.command == "pointanno.write_points"
    assert path.endswith("a.coco-points.json")
    assert manager.get_writer(str(tmp_path / "a.json"), ["points"])[0].command == "pointanno.write_points"
    assert manager.get_writer(str(tmp_path / "bare"), ["points"])[1].endswith("bare.coco-points.json")
    for others in (["image"], ["shapes"], ["points", "labels"]):
        assert manager.get_writer(str(tmp_path / "a.json"), others)[0] is None
    viewer.add_points([[5, 2]], name="nucleus")
    viewer.add_shapes([RECTANGLE], name="nucleus box")
    from napari.plugins.io import save_layers

    saved = save_layers(str(tmp_path / "b.json"), list(viewer.layers[1:]), plugin="pointanno")
    assert str(tmp_path / "b.json") in saved[0]
    assert len(json.loads((tmp_path / "b.json").read_text())["point_annotations"]) == 1
