"""Acceptance J, K and O of PSPS: the whole stage, from probabilities and clicks to masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pointanno.assignment import assign_pixels_to_points, gate_probabilities, grid_size, grid_stride, points_to_cells

CENTRES = ([(44, 64)], [(84, 64)])
OFF_CENTRE = ([(30, 60)], [(70, 70)])


def two_discs(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two touching discs of one class and two colours: image, probabilities, masks, ideal embedding."""
    rows, columns = np.mgrid[:128, :128]
    masks = np.stack([(rows - 64) ** 2 + (columns - centre) ** 2 < 24**2 for centre in (44, 84)])
    masks[1] &= ~masks[0]
    image = np.full((128, 128, 3), 0.5)
    image[masks[0]] = 0.8, 0.2, 0.2
    image[masks[1]] = 0.8, 0.6, 0.2
    probabilities = np.where(masks.any(axis=0), np.array([[[0.9]], [[0.1]]]), np.array([[[0.1]], [[0.9]]]))
    embedding = np.stack([masks[0], masks[1], ~masks.any(axis=0)]).astype(np.float32)
    if noise:
        image = np.clip(image + np.random.default_rng(0).normal(0, noise, image.shape), 0, 1)
    return image, probabilities.astype(np.float32), masks, embedding


def overlaps(found: Any, truth: np.ndarray) -> list[float]:
    return [float((found.mask(k) & truth[k]).sum() / (found.mask(k) | truth[k]).sum()) for k in range(len(truth))]


def assign(clicks: Any, image: Any, probabilities: Any, embedding: Any = None, **settings: Any) -> Any:
    """Both discs are things of class 0; a click at the corner makes the background present."""
    return assign_pixels_to_points(
        probabilities, [*clicks, [(3, 3)]], [0, 0, 1], [True, False], image=image, embedding=embedding,
        **{"stride": 4, "square": 0, **settings},
    )  # fmt: skip


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize(("clicks", "with_edges", "with_embedding"), [(CENTRES, 0.98, 0.99), (OFF_CENTRE, 0.97, 0.99)])
def test_two_touching_discs(clicks: Any, with_edges: float, with_embedding: float, noise: float) -> None:
    """Acceptance J."""
    image, probabilities, masks, embedding = two_discs(noise)
    assert min(overlaps(assign(clicks, image, probabilities), masks)) >= with_edges
    assert min(overlaps(assign(clicks, image, probabilities, embedding), masks)) >= with_embedding


def test_classes_alone_cannot_part_the_discs() -> None:
    """Without edges, embedding and tie term all cells of both discs are equally near: the first one takes all."""
    _, probabilities, masks, _ = two_discs()
    found = assign(CENTRES, None, probabilities, tie=0)
    first, second = overlaps(found, masks)
    assert first == pytest.approx(0.52, abs=0.005)
    assert second == 0
    assert found.empty == (1,)
    assert found.kept == (0, 2)
    assert found.masks().shape == (2, 128, 128)


def test_a_coarse_grid_is_not_enough_for_a_small_image() -> None:
    image, probabilities, masks, _ = two_discs()
    coarse = overlaps(assign(OFF_CENTRE, image, probabilities, stride=16), masks)
    assert sorted(coarse) == pytest.approx([0.67, 0.73], abs=0.01)


@pytest.mark.parametrize("gated_before", [False, True])
def test_a_class_without_a_click_appears_nowhere(gated_before: bool) -> None:
    """Acceptance K: classes 1 (thing) and 3 (stuff) are the most probable everywhere and were not clicked."""
    rng = np.random.default_rng(0)
    probabilities = rng.random((5, 48, 64)).astype(np.float32) * 0.1
    probabilities[[1, 3]] += 10
    clicks = [[(10, 10)], [(50, 30)], [(30, 40)]]
    classes, isthing = [0, 2, 4], [True, True, True, False, False]
    given = gate_probabilities(probabilities, clicks, classes) if gated_before else probabilities
    found = assign_pixels_to_points(given, clicks, classes, isthing, stride=4, is_gated=gated_before, stuff_threshold=0)
    assert set(np.unique(found.sem_seg)) == {0, 2, 4}
    assert set(np.unique(found.labels)) == {-1, 0, 1}


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[Any], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = np.repeat(np.repeat(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), 8, axis=0), 8, axis=1)
    scores = np.repeat(np.repeat(rng.normal(size=(5, 6, 8)), 8, axis=1), 8, axis=2) * 2
    probabilities = (np.exp(scores) / np.exp(scores).sum(axis=0)).astype(np.float32)
    classes = np.array([0, 0, 1, 2, 3, 4])
    clicks = [rng.integers(0, (64, 48), (rng.integers(1, 3), 2)) for _ in classes]
    return image, probabilities, clicks, classes, np.array([True, True, True, False, False])


def test_the_order_of_the_targets_does_not_matter() -> None:
    """Acceptance O."""
    image, probabilities, clicks, classes, isthing = random_case()
    found = assign_pixels_to_points(probabilities, clicks, classes, isthing, image=image)
    order = [4, 2, 0, 5, 3, 1]
    other = assign_pixels_to_points(probabilities, [clicks[k] for k in order], classes[order], isthing, image=image)
    for position, k in enumerate(order):
        np.testing.assert_array_equal(other.mask(position), found.mask(k))


