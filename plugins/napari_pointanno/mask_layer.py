"""All masks of the shown image as one Labels layer, of which only the changed part is redrawn.

Nothing is read back from the layer; it cannot be painted on with napari's own brush (it is not editable), since a
stroke there would be no event of the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_pointanno.palette import Color, instance_color
from pointanno.formats.rle import rle_difference, rle_to_xywh
from pointanno.mask_patches import rle_in_window

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from pointanno.dataset import Category
    from pointanno.project import BoxAnnotation, ImageAnnotations

MASKS = "masks"
OPACITY = 0.5

SHADES = 5
"""Lightnesses that the objects of one class take in turn."""

MOST_PARTS = 24
"""Changed objects beyond which the whole layer is made anew."""

Window = tuple[int, int, int, int]
"""(top, left, bottom, right), the last two exclusive."""


class _Shown(NamedTuple):
    """A mask as the layer has it."""

    number: int
    category_id: int
    counts: str
    window: Window


class MaskLayer:
    """Made with the first mask of a session, then changed in place.

    The number of a mask in the layer is 1 + (place of its class x SHADES + shade) + a multiple of all classes' shades.
    So the colours follow from the classes alone: a new object changes no colour table, which would cost a redraw of
    the whole layer.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Labels | None = None
        self._masks: dict[str, _Shown] = {}
        self._scene: tuple[object, ...] = ()
        self._table: tuple[object, ...] = ()

    @property
    def layer(self) -> Labels | None:
        """The layer, None while there is none or the person has removed it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    @property
    def made(self) -> Labels | None:
        """The layer that `show` has made, which may not be among the viewer's layers yet."""
        return self._layer

    def show(
        self,
        annotations: ImageAnnotations,
        categories: Sequence[Category],
        colors: Mapping[int, Color],
    ) -> bool:
        """Show the masks of an image.

        Parameters
        ----------
        annotations : ImageAnnotations
            The masks of its boxes, the later ones above.
        categories, colors
            All classes, and the colour of each.

        Returns
        -------
        bool
            Whether `made` is a new layer; whoever calls puts it among the others.
        """
        boxes = [box for box in annotations.boxes if box.mask is not None]
        layer = self.layer
        if layer is None and not boxes:
            return False
        size = boxes[0].mask.rle["size"] if boxes and boxes[0].mask is not None else None
        table = tuple((category.id, category.isthing, colors.get(category.id)) for category in categories)
        scene = (annotations.image_id, tuple(entry[0] for entry in table))
        anew = layer is None or scene != self._scene or size is None or layer.data.shape != tuple(size)
        if anew:
            self._masks = {}
        masks = self._numbered(boxes, [category.id for category in categories])
        changed = {uid for uid in {*masks, *self._masks} if masks.get(uid) != self._masks.get(uid)}
        added = layer is None
        if layer is None or anew or len(changed) > MOST_PARTS:
            data = np.zeros((1, 1), np.uint16) if size is None else self._painted(boxes, masks, (0, 0, *size))
            if layer is None:
                layer = self._make(data)
            elif data.shape != (1, 1) or layer.data.shape != (1, 1):
                layer.data = data
        else:
            before, self._masks = self._masks, masks
            for uid in changed:
                window = _changed(before.get(uid), masks.get(uid), tuple(layer.data.shape))
                if window is not None:
                    self._repaint(layer, boxes, masks, window)
        if added or table != self._table:
            layer.colormap = _colormap(categories, colors)
        if added or changed or scene != self._scene:
            self._describe(layer, boxes, masks, categories)
        self._masks, self._scene, self._table = masks, scene, table
        return added

    def clear(self) -> None:
        """Remove the layer; the project keeps everything."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._layer, self._masks, self._scene, self._table = None, {}, (), ()

    def _make(self, data: NDArray[np.uint16]) -> Labels:
        layer = self._layer = Labels(data, name=MASKS, opacity=OPACITY, scale=(1, 1), translate=(0, 0))
        layer.locked = True
        layer.editable = False
        return layer

    def _numbered(self, boxes: Sequence[BoxAnnotation], ids: Sequence[int]) -> dict[str, _Shown]:
        """Each mask with its number in the layer; what is shown already keeps its own."""
        every = max(len(ids) * SHADES, 1)
        used = {shown.number for shown in self._masks.values()}
        seen = dict.fromkeys(ids, 0)
        masks = {}
        for box in boxes:
            assert box.mask is not None
            place = ids.index(box.category_id) if box.category_id in ids else 0
            before, counts = self._masks.get(box.uid), str(box.mask.rle["counts"])
            turn = seen[box.category_id] = seen.get(box.category_id, 0) + 1
            if before is not None and before.category_id == box.category_id:
                number = before.number
            else:
                base = 1 + place * SHADES
                free = (base + shade % SHADES + shade // SHADES * every for shade in range(turn - 1, 2**16))
                number = next((one for one in free if one not in used), base) % 2**16
                used.add(number)
            same = before is not None and before.counts == counts
            window = before.window if before is not None and same else _window(box)
            masks[box.uid] = _Shown(number, box.category_id, counts, window)
        return masks

    @staticmethod
    def _painted(boxes: Sequence[BoxAnnotation], masks: Mapping[str, _Shown], window: Window) -> NDArray[np.uint16]:
        """Numbers of the masks in a window."""
        top, left, bottom, right = window
        found = np.zeros((bottom - top, right - left), dtype=np.uint16)
        for box in boxes:
            shown = masks[box.uid]
            y0, x0 = max(top, shown.window[0]), max(left, shown.window[1])
            y1, x1 = min(bottom, shown.window[2]), min(right, shown.window[3])
            if y0 < y1 and x0 < x1:
                assert box.mask is not None
                part = found[y0 - top : y1 - top, x0 - left : x1 - left]
                part[rle_in_window(box.mask.rle, (y0, x0, y1, x1))] = shown.number
        return found

    def _repaint(
        self, layer: Labels, boxes: Sequence[BoxAnnotation], masks: Mapping[str, _Shown], window: Window
    ) -> None:
        """Bring one part of the layer up to date."""
        top, left, bottom, right = window
        wanted = self._painted(boxes, masks, window)
        rows, columns = np.nonzero(wanted != layer.data[top:bottom, left:right])
        if rows.size and not layer.visible:  # what napari draws of it may be of another size; it looks when it shows it
            layer.data[rows + top, columns + left] = wanted[rows, columns]
        elif rows.size:
            layer.data_setitem((rows + top, columns + left), wanted[rows, columns])
            _forget_history(layer)

    @staticmethod
    def _describe(
        layer: Labels, boxes: Sequence[BoxAnnotation], masks: Mapping[str, _Shown], categories: Sequence[Category]
    ) -> None:
        """What napari tells of the mask under the pointer, and in its table of features."""
        names = {category.id: category.name for category in categories}
        layer.features = {
            "index": [0, *(masks[box.uid].number for box in boxes)],
            "class": ["", *(names.get(box.category_id, "") for box in boxes)],
            "uid": ["", *(box.uid for box in boxes)],
            "source": ["", *(box.mask.source if box.mask is not None else "" for box in boxes)],
        }


def _changed(before: _Shown | None, after: _Shown | None, size: tuple[int, ...]) -> Window | None:
    """The part of the layer in which something of a mask has changed."""
    if before is None or after is None or before.number != after.number:
        windows = [mask.window for mask in (before, after) if mask is not None]
    else:
        old, new = ({"size": list(size), "counts": mask.counts} for mask in (before, after))
        parts = [rle_to_xywh(rle_difference(*pair)) for pair in ((new, old), (old, new))]
        windows = [(int(y), int(x), int(y + high), int(x + wide)) for x, y, wide, high in parts if wide and high]
    if not windows:
        return None
    tops, lefts, bottoms, rights = zip(*windows, strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _window(box: BoxAnnotation) -> Window:
    """Pixels that a mask may cover."""
    assert box.mask is not None
    x, y, width, height = (int(value) for value in rle_to_xywh(box.mask.rle))
    return y, x, y + height, x + width


def _colormap(categories: Sequence[Category], colors: Mapping[int, Color]) -> CyclicLabelColormap:
    table: list[Any] = [(0.0, 0.0, 0.0, 0.0)]
    for category in categories:
        color = colors.get(category.id, (200, 200, 200))
        table += [instance_color(color, shade, isthing=category.isthing) for shade in range(SHADES)]
    if len(table) == 1:
        table.append((1.0, 1.0, 1.0, 1.0))
    return CyclicLabelColormap(colors=np.array(table, dtype=np.float32))


def _forget_history(layer: Labels) -> None:
    """Drop napari's own undo of the change: it would keep every stroke in memory, and the journal can undo it."""
    history = getattr(layer, "_undo_history", None)
    if history is not None:
        history.clear()
