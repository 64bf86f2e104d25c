from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_pointanno.drawing import Fresh
from napari_pointanno.layers import BOXES, IMAGE, POINTS, AnnotationLayers, warm_up
from pointanno.dataset import Box, Category
from pointanno.project import BoxAnnotation, Click, ImageAnnotations

CATEGORIES = [Category(1, "car", True), Category(2, "road", False)]
COLORS = {1: (255, 0, 0), 2: (0, 0, 255)}


def _click(uid: str, x: int, y: int, category_id: int = 1) -> Click:
    return Click(uid, category_id, category_id == 1, x, y, 1, None, "manual", 0, 0)


def _box(uid: str, *answers: str | None) -> BoxAnnotation:
    coords = np.array([[index, 2 * index] for index in range(len(answers))], dtype=np.int32)
    return BoxAnnotation(uid, 1, Box(2.0, 3.0, 12.0, 23.0), coords, tuple(answers), (None,) * len(answers), 0, "manual",
                         None, None)  # fmt: skip


@pytest.fixture
def layers() -> AnnotationLayers:
    made = AnnotationLayers(ViewerModel())
    made.show_image(np.zeros((60, 80, 3), dtype=np.uint8), "a.png")
    return made


def _show(layers: AnnotationLayers, annotations: ImageAnnotations, open_box: str | None = None) -> ViewerModel:
    layers.show_annotations(annotations, CATEGORIES, COLORS, open_box=open_box)
    viewer: ViewerModel = layers._viewer
    return viewer


def test_pixel_x_y_lies_at_row_column(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, clicks=(_click("a", 7, 3), _click("b", 70, 50, 2))))
    points = viewer.layers[POINTS]
    assert points.data.tolist() == [[3, 7], [50, 70]]
    assert points.features["class"].tolist() == ["car", "road"]
    assert [str(symbol) for symbol in points.symbol] == ["disc", "square"]
    assert points.face_color[1].tolist() == [0, 0, 1, 1]


def test_a_box_is_half_a_pixel_off_in_napari(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, boxes=(_box("a", "object", "background"),)))
    corners = viewer.layers[BOXES].data[0]
    assert corners.min(axis=0).tolist() == [2.5, 1.5]
    assert corners.max(axis=0).tolist() == [22.5, 11.5]
    assert viewer.layers[POINTS].features["label"].tolist() == ["object", "background"]


def test_the_open_box_is_left_to_the_overlay(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, boxes=(_box("a", "object", None),)), open_box="a")
    assert BOXES not in viewer.layers
    assert len(viewer.layers[POINTS].data) == 0


def test_what_did_not_change_is_not_drawn_again(layers: AnnotationLayers) -> None:
    annotations = ImageAnnotations(1, clicks=(_click("a", 7, 3),))
    viewer = _show(layers, annotations)
    changes: list[object] = []
    viewer.layers[POINTS].events.data.connect(changes.append)
    _show(layers, annotations)
    assert changes == []
    _show(layers, ImageAnnotations(1))
    assert changes != []
    assert len(viewer.layers[POINTS].data) == 0


def test_a_removed_layer_comes_back(layers: AnnotationLayers) -> None:
    annotations = ImageAnnotations(1, clicks=(_click("a", 7, 3),))
    viewer = _show(layers, annotations)
    viewer.layers.remove(POINTS)
    _show(layers, annotations)
    assert len(viewer.layers[POINTS].data) == 1


def test_a_removed_picture_comes_back_below_the_others(layers: AnnotationLayers) -> None:
    annotations = ImageAnnotations(1, clicks=(_click("a", 7, 3),))
    viewer = _show(layers, annotations)
    viewer.layers.remove(viewer.layers[IMAGE])
    _show(layers, annotations)
    assert [layer.name for layer in viewer.layers] == [IMAGE, POINTS]
    layers.clear()
    assert list(viewer.layers) == []


def test_layers_are_locked_and_cannot_be_edited(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, (_click("a", 7, 3),), (_box("b", "object"),)))
    assert [layer.name for layer in viewer.layers] == [IMAGE, BOXES, POINTS]
    assert all(layer.locked for layer in viewer.layers)
    assert not viewer.layers[POINTS].editable
    assert viewer.layers.selection.active is viewer.layers[IMAGE]


def test_another_kind_of_picture_replaces_the_layer(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1))
    layers.show_image(np.arange(600, dtype=np.uint16).reshape(20, 30), "b.png")
    assert viewer.layers[0].name == IMAGE
    assert not viewer.layers[0].rgb
    same = viewer.layers[0]
    layers.show_image(np.full((20, 30), 7, dtype=np.uint16), "c.png")
    assert viewer.layers[0] is same
    assert same.contrast_limits == [7, 8]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((20, 30, 4), np.uint8), ((20, 30, 5), np.uint16), ((20, 30, 1), np.float32), ((20, 30), np.bool_)],
)
def test_unusual_pictures_are_shown(layers: AnnotationLayers, shape: tuple[int, ...], dtype: type) -> None:
    layers.show_image(np.zeros(shape, dtype=dtype), "x.tif")
    layer = layers.image
    assert layer is not None
    assert layer.data.shape[:2] == (20, 30)


