"""Edges of pictures: acceptance check D of PSPS, and the numpy function of the same name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointanno.assignment import boundary_map
from pointanno_models.layers.edge_map import edge_map


def test_red_beside_blue() -> None:
    """Only the two columns at the border of the colours are edges; the frame is none."""
    rgb = torch.zeros(3, 16, 16)
    rgb[0, :, :8], rgb[2, :, 8:] = 1, 1
    edges = edge_map(rgb)
    torch.testing.assert_close(edges[:, 7:9], torch.ones(16, 2))
    assert not edges[:, :7].any() and not edges[:, 9:].any()


@pytest.mark.parametrize("size", [(13, 17), (1, 6), (5, 1), (1, 1), (2, 2)])
def test_equals_the_one_without_torch(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    found = edge_map(torch.from_numpy(rgb).permute(2, 0, 1)).numpy()
    np.testing.assert_allclose(found, boundary_map(rgb), atol=1e-5)


def test_one_colour() -> None:
    """Also where rounding differs between pixels, as in vectorised loops and what remains after them."""
    assert edge_map(torch.full((3, 4, 5), 0.3)).max() < 1e-6
