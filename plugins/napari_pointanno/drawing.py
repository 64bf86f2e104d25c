"""What the overlay of the canvas shows, as plain data; all positions are napari (row, column)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from napari_pointanno.palette import Color


@dataclass(frozen=True, slots=True)
class Question:
    """The point that is asked about, in napari (row, column)."""

    row: float
    column: float
    text: str
    color: Color


@dataclass(frozen=True, slots=True)
class Dot:
    """A point that was answered already."""

    row: float
    column: float
    value: str


@dataclass(frozen=True, slots=True)
class FreshPoint:
    """A click that the Points layer does not show yet; looks as it will look there."""

    row: float
    column: float
    color: Color
    square: bool
    diameter: float
    """In image pixels; bounded on the screen like those of the layer."""


class Fresh(NamedTuple):
    """What is durable but not yet in the layers, for the overlay to draw."""

    points: tuple[FreshPoint, ...] = ()
    boxes: tuple[str, ...] = ()
    """Uids of boxes, to be drawn with their answers."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle by two opposite corners, napari (row, column)."""

    corner: tuple[float, float]
    opposite: tuple[float, float]
    color: Color
    text: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A line through positions, or the outline of an area; napari (row, column)."""

    positions: tuple[tuple[float, float], ...]
    color: Color
    closed: bool = False
    dashed: bool = False
    width: float | None = None
    """Diameter of a brush in image pixels, which leaves a broad trace; None for a thin stroke."""


@dataclass(frozen=True, slots=True)
class Disc:
    """The brush under the pointer."""

    row: float
    column: float
    radius: float
    """In image pixels."""
    color: Color
    dashed: bool = False
    """Whether it takes away."""


@dataclass(frozen=True, slots=True)
class Cross:
    """A small cross-hair, such as an extreme point of an object that is not complete."""

    row: float
    column: float
    color: Color
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a way of annotating adds to the overlay."""

    question: Question | None = None
    dots: tuple[Dot, ...] = ()
    frames: tuple[Frame, ...] = ()
    paths: tuple[Path, ...] = ()
    discs: tuple[Disc, ...] = ()
    crosses: tuple[Cross, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Words that stand instead of the picture until a key is pressed."""

    title: str
    lines: tuple[str, ...]
    """Paragraphs; an empty one leaves room."""
    foot: str
    """Which keys there are."""
    note: str = ""
    """Why it does not go on."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything the overlay shows."""

    question: Question | None = None
    dots: tuple[Dot, ...] = ()
    frames: tuple[Frame, ...] = ()
    paths: tuple[Path, ...] = ()
    discs: tuple[Disc, ...] = ()
    crosses: tuple[Cross, ...] = ()
    selected: tuple[float, float] | None = None
    headline: str = ""
    """What is to be done, at the top of the canvas."""
    hint: str = ""
    """What just happened, at the bottom."""
    key_sheet: bool = False
    paused: bool = False
    page: Page | None = None
    fresh: tuple[FreshPoint, ...] = ()
