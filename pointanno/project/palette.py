"""Colours of classes that were given none: distinct for colour-blind people too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

Color = tuple[int, int, int]

NAMED_COLORS: dict[str, Color] = {
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "brick red": (170, 34, 0),
    "violet": (136, 0, 204),
    "mint": (170, 238, 204),
    "teal": (34, 136, 136),
    "pale yellow": (255, 238, 136),
    "terracotta": (204, 102, 68),
    "sage": (136, 170, 136),
    "pink": (255, 68, 170),
    "cyan": (0, 255, 255),
    "crimson": (204, 0, 102),
    "blue": (0, 136, 255),
    "dark green": (0, 102, 68),
    "pale green": (170, 204, 136),
    "rose": (238, 170, 204),
    "dark teal": (0, 102, 102),
    "yellow": (255, 204, 0),
}
"""The colours by the word that a menu or a screen reader says.

The first two are Okabe's and Ito's. The others were picked from a grid of the RGB cube such that the smallest
CIEDE2000 distance between any two, as seen by normal, protanopic and deuteranopic eyes, is as large as possible:
27 among the first 4, 20 among the first 6, 14 among the first 12, 9 among all.
"""

PALETTE: tuple[Color, ...] = tuple(NAMED_COLORS.values())
"""The same in the order in which classes get them."""


def next_color(used: Collection[Color]) -> Color:
    """The first colour that no class has; once all are taken they are given out again in the same order."""
    free = (color for color in PALETTE if color not in used)
    return next(free, PALETTE[len(used) % len(PALETTE)])


def color_of(category_id: int) -> Color:
    """Colour of the class with this id; they repeat after the last one."""
    return PALETTE[(category_id - 1) % len(PALETTE)]