def test_hidden_and_back_again(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, (_click("a", 7, 3),), (_box("b", "object"),)))
    viewer.layers[BOXES].visible = False
    layers.set_hidden(True)
    layers.set_hidden(True)
    assert not viewer.layers[POINTS].visible
    layers.set_hidden(False)
    assert viewer.layers[POINTS].visible
    assert not viewer.layers[BOXES].visible


def test_clear_removes_ours_only(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1, clicks=(_click("a", 7, 3),)))
    viewer.add_points(name="theirs")
    layers.clear()
    assert [layer.name for layer in viewer.layers] == ["theirs"]


def test_warm_up_ends() -> None:
    thread = warm_up()
    thread.join(60)
    assert not thread.is_alive()


def test_what_was_only_added_is_left_to_the_overlay(layers: AnnotationLayers) -> None:
    first, second = _click("a", 7, 3), _click("b", 70, 50, 2)
    viewer = _show(layers, ImageAnnotations(1, (first,), (_box("c", "object"),)))

    def lazily(annotations: ImageAnnotations) -> Fresh:
        return layers.show_annotations(annotations, CATEGORIES, COLORS, open_box=None, lazily=True)

    boxes = (_box("c", "object"), _box("d", "unsure", "object"))
    fresh = lazily(ImageAnnotations(1, (first, second), boxes))
    assert [(point.row, point.column, point.color, point.square) for point in fresh.points] == [
        (50.0, 70.0, (0, 0, 255), True)
    ]
    assert fresh.boxes == ("d",)
    assert (len(viewer.layers[POINTS].data), len(viewer.layers[BOXES].data)) == (2, 1)
    _show(layers, ImageAnnotations(1, (first, second), boxes))
    assert (len(viewer.layers[POINTS].data), len(viewer.layers[BOXES].data)) == (5, 2)
    assert lazily(ImageAnnotations(1, (first, second), boxes)) == Fresh()


@pytest.mark.parametrize(
    "changed",
    [
        ImageAnnotations(1, (_click("b", 9, 9),), (_box("c", "object"),)),  # deleted, another one added
        ImageAnnotations(1, (_click("a", 8, 3), _click("b", 9, 9)), (_box("c", "object"),)),  # moved
        ImageAnnotations(1, (_click("a", 7, 3), _click("b", 9, 9)), (_box("c", "unsure"),)),  # answered otherwise
        ImageAnnotations(2, (_click("a", 7, 3), _click("b", 9, 9)), (_box("c", "object"),)),  # another image
    ],
)
def test_what_changed_is_never_left_to_the_overlay(layers: AnnotationLayers, changed: ImageAnnotations) -> None:
    viewer = _show(layers, ImageAnnotations(1, (_click("a", 7, 3),), (_box("c", "object"),)))
    assert layers.show_annotations(changed, CATEGORIES, COLORS, open_box=None, lazily=True) == Fresh()
    features = viewer.layers[POINTS].features
    assert features["uid"].tolist() == [*(click.uid for click in changed.clicks), "c"]
    assert features["label"].tolist()[-1] == changed.boxes[0].answers[0]


def test_a_hidden_layer_leaves_nothing_to_the_overlay(layers: AnnotationLayers) -> None:
    viewer = _show(layers, ImageAnnotations(1))
    viewer.layers[POINTS].visible = False
    annotations = ImageAnnotations(1, (_click("a", 7, 3),))
    assert layers.show_annotations(annotations, CATEGORIES, COLORS, open_box=None, lazily=True) == Fresh()
    assert len(viewer.layers[POINTS].data) == 1


def test_the_box_that_is_asked_next_may_stay_in_the_layers(layers: AnnotationLayers) -> None:
    """Going from box to box changes no layer: the overlay paints the new one above, and the old one until a pause."""

    def lazily(first: BoxAnnotation, second: BoxAnnotation, open_box: str) -> Fresh:
        annotations = ImageAnnotations(1, boxes=(first, second))
        return layers.show_annotations(annotations, CATEGORIES, COLORS, open_box=open_box, lazily=True)

    viewer = _show(layers, ImageAnnotations(1, boxes=(_box("a", "object", None), _box("b", None, None))), open_box="a")
    boxes, points = viewer.layers[BOXES], viewer.layers[POINTS]
    done = _box("a", "object", "unsure")
    assert lazily(done, _box("b", None, None), "b") == Fresh((), ("a",))
    assert lazily(done, _box("b", "background", None), "b") == Fresh((), ("a",))
    assert lazily(_box("a", "object", None), _box("b", None, None), "a") == Fresh()
    assert (len(boxes.data), len(points.data)) == (1, 0)
    # what a layer shows of a box and no longer holds must go from it at once
    _show(layers, ImageAnnotations(1, boxes=(done, _box("b", "object", None))), open_box="a")
    assert len(points.data) == 1
    assert lazily(done, _box("b", None, None), "b") == Fresh()
    assert points.features["uid"].tolist() == ["a", "a"]
