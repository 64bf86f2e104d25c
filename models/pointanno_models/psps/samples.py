"""Training pictures with their clicks or masks, resized and flipped; whole, because a crop would lose clicks.

PSPS (ECCV 2022), arXiv:2210.13950, section 4.1. Coordinates are transformed, where the original resizes one-pixel
masks: enlarged, such a click becomes several, and made smaller, it can vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from pointanno.formats.rle import rle_to_mask
from pointanno_models.data.augmentation import fit_scale, resize_image, turn_coords
from pointanno_models.psps.outputs import Batch, ImageTargets
from pointanno_models.segmenters.batches import pad_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from pointanno_models.data import NormalizedPicture
    from pointanno_models.psps.records import ClickRecord

_VOID, _IGNORED = 0, -1
"""In a map of targets, which are counted from 1: nobody's pixel, and one that must not be learnt from."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture.

    Attributes
    ----------
    image : (channels, H_b, W_b) float32, normalised
    rgb : (3, H_b, W_b) float32 in [0, 1]
    targets : ImageTargets
    """

    image: Tensor
    rgb: Tensor
    targets: ImageTargets


def input_size(image_size: tuple[int, int], short_side: int, long_side: int) -> tuple[int, int]:
    """(height, width) of the network's input for a picture.

    Parameters
    ----------
    image_size : (height, width)
    short_side : int
        0 leaves the picture as it is, unless its long side is too long.
    long_side : int
        0 for no limit.
    """
    if short_side:
        scale = fit_scale(image_size, short_side, long_side)
    else:
        scale = min(1.0, long_side / max(image_size)) if long_side else 1.0
    return max(1, round(image_size[0] * scale)), max(1, round(image_size[1] * scale))


def make_sample(
    picture: NormalizedPicture,
    record: ClickRecord,
    num_things: int,
    *,
    size: tuple[int, int],
    mirrored: bool,
) -> Sample:
    """A picture and its targets at the size of the network's input.

    Parameters
    ----------
    picture : (H, W, C)
    record : ClickRecord
    num_things : int
    size : (height, width)
    mirrored : bool
        Whether left and right are exchanged, after the resizing.
    """
    height, width = record.image_size
    pixels = torch.from_numpy(np.ascontiguousarray(picture[0:height, 0:width].transpose(2, 0, 1)))
    pixels = resize_image(pixels, size)
    colors = picture.levels.colors(pixels.permute(1, 2, 0).numpy())
    rgb = torch.from_numpy(np.ascontiguousarray(colors.transpose(2, 0, 1)))
    scale = np.array([size[1] / width, size[0] / height], dtype=np.float32)
    coords = turn_coords(record.click_coords * scale, size, 0, mirrored=mirrored)
    # a click of the last pixel stays inside of it after rounding
    largest = np.nextafter(np.array([size[1], size[0]], dtype=np.float32), np.float32(0))
    masks, ignored = _masks(record, size)
    if mirrored:
        pixels, rgb = pixels.flip(2), rgb.flip(2)
        masks = None if masks is None else masks.flip(2)
        ignored = None if ignored is None else ignored.flip(1)
    labels = torch.from_numpy(record.labels)
    return Sample(
        image=pixels.contiguous(),
        rgb=rgb.contiguous(),
        targets=ImageTargets(
            labels=labels,
            isthing=labels < num_things,
            target_ids=torch.from_numpy(record.target_ids),
            click_coords=torch.from_numpy(coords.clip(0, largest).astype(np.float32)),
            click_targets=torch.from_numpy(record.click_targets),
            masks=masks,
            ignored=ignored,
        ),
    )


def _masks(record: ClickRecord, size: tuple[int, int]) -> tuple[Tensor | None, Tensor | None]:
    """(N, *size) and (*size) bool: the targets of every pixel of the input, None without masks."""
    if record.masks is None:
        return None, None
    painted = paint_targets(record)
    # one map for all masks, so that they neither overlap nor leave gaps
    resized = functional.interpolate(torch.from_numpy(painted)[None, None].double(), size=size, mode="nearest-exact")[
        0, 0
    ].to(torch.int64)
    numbers = torch.arange(1, len(record.masks) + 1)
    ignored = resized == _IGNORED
    if record.has_void:
        ignored |= resized == _VOID
    return resized == numbers[:, None, None], ignored


def paint_targets(record: ClickRecord) -> NDArray[np.int32]:
    """(H, W) int32: number of the target that is on top, from 1; 0 where none is, -1 in ignored regions."""
    painted = np.zeros(record.image_size, dtype=np.int32)
    for rle in record.ignored:
        painted[rle_to_mask(rle)] = _IGNORED
    for number, parts in enumerate(record.masks or (), start=1):
        for rle in parts:
            painted[rle_to_mask(rle)] = number
    return painted


def collate(samples: Sequence[Sample]) -> Batch:
    """Pictures on one canvas."""
    images, sizes = pad_images([sample.image for sample in samples])
    rgb = torch.zeros((len(samples), 3, *images.shape[2:]))
    for canvas, sample in zip(rgb, samples, strict=True):
        canvas[:, : sample.rgb.shape[1], : sample.rgb.shape[2]] = sample.rgb
    return Batch(images, rgb, tuple(sizes), tuple(sample.targets for sample in samples))
