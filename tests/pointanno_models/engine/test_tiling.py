"""Tiles against the whole picture, with systems that see perfectly: a picture of labels is its own truth."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as mask_api
from torch import nn

from pointanno.dataset import InstancePrediction, PanopticPrediction, Prediction
from pointanno.errors import InputError
from pointanno_models.engine.tiling import Tiling, default_tiling, predict_any_size, tiles_of

STUFF = 200
"""Labels from here on are stuff: two regions, of the classes 8 and 9."""


class PerfectSystem:
    """Finds every label of a picture of labels, with a score and a class that follow from the label."""

    def __init__(self, tiling: Tiling, kind: str = "instances") -> None:
        self._tiling = tiling
        self._kind = kind
        self.seen: list[tuple[int, ...]] = []

    def tiling(self) -> Tiling:
        return self._tiling

    def measure(self, image: Any) -> int:
        return int(np.prod(image.shape))

    def predict(self, network: nn.Module, image: NDArray[Any], measured: int | None = None) -> Prediction:
        self.seen.append(image.shape)
        labels = [int(label) for label in np.unique(image) if label]
        if self._kind == "panoptic":
            infos = [
                {"id": label * 1000, "category_id": 8 + label % 2, "isthing": False, "area": 0}
                if label >= STUFF
                else {"id": label * 1000, "category_id": 3, "isthing": True, "area": 0, "score": _score(label)}
                for label in labels
            ]
            return PanopticPrediction(image.astype(np.int32) * 1000, tuple(infos))
        labels = sorted(labels, key=lambda label: -_score(label))
        rles = [mask_api.encode(np.asfortranarray((image == label).astype(np.uint8))) for label in labels]
        boxes = np.array([mask_api.toBbox(rle) for rle in rles], dtype=np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return InstancePrediction(
            boxes=boxes,
            scores=np.array([_score(label) for label in labels], dtype=np.float32),
            category_ids=np.array([1 + label % 3 for label in labels], dtype=np.int64),
            rles=tuple(rles),
        )


def _score(label: int) -> float:
    """Distinct, and in another order than the labels."""
    return 0.1 + (label * 37 % 199) / 250


def _run(system: PerfectSystem, picture: NDArray[Any]) -> Any:
    return predict_any_size(system, nn.Identity(), picture)  # type: ignore[arg-type]


def _as_text(rle: Any) -> str:
    counts = rle["counts"]
    return counts.decode() if isinstance(counts, bytes) else str(counts)


def _assert_same_instances(one: InstancePrediction, two: InstancePrediction) -> None:
    assert np.array_equal(one.scores, two.scores)
    assert np.array_equal(one.category_ids, two.category_ids)
    assert np.array_equal(one.boxes, two.boxes)
    assert [_as_text(rle) for rle in one.rles] == [_as_text(rle) for rle in two.rles]
    assert [tuple(rle["size"]) for rle in one.rles] == [tuple(rle["size"]) for rle in two.rles]


@st.composite
def _scenes(draw: st.DrawFn) -> tuple[NDArray[np.uint8], Tiling]:
    """Connected ellipses and bars up to `reach` pixels that may touch and hide each other, and a tiling."""
    height, width = draw(st.integers(10, 70)), draw(st.integers(10, 70))
    reach = draw(st.integers(1, 14))
    overlap = draw(st.integers(reach, 24))
    size = overlap + draw(st.integers(8, 32))
    picture = np.zeros((height, width), np.uint8)
    for label in range(1, draw(st.integers(1, 20)) + 1):
        row, column = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        tall, wide = draw(st.integers(1, reach)), draw(st.integers(1, reach))
        free = picture[row : row + tall, column : column + wide] == 0
        if free.all():
            shape = np.ones(free.shape, bool)
            if draw(st.booleans()):
                rows, columns = np.mgrid[: free.shape[0], : free.shape[1]]
                shape = (rows - tall / 2 + 0.5) ** 2 * wide**2 + (columns - wide / 2 + 0.5) ** 2 * tall**2 <= (
                    tall * wide / 2
                ) ** 2
            picture[row : row + tall, column : column + wide][shape] = label
    return picture, Tiling(size, overlap)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_scenes())
def test_tiles_find_what_the_whole_picture_shows(scene: tuple[NDArray[np.uint8], Tiling]) -> None:
    picture, tiling = scene
    tiled = _run(PerfectSystem(tiling), picture)
    _assert_same_instances(tiled, _run(PerfectSystem(Tiling(0, 0)), picture))


def _worm(rng: np.random.Generator, size: int) -> NDArray[np.bool_]:
    """A connected object that wanders through the whole picture, two pixels wide."""
    mask = np.zeros((size, size), bool)
    row, column = rng.integers(2, size - 2, 2)
    for _ in range(size * 3):
        step = rng.integers(4)
        row = np.clip(row + (step == 0) - (step == 1), 0, size - 2)
        column = np.clip(column + (step == 2) - (step == 3), 0, size - 2)
        mask[row : row + 2, column : column + 2] = True
    return mask


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("size", "overlap"), [(16, 2), (24, 5), (31, 12), (40, 30)])
def test_an_object_larger_than_the_overlap_is_still_one(seed: int, size: int, overlap: int) -> None:
    """A frame, a ring around it, and worms that cross many tiles and each other's way."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((96, 96), np.uint8)
    picture[3:93, 3:6] = picture[3:93, 90:93] = picture[3:6, 3:93] = picture[90:93, 3:93] = 1
    picture[20:70, 30:80] = 2
    picture[28:62, 38:72] = 0
    for label in range(3, 6):
        picture[_worm(rng, 96) & (picture == 0)] = label
    from scipy import ndimage

    # what others cut in two is two objects
    connected = np.zeros_like(picture)
    number = 0
    for label in range(1, 6):
        parts, count = ndimage.label(picture == label)
        connected[parts > 0] = parts[parts > 0] + number
        number += count
    tiled = _run(PerfectSystem(Tiling(size, overlap)), connected)
    _assert_same_instances(tiled, _run(PerfectSystem(Tiling(0, 0)), connected))


