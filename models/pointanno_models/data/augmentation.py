"""Geometry and colour changes that keep a picture, its boxes, points and masks together.

torchvision's key points flip by ``W - 1 - x`` but resize continuously, which shifts points by a pixel; here
every step is one affine map of continuous coordinates, applied to boxes and points alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from pointanno.dataset import IGNORED
from pointanno.mask_patches import rle_to_patch
from pointanno_models.data.levels import RGB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray
    from torch import Tensor

    from pointanno_models.data.pictures import NormalizedPicture
    from pointanno_models.data.records import TrainingRecord

_SMALLEST_SIDE = 2.0
"""Pixels; what a crop leaves of a box below this is dropped."""

_LARGE_IN_CROPS = 10
"""A picture is large if a square of so many crops a side does not cover it: most of its crops may be empty."""

_SHARE_WITH_OBJECT = 0.8
"""Of the crops of a large picture, so many are placed around an object; the others teach background."""


@dataclass(frozen=True, slots=True, eq=False)
class AugmentedSample:
    """One training picture after augmentation.

    Attributes
    ----------
    image : (C, H, W) float32, normalised
    boxes : (N, 4) float32, XYXY, continuous, inside the picture
    labels : (N,) int64
    point_coords : (N, P, 2) float32, continuous
    point_labels : (N, P) int8
    masks : (N, H, W) uint8 or None
    has_mask : (N,) bool or None
        False where the mask must not be learnt from; None if all may.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    point_coords: Tensor
    point_labels: Tensor
    masks: Tensor | None
    has_mask: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Which changes are drawn, and how strong; pixels are those of the network's input."""

    crop: int
    """Side of a square crop, 0 for whole pictures."""
    short_sides: tuple[int, ...]
    """Short side to resize whole pictures to, one drawn a time; empty for none."""
    long_side: int
    """The long side of a resized picture is not more than this, 0 for no limit."""
    scale: tuple[float, float]
    """Zoom, drawn log-uniformly; (1, 1) for none."""
    flip: bool
    """Horizontal flip half of the time."""
    rotate: bool
    """Vertical flip and quarter turns too: for pictures without an up."""
    color: float
    """Largest relative change of contrast, and of brightness in standard deviations."""

    def __call__(
        self, image: NormalizedPicture | NDArray[np.float32], record: TrainingRecord, rng: np.random.Generator
    ) -> AugmentedSample:
        """Draw a change and apply it.

        Parameters
        ----------
        image : (H, W, C) float32, normalised
            Only the window of the crop is read from it.
        record : TrainingRecord
        rng : numpy generator
            The only source of chance.
        """
        height, width = image.shape[:2]
        window, size = self._draw_window((height, width), record.boxes, rng)
        top, left, bottom, right = window
        scale = np.array([size[1] / (right - left), size[0] / (bottom - top)], dtype=np.float32)
        origin = np.array([left, top], dtype=np.float32)

        boxes = (record.boxes.reshape(-1, 2, 2) - origin) * scale
        clipped = boxes.clip(0, np.array([size[1], size[0]], dtype=np.float32))
        sides = clipped[:, 1] - clipped[:, 0]
        kept = np.flatnonzero((sides >= _SMALLEST_SIDE).all(axis=1))
        boxes = clipped[kept]
        points = (record.point_coords[kept] - origin) * scale

        pixels = torch.from_numpy(np.ascontiguousarray(image[top:bottom, left:right].transpose(2, 0, 1)))
        pixels = resize_image(pixels, size)
        masks = None
        if record.masks is not None:
            masks = resize_masks(cut_masks([record.masks[index] for index in kept], window), size)

        turns = int(rng.integers(4)) if self.rotate else 0
        mirrored = bool(self.flip and rng.random() < 0.5)
        pixels = _turn_pixels(pixels, turns, mirrored=mirrored)
        if masks is not None:
            masks = _turn_pixels(masks, turns, mirrored=mirrored)
        corners = turn_coords(boxes, size, turns, mirrored=mirrored)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        points = turn_coords(points, size, turns, mirrored=mirrored)
        labels = mark_outside(points, record.point_labels[kept], (pixels.shape[1], pixels.shape[2]))

        if self.color > 0:
            pixels = self._change_color(pixels, rng)
        if self.crop:
            pixels = _pad_to(pixels, self.crop)
            masks = None if masks is None else _pad_to(masks, self.crop)
        return AugmentedSample(
            image=pixels.contiguous(),
            boxes=torch.from_numpy(boxes.astype(np.float32)),
            labels=torch.from_numpy(record.labels[kept]),
            point_coords=torch.from_numpy(points.astype(np.float32)),
            point_labels=torch.from_numpy(labels),
            masks=None if masks is None else masks.contiguous(),
            has_mask=None if record.has_mask is None else torch.from_numpy(record.has_mask[kept]),
        )

    def _change_color(self, pixels: Tensor, rng: np.random.Generator) -> Tensor:
        """Contrast and brightness: of a colour picture as a whole, else of each channel, whose gains are unrelated."""
        if len(pixels) == RGB:
            contrast, brightness = rng.uniform(-self.color, self.color, size=2)
            return pixels * float(1 + contrast) + float(brightness)
        contrasts, shifts = rng.uniform(-self.color, self.color, size=(2, len(pixels), 1, 1)).astype(np.float32)
        return pixels * torch.from_numpy(1 + contrasts) + torch.from_numpy(shifts)

    def _draw_window(
        self, image_size: tuple[int, int], boxes: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
        """The part of the picture (top, left, bottom, right) and the size (height, width) it is resized to."""
        height, width = image_size
        low, high = self.scale
        zoom = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if high > low else low
        if self.short_sides:
            short = self.short_sides[int(rng.integers(len(self.short_sides)))]
            zoom *= fit_scale(image_size, short, self.long_side)
        if not self.crop:
            return (0, 0, height, width), (max(1, round(height * zoom)), max(1, round(width * zoom)))
        part = max(1, round(self.crop / zoom))
        part_height, part_width = min(part, height), min(part, width)
        is_large = height * width > (_LARGE_IN_CROPS * self.crop) ** 2
        if is_large and len(boxes) and rng.random() < _SHARE_WITH_OBJECT:
            x0, y0, x1, y1 = boxes[int(rng.integers(len(boxes)))].tolist()
            top = _start_around((y0 + y1) / 2, part_height, height, rng)
            left = _start_around((x0 + x1) / 2, part_width, width, rng)
        else:
            top = int(rng.integers(height - part_height + 1))
            left = int(rng.integers(width - part_width + 1))
        size = tuple(min(self.crop, max(1, round(side * zoom))) for side in (part_height, part_width))
        return (top, left, top + part_height, left + part_width), (size[0], size[1])


def _start_around(center: float, part: int, whole: int, rng: np.random.Generator) -> int:
    """Where a part of a side begins that holds `center` at a random place."""
    first = max(0, min(int(center) - part + 1, whole - part))
    last = min(max(0, int(center)), whole - part)
    return int(rng.integers(first, last + 1))


def fit_scale(image_size: tuple[int, int], short_side: int, long_side: int) -> float:
    """Factor that brings the short side to `short_side` unless the long side would pass `long_side`."""
    scale = short_side / min(image_size)
    if long_side and scale * max(image_size) > long_side:
        scale = long_side / max(image_size)
    return scale


def resize_image(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, H, W) float to (C, *size), without aliasing."""
    if tuple(image.shape[1:]) == size:
        return image
    return functional.interpolate(image[None], size=size, mode="bilinear", align_corners=False, antialias=True)[0]


def resize_masks(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, H, W) uint8 to (N, *size) uint8; a pixel belongs to a mask if at least half of it does."""
    if tuple(masks.shape[1:]) == size or not len(masks):
        return masks if len(masks) else masks.new_zeros((0, *size))
    soft = functional.interpolate(
        masks[:, None].float(), size=size, mode="bilinear", align_corners=False, antialias=True
    )
    return (soft[:, 0] >= 0.5).to(torch.uint8)


def cut_masks(masks: Sequence[Mapping[str, Any]], window: tuple[int, int, int, int]) -> Tensor:
    """The masks of N run-length codes inside a window (top, left, bottom, right): (N, H, W) uint8."""
    top, left, bottom, right = window
    canvas = np.zeros((len(masks), bottom - top, right - left), dtype=np.uint8)
    for layer, rle in zip(canvas, masks, strict=True):
        mask = rle_to_patch(rle)
        row, column = mask.origin[0] - top, mask.origin[1] - left
        height, width = mask.patch.shape
        rows = slice(max(row, 0), max(min(row + height, layer.shape[0]), 0))
        columns = slice(max(column, 0), max(min(column + width, layer.shape[1]), 0))
        if rows.start < rows.stop and columns.start < columns.stop:
            layer[rows, columns] = mask.patch[
                rows.start - row : rows.stop - row, columns.start - column : columns.stop - column
            ]
    return torch.from_numpy(canvas)


def turn_coords(
    coords: NDArray[np.float32], size: tuple[int, int], turns: int, *, mirrored: bool
) -> NDArray[np.float32]:
    """Continuous (..., 2) coordinates after `turns` quarter turns to the left and then a horizontal flip."""
    height, width = size
    x, y = coords[..., 0], coords[..., 1]
    for _ in range(turns % 4):
        x, y = y, width - x
        height, width = width, height
    if mirrored:
        x = width - x
    return np.stack([x, y], axis=-1)


def _turn_pixels(pixels: Tensor, turns: int, *, mirrored: bool) -> Tensor:
    """The same on (C, H, W)."""
    pixels = torch.rot90(pixels, turns, dims=(1, 2))
    return pixels.flip(2) if mirrored else pixels


def mark_outside(
    point_coords: NDArray[np.float32], point_labels: NDArray[np.int8], image_size: tuple[int, int]
) -> NDArray[np.int8]:
    """Labels with -1 for points outside of the picture; its border belongs to it on all sides."""
    height, width = image_size
    inside = (point_coords >= 0) & (point_coords <= np.array([width, height], dtype=np.float32))
    return np.where(inside.all(axis=-1), point_labels, np.int8(IGNORED)).astype(np.int8)


def _pad_to(pixels: Tensor, side: int) -> Tensor:
    """Zeros (the mean of a normalised picture) at the right and at the bottom."""
    return functional.pad(pixels, (0, side - pixels.shape[2], 0, side - pixels.shape[1]))
