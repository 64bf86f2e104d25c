"""What clicks teach the semantic head: their squares' classes, and which classes are there at all.

PSPS (ECCV 2022), arXiv:2210.13950, section 3.2. Shapes: L layers, B pictures, C classes, h w cells of the grid. Every
term is the sum over layers; denominators count the whole batch, on all processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torchvision.ops import sigmoid_focal_loss

from pointanno_models.layers.shared_batch import denominators
from pointanno_models.psps.click_squares import UNLABELLED

if TYPE_CHECKING:
    from torch import Tensor


def loss_sem_mask(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the cells that squares around clicks label, summed over layers.

    Parameters
    ----------
    log_probs : (L, B, C, h, w) float
        After `log_softmax` over C.
    labels : (B, h, w) int64
        Classes; `UNLABELLED` elsewhere, and in the padding.

    Returns
    -------
    () float
        Zero, and still connected to the graph, if nothing is labelled.

    Raises
    ------
    ValueError
        If sizes differ.

    Notes
    -----
    Eq. (1): the mean over all labelled cells of the batch.
    Original: `wsup_panformer_head.py`, `loss_sem_mask`. Differs: nothing labelled is zero instead of a division by it.
    """
    layers, pictures, _, height, width = log_probs.shape
    if labels.shape != (pictures, height, width):
        raise ValueError(f"labels must have shape {(pictures, height, width)}, but have {tuple(labels.shape)}")
    is_labelled = labels != UNLABELLED
    wanted = torch.where(is_labelled, labels, 0).expand(layers, -1, -1, -1).unsqueeze(2)
    picked = log_probs.gather(2, wanted).squeeze(2)
    count = denominators(is_labelled.sum()[None].to(log_probs.dtype))[0]
    return -torch.where(is_labelled, picked, 0).sum() / count


def loss_sem_cls(presence_logits: Tensor, is_present: Tensor) -> Tensor:
    """Focal loss of whether a class has a click in the picture, summed over layers.

    Parameters
    ----------
    presence_logits : (L, B, C) float, logits
    is_present : (B, C) bool

    Returns
    -------
    () float

    Raises
    ------
    ValueError
        If sizes differ.

    Notes
    -----
    In no equation of the paper, but without it nothing supervises the presence directly.
    Original: `wsup_panformer_head.py`, `loss_sem_cls`: alpha 0.25, gamma 2, the sum divided by the number of classes
    present in the batch. Differs: nothing.
    """
    if presence_logits.shape[1:] != is_present.shape:
        raise ValueError(f"is_present must have shape {presence_logits.shape[1:]}, but has {tuple(is_present.shape)}")
    targets = is_present.to(presence_logits.dtype).expand_as(presence_logits)
    count = denominators(is_present.sum()[None].to(presence_logits.dtype))[0]
    total: Tensor = sigmoid_focal_loss(presence_logits, targets, alpha=0.25, gamma=2, reduction="sum")
    return total / count
