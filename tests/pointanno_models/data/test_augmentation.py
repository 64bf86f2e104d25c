"""Pictures, boxes, points and masks stay together through crops, zooms, turns and flips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pointanno_models.data.augmentation import Augmentation, cut_masks, fit_scale, mark_outside, turn_coords
from pointanno_models.data.records import MaskPatch, TrainingRecord


def _record(image_size: tuple[int, int], points: list[tuple[float, float]]) -> TrainingRecord:
    """One 8x8 square instance with its top-left corner at (8, 4)."""
    return TrainingRecord(
        path=Path("a.png"),
        image_id=1,
        image_size=image_size,
        boxes=np.array([[8, 4, 16, 12]], dtype=np.float32),
        labels=np.array([1]),
        point_coords=np.array([points], dtype=np.float32).reshape(1, -1, 2),
        point_labels=np.ones((1, len(points)), dtype=np.int8),
        masks=(MaskPatch(origin=(4, 8), patch=np.ones((8, 8), dtype=np.uint8)),),
    )


def _augmentation(**changes: object) -> Augmentation:
    settings: dict[str, object] = {
        "crop": 0, "short_sides": (), "long_side": 0, "scale": (1.0, 1.0), "flip": False, "rotate": False, "color": 0.0,
    }  # fmt: skip
    return Augmentation(**{**settings, **changes})  # type: ignore[arg-type]


def test_resize_then_flip_is_continuous() -> None:
    """8x8 picture, JSON [3, 5]: (3.5, 5.5), doubled (7, 11), flipped (9, 11); torchvision's key points give 8."""
    doubled = np.array([[3.5, 5.5]], dtype=np.float32) * 2
    assert turn_coords(doubled, (16, 16), 0, mirrored=True).tolist() == [[9.0, 11.0]]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_points_stay_on_their_pixel(turns: int, mirrored: bool) -> None:
    pixels = torch.arange(12.0).reshape(1, 3, 4)
    turned = torch.rot90(pixels, turns, dims=(1, 2))
    turned = turned.flip(2) if mirrored else turned
    for row in range(3):
        for column in range(4):
            x, y = turn_coords(np.array([column + 0.5, row + 0.5], np.float32), (3, 4), turns, mirrored=mirrored)
            assert turned[0, int(y), int(x)] == pixels[0, row, column]


@pytest.mark.parametrize("seed", range(25))
def test_marks_follow_the_object(seed: int) -> None:
    """A bright square, its box, its mask and its centre point agree after every augmentation."""
    rng = np.random.default_rng(seed)
    image = np.zeros((40, 30, 3), dtype=np.float32)
    image[4:12, 8:16] = 1
    augment = _augmentation(crop=48, scale=(0.7, 1.6), flip=True, rotate=True)
    sample = augment(image, _record((40, 30), [(12.0, 8.0), (8.5, 4.5)]), rng)
    assert sample.image.shape == (3, 48, 48)
    assert sample.masks is not None
    bright = sample.image[0] > 0.5
    if not len(sample.boxes):
        assert bright.sum() < 40
        return
    assert (bright == sample.masks[0].bool()).float().mean() > 0.98
    rows, columns = torch.where(bright)
    extent = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
    assert (sample.boxes[0] - extent).abs().max() <= 1.0
    if sample.point_labels[0, 0] == 1:
        x, y = sample.point_coords[0, 0]
        centre = (sample.boxes[0, :2] + sample.boxes[0, 2:]) / 2
        if (sample.boxes[0, 2:] - sample.boxes[0, :2]).min() > 5 and bright[int(y), int(x)]:
            assert bright[int(y), int(x)]
            assert (torch.stack([x, y]) - centre).abs().max() < 8


def test_points_that_a_crop_cuts_off_are_ignored_and_the_border_belongs_to_the_picture() -> None:
    labels = mark_outside(
        np.array([[[0.0, 0.0], [8.0, 6.0], [8.1, 3.0], [-0.1, 3.0]]], dtype=np.float32),
        np.ones((1, 4), np.int8),
        (6, 8),
    )
    assert labels.tolist() == [[1, 1, -1, -1]]


def test_slivers_are_dropped_with_their_points() -> None:
    image = np.zeros((12, 9, 3), dtype=np.float32)  # one column of the square is left
    sample = _augmentation()(image, _record((12, 9), [(12.0, 8.0)]), np.random.default_rng(0))
    assert sample.boxes.shape == (0, 4)
    assert sample.point_coords.shape == (0, 1, 2)
    assert sample.masks is not None and sample.masks.shape == (0, 12, 9)


def test_masks_are_cut_by_the_window() -> None:
    patch = MaskPatch(origin=(2, 3), patch=np.arange(1, 7, dtype=np.uint8).reshape(2, 3))
    assert cut_masks([patch], (3, 4, 6, 8))[0].tolist() == [[5, 6, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert cut_masks([patch], (8, 8, 10, 10)).sum() == 0


def test_short_side_is_limited_by_the_long_side() -> None:
    """480 x 640 to 800: factor 5/3, long side 1067; 300 x 1000 to 800 would give 2667, so 1333 / 1000."""
    assert fit_scale((480, 640), 800, 1333) == pytest.approx(800 / 480)
    assert fit_scale((300, 1000), 800, 1333) == pytest.approx(1.333)


def test_same_generator_same_sample() -> None:
    image = np.random.default_rng(0).normal(size=(40, 30, 3)).astype(np.float32)
    augment = _augmentation(crop=32, scale=(0.7, 1.6), flip=True, rotate=True, color=0.2)
    one, two = (augment(image, _record((40, 30), [(12.0, 8.0)]), np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one.image, two.image)
    assert torch.equal(one.boxes, two.boxes)
