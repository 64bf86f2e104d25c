from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_pointanno.preview_layer import OPACITY, PREVIEW, PreviewLayer
from pointanno.dataset import Category
from pointanno.formats.rle import rle_to_mask

CATEGORIES = [Category(1, "car", True), Category(2, "road", False)]
COLORS = {1: (255, 0, 0), 2: (0, 0, 255)}


def _segment(number: int, category: int, isthing: bool = True) -> dict[str, object]:
    return {"id": number, "category_id": category, "isthing": isthing, "score": 0.9, "area": 2}


def test_it_lies_between_picture_and_annotations() -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((2, 3)))
    viewer.add_points(name="points")
    preview = PreviewLayer(viewer)
    labels = np.array([[0, 400, 400], [9, 9, 9]], dtype=np.uint16)
    preview.show(1, labels, [_segment(400, 1), _segment(9, 2, False)], CATEGORIES, COLORS)
    layer = viewer.layers[PREVIEW]
    assert viewer.layers.index(layer) == 1
    assert layer.data.dtype == np.uint8
    assert layer.data.tolist() == [[0, 1, 1], [2, 2, 2]]
    assert layer.opacity == OPACITY
    assert layer.get_color(0) is None or layer.get_color(0)[3] == 0
    red, green, blue, alpha = layer.get_color(1)
    assert (red > green) and (red > blue) and (alpha == 1)
    assert layer.features["class"].tolist() == ["void", "car", "road"]
    assert viewer.layers.selection.active is viewer.layers["points"]


def test_it_is_updated_in_place_and_ids_stay() -> None:
    viewer = ViewerModel()
    preview = PreviewLayer(viewer)
    preview.show(1, np.array([[1, 2]], dtype=np.uint16), [_segment(1, 1), _segment(2, 1)], CATEGORIES, COLORS)
    layer = preview.layer
    assert layer is not None
    colors = [layer.get_color(number).tolist() for number in (1, 2)]
    preview.show(1, np.array([[2, 1]], dtype=np.uint16), [_segment(1, 1), _segment(2, 1)], CATEGORIES, COLORS)
    assert viewer.layers[PREVIEW] is layer
    assert layer.data.tolist() == [[1, 2]]
    assert [layer.get_color(number).tolist() for number in (1, 2)] == colors


def test_another_image_starts_anew() -> None:
    preview = PreviewLayer(ViewerModel())
    preview.show(1, np.array([[0, 5]], dtype=np.uint16), [_segment(5, 1)], CATEGORIES, COLORS)
    preview.show(2, np.array([[7, 5]], dtype=np.uint16), [_segment(7, 1), _segment(5, 1)], CATEGORIES, COLORS)
    assert preview.layer is not None
    assert preview.layer.data.tolist() == [[1, 2]]


def test_nothing_found_is_an_empty_layer_and_clear_removes_it() -> None:
    viewer = ViewerModel()
    preview = PreviewLayer(viewer)
    preview.show(1, np.zeros((2, 2), dtype=np.uint16), [], CATEGORIES, COLORS)
    assert viewer.layers[PREVIEW].data.max() == 0
    preview.clear()
    assert len(viewer.layers) == 0
    preview.clear()


def test_hidden_by_us_comes_back_and_hidden_by_the_person_stays_hidden() -> None:
    preview = PreviewLayer(ViewerModel())
    shown = (np.array([[0, 5]], dtype=np.uint16), [_segment(5, 1)], CATEGORIES, COLORS)
    preview.show(1, *shown)
    layer = preview.layer
    assert layer is not None
    preview.hide()
    assert not layer.visible
    preview.show(2, *shown)
    assert layer.visible
    layer.visible = False
    preview.hide()
    preview.reveal()
    assert not layer.visible


def test_blank_holds_nothing_and_is_no_larger_than_any_picture() -> None:
    preview = PreviewLayer(ViewerModel())
    preview.blank()
    preview.show(1, np.array([[0, 5]], dtype=np.uint16), [_segment(5, 1)], CATEGORIES, COLORS)
    preview.blank()
    assert preview.image_id is None
    assert preview.layer is not None
    assert preview.layer.data.tolist() == [[0]]


def test_a_predicted_segment_is_handed_out_while_it_is_seen() -> None:
    preview = PreviewLayer(ViewerModel())
    labels = np.array([[0, 4, 4], [9, 9, 4]], dtype=np.uint16)
    preview.show(1, labels, [_segment(4, 1), _segment(9, 2, False)], CATEGORIES, COLORS)
    found = preview.segment_at(2, 1)
    assert found is not None and found[0] == 1
    np.testing.assert_array_equal(rle_to_mask(found[1]), labels == 4)
    assert preview.segment_at(0, 0) is None, "void"
    assert preview.segment_at(3, 0) is None and preview.segment_at(0, -1) is None, "beside the picture"
    preview.hide()
    assert preview.segment_at(2, 1) is None
    preview.reveal()
    preview.blank()
    assert preview.segment_at(0, 0) is None
