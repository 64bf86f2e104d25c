"""Segment ids as colours: ``id = R + 256 G + 65536 B``, 0 is void."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from pointanno.errors import InputError
from pointanno.formats.json_file import replace_file
from pointanno.images import read_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def colors_to_ids(colors: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Segment ids of colours, (..., 3) uint8 to (...) int32."""
    colors = np.asarray(colors)
    ids = colors[..., 0].astype(np.int32)
    ids += colors[..., 1].astype(np.int32) << 8
    ids += colors[..., 2].astype(np.int32) << 16
    return ids


def ids_to_colors(ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours of segment ids, (...) int to (..., 3) uint8."""
    ids = np.asarray(ids, dtype=np.int64)
    if ids.size and (ids.min() < 0 or ids.max() >= 256**3):
        raise ValueError(f"segment ids must lie in 0 to {256**3 - 1}, but reach from {ids.min()} to {ids.max()}")
    return np.stack([ids & 255, (ids >> 8) & 255, (ids >> 16) & 255], axis=-1).astype(np.uint8)


def read_panoptic_png(path: str | Path) -> NDArray[np.int32]:
    """Segment ids of a PNG, (H, W) int32.

    Raises
    ------
    InputError
        If the file cannot be read or has no colours.
    """
    colors = read_image(path)
    if colors.ndim != 3 or colors.shape[2] < 3 or colors.dtype != np.uint8:
        raise InputError(f"{path}: expected a PNG with 8-bit red, green and blue, where id = R + 256 G + 65536 B")
    return colors_to_ids(colors)


def write_panoptic_png(path: str | Path, panoptic_seg: NDArray[Any]) -> None:
    """Write segment ids, (H, W) int, as a PNG."""
    colors = ids_to_colors(panoptic_seg)
    with replace_file(path) as file:
        PillowImage.fromarray(colors).save(file, format="PNG", optimize=True)
