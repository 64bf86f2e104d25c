"""The network of PSPS in the order of its data flow; built from a recipe.

Backbone and neck, deformable encoder, then four readers of its memory: location decoder and thing stack, stuff stack,
semantic branch, manifold projector. The last two are for training and for the label generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

from pointanno_models.backbones import Backbone, load_backbone_weights
from pointanno_models.psps.encoder import Encoder, Neck
from pointanno_models.psps.location_decoder import RARE, LocationDecoder
from pointanno_models.psps.mask_decoder import ClassStack, MaskStack
from pointanno_models.psps.outputs import MaskOutputs, NetworkOutputs
from pointanno_models.psps.semantic_branch import ManifoldProjector, SemanticBranch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pointanno_models.psps.outputs import Memory
    from pointanno_models.psps.recipe import NetworkSettings, PSPSRecipe


class Objective(Protocol):
    """What a training step wants of one pass."""

    @property
    def needs_labels(self) -> bool:
        """Whether the semantic branch and the embedding take part."""

    def select(self, outputs: NetworkOutputs) -> Tensor:
        """(B, M) int64: the queries that go through the thing stack."""

    def losses(self, outputs: NetworkOutputs, things: MaskOutputs) -> dict[str, Tensor]:
        """Named losses, 0-dimensional."""


class PSPSNetwork(nn.Module):
    """All parts.

    Parameters
    ----------
    settings : NetworkSettings
    in_channels : int
        Of the pictures.
    num_things, num_stuff : int
        C_th and C_st, at least one of them not 0.
    """

    def __init__(self, settings: NetworkSettings, in_channels: int, num_things: int, num_stuff: int) -> None:
        super().__init__()
        self.num_things, self.num_stuff = num_things, num_stuff
        self.backbone = Backbone(
            settings.backbone,
            norm=settings.norm,
            last_stage=settings.last_stage,
            frozen_stages=settings.frozen_stages,
            in_channels=in_channels,
        )
        self._skipped = settings.first_stage - 2
        widths = self.backbone.widths[self._skipped :]
        self.neck = Neck(widths, settings.channels, has_extra_level=settings.extra_level)
        strides = [2**stage for stage in range(settings.first_stage, settings.last_stage + settings.extra_level + 1)]
        levels = len(strides)
        self.encoder = Encoder(settings, strides)
        # a picture may lack things altogether, a data set too; then there is one class of them that is never there
        self.location_decoder = LocationDecoder(settings, levels, max(num_things, 1))
        self.thing_stack = MaskStack(
            settings, settings.thing_layers, levels, has_self_attention=False, gives_states=False
        )
        self.stuff_stack = (
            ClassStack(settings, settings.stuff_layers, levels, num_stuff, class_bias=RARE) if num_stuff else None
        )
        self.semantic_branch = SemanticBranch(settings, levels, num_things + num_stuff)
        self.projector = ManifoldProjector(settings, levels)

    @property
    def stride(self) -> int:
        """Pixels for a cell of the grid."""
        return self.encoder.strides[0]

    def encode(self, images: Tensor, valid_sizes: Sequence[tuple[int, int]]) -> Memory:
        """The memory of (B, channels, H, W) normalised pictures."""
        features = self.backbone.features(images)[self._skipped :]
        memory: Memory = self.encoder(self.neck(features), valid_sizes)
        return memory

    def run(
        self,
        images: Tensor,
        valid_sizes: Sequence[tuple[int, int]],
        select: Callable[[NetworkOutputs], Tensor],
        *,
        with_labels: bool,
    ) -> tuple[NetworkOutputs, MaskOutputs]:
        """One pass.

        Parameters
        ----------
        images : (B, channels, H, W) float
            Normalised; padded at the right and at the bottom.
        valid_sizes : B of (H_b, W_b)
        select : function of NetworkOutputs to (B, M) int64
            Which queries go through the thing stack: in training the matched ones, in prediction the best.
        with_labels : bool
            Whether the semantic branch and the embedding are needed.

        Returns
        -------
        NetworkOutputs, MaskOutputs
            All that does not depend on the choice, and the masks of the chosen queries, (L, B, M, h, w).
        """
        memory = self.encode(images, valid_sizes)
        outputs = NetworkOutputs(
            memory=memory,
            location=self.location_decoder(memory),
            stuff=None if self.stuff_stack is None else self.stuff_stack(memory),
            semantic=self.semantic_branch(memory) if with_labels else None,
            embedding=self.projector(memory) if with_labels else None,
        )
        chosen = select(outputs)
        states = outputs.location.states
        queries = states.gather(1, chosen[..., None].expand(-1, -1, states.shape[-1]))
        masks, _ = self.thing_stack(memory, queries)
        return outputs, MaskOutputs(masks, None)

    def forward(
        self, images: Tensor, valid_sizes: Sequence[tuple[int, int]], objective: Objective
    ) -> dict[str, Tensor]:
        """Losses: all of a training step is one call, because a wrapped network (several devices) sees only that."""
        outputs, things = self.run(images, valid_sizes, objective.select, with_labels=objective.needs_labels)
        return objective.losses(outputs, things)

    def slow_parameters(self) -> set[str]:
        """Names of weights that the published training changes ten times slower, those of the backbone left out."""
        return {
            name
            for name, _ in self.named_parameters()
            if "sampling_offsets" in name or "location_decoder.reference_points" in name
        }


def build_network(
    recipe: PSPSRecipe,
    num_things: int,
    num_stuff: int,
    *,
    trains_labels: bool,
    weights: Path | None = None,
    pretrained: bool = True,
) -> PSPSNetwork:
    """A new network.

    Parameters
    ----------
    recipe : PSPSRecipe
    num_things, num_stuff : int
    trains_labels : bool
        False freezes the semantic branch and the projector: nothing trains them where masks are given.
    weights : Path or None
        Local file of backbone weights; None leaves the choice to the recipe.
    pretrained : bool
        False reads and downloads nothing: all weights are loaded afterwards.

    Raises
    ------
    InputError
        If pretrained weights cannot be had.
    """
    network = PSPSNetwork(recipe.network, recipe.data.channels or 3, num_things, num_stuff)
    if pretrained:
        load_backbone_weights(network.backbone, recipe.network.backbone, weights=recipe.network.weights, file=weights)
    if not trains_labels:
        network.semantic_branch.requires_grad_(False)
        network.projector.requires_grad_(False)
    return network
