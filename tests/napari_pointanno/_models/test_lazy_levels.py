from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_pointanno._models import lazy_levels
from napari_pointanno._models.lazy_levels import LazyLevel, Overview, ThinnedOut, Tiles, overview_step

VALUES = np.arange(130 * 95, dtype=np.uint16).reshape(130, 95)


class Source:
    """An array that notes which windows are read."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values, self.read, self.largest = values, 0, 0
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[Any]:
        part = self.values[window]
        self.read += part.shape[0] * part.shape[1]
        self.largest = max(self.largest, part.shape[0] * part.shape[1])
        return part


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_levels, "TILE", 32)


@pytest.mark.parametrize(
    "window", [(0, 130, 0, 95), (31, 33, 63, 65), (5, 6, 94, 95), (128, 500, 90, 500), (9, 9, 3, 8)]
)
def test_tiles_give_what_the_source_holds(window: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = window
    tiles = Tiles(Source(VALUES))
    for _ in range(2):
        assert np.array_equal(tiles[top:bottom, left:right], VALUES[top:bottom, left:right])


def test_tiles_are_decoded_once_until_there_are_too_many() -> None:
    source = Source(VALUES)
    tiles = Tiles(source, limit_bytes=4 * 32 * 32 * 2)
    tiles[0:64, 0:64]
    before = source.read
    tiles[10:60, 3:50]
    assert source.read == before == 64 * 64
    tiles[:, :]
    assert tiles._held <= 4 * 32 * 32 * 2
    assert sum(tile.nbytes for tile in tiles._tiles.values()) == tiles._held


@pytest.mark.parametrize("step", [2, 3, 8, 64, 200])
def test_thinned_out_is_the_middle_of_each_block(step: int) -> None:
    source = Source(VALUES)
    level = ThinnedOut(source, step)
    wanted = VALUES[step // 2 :: step, step // 2 :: step] if step <= 95 else VALUES[step // 2 :, -1:][:1]
    wanted = wanted[: level.shape[0], : level.shape[1]]
    if step <= 95:
        assert np.array_equal(level[:, :], wanted)
        assert np.array_equal(level[0:1, 0:1], wanted[:1, :1])
    assert level[:, :].shape == level.shape == (max(130 // step, 1), max(95 // step, 1))
    assert source.largest <= 2 * max(32, step) * 95, "read in bands"


def test_an_overview_is_read_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_levels, "OVERVIEW_SIDE", 70)
    overview = Overview(Source(VALUES))
    assert (overview.step, overview.shape, overview.progress) == (2, (65, 47), 0.0)
    overview.fill(lambda: False)
    assert 0 < overview.progress < 1 and not overview.complete
    assert not overview.array[-1].any()
    overview.fill()
    assert overview.complete
    assert np.array_equal(overview[:, :], VALUES[1::2, 1::2][:65, :47])


def test_reading_an_overview_can_be_stopped() -> None:
    overview = Overview(Source(VALUES))
    overview.stop()
    overview.fill()
    assert overview.progress == 0


def test_an_overview_is_small_whatever_the_picture() -> None:
    for shape in ((30_000, 30_000, 3), (30_000, 30_000), (100_000, 50, 3), (20_000, 20_000, 40)):
        huge = np.broadcast_to(np.uint16(0), shape)
        step = overview_step(huge)
        assert max(shape[:2]) // step <= lazy_levels.OVERVIEW_SIDE or min(shape[:2]) // step <= 1
        assert np.prod([shape[0] // step, shape[1] // step, *shape[2:]]) * 2 <= lazy_levels.OVERVIEW_BYTES


def test_a_level_is_sliced_like_an_array() -> None:
    source = Source(VALUES)
    level = LazyLevel(source, lambda values: np.stack([values % 251] * 3, axis=2).astype(np.uint8), rgb=True)
    whole = np.stack([VALUES % 251] * 3, axis=2).astype(np.uint8)
    assert (level.shape, level.ndim, level.size) == ((130, 95, 3), 3, whole.size) and level.dtype == np.uint8
    assert source.read == 0, "nothing is read before it is looked at"
    for key in (
        np.s_[3:9, 4:5],
        np.s_[7],
        np.s_[3:9:2, -4:],
        np.s_[:, 3],
        np.s_[2:5, 3:6, 1],
        np.s_[2, 3],
        np.s_[::-1, 5:9],
    ):
        assert np.array_equal(level[key], whole[key]), key
    assert np.array_equal(np.asarray(level), whole)
