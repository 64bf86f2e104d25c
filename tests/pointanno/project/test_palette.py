"""Colours of classes can be told apart, by colour-blind people too."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from pointanno.project.palette import NAMED_COLORS, PALETTE, color_of, next_color

EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
"""Linear RGB as it is seen: Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009, table for severity 1."""


def seen(colors: NDArray[np.int64], eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of colours as these eyes see them."""
    values = colors / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ eyes.T, 0, 1)
    lab: NDArray[np.float64] = rgb2lab(
        np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    )
    return lab


def smallest_distance(colors: tuple[tuple[int, int, int], ...], eyes: NDArray[np.float64]) -> float:
    lab = seen(np.array(colors), eyes)
    first, second = np.triu_indices(len(lab), 1)
    return float(deltaE_ciede2000(lab[first], lab[second]).min())


def test_the_simulation_knows_what_protanopes_confuse() -> None:
    """Red on dark green: far apart for most people, close together for a protanope."""
    pair = ((144, 0, 0), (60, 50, 0))
    assert smallest_distance(pair, EYES["normal"]) > 25
    assert smallest_distance(pair, EYES["protanopia"]) < 12


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("count", "least"), [(4, 27), (6, 19.9), (12, 14), (len(PALETTE), 9)])
def test_no_two_colours_look_alike(eyes: str, count: int, least: float) -> None:
    assert smallest_distance(PALETTE[:count], EYES[eyes]) >= least


def test_colours_have_names_and_are_given_in_order() -> None:
    assert len(NAMED_COLORS) == len(set(PALETTE)) >= 12
    assert next_color(set()) == PALETTE[0] == color_of(1) == color_of(len(PALETTE) + 1)
    assert next_color({PALETTE[0], PALETTE[2]}) == PALETTE[1]
    assert next_color(set(PALETTE)) in PALETTE