def test_padding_at_the_right_and_below_changes_nothing() -> None:
    """Acceptance O: garbage in the padding, in every input."""
    image, probabilities, clicks, classes, isthing = random_case()
    rng = np.random.default_rng(1)
    embedding = rng.normal(size=(4, 6, 8)).astype(np.float32)
    settings: Any = {"stride": 4, "boxes": np.tile([2.0, 2.0, 60.0, 44.0], (6, 1))}
    plain = assign_pixels_to_points(
        probabilities, clicks, classes, isthing, image=image, embedding=embedding, **settings
    )

    def padded(array: np.ndarray, size: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
        shape = list(array.shape)
        shape[axes[0]], shape[axes[1]] = size
        larger = rng.random(shape) * (255 if array.dtype == np.uint8 else 1)
        larger = larger.astype(array.dtype)
        larger[tuple(slice(0, n) for n in array.shape)] = array
        return larger

    found = assign_pixels_to_points(
        padded(probabilities, (80, 96), (1, 2)), clicks, classes, isthing,
        image=padded(image, (80, 96), (0, 1)), embedding=padded(embedding, (10, 12), (1, 2)), valid=(48, 64),
        **settings,
    )  # fmt: skip
    np.testing.assert_array_equal(found.labels, plain.labels)
    np.testing.assert_array_equal(found.sem_seg, plain.sem_seg)
    np.testing.assert_array_equal(found.distances, plain.distances)


def test_targets_without_a_click_are_dropped() -> None:
    """They neither take pixels nor change the division by the largest distance."""
    image, probabilities, clicks, classes, isthing = random_case()
    plain = assign_pixels_to_points(probabilities, clicks, classes, isthing, image=image)
    found = assign_pixels_to_points(
        probabilities, [clicks[0], [], *clicks[1:]], [0, 1, *classes[1:]], isthing, image=image
    )
    assert found.missing == (1,)
    np.testing.assert_array_equal(found.sem_seg, plain.sem_seg)
    renumbered = np.array([0, 2, 3, 4, 5, 6, -1])
    np.testing.assert_array_equal(found.labels, renumbered[plain.labels])


@pytest.mark.parametrize(("classes", "isthing"), [([1], [True, False]), ([], [True, False]), ([], [])])
def test_images_without_a_thing_click_work(classes: list[int], isthing: list[bool]) -> None:
    probabilities = np.full((len(isthing), 16, 16), 0.5, np.float32)
    found = assign_pixels_to_points(probabilities, [[(3, 3)]] * len(classes), classes, isthing)
    assert (found.labels == -1).all()
    assert found.sem_seg.tolist() == [[1 if classes else 255] * 16] * 16


def test_every_pixel_goes_to_a_thing_where_there_is_no_stuff() -> None:
    image, probabilities, clicks, classes, isthing = random_case()
    found = assign_pixels_to_points(probabilities, clicks, classes, isthing, image=image, with_stuff=False)
    assert (found.labels >= 0).all()


def test_the_authors_switches_are_accepted_and_differ() -> None:
    image, probabilities, clicks, classes, isthing = random_case()
    ours = assign_pixels_to_points(probabilities, clicks, classes, isthing, image=image, stride=4)
    theirs = assign_pixels_to_points(
        probabilities, clicks, classes, isthing, image=image, stride=4, tie=0, padding="zero",
        normalize_embedding=False, compatibility="class_and_stuff",
    )  # fmt: skip
    assert (ours.labels != theirs.labels).any()
    np.testing.assert_array_equal(ours.labels < 0, theirs.labels < 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"isthing": [True] * 4}, r"shape \(4, H, W\)"),
        ({"classes": [0, 0, 1, 2, 3, 5]}, "classes must lie in 0 to 4"),
        ({"classes": [0, 0, 1]}, "6 targets have clicks, but 3 have a class"),
        ({"valid": (4, 4)}, "a click of target 0 lies outside the image of 4 x 4 pixels"),
    ],
)
def test_contradictions_are_refused(change: dict[str, Any], message: str) -> None:
    _, probabilities, clicks, classes, isthing = random_case()
    given: dict[str, Any] = {
        "probabilities": probabilities, "point_coords": clicks, "classes": classes, "isthing": isthing, **change
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        assign_pixels_to_points(**given)


def test_the_grid() -> None:
    assert [grid_stride((100, longer)) for longer in (256, 257, 512, 513)] == [4, 8, 8, 16]
    assert grid_size((600, 900), 16) == (37, 56)
    assert grid_size((3, 40), 16) == (1, 2)
    # the last cell of a grid that was rounded down is wider
    assert points_to_cells([(0, 0), (15, 16), (899, 599)], 16, (37, 56)).tolist() == [[0, 0], [0, 1], [55, 36]]


def test_squares_around_clicks_are_certain_and_keep_other_classes() -> None:
    probabilities = np.full((3, 9, 9), 1 / 3, np.float32)
    gated = gate_probabilities(probabilities, [[(0, 0)], [(4, 4), (8, 8)]], [0, 2], square=3)
    assert not gated[1].any()
    assert (gated[0] == 1).sum() == 4
    assert (gated[2] == 1).sum() == 9 + 4
    assert gated[0, 4, 4] == np.float32(1 / 3)
    assert (gate_probabilities(probabilities, [[(0, 0)]], [0], square=0)[0] < 1).all()
