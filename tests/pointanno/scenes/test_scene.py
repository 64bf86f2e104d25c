from __future__ import annotations

import numpy as np
import pytest

from pointanno.scenes import CATEGORIES, Scene, generate_scene

THINGS = {category.id for category in CATEGORIES if category.isthing}


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [generate_scene(seed) for seed in range(30)]


def test_same_seed_same_scene() -> None:
    first, again, other = generate_scene(5, 64), generate_scene(5, 64), generate_scene(6, 64)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.panoptic_seg, again.panoptic_seg)
    assert first.segments_info == again.segments_info
    assert not np.array_equal(first.image, other.image)


def test_global_randomness_is_neither_used_nor_changed() -> None:
    np.random.seed(1)
    first = generate_scene(5, 64)
    after = np.random.random()
    np.random.seed(1)
    assert np.random.random() == after
    assert np.array_equal(first.image, generate_scene(5, 64).image)


def test_the_truth_is_complete_and_true(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.image.shape == (128, 128, 3) and scene.image.dtype == np.uint8
        assert scene.panoptic_seg.dtype == np.int32
        ids, areas = np.unique(scene.panoptic_seg, return_counts=True)
        assert ids.min() > 0  # nothing is void
        assert {info["id"]: info["area"] for info in scene.segments_info} == dict(
            zip(ids.tolist(), areas.tolist(), strict=True)
        )
        for info in scene.segments_info:
            rows, columns = np.nonzero(scene.panoptic_seg == info["id"])
            x, y, width, height = info["bbox"]
            assert (x, y) == (columns.min(), rows.min())
            assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert info["isthing"] == (info["category_id"] in THINGS)
            if info["isthing"]:
                assert info["area"] >= 30


def test_scenes_are_not_trivial(scenes: list[Scene]) -> None:
    """All classes occur, ids exceed a byte, and in most scenes two things of one class touch."""
    seen = {info["category_id"] for scene in scenes for info in scene.segments_info}
    assert seen == {category.id for category in CATEGORIES}
    assert max(info["id"] for info in scenes[0].segments_info) > 255
    touching = 0
    for scene in scenes:
        seg = scene.panoptic_seg
        pairs = np.concatenate(
            [np.stack([seg[:, :-1], seg[:, 1:]], -1).reshape(-1, 2), np.stack([seg[:-1], seg[1:]], -1).reshape(-1, 2)]
        )
        differ = pairs[pairs[:, 0] != pairs[:, 1]]
        same_class = (differ // 1000)[:, 0] == (differ // 1000)[:, 1]
        touching += bool(same_class.any())
    assert touching > len(scenes) / 2


def test_brightness_alone_does_not_tell_the_classes(scenes: list[Scene]) -> None:
    """The best threshold on grey values between things and stuff errs on more than a tenth of the pixels."""
    grey = np.concatenate([scene.image.mean(axis=2).ravel() for scene in scenes])
    thing = np.concatenate([(scene.panoptic_seg // 1000 <= max(THINGS)).ravel() for scene in scenes])
    errors = [min(((grey > level) != thing).mean(), ((grey <= level) != thing).mean()) for level in range(0, 255, 5)]
    assert min(errors) > 0.1


@pytest.mark.parametrize("size", [48, 100, 200])
def test_any_size(size: int) -> None:
    assert generate_scene(0, size).image.shape == (size, size, 3)


def test_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="48 pixels or more"):
        generate_scene(0, 20)
