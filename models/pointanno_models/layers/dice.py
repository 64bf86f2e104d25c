"""The Dice loss: how little two masks overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def loss_dice(masks: Tensor, targets: Tensor, weights: Tensor | None = None, *, smooth: float = 1e-3) -> Tensor:
    """One minus twice the overlap, for each mask.

    Parameters
    ----------
    masks : (R, ...) float
        Values, not logits.
    targets : (R, ...) bool or float
    weights : (R, ...) or broadcastable, bool or float, optional
        0 where a pixel counts nothing; all three sums leave it out.
    smooth : float
        Added to each of the two sums of squares, so that an empty mask is no division by zero.

    Returns
    -------
    (R,) float

    Raises
    ------
    ValueError
        If masks and targets differ in shape.

    Notes
    -----
    ``1 - 2 sum(p t) / (sum(p^2) + smooth + sum(t^2) + smooth)``: Milletari et al., *V-Net* (3DV 2016),
    arXiv:1606.04797, section 3, eq. for D.
    """
    if masks.shape != targets.shape:
        raise ValueError(f"masks and targets must have one shape, but have {masks.shape} and {targets.shape}")
    truth = targets.to(masks.dtype)
    overlap, own, other = masks * truth, masks * masks, truth * truth
    if weights is not None:
        overlap, own, other = overlap * weights, own * weights, other * weights
    sums = [part.flatten(1).sum(dim=1) for part in (overlap, own, other)]
    return dice_from_sums(*sums, smooth=smooth)


def dice_from_sums(overlap: Tensor, own: Tensor, other: Tensor, *, smooth: float = 1e-3) -> Tensor:
    """The same from its three sums: of p t, of p squared and of t squared."""
    return 1 - 2 * overlap / (own + other + 2 * smooth).clamp(min=1e-8)