@pytest.mark.parametrize("seed", range(8))
def test_panoptic_tiles_make_the_same_map(seed: int) -> None:
    """Things on two kinds of stuff and void: same segments, same classes, ids used once."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((70, 90), np.uint8)
    picture[20:] = STUFF
    picture[40:, 30:] = STUFF + 1
    for label in range(1, 25):
        row, column = rng.integers(0, 60), rng.integers(0, 80)
        tall, wide = rng.integers(2, 30, 2)
        picture[row : row + tall, column : column + wide] = label
    from scipy import ndimage

    for label in range(1, 25):  # things that others cut in two keep their largest part
        parts, count = ndimage.label(picture == label)
        if count > 1:
            areas = ndimage.sum_labels(parts > 0, parts, range(1, count + 1))
            picture[(parts > 0) & (parts != 1 + int(np.argmax(areas)))] = 0
    tiled = _run(PerfectSystem(Tiling(32, 9), "panoptic"), picture)
    assert isinstance(tiled, PanopticPrediction)
    assert tiled.panoptic_seg.dtype == np.int32
    ids = [info["id"] for info in tiled.segments_info]
    assert len(set(ids)) == len(ids)
    assert set(np.unique(tiled.panoptic_seg).tolist()) - {0} == set(ids)
    assert np.array_equal(tiled.panoptic_seg == 0, picture == 0)
    for info in tiled.segments_info:
        mask = tiled.panoptic_seg == info["id"]
        assert info["area"] == mask.sum()
        [label] = np.unique(picture[mask]).tolist()
        assert np.array_equal(mask, picture == label)
        assert info["isthing"] == (label < STUFF)
        assert info["category_id"] == (3 if label < STUFF else 8 + label % 2)
        assert info.get("score") == (_score(label) if label < STUFF else None)
    scores = [info["score"] for info in tiled.segments_info if info["isthing"]]
    assert scores == sorted(scores, reverse=True)


def test_stuff_of_one_class_is_one_segment() -> None:
    """Label 200 and 202 are both of class 8, in two corners that no tile sees together."""
    picture = np.zeros((60, 60), np.uint8)
    picture[:10, :10], picture[50:, 50:] = 200, 202
    tiled = _run(PerfectSystem(Tiling(20, 4), "panoptic"), picture)
    assert [(info["category_id"], info["area"]) for info in tiled.segments_info] == [(8, 200)]


def test_pictures_up_to_the_limit_are_not_divided() -> None:
    system = PerfectSystem(Tiling(32, 8, whole=64))
    _run(system, np.zeros((64, 50), np.uint8))
    assert system.seen == [(64, 50)]
    _run(system, np.zeros((65, 50), np.uint8))
    assert set(system.seen[1:]) == {(32, 32)}


def test_the_engine_leaves_common_pictures_whole() -> None:
    tiling = default_tiling()
    assert tiling.whole >= 1024
    assert tiling.whole >= tiling.size > 2 * tiling.overlap
    half = default_tiling(0.5)  # the network's input is half of the picture: tiles are twice as large
    assert (half.size, half.whole) == (2 * tiling.size, 2 * tiling.whole)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 120), st.integers(1, 120), st.integers(1, 60), st.integers(4, 40))
def test_cores_cover_the_picture_once(height: int, width: int, overlap: int, step: int) -> None:
    size = overlap + step
    count = np.zeros((height, width), int)
    for tile in tiles_of((height, width), Tiling(size, overlap)):
        assert tile.bottom - tile.top == min(size, height)
        assert tile.right - tile.left == min(size, width)
        assert tile.top <= tile.core[0] < tile.core[2] <= tile.bottom
        assert tile.left <= tile.core[1] < tile.core[3] <= tile.right
        count[tile.core[0] : tile.core[2], tile.core[1] : tile.core[3]] += 1
    assert (count == 1).all()


class _BlindAtTheEdge(PerfectSystem):
    """As networks are: what an edge of the tile cuts is seen badly, half of its pixels are missed."""

    def predict(self, network: nn.Module, image: NDArray[Any], measured: int | None = None) -> Prediction:
        seen = image.copy()
        if measured is not None:
            for label in np.unique(image):
                _, columns = np.nonzero(image == label)
                if label and (columns.max() == image.shape[1] - 1) and columns.max() < measured:
                    seen[(image == label) & (np.arange(image.shape[1]) < (columns.min() + columns.max()) / 2)] = 0
        return super().predict(network, seen, measured)


def test_of_a_cut_and_a_whole_view_the_whole_one_counts() -> None:
    """A square that the first tile cuts (and half misses) and the second sees whole."""
    picture = np.zeros((40, 70), np.uint8)
    picture[10:22, 30:42] = 5  # tiles are 0..40 and 30..70
    found = _run(_BlindAtTheEdge(Tiling(40, 10)), picture)
    assert len(found) == 1
    assert mask_api.decode(dict(found.rles[0])).sum() == 144


class _SeesGhosts(PerfectSystem):
    """Reports a square at the right edge of every tile that has a neighbour there."""

    def predict(self, network: nn.Module, image: NDArray[Any], measured: int | None = None) -> Prediction:
        haunted = image.copy()
        if image[0, 0] == 0:
            haunted[15:20, -8:-3] = 77
        return super().predict(network, haunted, measured)


def test_what_the_better_placed_tile_does_not_see_is_left_out() -> None:
    """The ghost of the tile 0..40 lies at 32..37, in the core of the tile 20..60, whose marked corner sends it away."""
    picture = np.zeros((40, 60), np.uint8)
    picture[0, 20] = 9
    found = _run(_SeesGhosts(Tiling(40, 20)), picture)
    assert len(found) == 1
    assert found.boxes[0].tolist() == [20, 0, 21, 1]


def test_memory_does_not_grow_with_objects_times_pixels() -> None:
    """256 objects in 1600 x 1600 pixels: 650 MB as whole masks; held are packed patches and one tile."""
    picture = np.zeros((1600, 1600), np.uint16)
    for number in range(256):
        row, column = divmod(number, 16)
        picture[row * 100 + 10 : row * 100 + 60, column * 100 + 20 : column * 100 + 80] = number % 190 + 1
    tracemalloc.start()
    found = _run(PerfectSystem(Tiling(300, 100)), picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(mask_api.area(dict(rle)) for rle in found.rles) == 256 * 3000
    assert peak < 8e6


def test_more_pixels_than_codes_can_count_are_refused() -> None:
    class Huge:
        shape = (70_000, 70_000)
        dtype = np.dtype(np.uint8)

        def __getitem__(self, window: Any) -> Any:
            raise AssertionError

    with pytest.raises(InputError, match="70000 x 70000 pixels"):
        _run(PerfectSystem(Tiling(512, 64)), Huge())  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "overlap"), [(10, 10), (10, 0), (-1, 0)])
def test_a_tiling_without_a_shared_strip_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap must be between 1 and the size"):
        Tiling(size, overlap)
