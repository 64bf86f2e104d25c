"""One generated picture with its exact panoptic truth: a pure function of seed and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter

from pointanno.dataset import Category
from pointanno.formats.rle import label_map_to_rles, rle_area, rle_to_xywh
from pointanno.scenes.shapes import BALLOON, BOAT, HOUSE, Shape, hide, make_balloon, make_boat, make_house
from pointanno.scenes.terrain import GROUND, SKY, WATER, Terrain, make_terrain

if TYPE_CHECKING:
    from numpy.typing import NDArray

CATEGORIES = (
    Category(HOUSE, "house", True, "thing", (188, 96, 64)),
    Category(BOAT, "boat", True, "thing", (64, 96, 188)),
    Category(BALLOON, "balloon", True, "thing", (228, 176, 68)),
    Category(SKY, "sky", False, "stuff", (150, 190, 230)),
    Category(GROUND, "ground", False, "stuff", (120, 140, 80)),
    Category(WATER, "water", False, "stuff", (60, 130, 150)),
)
"""Classes of all scenes."""

SMALLEST = 48
"""Smallest size in pixels at which all shapes can be told apart."""

_LEVEL = 4  # 64 levels a channel: invisible, and a third of the file size
_SEGMENTS_PER_CLASS = 1000  # ids beyond 255, as in real files


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with full truth.

    Attributes
    ----------
    image : (H, W, 3) uint8
    panoptic_seg : (H, W) int32
        Segment ids; nothing is void.
    segments_info : tuple of dict
        `id`, `category_id`, `isthing`, `iscrowd`, `area`, `bbox`.
    """

    image: NDArray[np.uint8]
    panoptic_seg: NDArray[np.int32]
    segments_info: tuple[dict[str, Any], ...]


def generate_scene(seed: int, size: int = 128) -> Scene:
    """A landscape with houses, boats and balloons that touch and hide each other.

    Parameters
    ----------
    seed
        Same seed and size, same scene.
    size
        Width and height in pixels, 48 or more.
    """
    if size < SMALLEST:
        raise ValueError(f"size must be {SMALLEST} pixels or more, but got {size}")
    generator = np.random.default_rng([seed, size])
    terrain = make_terrain(generator, size)
    shapes = [
        *_place_houses(generator, terrain, size),
        *_place_boats(generator, terrain, size),
        *_place_balloons(generator, terrain, size),
    ]
    smallest = 30 * (size / 128) ** 2
    visible = hide(shapes, size, lambda left, whole: left >= smallest and left >= 0.25 * whole)
    panoptic_seg = terrain.classes * _SEGMENTS_PER_CLASS
    colors = terrain.colors
    for number, (shape, mask) in enumerate(visible, start=1):
        panoptic_seg[mask] = shape.category_id * _SEGMENTS_PER_CLASS + number
        if shape.category_id != BALLOON:
            colors = _cast_shadow(colors, mask, size)
        colors = np.where(mask[..., None], shape.colors * terrain.light, colors)
    return Scene(_expose(generator, colors, size), panoptic_seg.astype(np.int32), _describe(panoptic_seg))


def _place_houses(generator: np.random.Generator, terrain: Terrain, size: int) -> list[Shape]:
    """One to three streets; the houses of a street stand wall to wall or overlap a little."""
    shapes = []
    for _ in range(generator.integers(1, 4)):
        x = generator.uniform(0.02, 0.75) * size
        horizon = terrain.horizon[int(x)]
        base = generator.uniform(horizon + 0.08 * size, 0.95 * size)
        near = (base - horizon) / (size - horizon)
        for _ in range(generator.integers(1, 5)):
            width = size * (0.07 + 0.14 * near) * generator.uniform(0.8, 1.25)
            height = width * generator.uniform(0.7, 1.15)
            row = min(int(base) - 1, size - 1)
            column = min(int(x + width / 2), size - 1)
            if terrain.classes[row, column] == GROUND:
                shapes.append(make_house(generator, size, x, base + generator.uniform(0, 0.6), width, height))
            x += width * generator.uniform(0.85, 1.0)  # touching, with the neighbour's wall in front
    return shapes


