"""Annotations and predictions drawn over pictures, for files that a person looks at."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from pointanno.dataset import BACKGROUND, OBJECT
from pointanno.formats.rle import rle_to_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Instance, Target

_ANSWER_COLORS = {OBJECT: (0, 200, 120), BACKGROUND: (230, 60, 60)}
_UNSURE_COLOR = (160, 160, 160)
_BOX_COLOR = (255, 220, 0)


def draw_annotations(
    image: NDArray[np.uint8], instances: Sequence[Instance], targets: Sequence[Target], zoom: int = 3
) -> NDArray[np.uint8]:
    """Boxes with their answered points (green object, red background, grey unsure) and single clicks (white).

    Parameters
    ----------
    image : (H, W, 3) uint8
    instances, targets
        Of this picture.
    zoom : int
        Pixels of the drawing for each pixel of the picture.

    Returns
    -------
    (zoom * H, zoom * W, 3) uint8
    """
    height, width = image.shape[:2]
    canvas = PillowImage.fromarray(image).resize((width * zoom, height * zoom), PillowImage.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    for instance in instances:
        draw.rectangle([value * zoom for value in instance.box.xyxy], outline=_BOX_COLOR)
    drawn = [(instance.points, False) for instance in instances] + [(target.points, True) for target in targets]
    for points, is_click in drawn:
        for (x, y), label in zip(points.coords.tolist(), points.labels.tolist(), strict=True):
            color = (255, 255, 255) if is_click else _ANSWER_COLORS.get(label, _UNSURE_COLOR)
            centre_x, centre_y = (x + 0.5) * zoom, (y + 0.5) * zoom
            draw.ellipse(
                [centre_x - zoom, centre_y - zoom, centre_x + zoom, centre_y + zoom], fill=color, outline=(0, 0, 0)
            )
    return np.asarray(canvas)


def draw_instances(
    image: NDArray[np.uint8], rles: Sequence[Mapping[str, Any]], zoom: int = 3, opacity: float = 0.5
) -> NDArray[np.uint8]:
    """Masks in colours of their own, the first on top.

    Parameters
    ----------
    image : (H, W, 3) uint8
    rles
        Run-length codes of the picture's size, best first.
    zoom : int
    opacity : float in [0, 1]

    Returns
    -------
    (zoom * H, zoom * W, 3) uint8
    """
    colored = image.astype(np.float32)
    for index, rle in reversed(list(enumerate(rles))):
        mask = rle_to_mask(rle)
        colored[mask] = (1 - opacity) * image[mask] + opacity * _color(index)
    drawn = colored.clip(0, 255).astype(np.uint8)
    return np.repeat(np.repeat(drawn, zoom, axis=0), zoom, axis=1)


def draw_outlines(image: NDArray[np.uint8], rles: Sequence[Mapping[str, Any]], zoom: int = 3) -> NDArray[np.uint8]:
    """Outlines of masks in colours of their own, one pixel of the drawing wide, the first on top.

    Parameters
    ----------
    image : (H, W, 3) uint8
    rles
        Run-length codes of the picture's size, best first.
    zoom : int
        Pixels of the drawing for each pixel of the picture.

    Returns
    -------
    (zoom * H, zoom * W, 3) uint8
    """
    drawn = np.repeat(np.repeat(image, zoom, axis=0), zoom, axis=1)
    for index, rle in reversed(list(enumerate(rles))):
        mask = np.repeat(np.repeat(rle_to_mask(rle), zoom, axis=0), zoom, axis=1)
        padded = np.pad(mask, 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        drawn[mask & ~inner] = _color(index)
    return drawn


def draw_panoptic(
    image: NDArray[np.uint8],
    panoptic_seg: NDArray[np.int32],
    segments_info: Sequence[Mapping[str, Any]],
    categories: Sequence[Category],
    zoom: int = 1,
    opacity: float = 0.6,
) -> NDArray[np.uint8]:
    """Segments in the colour of their class, objects of one class lighter and darker in turn, with dark borders.

    Parameters
    ----------
    image : (H, W, 3) uint8
    panoptic_seg : (H, W) int32
        0 is void, which stays as the picture is.
    segments_info
        With `id` and `category_id`.
    categories
        Their colours are used where they have one.
    zoom : int
        Pixels of the drawing for each pixel of the picture.
    opacity : float in [0, 1]

    Returns
    -------
    (zoom * H, zoom * W, 3) uint8
    """
    palette = {
        category.id: np.array(category.color, np.float32) if category.color else _color(index)
        for index, category in enumerate(categories)
    }
    isthing = {category.id: category.isthing for category in categories}
    colored = image.astype(np.float32)
    counts: dict[int, int] = {}
    for segment in segments_info:
        category_id = segment["category_id"]
        number = counts[category_id] = counts.get(category_id, 0) + 1
        light = (1.0, 0.7, 1.25, 0.5)[number % 4] if isthing[category_id] else 1.0
        mask = panoptic_seg == segment["id"]
        colored[mask] = (1 - opacity) * image[mask] + opacity * (palette[category_id] * light).clip(0, 255)
    drawn = np.repeat(np.repeat(colored.clip(0, 255).astype(np.uint8), zoom, axis=0), zoom, axis=1)
    large = np.repeat(np.repeat(panoptic_seg, zoom, axis=0), zoom, axis=1)
    border = np.zeros(large.shape, bool)
    border[:, 1:] |= large[:, 1:] != large[:, :-1]
    border[1:] |= large[1:] != large[:-1]
    drawn[border] = 0
    return drawn


def side_by_side(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels of one height beside each other, a white line between them."""
    line = np.full((panels[0].shape[0], 6, 3), 255, dtype=np.uint8)
    parts = [part for panel in panels for part in (panel, line)]
    return np.concatenate(parts[:-1], axis=1)


def _color(index: int) -> NDArray[np.float32]:
    """A colour, (3,) in 0 to 255, far from those of the numbers beside it."""
    hue = (index * 0.618034) % 1  # the golden ratio keeps neighbouring hues apart
    return np.array(colorsys.hsv_to_rgb(hue, 0.85, 1.0), dtype=np.float32) * np.float32(255)
