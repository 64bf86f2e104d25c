"""Prediction of pictures of any size: in one piece up to a limit, beyond it in overlapping tiles that are joined.

Memory does not grow with the number of objects times the size of the picture: an object is held as a packed
patch, a tile is read when its turn comes, and what leaves are run-length codes (instances) or one map of ids
(panoptic). A limit of detections a picture holds for each tile, so a large picture may have more of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pointanno.dataset import InstancePrediction
from pointanno.errors import InputError
from pointanno_models.engine.joining import InstanceJoiner, PanopticJoiner, Tile

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from pointanno.dataset import Prediction
    from pointanno.images import PixelSource
    from pointanno_models.engine.system import System

_WHOLE, _TILE, _OVERLAP = 1024, 640, 160
"""Pixels of a network's input; tiles are smaller than pictures that stay whole because of the limit of detections."""

_MOST_PIXELS = 2**32  # run-length codes count with 32 bits


@dataclass(frozen=True, slots=True)
class Tiling:
    """How large pictures are divided, in pixels of the picture."""

    size: int
    """Side of a tile; 0 predicts every picture in one piece."""
    overlap: int
    """What neighbours share at least; objects up to this size are whole in one of them."""
    whole: int = 0
    """Pictures whose longer side is not more than this, or than a tile, are predicted in one piece."""

    def __post_init__(self) -> None:
        if self.size < 0 or (self.size and not 1 <= self.overlap < self.size):
            raise ValueError(f"overlap must be between 1 and the size of a tile ({self.size}), but is {self.overlap}")


def default_tiling(zoom: float = 1.0) -> Tiling:
    """The engine's choice for a network whose input is the picture enlarged by `zoom`."""
    size = max(2, round(_TILE / zoom))
    return Tiling(size, min(max(1, round(_OVERLAP / zoom)), size - 1), round(_WHOLE / zoom))


def tiles_of(image_size: tuple[int, int], tiling: Tiling) -> list[Tile]:
    """Tiles of a picture of (height, width), row by row; their cores cover it without overlap."""
    rows, columns = (_spans(side, tiling) for side in image_size)
    return [
        Tile(top, left, bottom, right, (core_top, core_left, core_bottom, core_right), image_size)
        for top, bottom, core_top, core_bottom in rows
        for left, right, core_left, core_right in columns
    ]


def _spans(length: int, tiling: Tiling) -> list[tuple[int, int, int, int]]:
    """(start, stop, start of the core, stop of the core) along one side, evenly spread."""
    if length <= tiling.size:
        return [(0, length, 0, length)]
    count = -(-(length - tiling.overlap) // (tiling.size - tiling.overlap))
    starts = [number * (length - tiling.size) // (count - 1) for number in range(count)]
    # cores meet in the middle of what two neighbours share
    meeting = [(left + tiling.size + right) // 2 for left, right in itertools.pairwise(starts)]
    return [
        (start, start + tiling.size, begin, end)
        for start, begin, end in zip(starts, [0, *meeting], [*meeting, length], strict=True)
    ]


def predict_any_size(
    system: System,
    network: nn.Module,
    image: PixelSource,
    *,
    on_tile: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Prediction for a picture in memory or on disk.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode.
    image : (H, W) or (H, W, C)
        As `pointanno.images.open_image` or `read_image` returns it.
    on_tile : function of (done, total), optional
        Called after each tile.

    Raises
    ------
    InputError
        If the picture has more pixels than run-length codes can count.
    """
    height, width = image.shape[:2]
    tiling = system.tiling()
    if not tiling.size or max(height, width) <= max(tiling.size, tiling.whole):
        with torch.no_grad():
            return system.predict(network, image[0:height, 0:width])
    if height * width >= _MOST_PIXELS:
        raise InputError(
            f"the picture has {width} x {height} pixels, and masks can be written for less than {_MOST_PIXELS}; "
            "cut it into parts"
        )
    measured = system.measure(image)
    tiles = tiles_of((height, width), tiling)
    joiner: InstanceJoiner | PanopticJoiner | None = None
    for number, tile in enumerate(tiles, start=1):
        pixels = np.ascontiguousarray(image[tile.top : tile.bottom, tile.left : tile.right])
        joiner = _add(joiner, tile, _predict_tile(system, network, pixels, measured), (height, width))
        if on_tile is not None:
            on_tile(number, len(tiles))
    assert joiner is not None
    return joiner.join()


def _predict_tile(system: System, network: nn.Module, pixels: Any, measured: Any) -> Prediction:
    with torch.no_grad():
        return system.predict(network, pixels, measured)


def _add(
    joiner: InstanceJoiner | PanopticJoiner | None, tile: Tile, found: Prediction, image_size: tuple[int, int]
) -> InstanceJoiner | PanopticJoiner:
    """Hand a tile's prediction to the joiner of its kind."""
    if isinstance(found, InstancePrediction):
        joiner = InstanceJoiner(image_size) if joiner is None else joiner
        assert isinstance(joiner, InstanceJoiner)
        joiner.add(tile, found)
    else:
        joiner = PanopticJoiner(image_size) if joiner is None else joiner
        assert isinstance(joiner, PanopticJoiner)
        joiner.add(tile, found)
    return joiner
