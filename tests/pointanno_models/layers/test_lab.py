"""CIELAB against scikit-image, and two colours by number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from pointanno_models.layers.lab import rgb_to_lab


def test_equals_scikit_image() -> None:
    rgb = np.random.default_rng(0).random((2, 9, 7, 3))
    rgb[0, 0] = np.linspace(0, 0.06, 7)[:, None]  # around the knees of both curves
    expected = rgb2lab(rgb)
    lab = rgb_to_lab(torch.from_numpy(rgb.transpose(0, 3, 1, 2).copy())).numpy().transpose(0, 2, 3, 1)
    # their white point is kept with four more digits
    np.testing.assert_allclose(lab, expected, atol=1e-3)
    single = rgb_to_lab(torch.from_numpy(rgb.transpose(0, 3, 1, 2).astype(np.float32)))
    np.testing.assert_allclose(single.numpy().transpose(0, 2, 3, 1), expected, atol=5e-3)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_colours_by_number(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    found = rgb_to_lab(torch.tensor(rgb)[:, None, None])
    assert found.flatten().tolist() == pytest.approx(lab, abs=0.01)


def test_grey_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rgb must have 3 channels, \(..., 3, H, W\), but has shape \(1, 4, 5\)"):
        rgb_to_lab(torch.zeros(1, 4, 5))
