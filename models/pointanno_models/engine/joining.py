"""The predictions of overlapping tiles as one prediction of the picture: every object once, and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from pointanno.dataset import InstancePrediction, PanopticPrediction
from pointanno.mask_patches import MaskPatch, patch_to_rle, rle_to_patch
from pointanno_models.engine.pieces import Link, Piece, Tile, covered_pieces, find_links, group_pieces, join_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["InstanceJoiner", "PanopticJoiner", "Tile"]


class _Pieces:
    """Pieces of all tiles so far, and what belongs together."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._links: list[Link] = []
        self._of_tile: list[tuple[Tile, list[int]]] = []

    def add(self, tile: Tile, pieces: list[Piece]) -> range:
        """Compare a tile's pieces with those of all tiles that it overlaps; their numbers are returned."""
        numbers = range(len(self.pieces), len(self.pieces) + len(pieces))
        self.pieces += pieces
        for other, earlier in self._of_tile:
            if other.bottom > tile.top and other.right > tile.left and other.left < tile.right:
                self._links += find_links(self.pieces, earlier, list(numbers))
        self._of_tile.append((tile, list(numbers)))
        return numbers

    def objects(self) -> list[tuple[list[int], Piece | None]]:
        """For each group of pieces their numbers and the object, None if it is none."""
        covered = covered_pieces(self._links)
        return [
            (group, join_group([self.pieces[number] for number in group], is_covered=not covered.isdisjoint(group)))
            for group in group_pieces(self.pieces, self._links)
        ]


class InstanceJoiner:
    """Instances of tiles as instances of the picture, best first."""

    def __init__(self, image_size: tuple[int, int]) -> None:
        self._image_size = image_size
        self._seen = _Pieces()

    def add(self, tile: Tile, found: InstancePrediction) -> None:
        """Take over what was found in a tile."""
        pieces = []
        for box, score, category_id, rle in zip(
            found.boxes, found.scores.tolist(), found.category_ids.tolist(), found.rles, strict=True
        ):
            mask = rle_to_patch(rle)
            if mask.patch.size:
                pieces.append(Piece.seen(tile, mask, int(category_id), score, box.astype(np.float64)))
        self._seen.add(tile, pieces)

    def join(self) -> InstancePrediction:
        """The picture's prediction."""
        joined = [piece for _, piece in self._seen.objects() if piece is not None]
        objects = sorted(joined, key=lambda piece: -piece.score)
        return InstancePrediction(
            boxes=np.array([piece.box for piece in objects], dtype=np.float32).reshape(-1, 4),
            scores=np.array([piece.score for piece in objects], dtype=np.float32),
            category_ids=np.array([piece.category_id for piece in objects], dtype=np.int64),
            rles=tuple(patch_to_rle(piece.mask(), self._image_size) for piece in objects),
        )


