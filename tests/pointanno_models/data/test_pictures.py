"""The cache of pictures: its limit, files that stay on disk, processes."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from pointanno.dataset import Box, Category, Image, Instance, PointDataset, Points
from pointanno.errors import InputError
from pointanno.images import read_image
from pointanno_models.data import Augmentation, PictureCache, measure_levels, records_from_dataset
from pointanno_models.data import pictures as pictures_module


def _save(path: Path, value: int) -> Path:
    PillowImage.fromarray(np.full((50, 40, 3), value, np.uint8)).save(path)
    return path


def test_a_picture_is_read_once_while_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of 6000 bytes and room for 13000: the third drops the one that was used longest ago."""
    paths = [_save(tmp_path / f"{number}.png", 50 * number) for number in range(3)]
    read: list[str] = []

    def count(path: Path, plane: object) -> object:
        read.append(path.name)
        return read_image(path)

    monkeypatch.setattr(pictures_module, "open_image", count)
    cache = PictureCache(13_000, how="imagenet")
    for number in (0, 1, 0, 2, 0, 1):
        window = cache(paths[number])[0:2, 0:3]
        assert window.shape == (2, 3, 3)
        assert window[0, 0, 0] == pytest.approx((50 * number - 123.675) / 58.395)
    assert read == ["0.png", "1.png", "2.png", "1.png"]


def test_a_picture_larger_than_the_cache_is_used_all_the_same(tmp_path: Path) -> None:
    cache = PictureCache(100)
    for _ in range(2):
        for number in range(2):
            assert cache(_save(tmp_path / f"{number}.png", number)).shape == (50, 40, 3)


def test_processes_start_with_an_empty_cache(tmp_path: Path) -> None:
    cache = PictureCache(10**6, channels=3, how="image")
    picture = read_image(_save(tmp_path / "a.png", 7))
    cache(tmp_path / "a.png")
    packed = pickle.dumps(cache)
    assert len(packed) < 1000
    copy = pickle.loads(packed)
    assert np.array_equal(copy(tmp_path / "a.png")[0:50, 0:40], measure_levels(picture, "image")(picture))


def test_the_file_is_named_when_channels_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: the picture has 3 channels, but the network takes 5"):
        PictureCache(10**6, channels=5)(_save(tmp_path / "a.png", 7))


def _dataset(height: int, width: int, name: str, plane: object = None) -> PointDataset:
    points = Points.answered(np.array([[4200, 3100]]), np.array([1]), source="simulated")
    extra = {} if plane is None else {"pointanno": {"plane": plane}}
    return PointDataset(
        (Image(1, name, height, width, extra=extra),),
        (Category(1, "cell", True),),
        (Instance(1, 1, 1, Box(4190, 3090, 4215, 3112), points),),
    )


def test_training_crops_of_a_large_file_read_their_window(tmp_path: Path) -> None:
    """6000 x 6000 of 16 bits are 72 MB, and 432 MB as three channels of float32; a crop needs a few tiles."""
    with tifffile.TiffWriter(tmp_path / "large.tif") as writer:
        tiles = (np.full((512, 512), 300 + number, np.uint16) for number in range(144))
        writer.write(tiles, shape=(6000, 6000), dtype=np.uint16, tile=(512, 512), compression="zlib")
    [record] = records_from_dataset(_dataset(6000, 6000, "large.tif"), tmp_path, supervision="points")
    augment = Augmentation(
        crop=128, short_sides=(), long_side=0, scale=(0.8, 1.25), flip=True, rotate=True, color=0.2
    )  # fmt: skip
    cache = PictureCache(8 * 2**20)
    tracemalloc.start()
    cache(record.path)
    measured = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    found = [len(augment(cache(record.path), record, np.random.default_rng(seed)).boxes) for seed in range(30)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert measured < 200e6  # statistics from 64 windows, once
    assert peak < 10e6
    assert sum(found) > 15


def test_the_plane_of_the_data_set_is_trained(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint16)[:, None], (1, 40))
    stack = np.stack([ramp, ramp[::-1]])
    tifffile.imwrite(tmp_path / "s.tif", stack, metadata={"axes": "ZYX"}, photometric="minisblack")
    [record] = records_from_dataset(_dataset(64, 40, "s.tif", {"z": 1}), tmp_path, supervision="points")
    assert record.plane == {"z": 1}
    cache = PictureCache(10**6)
    first, named = (cache(record.path, plane)[0:64, 0:40] for plane in (None, record.plane))
    assert first[0, 0, 0] < 0 < named[0, 0, 0]
    assert np.array_equal(first, named[::-1])
    with pytest.raises(InputError, match=r"image 1 \(s\.tif\): pointanno\.plane must name axes"):
        records_from_dataset(_dataset(64, 40, "s.tif", {"z": "last"}), tmp_path, supervision="points")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_turned_photographs_are_trained_as_they_are_seen(tmp_path: Path, orientation: int) -> None:
    stored = np.zeros((32, 48), np.uint8)
    stored[:16, :24] = 255
    exif = PillowImage.Exif()
    exif[274] = orientation
    PillowImage.fromarray(stored).save(tmp_path / "a.jpg", exif=exif, quality=95)
    picture = PictureCache(10**6)(tmp_path / "a.jpg")
    assert picture.shape[:2] == ((32, 48) if orientation < 5 else (48, 32))
    upright = {1: stored, 3: np.rot90(stored, 2), 6: np.rot90(stored, -1), 8: np.rot90(stored)}[orientation]
    height, width = picture.shape[:2]
    found = picture[0:height, 0:width][..., 0] > 0
    assert (found == (upright > 127)).mean() > 0.99
