"""Pooling and pasting share one frame (acceptance check 15 of PointSup)."""

from __future__ import annotations

import numpy as np
import torch
from pycocotools import mask as mask_api

from pointanno_models.layers.roi_align import (
    AlignedMultiScaleRoIAlign,
    crop_masks_to_boxes,
    paste_mask,
    paste_masks_as_rle,
)


def test_pooling_of_a_column_ramp_reads_the_cell_centres() -> None:
    """Box 8..24 in four bins: centres 10, 14, 18, 22, where the ramp of pixel indices reads 9.5, 13.5, ...

    Pixel i has value i and its centre at i + 0.5, so position 10 reads 9.5; torchvision's pooler reads 10.
    """
    ramp = torch.arange(32.0).expand(1, 1, 32, 32).contiguous()
    pool = AlignedMultiScaleRoIAlign(["0"], 4, 2)
    pooled = pool({"0": ramp}, [torch.tensor([[8.0, 8.0, 24.0, 24.0]])], [(32, 32)])
    torch.testing.assert_close(pooled[0, 0, 0], torch.tensor([9.5, 13.5, 17.5, 21.5]))


def test_levels_follow_the_size_of_boxes() -> None:
    """With canonical scale 64 a box of 64 px is pooled from stride 16, one of 16 px from stride 4."""
    levels = {str(i): torch.full((1, 1, 128 // s, 128 // s), float(s)) for i, s in enumerate((4, 8, 16))}
    pool = AlignedMultiScaleRoIAlign(["0", "1", "2"], 2, 2, canonical_scale=64)
    boxes = torch.tensor([[10.0, 10.0, 74.0, 74.0], [10.0, 10.0, 26.0, 26.0], [10.0, 10.0, 42.0, 42.0]])
    pooled = pool(levels, [boxes], [(128, 128)])
    assert pooled[:, 0, 0, 0].tolist() == [16.0, 4.0, 8.0]


def test_pasting_crosses_one_half_where_the_mask_ends() -> None:
    """A left-half mask of 4 cells in the box 2..10 ends at 6: the pixels centred at 5.5 and 6.5 get 0.75 and 0.25."""
    mask = torch.tensor([[1.0, 1.0, 0.0, 0.0]] * 4)
    part, (top, left) = paste_mask(mask, torch.tensor([2.0, 2.0, 10.0, 10.0]), (12, 12))
    assert (top, left) == (2, 2)
    row = part[4]
    assert abs(row[5 - left].item() - 0.75) < 1e-6
    assert abs(row[6 - left].item() - 0.25) < 1e-6


def test_cropping_is_the_inverse_of_pasting() -> None:
    """A mask that fills the left half of its box gives a target whose left half is 1."""
    masks = torch.zeros((2, 16, 16), dtype=torch.uint8)
    masks[1, 4:12, 4:8] = 1
    cells = crop_masks_to_boxes(masks, torch.tensor([1, 0]), torch.tensor([[4.0, 4.0, 12.0, 12.0]] * 2), 4)
    assert cells[0].tolist() == [[1.0, 1.0, 0.0, 0.0]] * 4
    assert cells[1].sum() == 0
    assert crop_masks_to_boxes(masks, torch.zeros(0, dtype=torch.long), torch.zeros(0, 4), 4).shape == (0, 4, 4)


def test_run_length_codes_of_boxes_that_leave_the_picture() -> None:
    codes = paste_masks_as_rle(
        torch.ones(3, 4, 4),
        torch.tensor([[-4.0, -4.0, 4.0, 4.0], [2.0, 3.0, 6.0, 5.0], [20.0, 20.0, 30.0, 30.0]]),
        (8, 9),
        0.5,
    )
    areas = [int(mask_api.area(dict(code))) for code in codes]
    assert areas == [16, 8, 0]
    decoded = mask_api.decode(dict(codes[1]))
    assert decoded.shape == (8, 9)
    assert np.argwhere(decoded).min(axis=0).tolist() == [3, 2]
