from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_pointanno._models.picture_look import ChannelLook, composite, first_look, limits_of, stretched
from pointanno.images import to_rgb8
from pointanno.picture_info import ChannelInfo, PictureInfo

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_values_between_the_limits_become_bytes(dtype: Any) -> None:
    values = np.array([[-5, 10, 60, 110, 200]]).clip(0).astype(dtype)
    assert stretched(values, (10.0, 110.0)).tolist() == [[0, 0, 128, 255, 255]]


def test_numbers_that_are_none_are_black() -> None:
    assert stretched(np.array([[np.nan, np.inf, -np.inf, 1.0]]), (0.0, 1.0)).tolist() == [[0, 255, 0, 255]]


def test_colour_is_drawn_as_networks_see_it() -> None:
    """What the window shows of 16-bit colour is what `to_rgb8` makes for training."""
    values = RNG.integers(0, 5000, (60, 70, 3)).astype(np.uint16)
    look = first_look(values.reshape(-1, 3), PictureInfo(is_color=True))
    assert np.abs(look.render(values).astype(int) - to_rgb8(values)).max() <= 1
    alpha = RNG.integers(0, 255, (6, 7, 4), dtype=np.uint8)
    look = first_look(alpha.reshape(-1, 4), PictureInfo(is_color=True))
    assert np.array_equal(look.render(alpha), alpha[..., :3])


def test_grey_keeps_its_values() -> None:
    values = RNG.normal(size=(5, 6)).astype(np.float32)
    look = first_look(values.reshape(-1, 1), PictureInfo())
    assert look.render(values) is values and not look.rgb and not look.channels
    assert look.limits == limits_of(values)


def test_channels_add_their_colours() -> None:
    values = np.zeros((1, 3, 2), np.uint16)
    values[0, 0] = (100, 0)
    values[0, 1] = (0, 100)
    values[0, 2] = (100, 50)
    red, mixed = ChannelLook("a", (255, 0, 0), (0.0, 100.0)), ChannelLook("b", (0, 255, 128), (0.0, 100.0))
    assert composite(values, (red, mixed)).tolist() == [[[255, 0, 0], [0, 255, 128], [255, 128, 64]]]
    bright = ChannelLook("b", (255, 255, 255), (0.0, 100.0))
    assert composite(values, (red, bright)).tolist()[0][2] == [255, 128, 128], "light is bounded"


def test_one_channel_alone_is_grey() -> None:
    values = np.array([[[100, 7], [50, 9]]], np.uint8)
    look = first_look(values.reshape(-1, 2), PictureInfo()).with_channel(0, limits=(0.0, 100.0)).only(0)
    assert look.render(values).tolist() == [[[255] * 3, [128] * 3]]


def test_what_the_file_says_of_channels_is_shown() -> None:
    sample = RNG.integers(0, 1000, (500, 6)).astype(np.uint16)
    said = (ChannelInfo("DAPI", (0, 0, 255), (3.0, 700.0)), ChannelInfo("actin"))
    look = first_look(sample, PictureInfo(channels=said))
    assert (look.channels[0].name, look.channels[0].color, look.channels[0].limits) == (
        "DAPI",
        (0, 0, 255),
        (3.0, 700.0),
    )
    assert look.channels[1].limits == limits_of(sample[:, 1], stretch=True)
    assert [one.name for one in look.channels[1:3]] == ["actin", "channel 2"]
    assert [one.visible for one in look.channels] == [True] * 4 + [False] * 2


def test_no_channel_of_constant_values_divides_by_nothing() -> None:
    assert limits_of(np.full((4, 4), 7.0)) == (7.0, 8.0)
    assert limits_of(np.full((4, 4), np.nan)) == (0.0, 1.0)
