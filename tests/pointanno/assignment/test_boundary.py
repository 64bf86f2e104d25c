"""Acceptance D of PSPS: LAB and the edges of the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.color import rgb2lab

from pointanno.assignment import boundary_map, rgb_to_lab
from pointanno.assignment.boundary import boundary_responses
from pointanno.images import read_image


@pytest.fixture
def red_and_blue() -> np.ndarray:
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, :8, 0] = 255
    image[:, 8:, 2] = 255
    return image


def test_lab_of_pure_colours(red_and_blue: np.ndarray) -> None:
    lab = rgb_to_lab(red_and_blue)
    np.testing.assert_allclose(lab[0, 0], (53.24, 80.09, 67.20), atol=0.005)
    np.testing.assert_allclose(lab[0, 15], (32.30, 79.19, -107.86), atol=0.005)


def test_lab_equals_that_of_skimage() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    image[0, :10] = 0
    image[0, 10:20] = 255
    np.testing.assert_allclose(rgb_to_lab(image), rgb2lab(image), atol=2e-4)
    np.testing.assert_allclose(rgb_to_lab(image / 255.0), rgb2lab(image), atol=2e-4)


def test_only_the_columns_beside_the_edge_answer(red_and_blue: np.ndarray) -> None:
    raw = boundary_responses(red_and_blue)
    np.testing.assert_allclose(raw[:, 7:9], 82894.76, atol=0.01)
    assert not raw[:, :7].any() and not raw[:, 9:].any()
    boundary = boundary_map(red_and_blue)
    assert (boundary[:, 7:9] == 1).all()
    assert not boundary[:, :7].any() and not boundary[:, 9:].any()


def test_black_beyond_the_frame_makes_an_edge_of_the_frame(red_and_blue: np.ndarray) -> None:
    """The authors' padding: 0.44 to 0.94 along the frame."""
    boundary = boundary_map(red_and_blue, padding="zero")
    frame = np.concatenate([boundary[0], boundary[-1], boundary[:, 0], boundary[:, -1]])
    assert (round(float(frame.min()), 2), round(float(frame.max()), 2)) == (0.44, 0.94)
    np.testing.assert_allclose(boundary[5:-5, 7:9], 1)


@pytest.mark.parametrize("padding", ["replicate", "zero"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (10, 3), (12, 40)])
def test_small_grids_and_flat_images(size: tuple[int, int], padding: str) -> None:
    """The authors' crop of five cells on each side leaves nothing of ten rows."""
    flat = boundary_map(np.full((*size, 3), 99, np.uint8), padding="replicate")
    assert flat.shape == size and not flat.any()
    image = np.random.default_rng(1).random((*size, 3))
    boundary = boundary_map(image, padding=padding)  # type: ignore[arg-type]
    assert boundary.min() >= 0 and boundary.max() <= 1


def test_what_is_not_valid_changes_nothing(red_and_blue: np.ndarray) -> None:
    image = np.random.default_rng(2).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    valid = np.zeros((20, 24), bool)
    valid[:13, :17] = True
    boundary = boundary_map(image, valid=valid)
    np.testing.assert_array_equal(boundary[:13, :17], boundary_map(image[:13, :17]))
    assert not boundary[~valid].any()


def test_real_picture(data_folder: Path) -> None:
    path = sorted((data_folder / "facades" / "val" / "images").iterdir())[0]
    image = read_image(path)[:256, :256]
    np.testing.assert_allclose(rgb_to_lab(image), rgb2lab(image), atol=2e-4)
    boundary = boundary_map(image)
    assert boundary.max() == 1
    # edges are rare: most of a picture is far below its strongest edge
    assert np.median(boundary) < 0.05
