"""Masks from clicks alone: what they show, and that one click more or less gives what all clicks together give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointanno.assignment import InstantMasks, masks_from_clicks, warm_up
from pointanno.assignment.instant import block_means, color_differences


def patches(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A picture of 3 x 4 patches of one colour each, 20 pixels wide, and the number of each pixel's patch."""
    numbers = np.repeat(np.repeat(np.arange(12).reshape(3, 4), 20, axis=0), 20, axis=1)
    colors = np.random.default_rng(seed).permutation(np.linspace(20, 235, 12).astype(np.uint8))
    return np.stack([colors[numbers], colors[::-1][numbers], colors[numbers]], axis=2), numbers


def test_a_click_in_each_patch_finds_them() -> None:
    image, numbers = patches()
    clicks = [np.argwhere(numbers == k)[:, ::-1][[37]] for k in range(12)]
    found = masks_from_clicks(image, clicks, np.zeros(12, int), [True])
    assert (found == numbers).mean() > 0.97


def test_the_number_of_a_target_is_that_of_its_clicks() -> None:
    """A target without clicks is nowhere, and the others keep their numbers."""
    image, _ = patches()
    found = masks_from_clicks(image, [[(5, 5)], [], [(70, 50), (75, 50)]], [0, 0, 0], [True])
    assert set(np.unique(found)) == {0, 2}
    assert (masks_from_clicks(image, [[], []], [0, 0], [True]) == -1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_clicks_one_by_one_are_clicks_all_at_once(seed: int, by_class: bool) -> None:
    """Also where clicks were taken back in between."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    isthing, probabilities = [True, True, False], None
    if by_class:
        probabilities = rng.random((3, 10, 13)).astype(np.float32)
        probabilities /= probabilities.sum(axis=0)
    clicks = [rng.integers(0, (53, 37), (rng.integers(1, 4), 2)) for _ in range(6)]
    classes = rng.integers(0, 3, 6)
    masks = InstantMasks(image, isthing, probabilities=probabilities, most_cells=20)
    for target in range(6):
        masks.add_click(target, int(classes[target]), clicks[target][0])
    masks.add_click("mistake", 0, (1, 1))
    masks.add_click(2, int(classes[2]), (50, 30))
    for target in range(6):
        for click in clicks[target][1:]:
            masks.add_click(target, int(classes[target]), click)
    masks.remove_click(2, (50, 30))
    masks.remove_click("mistake", (1, 1))
    assert masks.targets == tuple(range(6))
    expected = masks_from_clicks(image, clicks, classes, isthing, probabilities=probabilities, most_cells=20)
    np.testing.assert_array_equal(masks.labels(), expected)
    np.testing.assert_array_equal(masks.mask(3), expected == 3)


def test_clicks_that_are_not_there_cannot_be_taken_back() -> None:
    masks = InstantMasks(patches()[0], [True])
    masks.add_click("one", 0, (5, 5))
    for target, click in (("one", (5, 6)), ("two", (5, 5))):
        with pytest.raises(KeyError):
            masks.remove_click(target, click)
    masks.remove_click("one", (5, 5))
    assert masks.targets == ()
    assert (masks.labels() == -1).all()


@pytest.mark.parametrize("click", [(-1, 0), (80, 0), (0, 60)])
def test_clicks_outside_are_refused_and_change_nothing(click: tuple[int, int]) -> None:
    masks = InstantMasks(patches()[0], [True])
    with pytest.raises(ValueError, match="lies outside the image of 80 x 60 pixels"):
        masks.add_click("one", 0, click)
    with pytest.raises(ValueError, match="no class 1"):
        masks.add_click("one", 1, (0, 0))
    assert masks.targets == ()


def test_class_probabilities_move_the_border() -> None:
    """A flat picture, clicks left and right: the border follows the classes; stuff takes what is most probably it."""
    image = np.full((40, 90, 3), 128, np.uint8)
    clicks: list[Any] = [[(5, 20)], [(85, 20)], [(45, 3)]]
    middle = masks_from_clicks(image, clicks[:2], [0, 1], [True, True])
    assert abs((middle == 0).sum() - 1800) < 100
    probabilities = np.full((3, 40, 90), 0.05, np.float32)
    probabilities[0, :, :70] = probabilities[1, :, 70:] = 0.9
    by_class = masks_from_clicks(image, clicks[:2], [0, 1], [True, True, False], probabilities=probabilities)
    assert abs((by_class == 0).sum() - 2800) < 100
    probabilities[2, :10] = 2
    with_stuff = masks_from_clicks(image, clicks, [0, 1, 2], [True, True, False], probabilities=probabilities)
    assert (with_stuff[:10] == 2).all()
    assert (with_stuff[12:] < 2).all()


def test_block_means() -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    means = block_means(image, 3)
    assert means.shape == (2, 3, 3)
    np.testing.assert_allclose(means[0, 0], image[:3, :3].mean(axis=(0, 1)) / 255, rtol=1e-6)
    np.testing.assert_allclose(means[1, 2], image[3:, 6:].mean(axis=(0, 1)) / 255, rtol=1e-6)
    np.testing.assert_allclose(block_means(image / 255, 3), means, rtol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (200, 1), (3, 500)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    last = (size[1] - 1, size[0] - 1)
    found = masks_from_clicks(image, [[(0, 0)], [last]], [0, 0], [True])
    assert found.shape == size
    assert found[0, 0] == 0
    assert (found >= 0).all()


def test_compiling_ahead_tells_how_long_it_took() -> None:
    warm_up()
    assert 0 <= warm_up() < 60


@pytest.mark.parametrize("noise", [0, 4, 12])
def test_noise_does_not_add_up_to_an_edge(noise: int) -> None:
    """Two discs on a wide ground: however long the way over the noisy ground is, it ends at the discs."""
    rows, columns = np.mgrid[:60, :80]
    image = np.full((60, 80, 3), (90, 120, 90), np.uint8)
    discs = [(rows - 30) ** 2 + (columns - centre) ** 2 < 144 for centre in (20, 58)]
    for disc in discs:
        image[disc] = (200, 60, 60)
    shift = np.random.default_rng(0).integers(-noise, noise + 1, image.shape)
    noisy = (image.astype(int) + shift).clip(0, 255).astype(np.uint8)
    labels = masks_from_clicks(noisy, [[(20, 30)], [(58, 30)], [(39, 2)]], [0, 0, 1], [True, False])
    for number, disc in enumerate(discs):
        assert ((labels == number) & disc).sum() / ((labels == number) | disc).sum() > 0.9


def test_differences_are_those_beyond_what_is_usual() -> None:
    """A ramp has the same difference everywhere: a quarter of it is left; a step in it stands out."""
    lab = np.zeros((5, 9, 3), np.float32)
    lab[..., 0] = np.arange(9)
    lab[:, 5:, 0] += 10
    found = color_differences(lab)
    assert found.shape == (4, 5, 9)
    np.testing.assert_allclose(found[0, :, [0, 3]], 0.25)
    np.testing.assert_allclose(found[0, :, 4], 10.25)
    assert not found[2].any() and not found[0, :, 8].any() and not found[1, :, 0].any()
    assert not color_differences(np.zeros((1, 1, 3), np.float32)).any()
