"""The label generator end to end: acceptance checks J, K, L and O of PSPS, and what may be missing in a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pointanno.assignment import assign_by_distances, assign_pixels_to_points, shortest_paths
from pointanno_models.layers import shortest_paths as device
from pointanno_models.psps.label_generator import (
    GeneratorSettings,
    PseudoLabels,
    gated_probabilities,
    generate_pseudo_labels,
    present_probabilities,
)
from pointanno_models.psps.outputs import ImageTargets

THINGS = 2
"""Classes 0 and 1 are things in these tests, the others stuff."""

BOTH_WAYS = pytest.mark.parametrize("on_device", [False, True], ids=["processor", "tensors"])


def _targets(labels: list[int], clicks: list[tuple[float, float]], of: list[int]) -> ImageTargets:
    """Clicks as (x, y)."""
    classes = torch.tensor(labels, dtype=torch.int64)
    return ImageTargets(
        labels=classes,
        isthing=classes < THINGS,
        target_ids=torch.arange(len(labels)),
        click_coords=torch.tensor(clicks).reshape(-1, 2),
        click_targets=torch.tensor(of, dtype=torch.int64),
    )


def _masks(made: PseudoLabels, count: int) -> Tensor:
    """(N, H, W): by target, empty where there is none."""
    masks = torch.zeros(count, *made.targets.ignored.shape, dtype=torch.bool)
    masks[made.targets.thing_index] = made.targets.thing_masks
    masks[made.targets.stuff_index] = made.targets.stuff_masks
    return masks


def _one(
    logits: Tensor,
    embedding: Tensor | None,
    rgb: Tensor,
    targets: ImageTargets,
    *,
    stride: int = 1,
    on_device: bool = False,
    **settings: Any,
) -> PseudoLabels:
    [made] = generate_pseudo_labels(
        [logits],
        [embedding],
        [rgb],
        [targets],
        stride=stride,
        settings=GeneratorSettings(**settings),
        on_device=on_device,
    )
    return made


def _two_discs(noise: float) -> tuple[Tensor, Tensor]:
    """(3, 128, 128) colours and (2, 128, 128) masks: one disc hides a part of another, of the same class."""
    rows, columns = np.mgrid[:128, :128]
    first, second = ((rows - 64) ** 2 + (columns - x) ** 2 <= 24**2 for x in (44, 84))
    second &= ~first
    image = np.full((128, 128, 3), 0.5)
    image[first], image[second] = (0.8, 0.2, 0.2), (0.8, 0.6, 0.2)
    image += np.random.default_rng(0).normal(0, noise, image.shape) if noise else 0
    return torch.tensor(image.clip(0, 1)).permute(2, 0, 1).float(), torch.tensor(np.stack([first, second]))


def _disc_ious(
    clicks: list[tuple[int, int]], *, noise: float = 0, ideal: bool = False, on_device: bool = False, **settings: Any
) -> list[float]:
    """Overlap of both discs with their truth, from clicks given as (row, column)."""
    rgb, truth = _two_discs(noise)
    union = truth.any(dim=0)
    probs = torch.stack([torch.where(union, 0.9, 0.1), torch.zeros(128, 128), torch.where(union, 0.1, 0.9)])
    embedding = torch.cat([truth, ~union[None]]).float() if ideal else None
    coords = [(column + 0.5, row + 0.5) for row, column in clicks]
    targets = _targets([0, 0, 2], [*coords, (5.0, 5.0)], [0, 1, 2])
    made = _one(probs.log().clamp(min=-50), embedding, rgb, targets, on_device=on_device, **settings)
    masks = _masks(made, 3)
    return [float((masks[i] & truth[i]).sum() / (masks[i] | truth[i]).sum()) for i in range(2)]


CENTRES, OFF_CENTRE = [(64, 44), (64, 84)], [(60, 30), (70, 70)]


@BOTH_WAYS
@pytest.mark.parametrize("noise", [0, 0.05])
@pytest.mark.parametrize("click_square", [0, 1], ids=["squares", "no squares"])
class TestTouchingDiscs:
    """Acceptance check J."""

    @pytest.mark.parametrize(("clicks", "bound"), [(CENTRES, 0.98), (OFF_CENTRE, 0.97)])
    def test_edges(
        self, clicks: list[tuple[int, int]], bound: float, noise: float, click_square: int, on_device: bool
    ) -> None:
        ious = _disc_ious(clicks, noise=noise, on_device=on_device, click_square=click_square)
        assert min(ious) >= bound

    @pytest.mark.parametrize("clicks", [CENTRES, OFF_CENTRE])
    def test_ideal_embedding(
        self, clicks: list[tuple[int, int]], noise: float, click_square: int, on_device: bool
    ) -> None:
        assert min(_disc_ious(clicks, noise=noise, ideal=True, on_device=on_device, click_square=click_square)) >= 0.99


@BOTH_WAYS
def test_classes_alone_cannot_tell_the_discs_apart(on_device: bool) -> None:
    """(0.52, 0.0): all goes to the first. That the checks above are passed is the edges' and the embedding's doing."""
    ious = _disc_ious(CENTRES, click_square=1, boundary_weight=0, manifold_weight=0, tie=0, on_device=on_device)
    assert ious == pytest.approx([0.52, 0.0], abs=0.005)


@BOTH_WAYS
def test_a_coarse_grid_is_not_enough_for_small_pictures(on_device: bool) -> None:
    ious = _disc_ious(OFF_CENTRE, click_square=1, grid_stride=16, on_device=on_device)
    assert ious == pytest.approx([0.68, 0.73], abs=0.01)


def _random_case(
    size: tuple[int, int], targets: int, seed: int = 0, classes: int = 4, stride: int = 4
) -> tuple[Tensor, Tensor, Tensor, ImageTargets]:
    """Smooth random maps on a grid, a random picture, and targets of which some have two clicks."""
    rng = torch.Generator().manual_seed(seed)
    rows, columns = -(-size[0] // stride), -(-size[1] // stride)
    coarse = torch.randn((1, classes, 4, 4), generator=rng) * 3
    logits = functional.interpolate(coarse, size=(rows, columns), mode="bilinear", align_corners=False)[0]
    embedding = functional.normalize(torch.randn((6, rows, columns), generator=rng), dim=0)
    rgb = torch.rand((3, *size), generator=rng)
    stuff = [label for label in range(THINGS, classes) if seed % 2 or label > THINGS]
    labels = [int(torch.randint(0, THINGS, (), generator=rng)) for _ in range(targets)] + stuff
    of = [*range(len(labels)), *range(0, targets, 2)]
    clicks = torch.rand((len(of), 2), generator=rng) * torch.tensor([size[1], size[0]])
    return logits, embedding, rgb, _targets(labels, [tuple(c) for c in clicks.tolist()], of)


@pytest.mark.parametrize("compatibility", ["class", "class_and_stuff"])
def test_tensors_give_what_compiled_loops_give(compatibility: str) -> None:
    """Four pictures of other sizes at once; the sums of squares differ in the last bits, a few pixels with them."""
    cases = [
        _random_case((64, 48), 5, 0),
        _random_case((61, 83), 12, 1),
        _random_case((32, 32), 0, 2),
        _random_case((9, 5), 1, 3),
    ]
    settings = GeneratorSettings(compatibility=compatibility, norm_margin=0.1)
    found = [
        generate_pseudo_labels(*map(list, zip(*cases, strict=True)), stride=4, settings=settings, on_device=switch)
        for switch in (False, True)
    ]
    for (*_, rgb, targets), loops, tensors in zip(cases, *found, strict=True):
        assert loops.missing == tensors.missing == ()
        same = _masks(loops, len(targets.labels)) == _masks(tensors, len(targets.labels))
        assert same.all(dim=0).float().mean() > 0.998
        assert loops.targets.ignored.shape == rgb.shape[1:]


def test_equals_the_core_function_where_nothing_must_be_cut() -> None:
    """Logits as fine as the picture: then it is softmax, and `assign_pixels_to_points`."""
    logits, embedding, rgb, targets = _random_case((48, 64), 6, 1, stride=1)
    made = _one(logits, embedding, rgb, targets)
    pixels = targets.click_coords.floor().long().numpy()
    of = targets.click_targets.numpy()
    result = assign_pixels_to_points(
        logits.softmax(dim=0).numpy(),
        [pixels[of == target] for target in range(len(targets.labels))],
        targets.labels.numpy(),
        np.arange(4) < THINGS,
        image=rgb.permute(1, 2, 0).numpy(),
        embedding=embedding.numpy(),
        stride=4,
        square=5,
    )
    masks = _masks(made, len(targets.labels)).numpy()
    for target in range(len(targets.labels)):
        assert (masks[target] == result.mask(target)).mean() > 0.999
    assert set(made.empty) == set(result.empty)


@BOTH_WAYS
def test_order_of_targets(on_device: bool) -> None:
    """Acceptance check O."""
    logits, embedding, rgb, targets = _random_case((64, 52), 6, 1)
    count = len(targets.labels)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(3))
    back = order.argsort()
    turned = ImageTargets(
        labels=targets.labels[order],
        isthing=targets.isthing[order],
        target_ids=targets.target_ids[order],
        click_coords=targets.click_coords.flip(0),
        click_targets=back[targets.click_targets].flip(0),
    )
    masks = [_masks(_one(logits, embedding, rgb, t, stride=4, on_device=on_device), count) for t in (targets, turned)]
    assert masks[0].any(dim=(1, 2)).sum() > 3
    assert torch.equal(masks[0], masks[1][back])


@BOTH_WAYS
def test_padding_changes_nothing(on_device: bool) -> None:
    """Acceptance check O: more canvas at the right and at the bottom, with anything in it."""
    logits, embedding, rgb, targets = _random_case((50, 61), 6, 1)
    wide_logits, wide_embedding = (functional.pad(maps, (0, 5, 0, 3), value=7.0) for maps in (logits, embedding))
    alone = _one(logits, embedding, rgb, targets, stride=4, on_device=on_device)
    on_canvas = _one(wide_logits, wide_embedding, rgb, targets, stride=4, on_device=on_device)
    count = len(targets.labels)
    assert torch.equal(_masks(alone, count), _masks(on_canvas, count))
    assert torch.equal(alone.targets.thing_boxes, on_canvas.targets.thing_boxes)


def test_two_clicks_of_a_target_are_never_farther_than_one() -> None:
    """Acceptance check O."""
    costs = np.random.default_rng(0).random((8, 7, 9), dtype=np.float32)
    both, first, second = shortest_paths(costs, [[(1, 1), (7, 5)], [(1, 1)], [(7, 5)]])
    assert np.array_equal(both, np.minimum(first, second))
    seeds = torch.tensor([[0, 0, 1, 1], [0, 0, 7, 5], [0, 1, 1, 1], [0, 2, 7, 5]])
    found = device.shortest_paths(torch.from_numpy(costs)[None], seeds, 3)[0]
    assert torch.equal(found[0], torch.minimum(found[1], found[2]))


@BOTH_WAYS
def test_a_class_without_a_click_is_never_given(on_device: bool) -> None:
    """Acceptance check K: class 1 is the most probable one everywhere and nobody clicked it."""
    logits = torch.zeros(4, 8, 8)
    logits[1] = 5
    targets = _targets([0, 3], [(4.0, 4.0), (28.0, 28.0)], [0, 1])
    made = _one(logits, None, torch.rand(3, 32, 32), targets, stride=4, on_device=on_device, stuff_threshold=0)
    assert set(made.targets.thing_labels.tolist()) | set(made.targets.stuff_labels.tolist()) <= {0, 3}
    assert _masks(made, 2).any(dim=0).all()


@pytest.mark.parametrize(("near", "far", "winner"), [(0.4, 0.8, 0), (0.5, 1.0, 1)])
def test_class_and_distance(near: float, far: float, winner: int) -> None:
    """Acceptance check L: scores .18 and .03, and, where a distance is the largest of all, 0 and .025."""
    probs = np.array([0.9, 0.05], np.float32)[:, None, None] * np.ones((2, 1, 2), np.float32)
    # the second cell holds the largest distance, by which all are divided
    distances = np.array([[[far, 1.0]], [[near, 0.0]]], np.float32)
    labels, _ = assign_by_distances(distances, [0, 1], probs, [True, True])
    assert labels[0, 0] == winner
    found, _ = device.assign_by_distances(
        torch.from_numpy(distances)[None],
        torch.tensor([[0, 1]]),
        torch.from_numpy(probs)[None],
        torch.tensor([True, True]),
    )
    assert found[0, 0, 0] == winner
    # with a margin classes count in the farthest pixels, too: (1 - 1 / 1.1) * .9 = .082 and (1 - .5 / 1.1) * .05 = .027
    labels, _ = assign_by_distances(distances, [0, 1], probs, [True, True], norm_margin=0.1)
    assert labels[0, 0] == 0


@BOTH_WAYS
def test_stuff_that_is_not_sure_is_left_out(on_device: bool) -> None:
    """Stuff 2 has .6 on the left and .45 on the right, where it still is the most probable class."""
    probs = torch.tensor([[0.2, 0.3], [0.1, 0.1], [0.6, 0.45], [0.1, 0.15]])
    logits = probs.log()[:, None].repeat_interleave(16, dim=2).expand(4, 32, 32)
    targets = _targets([2], [(3.0, 3.0)], [0])
    for threshold, share in ((0.5, 0.5), (0.4, 1.0)):
        made = _one(logits, None, torch.rand(3, 32, 32), targets, on_device=on_device, stuff_threshold=threshold)
        assert made.targets.stuff_masks.float().mean().item() == pytest.approx(share)
        assert torch.equal(made.targets.ignored, ~made.targets.stuff_masks[0])
        assert made.targets.thing_masks.shape == (0, 32, 32)
        assert made.targets.thing_boxes.shape == (0, 4)


@BOTH_WAYS
def test_missing_and_empty_targets(on_device: bool) -> None:
    """A target without a click and one that gets no pixel are told and left out; the others are as without them."""
    logits = torch.zeros(3, 8, 8)
    rgb = torch.rand((3, 32, 32), generator=torch.Generator().manual_seed(0))
    twice = [(5.0, 5.0), (5.0, 5.0), (25.0, 25.0)]
    made = _one(logits, None, rgb, _targets([0, 0, 0, 1], twice, [0, 1, 2]), stride=4, on_device=on_device)
    assert made.missing == (3,)
    assert made.empty == (1,), "of two things with one click the first gets all"
    assert made.targets.thing_index.tolist() == [0, 2]
    assert all(mask.any() for mask in made.targets.thing_masks)
    plain = _one(logits, None, rgb, _targets([0, 0], [twice[0], twice[2]], [0, 1]), stride=4, on_device=on_device)
    assert torch.equal(plain.targets.thing_masks, made.targets.thing_masks)


@BOTH_WAYS
def test_pictures_without_clicks_beside_others(on_device: bool) -> None:
    with_clicks, without = _random_case((40, 40), 4, 1), _random_case((24, 33), 2, 1)
    silent = (*without[:3], _targets([0, 2], [], []))
    empty = (*without[:3], _targets([], [], []))
    cases = [silent, with_clicks, empty]
    made = generate_pseudo_labels(
        *map(list, zip(*cases, strict=True)),
        stride=4,
        settings=GeneratorSettings(),
        on_device=on_device,
    )
    assert made[0].missing == (0, 1) and made[2].missing == ()
    for nothing in (made[0], made[2]):
        assert nothing.targets.ignored.all()
        assert len(nothing.targets.thing_labels) == len(nothing.targets.stuff_labels) == 0
    alone = _one(*with_clicks, stride=4, on_device=on_device)
    count = len(with_clicks[3].labels)
    assert torch.equal(_masks(made[1], count), _masks(alone, count))
    only_silent = generate_pseudo_labels(
        [silent[0]], [silent[1]], [silent[2]], [silent[3]], stride=4, settings=GeneratorSettings(), on_device=on_device
    )
    assert only_silent[0].targets.ignored.all()


@BOTH_WAYS
def test_one_pixel(on_device: bool) -> None:
    targets = _targets([1], [(0.5, 0.5)], [0])
    made = _one(torch.zeros(4, 1, 1), torch.ones(2, 1, 1), torch.rand(3, 1, 1), targets, stride=4, on_device=on_device)
    assert made.targets.thing_masks.tolist() == [[[True]]]
    assert made.targets.thing_boxes.tolist() == [[0.5, 0.5, 1.0, 1.0]]


@BOTH_WAYS
def test_boxes_and_classes_belong_to_the_masks(on_device: bool) -> None:
    logits, embedding, rgb, targets = _random_case((53, 70), 7, 1)
    made = _one(logits, embedding, rgb, targets, stride=4, on_device=on_device).targets
    assert len(made.thing_masks) > 2
    assert torch.equal(made.thing_labels, targets.labels[made.thing_index])
    assert torch.equal(made.stuff_labels, targets.labels[made.stuff_index])
    for mask, (cx, cy, width, height) in zip(made.thing_masks, made.thing_boxes.tolist(), strict=True):
        rows, columns = (mask.any(dim=axis).nonzero()[:, 0] for axis in (1, 0))
        extent = [columns.min() / 70, rows.min() / 53, (columns.max() + 1) / 70, (rows.max() + 1) / 53]
        box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]
        assert box == pytest.approx([float(side) for side in extent], abs=1e-6)
    masks = torch.cat([made.thing_masks, made.stuff_masks, made.ignored[None]])
    assert (masks.sum(dim=0) == 1).all(), "each pixel is in one mask, or in none"


def test_labels_carry_no_gradient() -> None:
    """Acceptance check M, the generator's part."""
    logits, embedding, rgb, targets = _random_case((40, 40), 3, 1)
    for given in (logits, embedding, rgb):
        given.requires_grad_()
    for on_device in (False, True):
        made = _one(logits, embedding, rgb, targets, stride=4, on_device=on_device)
        assert not any(part.requires_grad for part in (made.targets.thing_boxes, made.targets.thing_masks))


