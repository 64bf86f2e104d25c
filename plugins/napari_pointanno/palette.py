"""Colours of classes, instances and answers; safe for the common colour-vision deficiencies."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Final

from pointanno.project.palette import PALETTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.dataset import Category

Color = tuple[int, int, int]

CLASS_COLORS: Final[tuple[Color, ...]] = PALETTE
"""In the order in which classes get them; a test looks at them with colour-blind eyes."""

ANSWER_COLORS: Final[dict[str, Color]] = {
    "object": (40, 200, 90),
    "background": (235, 70, 60),
    "unsure": (170, 170, 170),
    "skip": (120, 120, 120),
}
ANSWER_SYMBOLS: Final[dict[str, str]] = {"object": "disc", "background": "x", "unsure": "diamond", "skip": "diamond"}
"""Shapes beside the colours, for those who cannot tell green from red."""

POINT_CANVAS_LIMITS: Final = (6, 14)
"""Smallest and largest diameter of a point on the screen, canvas pixels."""

CLICK_BORDER: Final = 0.14
"""Width of the white border of a click, as a fraction of its diameter."""


def category_colors(categories: Sequence[Category]) -> dict[int, Color]:
    """Colour of each class: its own, else the next of the palette."""
    return {
        category.id: category.color or CLASS_COLORS[index % len(CLASS_COLORS)]
        for index, category in enumerate(categories)
    }


def instance_color(color: Color, index: int, *, isthing: bool) -> tuple[float, float, float, float]:
    """RGBA in [0, 1] of one segment: the hue of its class, lightness by instance; stuff paler and thinner."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in color))
    if not isthing:
        red, green, blue = colorsys.hls_to_rgb(hue, min(0.78, lightness + 0.18), saturation * 0.6)
        return red, green, blue, 0.75
    # five steps far enough apart to part neighbours, repeated
    lightness = (0.50, 0.66, 0.38, 0.74, 0.58)[index % 5]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, max(saturation, 0.55))
    return red, green, blue, 1.0
