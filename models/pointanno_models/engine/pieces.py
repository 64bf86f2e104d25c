"""What neighbouring tiles saw of the same object, found by the pixels that both of them looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.mask_patches import MaskPatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Window = tuple[int, int, int, int]

_SAME = 0.5
"""Two pieces are one object if the masks' intersection over union is at least this where both tiles looked."""

_COVERED = 0.7
"""A piece that its tile's edge cuts is a bad view of the neighbour's whole object that covers so much of it."""

_EDGE = 4
"""Pixels; a mask that comes so close to an edge of its tile may go on behind it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A window of the picture that is predicted at once, and the core that is its own."""

    top: int
    left: int
    bottom: int
    right: int
    core: Window
    """(top, left, bottom, right)."""
    image_size: tuple[int, int]

    @property
    def window(self) -> Window:
        """(top, left, bottom, right)."""
        return self.top, self.left, self.bottom, self.right

    def distances(self, bounds: Window) -> NDArray[np.float64]:
        """Pixels between bounds and the tile's edges (top, left, bottom, right); infinite where the picture ends."""
        height, width = self.image_size
        gaps = np.array(
            [bounds[0] - self.top, bounds[1] - self.left, self.bottom - bounds[2], self.right - bounds[3]],
            dtype=np.float64,
        )
        gaps[np.array([self.top == 0, self.left == 0, self.bottom == height, self.right == width])] = np.inf
        return gaps

    def owns(self, bounds: Window) -> bool:
        """Whether the middle of bounds lies in the core."""
        row, column = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        return self.core[0] <= row < self.core[2] and self.core[1] <= column < self.core[3]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What one tile saw of an object; the mask is kept packed, 8 pixels a byte."""

    tile: Tile
    category_id: int
    score: float
    box: NDArray[np.float64]
    """(4,) XYXY in pixels of the picture."""
    bounds: Window
    bits: NDArray[np.uint8]

    @classmethod
    def seen(cls, tile: Tile, mask: MaskPatch, category_id: int, score: float, box: NDArray[np.float64]) -> Piece:
        """From a patch and a box in pixels of the tile."""
        top, left = mask.origin[0] + tile.top, mask.origin[1] + tile.left
        bounds = (top, left, top + mask.patch.shape[0], left + mask.patch.shape[1])
        shift = np.array([tile.left, tile.top, tile.left, tile.top], dtype=np.float64)
        return cls(tile, category_id, score, box + shift, bounds, np.packbits(mask.patch != 0))

    def mask(self) -> MaskPatch:
        """The patch, its origin in pixels of the picture."""
        top, left, bottom, right = self.bounds
        height, width = bottom - top, right - left
        flat = np.unpackbits(self.bits, count=height * width)
        return MaskPatch((top, left), flat.reshape(height, width))

    def is_cut(self) -> bool:
        """Whether the object may go on behind an edge of the tile."""
        return bool(self.tile.distances(self.bounds).min() < _EDGE)

    def room(self) -> float:
        """Pixels to the nearest edge of the tile behind which the picture goes on."""
        return float(self.tile.distances(self.bounds).min())


@dataclass(frozen=True, slots=True)
class Link:
    """Two pieces, by number, of which two tiles saw much the same pixels."""

    strength: float
    first: int
    second: int
    is_same: bool
    """One object; else the first is cut off and the second, which is whole, covers it."""


def find_links(pieces: Sequence[Piece], earlier: Sequence[int], new: Sequence[int]) -> list[Link]:
    """Links between the pieces of two tiles, which are given by number."""
    if not earlier or not new:
        return []
    shared = _common(pieces[earlier[0]].tile.window, pieces[new[0]].tile.window)
    if shared is None:
        return []
    earlier, new = (
        [number for number in group if _common(pieces[number].bounds, shared) is not None] for group in (earlier, new)
    )
    if not earlier or not new:
        return []
    one, two = ([_cut(pieces[number], shared) for number in group] for group in (earlier, new))
    links = []
    for row, column in _candidates(one, two).tolist():
        first, second = earlier[row], new[column]
        if pieces[first].category_id == pieces[second].category_id:
            link = _compare((pieces[first], one[row], first), (pieces[second], two[column], second))
            if link is not None:
                links.append(link)
    return _one_to_one(links)


def _candidates(one: Sequence[MaskPatch], two: Sequence[MaskPatch]) -> NDArray[np.int64]:
    """Pairs of patches, (N, 2), whose boxes share enough pixels for a link: masks are compared for these only."""
    boxes = [np.array([_bounds(mask) for mask in masks]) for masks in (one, two)]
    areas = [np.array([int(mask.patch.sum()) for mask in masks]) for masks in (one, two)]
    low = np.maximum(boxes[0][:, None, :2], boxes[1][None, :, :2])
    high = np.minimum(boxes[0][:, None, 2:], boxes[1][None, :, 2:])
    shared = (high - low).clip(min=0).prod(axis=2)
    least = np.minimum(areas[0][:, None], areas[1][None])
    needed = np.minimum(_SAME / (1 + _SAME) * (areas[0][:, None] + areas[1][None]), _COVERED * least)
    return np.argwhere((least > 0) & (shared > 0) & (shared >= needed))


def _compare(one: tuple[Piece, MaskPatch, int], two: tuple[Piece, MaskPatch, int]) -> Link | None:
    """The link of two pieces, given with what both tiles saw of them and their numbers; None for two objects."""
    both = _common(_bounds(one[1]), _bounds(two[1]))
    common = 0 if both is None else int((_inside(one[1], both) & _inside(two[1], both)).sum())
    if not common:
        return None
    areas = int(one[1].patch.sum()), int(two[1].patch.sum())
    overlap = common / (areas[0] + areas[1] - common)
    if overlap >= _SAME:
        # a doubtful detection shall not come between two good ones
        return Link(overlap * min(one[0].score, two[0].score), one[2], two[2], is_same=True)
    for (cut, _, number), (whole, _, other), area in ((one, two, areas[0]), (two, one, areas[1])):
        is_better = 2 * whole.score >= cut.score
        if common / area >= _COVERED and is_better and cut.is_cut() and not whole.is_cut():
            return Link(common / area, number, other, is_same=False)
    return None


def _one_to_one(links: list[Link]) -> list[Link]:
    """Of links between the same things only the strongest of each piece: a tile's own detections stay apart."""
    taken: set[int] = set()
    kept = []
    for link in sorted(links, key=_strongest_first):
        if link.is_same:
            if link.first in taken or link.second in taken:
                continue
            taken |= {link.first, link.second}
        kept.append(link)
    return kept


