"""The prediction of the shown image as one Labels layer between the picture and the annotations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils import DirectLabelColormap
from numpy.typing import NDArray

from napari_pointanno._models.preview_ids import relabelled, stable_ids
from napari_pointanno.palette import Color, instance_color
from napari_pointanno.picture_layer import lay_over
from napari_pointanno.view_transform import picture_layer
from pointanno.dataset import Category
from pointanno.mask_patches import MaskPatch, patch_to_rle

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from pointanno.formats.rle import RLE

PREVIEW = "preview"
OPACITY = 0.45


class PreviewLayer:
    """Created once, updated in place; ids and colours stay put between refreshes of one image.

    It costs napari most of a second to remove a Labels layer and add another one, so between two images it
    becomes blank, and hidden while the preview is off.
    """

    def __init__(self, viewer: ViewerModel, name: str = PREVIEW) -> None:
        self._viewer = viewer
        self._name = name
        self._layer: Labels | None = None
        self._image_id: int | None = None
        self._classes: dict[int, int] = {}
        self._is_hidden = False

    @property
    def image_id(self) -> int | None:
        """The image whose prediction the layer holds, None for none."""
        return self._image_id if self.layer is not None else None

    @property
    def layer(self) -> Labels | None:
        """The layer, None while there is none."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    @property
    def is_hidden_by_hand(self) -> bool:
        """Whether the person has hidden the layer in napari's list."""
        return self.layer is not None and not self.layer.visible and not self._is_hidden

    def show(
        self,
        image_id: int,
        labels: NDArray[np.unsignedinteger[Any]],
        segments: Sequence[Mapping[str, Any]],
        categories: Sequence[Category],
        colors: Mapping[int, Color],
    ) -> None:
        """Show a prediction.

        Parameters
        ----------
        image_id : int
        labels : (H, W) unsigned int
            Segment ids, 0 is void.
        segments : sequence of mapping
            `id`, `category_id`, `isthing`, `score`, `area`.
        categories, colors
            Names and colours of the classes.
        """
        layer = self.layer
        before = layer.data if layer is not None and image_id == self._image_id else None
        ids = stable_ids(before, self._classes if before is not None else {}, labels, segments)
        shown = relabelled(labels, ids)
        self._image_id = image_id
        self._classes = {ids[int(segment["id"])]: int(segment["category_id"]) for segment in segments}
        names = {category.id: category.name for category in categories}
        table: defaultdict[int | None, NDArray[np.float64]] = defaultdict(lambda: np.zeros(4))
        features: dict[str, list[Any]] = {
            "index": [0],
            "class": ["void"],
            "thing": [False],
            "score": [0.0],
            "area": [0],
        }
        for segment in sorted(segments, key=lambda segment: ids[int(segment["id"])]):
            display, category_id = ids[int(segment["id"])], int(segment["category_id"])
            isthing = bool(segment.get("isthing", True))
            table[display] = np.array(
                instance_color(colors.get(category_id, (200, 200, 200)), display, isthing=isthing)
            )
            features["index"].append(display)
            features["class"].append(names.get(category_id, str(category_id)))
            features["thing"].append(isthing)
            features["score"].append(float(segment.get("score") or 0.0))
            features["area"].append(int(segment.get("area") or 0))
        colormap = DirectLabelColormap(color_dict=table)
        if layer is None:
            layer = self._layer = Labels(
                shown, name=self._name, scale=(1, 1), translate=(0, 0), opacity=OPACITY, colormap=colormap
            )
            layer.locked = True
            lay_over(layer, picture_layer(self._viewer))
            active = self._viewer.layers.selection.active
            self._viewer.layers.insert(min(1, len(self._viewer.layers)), layer)
            self._viewer.layers.selection.active = active
        else:
            layer.data = shown
            layer.colormap = colormap
        layer.features = features
        layer.editable = False
        self.reveal()

    def segment_at(self, x: int, y: int) -> tuple[int, RLE] | None:
        """Class and mask of what is predicted at a pixel; None for void, and while the layer is not to be seen."""
        layer = self.layer
        if layer is None or not layer.visible or self._image_id is None:
            return None
        labels = np.asarray(layer.data)
        height, width = labels.shape
        number = int(labels[y, x]) if 0 <= y < height and 0 <= x < width else 0
        if number not in self._classes:
            return None
        rows, columns = np.flatnonzero((labels == number).any(axis=1)), np.flatnonzero((labels == number).any(axis=0))
        top, left = int(rows[0]), int(columns[0])
        patch = (labels[top : rows[-1] + 1, left : columns[-1] + 1] == number).astype(np.uint8)
        return self._classes[number], patch_to_rle(MaskPatch((top, left), patch), (height, width))

    def blank(self) -> None:
        """Show nothing: what is there belongs to another image."""
        layer = self.layer
        if layer is not None and self._image_id is not None:
            layer.data = np.zeros((1, 1), dtype=np.uint8)
            layer.features = {"index": [0], "class": ["void"]}
        self._image_id, self._classes = None, {}

    def hide(self) -> None:
        """Close the eye of the layer; what it holds stays."""
        layer = self.layer
        if layer is not None and layer.visible:
            layer.visible, self._is_hidden = False, True

    def reveal(self) -> None:
        """Take `hide` back; a layer that the person has hidden stays hidden."""
        layer = self.layer
        if layer is not None and self._is_hidden:
            layer.visible = True
        self._is_hidden = False

    def clear(self) -> None:
        """Remove the layer: the project is closed."""
        layer = self.layer
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._layer, self._image_id, self._classes, self._is_hidden = None, None, {}, False
