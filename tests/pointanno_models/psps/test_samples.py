"""Clicks and masks follow the picture through resizing and flipping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from pointanno.formats.rle import mask_to_rle
from pointanno_models.data import PictureCache
from pointanno_models.psps.records import ClickRecord
from pointanno_models.psps.samples import Sample, collate, input_size, make_sample


def record_of(path: Path, size: tuple[int, int], coords: list[list[float]], **more: object) -> ClickRecord:
    count = len(coords)
    return ClickRecord(
        path=path,
        image_id=1,
        image_size=size,
        labels=np.arange(count),
        target_ids=np.arange(count) + 10,
        click_coords=np.array(coords, dtype=np.float32).reshape(-1, 2),
        click_targets=np.arange(count),
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def dots(tmp_path: Path) -> tuple[Path, list[list[float]]]:
    """A black picture of 40 x 60 with three white dots of 6 x 6 pixels, and their centres."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    centers = [[10.0, 6.0], [34.0, 30.0], [56.0, 20.0]]
    for x, y in centers:
        pixels[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3] = 255
    Picture.fromarray(pixels).save(tmp_path / "dots.png")
    return tmp_path / "dots.png", centers


@pytest.mark.parametrize("size", [(40, 60), (20, 30), (80, 120), (50, 90)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_clicks_stay_on_what_was_clicked(
    dots: tuple[Path, list[list[float]]], size: tuple[int, int], mirrored: bool
) -> None:
    path, centers = dots
    record = record_of(path, (40, 60), centers)
    sample = make_sample(PictureCache(2**20)(path), record, 2, size=size, mirrored=mirrored)
    assert sample.image.shape == (3, *size)
    for x, y in sample.targets.click_coords.tolist():
        assert sample.rgb[0, int(y), int(x)] > 0.9
    assert sample.targets.isthing.tolist() == [True, True, False]
    first = sample.targets.click_coords[0].tolist()
    wanted = [10.0 * size[1] / 60, 6.0 * size[0] / 40]
    assert first == pytest.approx([size[1] - wanted[0] if mirrored else wanted[0], wanted[1]])


def test_each_click_stays_one_click_and_inside(dots: tuple[Path, list[list[float]]]) -> None:
    """The last pixel of a picture, made ten times smaller and mirrored: still inside, and still there."""
    path, _ = dots
    record = record_of(path, (40, 60), [[59.5, 39.5], [0.5, 0.5]])
    for mirrored in (False, True):
        sample = make_sample(PictureCache(2**20)(path), record, 2, size=(4, 6), mirrored=mirrored)
        assert sample.targets.click_coords.shape == (2, 2)
        assert (sample.targets.click_coords.floor() < torch.tensor([6, 4])).all()
        assert (sample.targets.click_coords >= 0).all()


def test_colours_are_those_of_the_picture(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Picture.fromarray(pixels).save(tmp_path / "colors.png")
    record = record_of(tmp_path / "colors.png", (16, 24), [[1.5, 1.5]])
    for how in ("image", "imagenet"):
        picture = PictureCache(2**20, how=how)(tmp_path / "colors.png")
        sample = make_sample(picture, record, 1, size=(16, 24), mirrored=False)
        np.testing.assert_allclose(sample.rgb.permute(1, 2, 0).numpy() * 255, pixels, atol=0.01)


def test_masks_neither_overlap_nor_leave_gaps(dots: tuple[Path, list[list[float]]]) -> None:
    """Four quarters at an odd size: every pixel has exactly one; void and crowds are ignored."""
    path, _ = dots
    quarters = []
    for rows in (slice(0, 20), slice(20, 40)):
        for columns in (slice(0, 30), slice(30, 60)):
            mask = np.zeros((40, 60), bool)
            mask[rows, columns] = True
            quarters.append((mask_to_rle(mask),))
    record = record_of(path, (40, 60), [], masks=tuple(quarters), has_void=True)
    sample = make_sample(PictureCache(2**20)(path), record, 2, size=(27, 35), mirrored=False)
    masks, ignored = sample.targets.masks, sample.targets.ignored
    assert masks is not None and ignored is not None
    assert (masks.sum(dim=0) == 1).all() and not ignored.any()
    assert masks[0, 0, 0] and masks[3, -1, -1]
    mirrored = make_sample(PictureCache(2**20)(path), record, 2, size=(27, 35), mirrored=True).targets.masks
    assert mirrored is not None and torch.equal(mirrored, masks.flip(2))
    crowd = record_of(path, (40, 60), [], masks=tuple(quarters[:3]), ignored=quarters[3], has_void=False)
    targets = make_sample(PictureCache(2**20)(path), crowd, 2, size=(40, 60), mirrored=False).targets
    assert targets.ignored is not None and targets.ignored[30, 45] and targets.ignored.sum() == 600
    void = record_of(path, (40, 60), [], masks=tuple(quarters[:3]), has_void=True)
    targets = make_sample(PictureCache(2**20)(path), void, 2, size=(40, 60), mirrored=False).targets
    assert targets.ignored is not None and targets.ignored[30, 45] and targets.ignored.sum() == 600


@pytest.mark.parametrize(
    ("image_size", "short", "long", "expected"),
    [
        ((100, 200), 50, 0, (50, 100)),
        ((100, 400), 50, 100, (25, 100)),  # the long side would be 200
        ((100, 200), 0, 0, (100, 200)),
        ((100, 200), 0, 150, (75, 150)),
        ((100, 120), 0, 150, (100, 120)),  # small ones are not enlarged
    ],
)
def test_sizes_of_the_input(image_size: tuple[int, int], short: int, long: int, expected: tuple[int, int]) -> None:
    assert input_size(image_size, short, long) == expected


def test_pictures_of_different_sizes_share_a_canvas(dots: tuple[Path, list[list[float]]]) -> None:
    path, centers = dots
    cache, record = PictureCache(2**20), record_of(path, (40, 60), centers)
    samples: list[Sample] = [
        make_sample(cache(path), record, 2, size=size, mirrored=False) for size in ((40, 60), (20, 70))
    ]
    batch = collate(samples)
    assert batch.images.shape == batch.rgb.shape == (2, 3, 64, 96)
    assert batch.valid_sizes == ((40, 60), (20, 70))
    assert not batch.rgb[1, :, 20:].any() and not batch.images[1, :, :, 70:].any()
    assert torch.equal(batch.targets[1].click_coords, samples[1].targets.click_coords)
    moved = batch.to("cpu")
    assert torch.equal(moved.images, batch.images) and moved.targets[0].masks is None