def _strongest_first(link: Link) -> tuple[float, int, int]:
    return -link.strength, link.first, link.second


def group_pieces(pieces: Sequence[Piece], links: Sequence[Link]) -> list[list[int]]:
    """Pieces of one object each, by number, in the order of their first ones.

    The strongest links come first; a link is refused if it would make one object of two that a tile keeps apart.
    """
    group_of = list(range(len(pieces)))
    members: dict[int, list[int]] = {number: [number] for number in range(len(pieces))}
    for link in sorted((link for link in links if link.is_same), key=_strongest_first):
        one, two = sorted((group_of[link.first], group_of[link.second]))
        if one == two:
            continue
        tiles = [{pieces[number].tile.window for number in members[group]} for group in (one, two)]
        if tiles[0] & tiles[1]:
            continue
        for number in members[two]:
            group_of[number] = one
        members[one] += members.pop(two)
    return [sorted(members[group]) for group in sorted(members)]


def covered_pieces(links: Sequence[Link]) -> set[int]:
    """Numbers of pieces that are cut off while a neighbour sees the whole object in their place."""
    return {link.first for link in links if not link.is_same}


def join_group(pieces: Sequence[Piece], *, is_covered: bool = False) -> Piece | None:
    """One object from its pieces, None if it is none.

    Parameters
    ----------
    is_covered : bool
        Whether one of them is among the `covered_pieces`.

    Notes
    -----
    Of pieces that no edge cuts the one with most room around it counts; if all are cut, they are united, unless
    a neighbour sees the whole. What one tile saw alone is kept if its middle is in the tile's core: there the tile
    knows best.
    """
    whole = [piece for piece in pieces if not piece.is_cut()]
    if is_covered and not whole:
        return None
    if len(pieces) == 1:
        return pieces[0] if pieces[0].tile.owns(pieces[0].bounds) else None
    if whole:
        return max(whole, key=lambda piece: (piece.room(), piece.score))
    best = max(pieces, key=lambda piece: piece.score)
    corners = np.array([piece.bounds for piece in pieces])
    top, left = (int(value) for value in corners[:, :2].min(axis=0))
    bottom, right = (int(value) for value in corners[:, 2:].max(axis=0))
    united = np.zeros((bottom - top, right - left), np.uint8)
    for piece in pieces:
        y0, x0, y1, x1 = piece.bounds
        united[y0 - top : y1 - top, x0 - left : x1 - left] |= piece.mask().patch
    boxes = np.array([piece.box for piece in pieces])
    box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    return Piece(best.tile, best.category_id, best.score, box, (top, left, bottom, right), np.packbits(united))


def _common(one: Window, two: Window) -> Window | None:
    """Where two windows overlap."""
    top, left = max(one[0], two[0]), max(one[1], two[1])
    bottom, right = min(one[2], two[2]), min(one[3], two[3])
    return (top, left, bottom, right) if top < bottom and left < right else None


def _cut(piece: Piece, window: Window) -> MaskPatch:
    """The part of a piece inside a window."""
    part = _common(piece.bounds, window)
    if part is None:
        return MaskPatch((0, 0), np.zeros((0, 0), np.uint8))
    return MaskPatch((part[0], part[1]), _inside(piece.mask(), part))


def _inside(mask: MaskPatch, window: Window) -> NDArray[np.uint8]:
    """Pixels of a window that lies within the patch."""
    row, column = mask.origin
    return mask.patch[window[0] - row : window[2] - row, window[1] - column : window[3] - column]


def _bounds(mask: MaskPatch) -> Window:
    row, column = mask.origin
    return row, column, row + mask.patch.shape[0], column + mask.patch.shape[1]