def test_probabilities_of_many_classes_in_pieces() -> None:
    """40 classes go in three pieces; the softmax is over all of them, after enlarging."""
    logits = torch.randn((40, 5, 6), generator=torch.Generator().manual_seed(0)) * 4
    classes = torch.tensor([0, 15, 16, 39])
    whole = functional.interpolate(logits[None], scale_factor=8, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(present_probabilities(logits, classes, 8), whole.softmax(dim=0)[classes])


def test_squares_are_sure_and_nothing_is_normalised_again() -> None:
    probs = torch.full((2, 6, 6), 0.3)
    gated = gated_probabilities(probs, torch.tensor([[1.5, 1.5]]), torch.tensor([1]), 3)
    assert (gated[0] == 0.3).all()
    assert (gated[1] == 1).nonzero().tolist() == [[y, x] for y in range(3) for x in range(3)]
    assert gated[1, 4, 4] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compatibility": "stuff"}, "compatibility must be 'class' or 'class_and_stuff', but is 'stuff'"),
        ({"click_square": 4}, "click_square must be 0 or an odd number of pixels, but is 4"),
        ({"grid_stride": -1}, "grid_stride must be 0 or a number of pixels, but is -1"),
        ({"tie": -0.1}, "tie must not be negative, but is -0.1"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GeneratorSettings(**settings)
