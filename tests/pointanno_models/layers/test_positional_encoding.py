from __future__ import annotations

import math

import pytest
import torch

from pointanno_models.layers.positional_encoding import sine_positions


def test_values_by_hand() -> None:
    """Two rows, four columns, four channels: one wave a direction.

    The centres of the rows are at 1/4 and 3/4 of a turn: sine 1 and -1, cosine 0. The columns are at 1/8, 3/8, 5/8
    and 7/8: sine and cosine are plus or minus the root of one half.
    """
    found = sine_positions(torch.ones(1, 2, 4, dtype=torch.bool), 4)[0]
    root = math.sqrt(0.5)
    torch.testing.assert_close(found[0, :, 0], torch.tensor([1.0, -1]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1, :, 0], torch.tensor([0.0, 0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[2, 0], torch.tensor([root, root, -root, -root]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[3, 0], torch.tensor([root, -root, -root, root]), atol=1e-5, rtol=0)


def test_waves_grow_to_the_temperature() -> None:
    """Two waves a direction: the second is the hundredfold (root of 10,000) of the first."""
    found = sine_positions(torch.ones(1, 1, 8, dtype=torch.bool), 8)[0]
    first = torch.atan2(found[4, 0, 0], found[5, 0, 0])
    second = torch.atan2(found[6, 0, 0], found[7, 0, 0])
    assert (first / second).item() == pytest.approx(100, rel=1e-3)


def test_padding_changes_nothing_in_the_valid_part() -> None:
    plain = sine_positions(torch.ones(1, 3, 5, dtype=torch.bool), 16)
    padded = torch.zeros(1, 6, 8, dtype=torch.bool)
    padded[:, :3, :5] = True
    torch.testing.assert_close(sine_positions(padded, 16)[:, :, :3, :5], plain)


def test_refuses_other_numbers_of_channels() -> None:
    with pytest.raises(ValueError, match="multiple of 4, but is 6"):
        sine_positions(torch.ones(1, 1, 1, dtype=torch.bool), 6)
