from __future__ import annotations

import numpy as np

from pointanno.scenes.textures import cloud_noise, inside_convex, shade, smooth_noise


def test_noise_stays_between_0_and_1_and_is_smooth() -> None:
    noise = smooth_noise(np.random.default_rng(0), (64, 48), (4, 3))
    assert noise.shape == (64, 48)
    assert noise.min() >= 0 and noise.max() <= 1
    assert np.abs(np.diff(noise, axis=0)).max() < 0.2
    assert smooth_noise(np.random.default_rng(0), (50,), (7,)).shape == (50,)
    assert 0.3 < cloud_noise(np.random.default_rng(0), 64, 4).mean() < 0.7


def test_a_triangle_clockwise_on_the_screen() -> None:
    x, y = np.arange(4) + 0.5, (np.arange(4) + 0.5)[:, None]
    inside = inside_convex([(0, 0), (4, 0), (0, 4)], x, y)
    assert inside.tolist() == (x + y <= 4).tolist()


def test_shades() -> None:
    assert shade((10, 20, 30), np.array([[1.0, -1.0]])).tolist() == [[[11, 21, 31], [9, 19, 29]]]
