"""Adaptive subdivision: acceptance check 11 of PointSup."""

from __future__ import annotations

import torch
from torch import Tensor

from pointanno_models.layers.point_features import regular_grid
from pointanno_models.layers.subdivision import subdivide


class Disc:
    """Logit 0.3 - distance to the centre of the box; counts the points of each instance."""

    def __init__(self) -> None:
        self.calls = 0
        self.places: list[Tensor] = []

    def __call__(self, point_coords: Tensor) -> Tensor:
        self.calls += point_coords.shape[1]
        self.places.append(point_coords)
        return 0.3 - (point_coords - 0.5).square().sum(dim=-1).sqrt()


def test_from_28_to_224_as_if_every_cell_had_been_computed() -> None:
    """Check 11: the mask agrees on 99.5 % of the cells, exactly at the computed ones, with 4 x 784 evaluations."""
    disc = Disc()
    found = subdivide(disc, regular_grid(28, torch.zeros(1)).expand(2, -1, -1), 3)
    assert found.shape == (2, 224, 224)
    assert disc.calls == 4 * 784
    dense = Disc()(regular_grid(224, torch.zeros(1))).reshape(224, 224)
    for instance in found:
        assert ((instance > 0) == (dense > 0)).float().mean() >= 0.995
    last = (disc.places[-1][0] * 224 - 0.5).round().long()
    assert len(torch.unique(last, dim=0)) == 784
    torch.testing.assert_close(found[0, last[:, 1], last[:, 0]], dense[last[:, 1], last[:, 0]])


def test_interpolation_alone_is_worse() -> None:
    """A step at 0.56: between the coarse centres 0.4375 and 0.5625 interpolation places it at 0.5."""

    def step(point_coords: Tensor) -> Tensor:
        return torch.where(point_coords[..., 0] > 0.56, 1.0, -1.0)

    coarse = step(regular_grid(8, torch.zeros(1))).reshape(1, 1, 8, 8)
    plain = torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[0, 0]
    found = subdivide(step, regular_grid(8, torch.zeros(1)), 1)[0]
    dense = step(regular_grid(16, torch.zeros(1))).reshape(16, 16)
    assert ((plain > 0) != (dense > 0)).sum() == 16
    assert torch.equal(found > 0, dense > 0)


def test_rows_are_y_and_columns_are_x() -> None:
    found = subdivide(lambda coords: coords[..., 0] - 0.25, regular_grid(4, torch.zeros(1)), 1)[0]
    assert (found[:, 1] < 0).all()
    assert (found[:, 2] > 0).all()


def test_no_steps_and_no_instances() -> None:
    plain = subdivide(Disc(), regular_grid(4, torch.zeros(1)), 0)
    torch.testing.assert_close(plain, Disc()(regular_grid(4, torch.zeros(1))).reshape(1, 4, 4))
