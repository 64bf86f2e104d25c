"""What passes between samples, network, label generator and losses: plain records of tensors.

Shape letters: B pictures, C classes (C_th things first, then C_st stuff), Q queries, L layers of a decoder, N targets
of a picture, P clicks of a picture, d channels of the encoder, H W the padded canvas of the batch, H_b W_b the valid
part of it that picture b covers (its upper left corner), h w the **grid**: the finest level of the encoder, on which
all masks and the embedding live (H / stride rounded up; stride 4 in the recipe `small`, 8 in `paper`).

Coordinates are continuous (x, y) in pixels of the canvas: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ImageTargets:
    """The clicks of one picture, and under mask supervision its masks.

    Attributes
    ----------
    labels : (N,) int64
        Class of each target: 0..C_th-1 things, C_th..C-1 stuff. A stuff class occurs at most once.
    isthing : (N,) bool
    target_ids : (N,) int64
        Ids of the targets (or annotations, or segments) in the data set, to name them.
    click_coords : (P, 2) float32
        (x, y), inside the valid part. Empty under mask supervision.
    click_targets : (P,) int64
        Which of the N targets each click belongs to. A target may have several clicks, or none.
    masks : (N, H_b, W_b) bool or None
        Under mask supervision; they do not overlap.
    ignored : (H_b, W_b) bool or None
        Under mask supervision: pixels that nobody labelled (crowds, void).
    """

    labels: Tensor
    isthing: Tensor
    target_ids: Tensor
    click_coords: Tensor
    click_targets: Tensor
    masks: Tensor | None = None
    ignored: Tensor | None = None

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> ImageTargets:
        """The same on another device."""

        def moved(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        return ImageTargets(
            labels=moved(self.labels),
            isthing=moved(self.isthing),
            target_ids=moved(self.target_ids),
            click_coords=moved(self.click_coords),
            click_targets=moved(self.click_targets),
            masks=None if self.masks is None else moved(self.masks),
            ignored=None if self.ignored is None else moved(self.ignored),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B pictures on one canvas.

    Attributes
    ----------
    images : (B, channels, H, W) float32
        Normalised; zeros in the padding, which is at the right and at the bottom.
    rgb : (B, 3, H, W) float32 in [0, 1]
        The same pixels as colours, for the colour prior and the edges of the label generator; zeros in the padding.
    valid_sizes : B of (H_b, W_b)
    targets : B of ImageTargets
    """

    images: Tensor
    rgb: Tensor
    valid_sizes: tuple[tuple[int, int], ...]
    targets: tuple[ImageTargets, ...]

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The same on another device; the engine calls this."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=non_blocking),
            rgb=self.rgb.to(device, non_blocking=non_blocking),
            targets=tuple(target.to(device, non_blocking=non_blocking) for target in self.targets),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PanopticTargets:
    """What the panoptic branch learns from one picture: pseudo-masks of the generator, or true masks. No gradients.

    Attributes
    ----------
    thing_masks : (n, H_b, W_b) bool
        None of them is empty.
    thing_labels : (n,) int64
        0..C_th-1.
    thing_boxes : (n, 4) float32
        (cx, cy, w, h) of the masks' extent, as shares of the valid width W_b and height H_b.
    thing_index : (n,) int64
        Which of the N targets of `ImageTargets` each is.
    stuff_masks : (m, H_b, W_b) bool
        None of them is empty.
    stuff_labels : (m,) int64
        C_th..C-1, ascending.
    stuff_index : (m,) int64
        Which of the N targets each is.
    ignored : (H_b, W_b) bool
        Pixels without a label.
    """

    thing_masks: Tensor
    thing_labels: Tensor
    thing_boxes: Tensor
    thing_index: Tensor
    stuff_masks: Tensor
    stuff_labels: Tensor
    stuff_index: Tensor
    ignored: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Output of the encoder.

    Attributes
    ----------
    tokens : (B, S, d) float
        S is the sum of all cells; levels after each other, finest first, each row by row.
    positions : (B, S, d) float
        Sine of the place plus the learnt vector of the level.
    is_valid : (B, S) bool
        False in the padding.
    sizes : of (H_l, W_l), finest first
    valid_ratios : (B, levels, 2) float
        (x, y): valid width / width of the level, and so for heights.
    """

    tokens: Tensor
    positions: Tensor
    is_valid: Tensor
    sizes: tuple[tuple[int, int], ...]
    valid_ratios: Tensor

    @property
    def grid_size(self) -> tuple[int, int]:
        """(h, w), the finest level."""
        return self.sizes[0]

    @property
    def is_valid_cell(self) -> Tensor:
        """(B, h, w) bool: cells of the grid that are not padding."""
        height, width = self.sizes[0]
        return self.is_valid[:, : height * width].reshape(-1, height, width)


@dataclass(frozen=True, slots=True, eq=False)
class LocationOutputs:
    """The thing queries, after each layer of the location decoder.

    Attributes
    ----------
    class_logits : (L, B, Q, C_th) float
        For a sigmoid; there is no background class.
    boxes : (L, B, Q, 4) float in [0, 1]
        (cx, cy, w, h) as shares of the valid width and height.
    states : (B, Q, d) float
        Of the last layer: the queries of the thing stack.
    """

    class_logits: Tensor
    boxes: Tensor
    states: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class MaskOutputs:
    """What a stack of mask decoder layers says about its queries, layer by layer.

    Attributes
    ----------
    masks : (L, B, Q, h, w) float
        **Scores, not logits**: no sigmoid, neither in losses nor in tests; the threshold is 0.5. In training slightly
        negative values are possible (activation `leaky`). Zero in the padding.
    class_logits : (L, B, Q) float or None
        For a sigmoid: whether the query's class is in the picture; None for things. Query q of the stuff stack is
        class C_th + q, of the semantic stack class q.
    """

    masks: Tensor
    class_logits: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class SemanticOutputs:
    """The semantic head; training only.

    Attributes
    ----------
    logits : (L, B, C, h, w) float
        Z_k of each layer; softmax over C gives P. Meaningless in the padding (mask by `Memory.is_valid_cell`).
    presence_logits : (L, B, C) float
        s_k of each layer: for a sigmoid, whether the class is in the picture.
    """

    logits: Tensor
    presence_logits: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutputs:
    """All that one pass computes before the thing queries are chosen.

    Attributes
    ----------
    stuff : MaskOutputs or None
        None if there are no stuff classes.
    semantic, embedding : or None
        None where they are not needed: in prediction, and under mask supervision as the recipe says.
    embedding : (B, 128, h, w) float or None
        F, of length 1 over its channels (32 channels in the recipe `small`).
    """

    memory: Memory
    location: LocationOutputs
    stuff: MaskOutputs | None
    semantic: SemanticOutputs | None
    embedding: Tensor | None
