"""The napari layer of the picture that is shown, and where it lies; our other layers lie over it.

Physical size and unit come from the file. A person who changes scale, translation, rotation, shear, affine or units of
the layer is obeyed: the layers that follow it move along, and a click means the pixel under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from psygnal import Signal

from napari_pointanno._models.shown_picture import ShownPicture
from napari_pointanno.view_transform import PICTURE_MARK, PLACEMENT_EVENTS

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

IMAGE = "image"
"""Name of the layer."""

IDLE = "image of another kind"
"""Name of a hidden, empty layer that waits for pictures of its kind."""

FOLLOWER_MARK = "pointanno_follower"
"""Key in the metadata of our layers that lie over the picture."""

_PLAIN = (None, (0.0, 0.0), "")


def lay_over(layer: Layer, picture: Layer | None) -> None:
    """Let a layer of two axes lie over the picture, pixel upon pixel, now and whenever the picture moves."""
    layer.metadata[FOLLOWER_MARK] = True
    if picture is None or layer.ndim != picture.ndim:
        return
    if tuple(layer.units) != tuple(picture.units):
        layer.units = picture.units
    for name in ("scale", "rotate", "shear", "translate"):
        wanted = np.asarray(getattr(picture, name))
        if not np.array_equal(np.asarray(getattr(layer, name)), wanted):
            setattr(layer, name, wanted)
    affine = np.asarray(picture.affine.affine_matrix)
    if not np.array_equal(np.asarray(layer.affine.affine_matrix), affine):
        layer.affine = affine


def _empty(layer: Image) -> None:
    """Take the pixels out of a layer, and the memory with them."""
    small = np.zeros((1, 1, 3) if layer.rgb else (1, 1), dtype=layer.dtype)
    layer.data = [small] if layer.multiscale else small


class PictureLayer:
    """Shows one picture at a time, below everything else.

    napari cannot turn a grey layer into one of colours, nor a single array into levels. And its widgets keep every
    layer that was ever removed. So the first picture of another kind gets a layer of its own, and the layer before is
    emptied, hidden and kept: there are never more than four, however often the kinds change.
    """

    moved = Signal()
    """The picture lies elsewhere in napari's world; the layers over it have followed."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Image | None = None
        self._kinds: dict[tuple[bool, bool], Image] = {}
        self._shown: tuple[ShownPicture, str] | None = None
        self._is_replacing = False
        self._placed: tuple[tuple[float, float] | None, tuple[float, float], str] = _PLAIN

    @property
    def layer(self) -> Image | None:
        """The layer, None before the first picture or after somebody removed it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    @property
    def is_lost(self) -> bool:
        """Whether somebody removed the layer; not while we put another one in its place."""
        return self._shown is not None and self.layer is None and not self._is_replacing

    def restore(self) -> None:
        """Make the layer again if somebody removed it, where it lay."""
        if self.is_lost and self._shown is not None:
            self.show(*self._shown)

    def show(self, picture: ShownPicture, name: str) -> None:
        """Put a picture below everything else.

        Parameters
        ----------
        picture : ShownPicture
            Grey pictures keep their values, so that contrast can be set by hand; others are drawn as bytes.
        name : str
            File name, kept in the layer's metadata.
        """
        self._shown = (picture, name)
        limits, layer = picture.look.limits, self.layer
        if layer is None or (layer.rgb, layer.multiscale) != (picture.look.rgb, picture.is_multiscale):
            layer = self._change(picture)
        else:
            layer.data = _data_of(picture)
        if not layer.rgb:
            layer.contrast_limits_range = limits
            layer.contrast_limits = limits
        layer.metadata["file_name"] = name
        info = picture.info
        placed = (info.pixel_size, info.origin, info.unit)
        if placed != self._placed:
            self._placed = placed
            self._place(layer)
        self._viewer.layers.selection.active = layer

    def draw_again(self) -> None:
        """The levels give other values than before: another look, or more of the picture was read."""
        layer = self.layer
        if layer is not None and self._shown is not None:
            layer.data = _data_of(self._shown[0])

    def clear(self) -> None:
        """Remove the layers and forget the picture."""
        kinds, self._kinds = list(self._kinds.values()), {}
        self._layer, self._shown, self._placed = None, None, _PLAIN
        for layer in kinds:
            self._let_go(layer)
            if layer in self._viewer.layers:
                _empty(layer)
                self._viewer.layers.remove(layer)

    def _change(self, picture: ShownPicture) -> Image:
        """The layer for another kind of picture, or instead of one that was removed; it lies where that one lay."""
        kind = (picture.look.rgb, picture.is_multiscale)
        before, there = self._layer, self.layer
        waiting = self._kinds.get(kind)
        self._is_replacing = True
        try:
            if before is not None:
                self._let_go(before)
            if there is not None:
                _empty(there)
                there.visible, there.name = False, IDLE
                there.metadata.pop(PICTURE_MARK, None)
                there.metadata[FOLLOWER_MARK] = True
            if waiting is not None and waiting in self._viewer.layers:
                layer = waiting
                layer.data = _data_of(picture)
                layer.visible, layer.name = True, IMAGE
                if there is not None:
                    there.name = IDLE  # napari has told apart two layers of this name
            else:
                layer = self._make(picture)
                self._viewer.layers.insert(0, layer)
        finally:
            self._is_replacing = False
        if before is not None:
            lay_over(layer, before)
        layer.metadata.pop(FOLLOWER_MARK, None)
        layer.metadata[PICTURE_MARK] = True
        self._layer = self._kinds[kind] = layer
        for name in (*PLACEMENT_EVENTS, "units"):
            getattr(layer.events, name).connect(self._on_moved)
        return layer

    def _make(self, picture: ShownPicture) -> Image:
        """A new layer for a kind of pictures."""
        arguments: dict[str, Any] = {} if picture.look.rgb else {"contrast_limits": picture.look.limits}
        layer = Image(
            _data_of(picture),
            rgb=picture.look.rgb,
            multiscale=picture.is_multiscale,
            name=IMAGE,
            scale=(1, 1),
            translate=(0, 0),
            interpolation2d="nearest",
            metadata={PICTURE_MARK: True},
            **arguments,
        )
        layer.locked = True
        return layer

    def _let_go(self, layer: Layer) -> None:
        for name in (*PLACEMENT_EVENTS, "units"):
            getattr(layer.events, name).disconnect(self._on_moved)

    def _place(self, layer: Image) -> None:
        """Where the file says that the picture lies."""
        size, origin, unit = self._placed
        layer.units = (unit or "pixel",) * 2
        layer.scale = size or (1.0, 1.0)
        layer.translate = origin

    def _on_moved(self) -> None:
        picture = self.layer
        if picture is None:
            return
        for layer in self._viewer.layers:
            if FOLLOWER_MARK in layer.metadata:
                lay_over(layer, picture)
        self.moved.emit()


def _data_of(picture: ShownPicture) -> Any:
    return picture.levels if picture.is_multiscale else picture.levels[0]
