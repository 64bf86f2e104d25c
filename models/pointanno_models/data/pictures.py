"""Pictures as network input: decoded once, normalised one by one."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.images import read_image, to_rgb8

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGENET_MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
IMAGENET_STD = np.array([58.395, 57.12, 57.375], dtype=np.float32)


class PictureCache:
    """Decoded 8-bit RGB pictures, the least recently used dropped beyond a limit of memory."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._pictures: OrderedDict[Path, NDArray[np.uint8]] = OrderedDict()

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 of a file; do not write into it."""
        picture = self._pictures.get(path)
        if picture is not None:
            self._pictures.move_to_end(path)
            return picture
        picture = to_rgb8(read_image(path))
        self._pictures[path] = picture
        self._held += picture.nbytes
        while self._held > self._limit and len(self._pictures) > 1:
            self._held -= self._pictures.popitem(last=False)[1].nbytes
        return picture


def normalize_image(image: NDArray[Any], how: str) -> NDArray[np.float32]:
    """A picture with the mean and spread that a network expects.

    Parameters
    ----------
    image : (H, W, 3) uint8
    how : {"imagenet", "image"}
        By the statistics of ImageNet, which pretrained weights need; or by this picture's own, which makes
        microscopes and exposures alike.

    Returns
    -------
    (H, W, 3) float32
    """
    pixels = image.astype(np.float32)
    if how == "imagenet":
        normalized: NDArray[np.float32] = (pixels - IMAGENET_MEAN) / IMAGENET_STD
        return normalized
    if how == "image":
        spread = np.float32(max(float(pixels.std()), 1.0))
        return (pixels - np.float32(pixels.mean())) / spread
    raise ValueError(f"how must be 'imagenet' or 'image', but got {how!r}")