class PanopticJoiner:
    """Panoptic maps of tiles as one: stuff by its class, things as instances are joined.

    Every pixel is taken from the tile in whose core it lies; an object that several tiles saw is painted whole
    over stuff and void. Ids are 1 to N: things, best first, then stuff by class.
    """

    def __init__(self, image_size: tuple[int, int]) -> None:
        self._seen = _Pieces()
        # number of a piece + 1, minus (place of a stuff class + 1), or 0 for void
        self._canvas = np.zeros(image_size, dtype=np.int32)
        self._stuff: list[int] = []
        self._has_score: list[bool] = []
        self._stuff_scores: dict[int, list[tuple[float, int]]] = {}

    def add(self, tile: Tile, found: PanopticPrediction) -> None:
        """Take over what was found in a tile."""
        ids, places = np.unique(found.panoptic_seg, return_inverse=True)
        compact = places.reshape(found.panoptic_seg.shape).astype(np.int32) + 1
        windows = ndimage.find_objects(compact, max_label=len(ids))
        place_of = {int(identity): place for place, identity in enumerate(ids.tolist())}
        codes = np.zeros(len(ids) + 1, dtype=np.int32)
        pieces, pieces_at = [], []
        core = self._core(tile)
        for info in found.segments_info:
            place = place_of.get(int(info["id"]))
            if place is None:
                continue
            category_id, score = int(info["category_id"]), info.get("score")
            if not info["isthing"]:
                if category_id not in self._stuff:
                    self._stuff.append(category_id)
                codes[place + 1] = -(self._stuff.index(category_id) + 1)
                area = int((compact[core] == place + 1).sum())
                if score is not None and area:
                    self._stuff_scores.setdefault(category_id, []).append((float(score), area))
                continue
            window = windows[place]
            top, left = window[0].start, window[1].start
            patch = (compact[window] == place + 1).astype(np.uint8)
            box = np.array([left, top, window[1].stop, window[0].stop], dtype=np.float64)
            pieces.append(Piece.seen(tile, MaskPatch((top, left), patch), category_id, float(score or 0.0), box))
            pieces_at.append(place)
            self._has_score.append(score is not None)
        for number, place in zip(self._seen.add(tile, pieces), pieces_at, strict=True):
            codes[place + 1] = number + 1
        self._canvas[tile.core[0] : tile.core[2], tile.core[1] : tile.core[3]] = codes[compact[core]]

    def _core(self, tile: Tile) -> tuple[slice, slice]:
        """The core in pixels of the tile."""
        top, left, bottom, right = tile.core
        return slice(top - tile.top, bottom - tile.top), slice(left - tile.left, right - tile.left)

    def join(self) -> PanopticPrediction:
        """The picture's prediction."""
        pieces, found = self._seen.pieces, self._seen.objects()
        groups, joined = [group for group, _ in found], [piece for _, piece in found]
        order = sorted(
            (place for place, piece in enumerate(joined) if piece is not None),
            key=lambda place: (not self._has_score[groups[place][0]], -_score(joined[place])),
        )
        stuff = sorted(self._stuff)
        # codes run from -len(stuff) to len(pieces)
        lookup = np.zeros(len(stuff) + len(pieces) + 1, dtype=np.int32)
        for identity, place in enumerate(order, start=1):
            lookup[len(stuff) + 1 + np.array(groups[place])] = identity
        for place, category_id in enumerate(self._stuff):
            lookup[len(stuff) - place - 1] = len(order) + 1 + stuff.index(category_id)
        seg = self._canvas
        for row in seg:  # in place and row by row: the map is the largest thing here
            row[:] = lookup[row + len(stuff)]
        for identity, place in enumerate(order, start=1):
            if len(groups[place]) > 1:
                _paint(seg, joined[place], identity, len(order))
        return PanopticPrediction(seg, self._infos(seg, groups, joined, order, stuff))

    def _infos(
        self,
        seg: NDArray[np.int32],
        groups: list[list[int]],
        joined: list[Piece | None],
        order: list[int],
        stuff: list[int],
    ) -> tuple[dict[str, Any], ...]:
        """Descriptions of the segments that have pixels."""
        areas = np.zeros(len(order) + len(stuff) + 1, dtype=np.int64)
        for row in seg:
            areas += np.bincount(row, minlength=len(areas))
        infos: list[dict[str, Any]] = []
        for identity, place in enumerate(order, start=1):
            piece = joined[place]
            assert piece is not None
            infos.append(_info(identity, piece.category_id, int(areas[identity]), isthing=True))
            if self._has_score[groups[place][0]]:
                infos[-1]["score"] = piece.score
        for identity, category_id in enumerate(stuff, start=len(order) + 1):
            infos.append(_info(identity, category_id, int(areas[identity]), isthing=False))
            scores = self._stuff_scores.get(category_id)
            if scores:
                infos[-1]["score"] = sum(score * area for score, area in scores) / sum(area for _, area in scores)
        return tuple(info for info in infos if info["area"])


def _info(identity: int, category_id: int, area: int, *, isthing: bool) -> dict[str, Any]:
    return {"id": identity, "category_id": category_id, "isthing": isthing, "area": area}


def _score(piece: Piece | None) -> float:
    return 0.0 if piece is None else piece.score


def _paint(seg: NDArray[np.int32], piece: Piece | None, identity: int, things: int) -> None:
    """An object over stuff and void, not over other things."""
    assert piece is not None
    top, left, bottom, right = piece.bounds
    under = seg[top:bottom, left:right]
    under[(piece.mask().patch != 0) & ((under == 0) | (under > things))] = identity
