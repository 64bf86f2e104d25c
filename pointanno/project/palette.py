"""Colours of classes that were given none."""

from __future__ import annotations

PALETTE = (
    (230, 25, 75), (60, 180, 75), (0, 130, 200), (245, 130, 48), (145, 30, 180), (70, 240, 240), (240, 50, 230),
    (210, 245, 60), (250, 190, 212), (0, 128, 128), (220, 190, 255), (170, 110, 40), (255, 225, 25), (128, 0, 0),
    (170, 255, 195), (128, 128, 0), (255, 215, 180), (0, 0, 128),
)  # fmt: skip
"""Bright, and far from their neighbours in the list."""


def color_of(category_id: int) -> tuple[int, int, int]:
    """Colour of the class with this id; they repeat after the last one."""
    return PALETTE[(category_id - 1) % len(PALETTE)]
