"""Neighbours that look alike, and how much class probabilities agree on them.

Shapes: B pictures, C classes, K neighbours of a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

Offset = tuple[int, int]
"""(rows, columns) from a pixel to its neighbour."""


def half_window(size: int = 5, dilation: int = 2) -> tuple[Offset, ...]:
    """One of each two opposite neighbours of a square window without its centre.

    Being alike is mutual: the pairs that the other half would add are these once more.

    Parameters
    ----------
    size : int, odd
        Neighbours along a side of the window, the centre included.
    dilation : int
        Pixels between neighbours.
    """
    if size < 3 or size % 2 == 0 or dilation < 1:
        raise ValueError(f"size must be odd and 3 or more and dilation positive, but got {size} and {dilation}")
    reach = [dilation * step for step in range(-(size // 2), size // 2 + 1)]
    return tuple((row, column) for row in reach for column in reach if (row, column) > (0, 0))


def _pair(maps: Tensor, offset: Offset) -> tuple[Tensor, Tensor]:
    """Views of (..., H, W): the pixels that have the neighbour, and the neighbours."""
    rows, columns = offset  # the half window looks down, or along the row to the right
    height, width = maps.shape[-2:]
    left, right = max(-columns, 0), max(columns, 0)
    return (
        maps[..., : max(height - rows, 0), left : max(width - right, left)],
        maps[..., rows:, right : max(width - left, right)],
    )


@torch.no_grad()
def color_affinity(lab: Tensor, is_valid: Tensor, offsets: Sequence[Offset], *, threshold: float = 0.3) -> Tensor:
    """Which neighbours have almost the same colour.

    Parameters
    ----------
    lab : (B, 3, H, W) float, CIELAB
    is_valid : (B, H, W) bool
        False in the padding.
    offsets : K of (rows, columns)
        Of `half_window`.
    threshold : float in (0, 1]
        Least similarity ``exp(-distance / 2)``: 0.3 stands for a distance of 2.408.

    Returns
    -------
    (B, K, H, W) bool
        True where both pixels are inside the picture and alike.
    """
    affinity = torch.zeros((len(lab), len(offsets), *lab.shape[-2:]), dtype=torch.bool, device=lab.device)
    for index, offset in enumerate(offsets):
        here, there = _pair(lab, offset)
        similar = torch.exp(-0.5 * torch.linalg.vector_norm(here - there, dim=1)) >= threshold
        here_valid, there_valid = _pair(is_valid, offset)
        _pair(affinity[:, index], offset)[0].copy_(similar & here_valid & there_valid)
    return affinity


class _Disagreement(torch.autograd.Function):
    """Loss and gradient in one pass over the neighbours: no map is kept but one of the input's size."""

    @staticmethod
    def forward(ctx: Any, log_probs: Tensor, affinity: Tensor, offsets: Sequence[Offset]) -> Tensor:
        """Sum over alike pairs of ``-log sum_c P_i P_j``, divided by their number, for each picture."""
        needs_gradient = ctx.needs_input_grad[0]
        gradient = torch.zeros_like(log_probs) if needs_gradient else log_probs
        total = log_probs.new_zeros(len(log_probs))
        pairs = affinity.sum(dim=(1, 2, 3)).clamp(min=1).to(log_probs.dtype)
        for index, offset in enumerate(offsets):
            here, there = _pair(log_probs, offset)
            alike, _ = _pair(affinity[:, index], offset)
            if here.numel() == 0:
                continue
            both = here + there
            agreement = both.logsumexp(dim=1)
            total -= (agreement * alike).sum(dim=(1, 2))
            if needs_gradient:
                share = both.sub_(agreement[:, None]).exp_() * alike[:, None]
                for part in _pair(gradient, offset):
                    part -= share
        if needs_gradient:
            ctx.save_for_backward(gradient / pairs[:, None, None, None])
        return total / pairs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """The gradient that the forward pass computed, scaled."""
        (gradient,) = ctx.saved_tensors
        return gradient * grads[0][:, None, None, None], None, None


def disagreement_of_alike(log_probs: Tensor, affinity: Tensor, offsets: Sequence[Offset]) -> Tensor:
    """Mean over alike pairs of ``-log sum_c P_i P_j``: zero where both pixels are sure of the same class.

    Parameters
    ----------
    log_probs : (B, C, H, W) float
        After `log_softmax` over C.
    affinity : (B, K, H, W) bool
        Of `color_affinity`.
    offsets : K of (rows, columns)
        The ones of the affinity.

    Returns
    -------
    (B,) float
        0 for a picture without alike pairs. Memory does not grow with K.

    Raises
    ------
    ValueError
        If sizes differ.
    """
    if affinity.shape != (len(log_probs), len(offsets), *log_probs.shape[-2:]):
        raise ValueError(
            f"affinity must have shape {(len(log_probs), len(offsets), *log_probs.shape[-2:])}, "
            f"but has {tuple(affinity.shape)}"
        )
    loss: Tensor = _Disagreement.apply(log_probs, affinity, tuple(offsets))
    return loss
