"""The stuff of a scene: sky, ground and water with their textures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.scenes.textures import cloud_noise, shade, smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

SKY, GROUND, WATER = 11, 12, 13
"""Category ids of the stuff classes."""

_GRASS, _SAND, _FIELD = (96, 118, 62), (176, 158, 112), (132, 108, 74)


@dataclass(frozen=True, slots=True)
class Terrain:
    """Layout and colours of the land.

    Attributes
    ----------
    classes : (H, W) int32
        Category id of each pixel.
    colors : (H, W, 3) float, 0 to 255
    horizon : (W,) float
        Row where the sky ends, a column.
    light : float
        Brightness of the day, about 1.
    """

    classes: NDArray[np.int32]
    colors: NDArray[np.float64]
    horizon: NDArray[np.float64]
    light: float


def make_terrain(generator: np.random.Generator, size: int) -> Terrain:
    """A random landscape of `size` times `size` pixels."""
    x = np.arange(size) + 0.5
    y = x[:, None]
    bumps = smooth_noise(generator, (size,), (5,)) - 0.5
    horizon = size * (generator.uniform(0.3, 0.5) + 0.16 * bumps)
    classes = np.where(y < horizon, SKY, GROUND).astype(np.int32)
    classes[_make_water(generator, size, horizon) & (classes == GROUND)] = WATER
    light = generator.uniform(0.75, 1.1)
    colors = np.zeros((size, size, 3))
    for category_id, paint in ((SKY, _paint_sky), (GROUND, _paint_ground), (WATER, _paint_water)):
        colors = np.where((classes == category_id)[..., None], paint(generator, size), colors)
    return Terrain(classes, colors * light, horizon, light)


def _make_water(generator: np.random.Generator, size: int, horizon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A lake, a bay or a river below the horizon; one scene in eight is dry."""
    x = (np.arange(size) + 0.5) / size
    y = x[:, None]
    ripple = cloud_noise(generator, size, 4, 2) - 0.5
    kind = generator.choice(["lake", "bay", "river", "dry"], p=[0.4, 0.25, 0.225, 0.125])
    top = float(horizon.max()) / size
    if kind == "dry":
        return np.zeros((size, size), np.bool_)
    if kind == "lake":
        center = generator.uniform(0.2, 0.8), generator.uniform(top + 0.1, 0.9)
        reach = generator.uniform(0.28, 0.5), generator.uniform(0.12, 0.24)
        return ((x - center[0]) / reach[0]) ** 2 + ((y - center[1]) / reach[1]) ** 2 + 1.2 * ripple < 1
    if kind == "bay":
        side = x if generator.random() < 0.5 else 1 - x
        shore = generator.uniform(0.45, 0.75) * (y - top + 0.25) + 0.25 * ripple
        return side < shore
    middle = generator.uniform(0.3, 0.7) + generator.uniform(-0.5, 0.5) * (y - top)
    width = 0.04 + generator.uniform(0.25, 0.45) * np.maximum(y - top, 0) ** 1.2
    return np.abs(x - middle + 0.35 * ripple) < width


def _paint_sky(generator: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Blue or evening sky, lighter towards the horizon, with clouds."""
    y = ((np.arange(size) + 0.5) / size)[:, None]
    high = np.array(generator.choice([(86, 132, 196), (108, 128, 160), (142, 120, 150)]))
    low = np.array(generator.choice([(196, 214, 228), (222, 196, 168)]))
    colors = high + (low - high) * np.clip(2.0 * y, 0, 1)[..., None]
    cover = np.clip((cloud_noise(generator, size, 3, 4) - generator.uniform(0.45, 0.65)) * 5, 0, 0.85)
    return np.broadcast_to(colors, (size, size, 3)) * (1 - cover[..., None]) + 236.0 * cover[..., None]


def _paint_ground(generator: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Meadow, sand or field in patches, coarse grain near, fine grain far."""
    first, second = generator.permutation(np.array([_GRASS, _SAND, _FIELD]))[:2]
    patches = np.clip((cloud_noise(generator, size, 3, 3) - 0.5) * 4 + 0.5, 0, 1)[..., None]
    grain = (cloud_noise(generator, size, max(size // 4, 2), 2) - 0.5) * 70
    return np.asarray(first * patches + second * (1 - patches) + grain[..., None], dtype=np.float64)


def _paint_water(generator: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Water with long waves and glitter; near in colour to some skies on purpose."""
    base = generator.choice(np.array([(62, 104, 138), (78, 116, 124), (92, 118, 156)]))
    waves = smooth_noise(generator, (size, size), (max(size // 4, 2), max(size // 24, 2)))
    glitter = np.where(waves > 0.86, 55.0, 0.0)
    return shade(base, (waves - 0.5) * 62 + glitter)