def _place_boats(generator: np.random.Generator, terrain: Terrain, size: int) -> list[Shape]:
    """Boats on the water, some in groups close together."""
    rows, columns = np.nonzero(terrain.classes == WATER)
    if len(rows) < 0.02 * size * size:
        return []
    shapes = []
    for _ in range(generator.integers(1, 5)):
        pick = generator.integers(len(rows))
        x, y = columns[pick] + 0.5, rows[pick] + 1.0
        near = (y - terrain.horizon.min()) / (size - terrain.horizon.min())
        for _ in range(generator.integers(1, 3)):
            width = size * (0.08 + 0.16 * near) * generator.uniform(0.8, 1.25)
            shapes.append(make_boat(generator, size, x, y, width))
            x += width * generator.uniform(0.5, 0.9)
            y += generator.uniform(-0.01, 0.03) * size
    return shapes


def _place_balloons(generator: np.random.Generator, terrain: Terrain, size: int) -> list[Shape]:
    """Balloons in the air; every second one has a companion that it touches or hides."""
    shapes = []
    for _ in range(generator.integers(0, 4)):
        radius = size * generator.uniform(0.05, 0.13)
        x, y = generator.uniform(0.08, 0.92) * size, generator.uniform(0.08, 0.42) * size
        depth = size * generator.uniform(0.4, 1.4)
        shapes.append(make_balloon(generator, size, (x, y), radius, depth))
        if generator.random() < 0.5:
            other = radius * generator.uniform(0.7, 1.1)
            angle = generator.uniform(0, 2 * np.pi)
            reach = (radius + other) * generator.uniform(0.7, 0.95)
            center = (x + reach * np.cos(angle), y + reach * np.sin(angle))
            shapes.append(make_balloon(generator, size, center, other, depth + generator.uniform(-1, 1)))
    return shapes


def _cast_shadow(colors: NDArray[np.float64], mask: NDArray[np.bool_], size: int) -> NDArray[np.float64]:
    """The colours, darker to the lower right of an object."""
    step = max(round(size / 50), 1)
    shadow = np.zeros_like(mask)
    shadow[step // 2 :, step:] = mask[: size - step // 2, :-step]
    return np.where((shadow & ~mask)[..., None], colors * 0.78, colors)


def _expose(generator: np.random.Generator, colors: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """What a modest camera makes of it: soft edges, uneven light, noise."""
    soft = gaussian_filter(colors, sigma=(0.55, 0.55, 0))
    center = (np.arange(size) + 0.5) / size - 0.5
    vignette = 1 - 0.35 * (center[:, None] ** 2 + center[None, :] ** 2)
    noise = generator.normal(0, generator.uniform(2.0, 6.0), (size, size, 1))
    noise = noise + generator.normal(0, 1.5, (size, size, 3))
    levels = np.round((soft * vignette[..., None] + noise) / _LEVEL)
    return np.asarray(np.clip(levels, 0, 255 // _LEVEL) * _LEVEL, dtype=np.uint8)


def _describe(panoptic_seg: NDArray[np.int32]) -> tuple[dict[str, Any], ...]:
    """`segments_info` of a label map whose ids hold the category."""
    isthing = {category.id: category.isthing for category in CATEGORIES}
    segments = []
    for segment_id, rle in label_map_to_rles(panoptic_seg).items():
        category_id = segment_id // _SEGMENTS_PER_CLASS
        segments.append(
            {
                "id": segment_id,
                "category_id": category_id,
                "isthing": isthing[category_id],
                "iscrowd": 0,
                "area": rle_area(rle),
                "bbox": [int(value) for value in rle_to_xywh(rle)],
            }
        )
    return tuple(segments)
