"""napari layers as views of the image that is shown; the project is the store.

Nothing is ever read back from these layers. If a person removes one it is made again at the next refresh.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image, Labels, Points, Shapes
from numpy.typing import NDArray

from napari_pointanno._models.shown_picture import ShownPicture
from napari_pointanno.drawing import Fresh, FreshPoint
from napari_pointanno.mask_layer import MaskLayer
from napari_pointanno.palette import ANSWER_COLORS, ANSWER_SYMBOLS, CLICK_BORDER, POINT_CANVAS_LIMITS, Color
from napari_pointanno.picture_layer import IMAGE, PictureLayer, lay_over
from pointanno.coords import box_to_napari_corners, index_to_napari
from pointanno.dataset import Category

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from pointanno.project import BoxAnnotation, Click, ImageAnnotations

BOXES, POINTS = "boxes", "points"
"""Names of the layers over the picture, bottom first."""

__all__ = ["BOXES", "IMAGE", "POINTS", "AnnotationLayers", "warm_up"]

WHITE: Color = (255, 255, 255)


_Key = tuple[str, int, bytes, tuple[str | None, ...]]
"""Uid, class, points and answers of a box."""


class _Mark(NamedTuple):
    """One point of the Points layer."""

    x: int
    y: int
    color: tuple[float, float, float, float]
    symbol: str
    uid: str
    name: str
    label: str
    source: str | None


def warm_up() -> threading.Thread:
    """Compile what the first Shapes layer needs, in the background.

    napari triangulates shapes by numba, which takes up to ten seconds on a machine where it never ran; the
    result is kept on disk. The person would otherwise wait for it after the first box.
    """
    # made here and not in the thread: the first layer fills napari's table of units, and two threads that do so
    # at once leave it broken
    layer = Shapes(ndim=2)

    def compile_shapes() -> None:
        layer.add([np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])], shape_type="rectangle", edge_width=1.0)

    thread = threading.Thread(target=compile_shapes, name="pointanno warm-up", daemon=True)
    thread.start()
    return thread


class AnnotationLayers:
    """The three layers of a session: the picture, boxes, and points (clicks and answers)."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.picture = PictureLayer(viewer)
        self._boxes: Shapes | None = None
        self._points: Points | None = None
        self._shown_clicks: tuple[Click, ...] = ()
        self._shown_boxes: tuple[_Key, ...] = ()
        self._shown_scene: tuple[object, ...] = ()
        self._visible_before: dict[str, bool] | None = None
        self.masks = MaskLayer(viewer)

    @property
    def image(self) -> Image | None:
        """The layer of the picture, None before the first one."""
        return self.picture.layer

    def show_image(self, array: NDArray[Any], name: str) -> None:
        """Put a picture that is in memory below everything else, (H, W) or (H, W, C)."""
        self.picture.show(ShownPicture.of_array(array), name)

    def show_annotations(
        self,
        annotations: ImageAnnotations,
        categories: Sequence[Category],
        colors: Mapping[int, Color],
        *,
        open_box: str | None,
        lazily: bool = False,
    ) -> Fresh:
        """Draw clicks, closed boxes and their answers.

        Parameters
        ----------
        annotations : ImageAnnotations
        categories : sequence of Category
        colors : mapping
            Colour of each category id.
        open_box : str or None
            The box that is being answered; the overlay draws it and its points instead.
        lazily : bool
            Leave the layers alone if clicks and boxes were only added: a change of them costs several redraws.

        Returns
        -------
        Fresh
            What the layers do not show, for the overlay; empty unless `lazily`.
        """
        scene = (annotations.image_id, tuple(sorted(colors.items())))
        closed = tuple(_key(box) for box in _framed(annotations) if box.uid != open_box)
        self.picture.restore()
        if self._viewer.dims.ndisplay != 2:  # napari cannot draw flat shapes in space
            for layer in self._annotation_layers():
                self._viewer.layers.remove(layer)
            return Fresh()
        if self.masks.show(annotations, categories, colors):
            self._add_masks()
        same_scene = scene == self._shown_scene and self._complete()
        if same_scene and (annotations.clicks, closed) == (self._shown_clicks, self._shown_boxes):
            return Fresh()
        if same_scene and lazily and self._visible() and self._were_only_added(annotations):
            points = tuple(self._fresh(click, colors) for click in annotations.clicks[len(self._shown_clicks) :])
            shown = set(self._shown_boxes)
            return Fresh(points, tuple(box[0] for box in closed if box not in shown))
        names = {category.id: category.name for category in categories}
        if not same_scene or closed != self._shown_boxes:
            self._show_boxes(annotations, names, colors, open_box)
        self._show_points(annotations, names, colors, open_box)
        self._shown_scene, self._shown_clicks, self._shown_boxes = scene, annotations.clicks, closed
        return Fresh()

    def _were_only_added(self, annotations: ImageAnnotations) -> bool:
        """Whether all that the layers show still holds: clicks, boxes or answers may have come, nothing has gone.

        A box that was in the layers and is asked about now may stay there: the overlay paints the same above it.
        """
        if annotations.clicks[: len(self._shown_clicks)] != self._shown_clicks:
            return False
        now = {box.uid: _key(box) for box in _framed(annotations)}
        return all(box == now.get(box[0]) or _has_grown(box, now.get(box[0])) for box in self._shown_boxes)

    def set_hidden(self, hidden: bool) -> None:
        """Hide boxes and points, or show again what was visible before."""
        if hidden and self._visible_before is None:
            self._visible_before = {layer.name: layer.visible for layer in self._annotation_layers()}
            for layer in self._annotation_layers():
                layer.visible = False
        elif not hidden and self._visible_before is not None:
            for layer in self._annotation_layers():
                layer.visible = self._visible_before.get(layer.name, True)
            self._visible_before = None

    def clear(self) -> None:
        """Remove the layers; the project keeps everything."""
        for layer in (self._points, self._boxes):
            if layer is not None and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.masks.clear()
        self.picture.clear()
        self._boxes = self._points = None
        self._shown_clicks = self._shown_boxes = self._shown_scene = ()

    def _annotation_layers(self) -> list[Labels | Shapes | Points]:
        layers = (self.masks.layer, self._boxes, self._points)
        return [layer for layer in layers if layer is not None and layer in self._viewer.layers]

    def _complete(self) -> bool:
        return all(layer is None or layer in self._viewer.layers for layer in (self._boxes, self._points))

    @property
    def is_incomplete(self) -> bool:
        """Whether somebody removed a layer of ours."""
        masks = self.masks.made is not None and self.masks.layer is None
        return masks or self.picture.is_lost or not self._complete()

    def _visible(self) -> bool:
        """Whether what the overlay draws for a layer would be seen in the layer as well."""
        drawn = (self._boxes, self._points)
        return self._points is not None and all(layer is None or layer.visible for layer in drawn)

    def _fresh(self, click: Click, colors: Mapping[int, Color]) -> FreshPoint:
        row, column = index_to_napari((click.x, click.y)).tolist()
        color = colors.get(click.category_id, WHITE)
        return FreshPoint(row, column, color, not click.isthing, self._point_size())

    def _show_boxes(
        self, annotations: ImageAnnotations, names: Mapping[int, str], colors: Mapping[int, Color], open_box: str | None
    ) -> None:
        boxes = [box for box in _framed(annotations) if box.uid != open_box]
        layer = self._boxes
        if layer is None or layer not in self._viewer.layers:
            if not boxes:  # the first Shapes layer is slow to make: not before there is a box
                return
            layer = self._boxes = Shapes(ndim=2, name=BOXES, scale=(1, 1), translate=(0, 0), opacity=0.9)
            layer.locked = True
            lay_over(layer, self.image)
            self._add_above_image(layer, below=self._points)
        layer.editable = True
        layer.data = []
        if boxes:
            layer.add(
                [box_to_napari_corners(box.box.xyxy) for box in boxes],
                shape_type="rectangle",
                edge_color=np.array([_rgba(colors.get(box.category_id, WHITE)) for box in boxes]),
                face_color=[0, 0, 0, 0],
                edge_width=self._stroke(),
            )
        layer.selected_data = set()
        layer.features = {
            "uid": [box.uid for box in boxes],
            "class": [names.get(box.category_id, "") for box in boxes],
            "source": [box.source for box in boxes],
        }
        layer.editable = False

    def _show_points(
        self, annotations: ImageAnnotations, names: Mapping[int, str], colors: Mapping[int, Color], open_box: str | None
    ) -> None:
        marks = [
            _Mark(click.x, click.y, _rgba(colors.get(click.category_id, WHITE)), "disc" if click.isthing else "square",
                  click.uid, names.get(click.category_id, ""), "click", click.source)
            for click in annotations.clicks
        ]  # fmt: skip
        for box in annotations.boxes:
            if box.uid == open_box:
                continue
            name = names.get(box.category_id, "")
            for (x, y), answer in zip(box.point_coords.tolist(), box.answers, strict=True):
                if answer is not None:
                    color = _rgba(ANSWER_COLORS[answer])
                    marks.append(_Mark(x, y, color, ANSWER_SYMBOLS[answer], box.uid, name, answer, box.source))
        layer = self._points
        if layer is None or layer not in self._viewer.layers:
            layer = self._points = Points(ndim=2, name=POINTS, scale=(1, 1), translate=(0, 0), antialiasing=1)
            layer.canvas_size_limits = POINT_CANVAS_LIMITS
            layer.locked = True
            lay_over(layer, self.image)
            self._add_above_image(layer, below=None)
        layer.editable = True
        layer.data = index_to_napari(np.array([(mark.x, mark.y) for mark in marks]).reshape(-1, 2))
        layer.features = {
            "uid": [mark.uid for mark in marks],
            "class": [mark.name for mark in marks],
            "label": [mark.label for mark in marks],
            "source": [mark.source for mark in marks],
        }
        # one update for all that follows, not one each
        with layer.events.blocker_all():
            self._style_points(layer, marks)
        layer.refresh()
        layer.editable = False

    def _style_points(self, layer: Points, marks: Sequence[_Mark]) -> None:
        """Colours, symbols and sizes of points whose positions are set."""
        if marks:
            clicked = np.array([mark.label == "click" for mark in marks])
            layer.face_color = np.array([mark.color for mark in marks])
            layer.symbol = [mark.symbol for mark in marks]
            layer.border_color = np.where(clicked[:, None], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.9])
            layer.border_width = np.where(clicked, CLICK_BORDER, 0.1)
            layer.size = np.where(clicked, 1.0, 0.8) * self._point_size()
        layer.selected_data = set()

    def _add_masks(self) -> None:
        """Insert the new layer of masks, above the picture and the preview, under boxes and points."""
        layer, picture, layers = self.masks.made, self.image, self._viewer.layers
        if layer is None:
            return
        lay_over(layer, picture)
        above = [layers.index(other) for other in (self._boxes, self._points) if other is not None and other in layers]
        active = layers.selection.active
        layers.insert(min(above, default=len(layers)), layer)
        layers.selection.active = active

    def _add_above_image(self, layer: Shapes | Points, below: Points | None) -> None:
        """Insert a layer on top, or under `below`."""
        active = self._viewer.layers.selection.active
        if below is not None and below in self._viewer.layers:
            self._viewer.layers.insert(self._viewer.layers.index(below), layer)
        else:
            self._viewer.layers.append(layer)
        self._viewer.layers.selection.active = active

    def _extent(self) -> float:
        image = self.image
        return float(max(image.data.shape[:2])) if image is not None else 512.0

    def _stroke(self) -> float:
        """Width of a box's edge in image pixels: thin when the whole picture is visible."""
        return max(self._extent() / 500, 0.2)

    def _point_size(self) -> float:
        """Diameter of a point in image pixels; the layer bounds it on the screen."""
        return max(self._extent() / 70, 1.0)


def _framed(annotations: ImageAnnotations) -> list[BoxAnnotation]:
    """Boxes of their own; the box of an object that is nothing but a mask would only repeat its extent."""
    return [box for box in annotations.boxes if box.source != "mask"]


def _key(box: BoxAnnotation) -> _Key:
    """What the layers show of a box; boxes keep their place."""
    return box.uid, box.category_id, box.point_coords.tobytes(), box.answers


def _has_grown(before: _Key, now: _Key | None) -> bool:
    """Whether a box has got answers and is otherwise what it was."""
    if now is None or before[:3] != now[:3]:
        return False
    return all(old is None or old == new for old, new in zip(before[3], now[3], strict=True))


def _rgba(color: Color) -> tuple[float, float, float, float]:
    """(r, g, b) of 0 ... 255 as RGBA of 0 ... 1."""
    red, green, blue = color
    return red / 255, green / 255, blue / 255, 1.0
