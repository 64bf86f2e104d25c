"""From mask probabilities of annotated boxes to masks that a second network is trained on.

Self-training with points: Cheng, Parkhi, Kirillov, *Pointly-Supervised Instance Segmentation* (CVPR 2022),
arXiv:2104.06404. The paper takes the masks as they are. Differs: pixels at annotated points are set to the answer,
and a mask that contradicts too many answers is doubtful: it teaches no mask and is listed for review.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.coords import index_to_continuous
from pointanno.dataset import BACKGROUND, IGNORED, OBJECT
from pointanno.mask_patches import MaskPatch
from pointanno_models.layers.roi_align import paste_mask

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pointanno.dataset import Box, Points


@dataclass(frozen=True, slots=True, eq=False)
class PseudoMask:
    """The mask of one annotated box."""

    mask: MaskPatch
    """After the answers were written into it; the whole box if that left nothing."""
    contradicted: int
    """Answered points inside the box that the network's mask contradicts."""
    answered: int
    """Answered points inside the box."""
    is_empty: bool
    """The network's mask had no pixel, which no object has."""

    @property
    def share(self) -> float:
        """Of the answers, how many are contradicted; 1 for an empty mask."""
        if self.is_empty:
            return 1.0
        return self.contradicted / self.answered if self.answered else 0.0


def make_pseudo_mask(
    mask_prob: torch.Tensor,
    box: Box,
    points: Points,
    image_size: tuple[int, int],
    *,
    threshold: float,
    answer_size: int,
) -> PseudoMask:
    """The pseudo-label of one instance.

    Parameters
    ----------
    mask_prob : (M, M) float in [0, 1]
        Relative to the box.
    box : Box
    points : Points
        Unanswered ones say nothing.
    image_size : (height, width)
    threshold : float in [0, 1]
    answer_size : int
        Odd side, in pixels, of the square around each point that is set to the answer.
    """
    corners = mask_prob.new_tensor(box.xyxy)
    pasted, (top, left) = paste_mask(mask_prob, corners, image_size)
    drawn = (pasted >= threshold).numpy()
    contradicted, answered = count_contradictions(drawn, (top, left), box, points)
    corrected = write_answers(drawn, (top, left), points, answer_size)
    if not corrected.any():
        corrected = np.ones_like(corrected)
    return PseudoMask(
        mask=MaskPatch((top, left), corrected.astype(np.uint8)),
        contradicted=contradicted,
        answered=answered,
        is_empty=not drawn.any(),
    )


def count_contradictions(
    drawn: NDArray[np.bool_], origin: tuple[int, int], box: Box, points: Points
) -> tuple[int, int]:
    """How many answers a mask contradicts, of how many inside the box.

    Parameters
    ----------
    drawn : (h, w) bool
        The pixels that the box touches.
    origin : (row, column)
        Of its first pixel.

    Notes
    -----
    Points whose centre lies outside of the closed box are left out, as in the training loss: no mask of the box
    can be right there.
    """
    centers = index_to_continuous(points.coords)
    inside = ((centers >= (box.x0, box.y0)) & (centers <= (box.x1, box.y1))).all(axis=1)
    valid = np.flatnonzero(inside & (points.labels != IGNORED))
    columns = points.coords[valid, 0] - origin[1]
    rows = points.coords[valid, 1] - origin[0]
    wrong = drawn[rows, columns] != (points.labels[valid] == OBJECT)
    return int(wrong.sum()), len(valid)


def write_answers(
    drawn: NDArray[np.bool_], origin: tuple[int, int], points: Points, answer_size: int
) -> NDArray[np.bool_]:
    """The mask with a square around each point set to its answer.

    Parameters
    ----------
    drawn : (h, w) bool
        The pixels that the box touches: nothing outside of it, or of the picture, is written.
    origin : (row, column)
        Of its first pixel.
    answer_size : int

    Notes
    -----
    Where squares of different answers overlap, the pixel of a point follows its own answer and the others stay as
    the network drew them: near the border of an object neither answer is meant for them.
    """
    height, width = drawn.shape
    half = answer_size // 2
    votes = np.zeros((2, height, width), dtype=np.bool_)
    exact = np.zeros((2, height, width), dtype=np.bool_)
    for (x, y), label in zip((points.coords - (origin[1], origin[0])).tolist(), points.labels.tolist(), strict=True):
        if label == IGNORED:
            continue
        rows, columns = slice(max(y - half, 0), max(y + half + 1, 0)), slice(max(x - half, 0), max(x + half + 1, 0))
        votes[label, rows, columns] = True
        if 0 <= y < height and 0 <= x < width:
            exact[label, y, x] = True
    corrected = drawn.copy()
    for asked in (votes, exact):
        corrected[asked[OBJECT] & ~asked[BACKGROUND]] = True
        corrected[asked[BACKGROUND] & ~asked[OBJECT]] = False
    return corrected
