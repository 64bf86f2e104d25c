"""The things of a scene: houses, boats and balloons, each a mask with its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.scenes.textures import inside_convex, shade

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HOUSE, BOAT, BALLOON = 1, 2, 3
"""Category ids of the thing classes."""

_WALLS = ((188, 170, 148), (164, 128, 104), (150, 152, 158), (200, 184, 120))
_ROOFS = ((138, 62, 48), (84, 74, 78), (112, 86, 60))
_HULLS = ((124, 62, 44), (52, 64, 92), (206, 206, 198), (96, 98, 60))
_SAILS = ((232, 228, 216), (206, 150, 120), (150, 186, 206))
_FABRICS = ((196, 70, 60), (228, 176, 68), (80, 120, 176), (120, 160, 92), (190, 190, 196))


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One object before anything hides it.

    Attributes
    ----------
    category_id : int
    depth : float
        Larger is nearer; nearer shapes are painted over farther ones.
    mask : (H, W) bool
    colors : (H, W, 3) float, 0 to 255
    """

    category_id: int
    depth: float
    mask: NDArray[np.bool_]
    colors: NDArray[np.float64]


def make_house(
    generator: np.random.Generator, size: int, left: float, base: float, width: float, height: float
) -> Shape:
    """A house with a gable roof, windows and a door; its lower left corner is (`left`, `base`)."""
    x, y = _pixel_centers(size)
    roof = generator.uniform(0.3, 0.55) * width
    top, right = base - height, left + width
    wall = inside_convex([(left, top), (right, top), (right, base), (left, base)], x, y)
    gable = inside_convex([(left, top), (left + width * generator.uniform(0.35, 0.65), top - roof), (right, top)], x, y)
    wall_color, roof_color = generator.choice(_WALLS), generator.choice(_ROOFS)
    light = np.linspace(generator.uniform(-18, 0), generator.uniform(0, 22), size)[None, :]
    courses = np.where((np.floor(y / max(size / 64, 1)) % 2) == 0, -7.0, 7.0)
    colors = shade(wall_color, np.broadcast_to(light + courses, (size, size)))
    across, up = (x - left) / width, (base - y) / height
    columns = int(generator.integers(2, 4))
    is_window = (np.abs((across * columns) % 1 - 0.5) < 0.24) & (np.abs((up * 2) % 1 - 0.55) < 0.2)
    is_door = (np.abs(across - generator.uniform(0.3, 0.7)) < 0.1) & (up < 0.42)
    colors[np.broadcast_to(is_window, (size, size))] = (58, 66, 84)
    colors[np.broadcast_to(is_door, (size, size))] = (74, 52, 40)
    tiles = np.where((np.floor(y / max(size / 50, 1)) % 2) == 0, -10.0, 6.0)
    colors = np.where((gable & ~wall)[..., None], shade(roof_color, np.broadcast_to(tiles, (size, size))), colors)
    return Shape(HOUSE, base, wall | gable, colors)


def make_boat(generator: np.random.Generator, size: int, middle: float, base: float, width: float) -> Shape:
    """A boat with a hull, a mast and one or two sails; its keel is at (`middle`, `base`)."""
    x, y = _pixel_centers(size)
    depth = width * generator.uniform(0.18, 0.28)
    slant = width * generator.uniform(0.1, 0.22)
    left, right, deck = middle - width / 2, middle + width / 2, base - depth
    hull = inside_convex([(left, deck), (right, deck), (right - slant, base), (left + slant, base)], x, y)
    mast_top = deck - width * generator.uniform(0.7, 1.1)
    pole, foot = max(size / 256, 0.5), deck - depth * 0.3
    top = (middle, mast_top)
    mast = (np.abs(x - middle) <= pole) & (y >= mast_top) & (y <= deck)
    aft = inside_convex([top, (middle + width * 0.42, foot), (middle, foot)], x, y)
    fore = inside_convex([top, (middle, foot), (middle - width * 0.36, foot)], x, y)
    sails = aft | fore if generator.random() < 0.6 else aft
    stripe = np.where(np.abs(y - deck - depth * 0.35) < depth * 0.15, 40.0, 0.0)
    colors = shade(generator.choice(_HULLS), np.broadcast_to(stripe, (size, size)))
    folds = 10 * np.sin(np.broadcast_to(x - 0.6 * y, (size, size)) * (24 / width))
    colors = np.where(sails[..., None], shade(generator.choice(_SAILS), folds), colors)
    colors[mast & ~sails] = (70, 54, 40)
    return Shape(BOAT, base, hull | mast | sails, colors)


def make_balloon(
    generator: np.random.Generator, size: int, center: tuple[float, float], radius: float, depth: float
) -> Shape:
    """A striped hot-air balloon with its basket; `center` (x, y) is that of the envelope."""
    x, y = _pixel_centers(size)
    across = (x - center[0]) / (radius * generator.uniform(0.82, 1.0))
    up = (y - center[1]) / radius
    taper = np.where(up > 0, 1 - 0.28 * up, 1.0)  # pear-shaped below the middle
    envelope = (across / taper) ** 2 + up**2 <= 1
    basket_top, half = center[1] + radius * 1.12, radius * 0.2
    basket = inside_convex(
        [
            (center[0] - half, basket_top),
            (center[0] + half, basket_top),
            (center[0] + half * 0.8, basket_top + radius * 0.3),
            (center[0] - half * 0.8, basket_top + radius * 0.3),
        ],
        x,
        y,
    )
    ropes = (np.abs(np.abs(across) - 0.24 + 0.02 * up) < 0.09) & (up > 0.85) & (y < basket_top + 1)
    chosen = generator.permutation(np.array(_FABRICS))
    gore = np.arcsin(np.clip(across / np.maximum(taper, 0.1), -1, 1)) * (generator.integers(3, 6) / np.pi) * 2
    is_second = (np.floor(gore) % 2) == 0
    light = 34 * (-0.6 * np.clip(across, -1, 1) - 0.5 * np.clip(up, -1, 1))
    colors = np.where(is_second[..., None], shade(chosen[0], light), shade(chosen[1], light))
    colors = np.where((basket | (ropes & ~envelope))[..., None], shade((96, 68, 44), np.zeros((size, size))), colors)
    return Shape(BALLOON, depth, envelope | basket | ropes, colors)


def hide(shapes: list[Shape], size: int, keep: Callable[[int, int], bool]) -> list[tuple[Shape, NDArray[np.bool_]]]:
    """Visible part of each shape, far ones first; shapes of which too little is left disappear altogether.

    Parameters
    ----------
    shapes
        Any order.
    size
        Of the picture.
    keep
        Says of (visible pixels, pixels of the whole shape) whether the shape may stay.
    """
    covered = np.zeros((size, size), np.bool_)
    visible = []
    # from near to far: what a shape shows depends on nearer ones only, so those that vanish hide nothing
    for shape in sorted(shapes, key=lambda shape: shape.depth, reverse=True):
        mask = shape.mask & ~covered
        if keep(int(mask.sum()), int(shape.mask.sum())):
            visible.append((shape, mask))
            covered |= shape.mask
    return visible[::-1]


def _pixel_centers(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Continuous x as a row and y as a column."""
    centers: NDArray[np.float64] = np.arange(size, dtype=np.float64) + 0.5
    return centers[None, :], centers[:, None]
