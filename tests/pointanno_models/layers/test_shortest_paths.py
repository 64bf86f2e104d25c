"""The label assignment on tensors gives what the one on arrays gives: the same bits, the same labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from pointanno import assignment
from pointanno_models.layers.shortest_paths import assign_by_distances, edge_costs, shortest_paths

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def rows_of_clicks(seeds: list[list[Any]]) -> torch.Tensor:
    """Clicks of each target of each image as rows of image, target, x, y."""
    rows = [
        (image, target, int(x), int(y))
        for image, targets in enumerate(seeds)
        for target, clicks in enumerate(targets)
        for x, y in clicks
    ]
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, 4)


@pytest.mark.parametrize("device", DEVICES)
def test_worked_examples(device: str) -> None:
    """Acceptance A and C of PSPS."""
    boundary = torch.zeros(1, 5, 5, device=device)
    boundary[:, :, 2] = 1
    boundary[:, 2, 2] = 0.25
    costs = edge_costs(None, boundary, boundary_weight=1, tie=0)
    left, right = shortest_paths(costs, rows_of_clicks([[[(0, 2)], [(4, 2)]]]), 2)[0].cpu()
    expected = torch.tensor([[0, 0, 1, 0.25, 0.25]]).repeat(5, 1)
    expected[2, 2] = 0.25
    assert torch.equal(left, expected) and torch.equal(right, expected.flip(1))
    random = np.random.default_rng(0).random((7, 9, 8)).astype(np.float32)
    costs = torch.from_numpy(random).permute(2, 0, 1)[None].to(device)
    there, back = shortest_paths(costs, rows_of_clicks([[[(0, 0)], [(8, 6)]]]), 2)[0].cpu()
    assert float(there[6, 8]) == pytest.approx(2.509554, abs=1e-6)
    assert float(back[0, 0]) == pytest.approx(2.514008, abs=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 15), st.integers(1, 15)),
    check_every=st.integers(1, 9),
    flat=st.booleans(),
)
def test_distances_have_the_same_bits(
    device: str, seed: int, size: tuple[int, int], check_every: int, flat: bool
) -> None:
    """Images with different numbers of targets, targets with several clicks or none, cells that do not exist."""
    rng = np.random.default_rng(seed)
    images, targets = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    seeds = [[rng.integers(0, size[::-1], (rng.integers(0, 3), 2)) for _ in range(targets)] for _ in range(images)]
    each = []
    for _ in range(images):
        boundary = np.zeros(size) if flat else rng.random(size)
        valid = rng.random(size) < rng.choice([0.7, 1.0])
        each.append(assignment.edge_costs(None, boundary, boundary_weight=1, valid=valid))
    costs = torch.from_numpy(np.stack(each)).to(device)
    found = shortest_paths(costs, rows_of_clicks(seeds), targets, check_every=check_every).cpu().numpy()
    for image in range(images):
        np.testing.assert_array_equal(found[image], assignment.shortest_paths(each[image], seeds[image]))


@pytest.mark.parametrize("device", DEVICES)
def test_costs_of_steps(device: str) -> None:
    rng = np.random.default_rng(0)
    probabilities, embedding = rng.random((2, 3, 6, 7)), rng.normal(size=(2, 4, 6, 7))
    boundary, valid = rng.random((2, 6, 7)), rng.random((2, 6, 7)) < 0.8
    tensors = [torch.from_numpy(array).float().to(device) for array in (probabilities, boundary, embedding)]
    for normalize in (True, False):
        found = edge_costs(*tensors, valid=torch.from_numpy(valid).to(device), normalize_embedding=normalize)
        for image in range(2):
            expected = assignment.edge_costs(
                probabilities[image], boundary[image], embedding[image],
                valid=valid[image], normalize_embedding=normalize,
            )  # fmt: skip
            np.testing.assert_allclose(found[image].cpu(), expected, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("compatibility", ["class", "class_and_stuff"])
@pytest.mark.parametrize("with_stuff", [True, False])
def test_labels_are_the_same(device: str, compatibility: Any, with_stuff: bool) -> None:
    """Two images, the second with fewer targets; a part of the cells cannot be reached."""
    rng = np.random.default_rng(1)
    isthing = np.array([True, True, False, False])
    probabilities = rng.random((2, 4, 33, 47)).astype(np.float32)
    distances = rng.random((2, 5, 4, 6)).astype(np.float32)
    distances[0, 2, :, 4:] = np.inf
    classes = np.array([[0, 1, 1, 0, 0], [1, 0, 0, -1, -1]])
    distances[1, 3:] = np.inf
    labels, sem_seg = assign_by_distances(
        torch.from_numpy(distances).to(device), torch.from_numpy(classes).to(device),
        torch.from_numpy(probabilities).to(device), torch.from_numpy(isthing).to(device),
        compatibility=compatibility, with_stuff=with_stuff, norm_margin=0.1, stuff_threshold=0.6,
    )  # fmt: skip
    for image, count in ((0, 5), (1, 3)):
        expected, expected_sem_seg = assignment.assign_by_distances(
            distances[image, :count], classes[image, :count], probabilities[image], isthing,
            compatibility=compatibility, with_stuff=with_stuff, norm_margin=0.1, stuff_threshold=0.6,
        )  # fmt: skip
        np.testing.assert_array_equal(labels[image].cpu(), expected)
        np.testing.assert_array_equal(sem_seg[image].cpu(), expected_sem_seg)


def test_images_without_a_target() -> None:
    costs = torch.ones(2, 8, 3, 4)
    found = shortest_paths(costs, torch.zeros(0, 4, dtype=torch.int64), 0)
    assert found.shape == (2, 0, 3, 4)
    labels, sem_seg = assign_by_distances(
        found, torch.zeros(2, 0, dtype=torch.int64), torch.full((2, 2, 6, 8), 0.5), torch.tensor([True, False])
    )
    assert (labels == -1).all()
    assert (sem_seg == assignment.IGNORE_LABEL).all()


@pytest.mark.parametrize("size", [(37, 56), (5, 9), (48, 50)])
def test_resampling_of_arrays_is_that_of_torch(size: tuple[int, int]) -> None:
    source = np.random.default_rng(0).random((3, 24, 31)).astype(np.float32)
    expected = functional.interpolate(torch.from_numpy(source)[None], size=size, mode="bilinear", align_corners=False)
    np.testing.assert_allclose(assignment.resize_bilinear(source, size), expected[0], atol=1e-6)


def test_one_pass_on_arrays_gives_the_labels_of_full_maps() -> None:
    """The authors' way, in torch: every map in full size, weighted, arg-max; not one pixel differs."""
    rng = np.random.default_rng(0)
    distances = np.cumsum(rng.random((9, 12, 17)), axis=2).astype(np.float32)
    scores = torch.from_numpy(rng.normal(size=(1, 6, 12, 17)) * 3).float()
    size = (200, 270)
    probabilities = functional.interpolate(scores, size=size, mode="bilinear", align_corners=False)[0].softmax(0)
    classes = rng.integers(0, 4, 9)
    labels, _ = assignment.assign_by_distances(distances, classes, probabilities.numpy(), [True] * 4 + [False] * 2)
    near = torch.from_numpy(distances) / (distances.max() + 1e-5)
    maps = functional.interpolate(near[None], size=size, mode="bilinear", align_corners=False)[0]
    expected = ((1 - maps) * probabilities[torch.from_numpy(classes)]).argmax(0)
    expected[probabilities.argmax(0) >= 4] = -1
    np.testing.assert_array_equal(labels, expected)
