"""Values of pictures as network input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pointanno.errors import InputError
from pointanno.images import to_rgb8
from pointanno.tiff_planes import TiffPlane
from pointanno_models.data.levels import IMAGENET_MEAN, IMAGENET_STD, measure_levels

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 255, (40, 50, 3)).astype(np.uint8)


@pytest.mark.parametrize("picture", [EIGHT, EIGHT[..., 0], EIGHT[..., :2], np.dstack([EIGHT, EIGHT[..., :1]])])
@pytest.mark.parametrize("how", ["image", "imagenet"])
def test_eight_bits_as_colour_are_what_they_always_were(picture: NDArray[np.uint8], how: str) -> None:
    """The formula of the first release, bit for bit, for the whole picture and for any window of it."""
    pixels = to_rgb8(picture).astype(np.float32)
    if how == "imagenet":
        expected = (pixels - IMAGENET_MEAN) / IMAGENET_STD
    else:
        expected = (pixels - np.float32(pixels.mean())) / np.float32(max(float(pixels.std()), 1.0))
    levels = measure_levels(picture, how)
    assert levels(picture).dtype == np.float32
    assert np.array_equal(levels(picture), expected)
    assert np.array_equal(levels(picture[3:20, 7:31]), expected[3:20, 7:31])


def test_sixteen_bits_keep_their_steps() -> None:
    """A ramp of 2000 values between 1000 and 2999: by way of 8 bits at most 256 of them would be left."""
    ramp = np.tile(np.arange(1000, 3000, dtype=np.uint16), (20, 1))
    found = measure_levels(ramp, "image")(ramp)
    assert len(np.unique(found)) > 1990  # all but the percent beyond the percentiles
    assert found.shape == (20, 2000, 3)
    assert np.array_equal(found[..., 0], found[..., 2])
    assert abs(float(found.mean())) < 1e-4
    assert float(found.std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("change", [lambda a: a * 3 + 500, lambda a: (a.astype(np.float32) - 4000) / 7])
def test_gain_and_offset_of_a_camera_do_not_matter(change: Any) -> None:
    picture = RNG.integers(100, 4000, (60, 60)).astype(np.uint16)
    one = measure_levels(picture, "image")(picture)
    two = measure_levels(change(picture), "image")(change(picture))
    assert np.abs(one - two).max() < 2e-3


def test_every_channel_is_stretched_by_itself_unless_they_are_colours() -> None:
    dim, bright = RNG.integers(0, 50, (64, 64)), RNG.integers(0, 50_000, (64, 64))
    five = np.dstack([dim, bright, dim, bright, dim]).astype(np.uint16)
    found = measure_levels(five, "image", channels=5)(five)
    assert found.shape == (64, 64, 5)
    assert np.allclose(found.std(axis=(0, 1)), 1, atol=1e-3)
    colour = measure_levels(five, "image")(five)
    assert colour.shape == (64, 64, 3)
    assert colour[..., 0].std() < 0.01 < colour[..., 1].std()


def test_one_channel_of_eight_bits() -> None:
    grey = EIGHT[..., 0]
    found = measure_levels(grey, "imagenet", channels=1)(grey)
    assert found.shape == (40, 50, 1)
    assert found[0, 0, 0] == np.float32(grey[0, 0] - IMAGENET_MEAN.mean()) / np.float32(IMAGENET_STD.mean())


def test_what_is_not_finite_counts_as_dark() -> None:
    picture = np.linspace(-1, 1, 100, dtype=np.float32).reshape(10, 10)
    picture[0, 0], picture[5, 5] = np.nan, np.inf
    found = measure_levels(picture, "image")(picture)
    assert np.isfinite(found).all()
    assert found[0, 0, 0] == found.min() == found[5, 5, 0]
    nothing = np.full((4, 4), np.nan, np.float32)
    assert np.isfinite(measure_levels(nothing, "image")(nothing)).all()
    flat = np.full((4, 4), 700, np.uint16)
    assert (measure_levels(flat, "image")(flat) == 0).all()


def test_other_channels_than_the_networks_are_refused() -> None:
    with pytest.raises(InputError, match=r"has 3 channels, but the network takes 5 \(data.channels\)"):
        measure_levels(EIGHT, "image", channels=5)
    with pytest.raises(ValueError, match="how must be"):
        measure_levels(EIGHT, "other")


def test_a_picture_on_disk_is_measured_by_a_sample(tmp_path: Any) -> None:
    picture = RNG.integers(0, 3000, (700, 900)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", picture, tile=(64, 64))
    with TiffPlane(tmp_path / "a.tif") as plane:
        window = measure_levels(plane, "image")(plane[100:200, 300:400])
    assert np.abs(window - measure_levels(picture, "image")(picture[100:200, 300:400])).max() < 0.02


def test_numbers_beyond_single_precision_count_as_dark() -> None:
    values = np.linspace(0, 1, 600).reshape(20, 30)
    expected = measure_levels(values, "image", 1)(values)
    wild = values.copy()
    wild[3, 4], wild[5, 6] = 1e300, -1e200
    with np.errstate(all="raise"):
        shown = measure_levels(wild, "image", 1)(wild)
    assert np.isfinite(shown).all()
    assert shown[3, 4] == shown[5, 6] == shown.min()
    np.testing.assert_allclose(shown[10:], expected[10:], atol=0.05)
