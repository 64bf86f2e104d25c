"""RoIAlign and mask pasting in one frame: cell i of S covers ``[i, i + 1) / S`` of the box.

torchvision's `MultiScaleRoIAlign` is half a feature pixel off (``aligned=False``) and its mask pasting
follows an old convention; with point supervision both would shift the mask against the points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import MultiScaleRoIAlign, roi_align

from pointanno.formats.rle import mask_to_rle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class AlignedMultiScaleRoIAlign(MultiScaleRoIAlign):
    """`MultiScaleRoIAlign` with ``aligned=True`` and a level rule that follows the sizes of small pictures.

    Boxes of `canonical_scale` pixels are pooled from `canonical_level`, twice that from the next one.

    Parameters
    ----------
    featmap_names, output_size, sampling_ratio, canonical_scale, canonical_level
        As of torchvision's class.
    strides : sequence of int, optional
        Of the levels, the finest first. By default they are told from the sizes of maps and pictures, which fails
        where a picture is much smaller than what it was padded to.
    """

    def __init__(
        self,
        featmap_names: list[str],
        output_size: int,
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
        strides: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            featmap_names,
            output_size,
            sampling_ratio,
            canonical_scale=canonical_scale,
            canonical_level=canonical_level,
        )
        self._strides = None if strides is None else list(strides)[: len(featmap_names)]

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """Pooled features, (R, C, *output_size), of XYXY boxes given for each image."""
        maps = [x[name] for name in self.featmap_names]
        height = max(shape[0] for shape in image_shapes)
        strides = self._strides or [2 ** round(float(np.log2(height / level.shape[-2]))) for level in maps]
        rois = torch.cat(
            [torch.cat([box.new_full((len(box), 1), image), box], dim=1) for image, box in enumerate(boxes)]
        )
        rois = rois.to(maps[0].dtype)
        if len(maps) == 1:
            return self._pool(maps[0], rois, strides[0])
        levels = self._levels(rois[:, 1:], strides)
        pooled = maps[0].new_zeros((len(rois), maps[0].shape[1], *self.output_size))
        for index, (level, stride) in enumerate(zip(maps, strides, strict=True)):
            chosen = torch.where(levels == index)[0]
            pooled = pooled.index_put((chosen,), self._pool(level, rois[chosen], stride).to(pooled.dtype))
        return pooled

    def _pool(self, level: Tensor, rois: Tensor, stride: int) -> Tensor:
        pooled: Tensor = roi_align(
            level, rois, self.output_size, spatial_scale=1 / stride, sampling_ratio=self.sampling_ratio, aligned=True
        )
        return pooled

    def _levels(self, boxes: Tensor, strides: list[int]) -> Tensor:
        """Eq. (1) of *Feature Pyramid Networks* (CVPR 2017), arXiv:1612.03144: (R,) indices of levels."""
        sides = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clamp(min=1e-6).sqrt()
        wanted = torch.floor(self.canonical_level + torch.log2(sides / self.canonical_scale) + 1e-6)
        first = int(np.log2(strides[0]))
        return (wanted - first).clamp(0, len(strides) - 1).long()


def crop_masks_to_boxes(masks: Tensor, index: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Masks as a network sees them inside boxes: training targets of a mask head.

    Parameters
    ----------
    masks : (N, H, W) uint8
    index : (R,) int64
        Which of the N masks belongs to each box.
    boxes : (R, 4) float, XYXY, continuous
    size : int
        Cells on each side of the target.

    Returns
    -------
    (R, size, size) float
        1 where at least half of a cell is mask, else 0.
    """
    if not len(boxes):
        return boxes.new_zeros((0, size, size))
    rois = torch.cat([index[:, None].to(boxes.dtype), boxes], dim=1)
    cells = roi_align(masks[:, None].to(boxes.dtype), rois, (size, size), aligned=True)
    inside: Tensor = cells[:, 0] >= 0.5
    return inside.to(boxes.dtype)


def paste_mask(mask_prob: Tensor, box: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
    """Probabilities of a box's mask at the pixel centres of the picture.

    Parameters
    ----------
    mask_prob : (M, M) float in [0, 1]
    box : (4,) float, XYXY, continuous
    image_size : (height, width)

    Returns
    -------
    (h, w) float, (row, column)
        The part of the picture that the box touches and its top-left pixel; h or w may be 0.
    """
    height, width = image_size
    x0, y0, x1, y1 = (float(value) for value in box)
    left, top = max(int(np.floor(x0)), 0), max(int(np.floor(y0)), 0)
    right, bottom = min(int(np.ceil(x1)), width), min(int(np.ceil(y1)), height)
    if right <= left or bottom <= top:
        return mask_prob.new_zeros((0, 0)), (top, left)
    columns = torch.arange(left, right, device=mask_prob.device, dtype=mask_prob.dtype) + 0.5
    rows = torch.arange(top, bottom, device=mask_prob.device, dtype=mask_prob.dtype) + 0.5
    x = 2 * (columns - x0) / max(x1 - x0, 1e-6) - 1
    y = 2 * (rows - y0) / max(y1 - y0, 1e-6) - 1
    grid = torch.stack([x[None].expand(len(y), -1), y[:, None].expand(-1, len(x))], dim=-1)
    pasted = functional.grid_sample(mask_prob[None, None], grid[None], mode="bilinear", align_corners=False)
    return pasted[0, 0], (top, left)


def paste_masks_as_rle(
    mask_probs: Tensor, boxes: Tensor, image_size: tuple[int, int], threshold: float
) -> tuple[dict[str, Any], ...]:
    """Run-length codes of pasted and thresholded masks: (N, M, M) and (N, 4) to N codes of `image_size`."""
    codes = []
    for mask_prob, box in zip(mask_probs.cpu().float(), boxes.cpu().float(), strict=True):
        part, (top, left) = paste_mask(mask_prob, box, image_size)
        canvas = np.zeros(image_size, dtype=np.uint8, order="F")
        canvas[top : top + part.shape[0], left : left + part.shape[1]] = (part >= threshold).numpy()
        codes.append(mask_to_rle(canvas))
    return tuple(codes)
