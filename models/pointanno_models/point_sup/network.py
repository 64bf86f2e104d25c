"""PointSup's networks, built from a recipe: Mask R-CNN, and Implicit PointRend (see `segmenters/implicit_head.py`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pointanno_models.backbones import PyramidBackbone, load_backbone_weights
from pointanno_models.point_sup.losses import loss_mask_point
from pointanno_models.point_sup.targets import answered_points
from pointanno_models.segmenters.implicit_head import random_mask_points
from pointanno_models.segmenters.mask_rcnn import ConvMask, ImplicitMask, MaskRCNN, loss_mask

if TYPE_CHECKING:
    from pathlib import Path

    from pointanno_models.point_sup.recipe import PointSupRecipe


def build_network(
    recipe: PointSupRecipe,
    num_categories: int,
    *,
    supervision: str,
    weights: Path | None = None,
    pretrained: bool = True,
) -> MaskRCNN:
    """A new Mask R-CNN whose mask loss follows the supervision.

    Parameters
    ----------
    recipe : PointSupRecipe
    num_categories : int
        Thing classes.
    supervision : {"points", "masks"}
    weights : Path or None
        Local file of backbone weights; None leaves the choice to the recipe.
    pretrained : bool
        False reads and downloads nothing: all weights are loaded afterwards.

    Raises
    ------
    InputError
        If pretrained weights cannot be had.
    """
    network = recipe.network
    backbone = PyramidBackbone(
        network.backbone,
        norm=network.norm,
        last_stage=network.last_stage,
        channels=network.fpn_channels,
        frozen_stages=network.frozen_stages,
        in_channels=recipe.data.channels or 3,
    )
    if pretrained:
        load_backbone_weights(backbone, network.backbone, weights=network.weights, file=weights)
    return MaskRCNN(backbone, num_categories, recipe.detector, _mask_branch(recipe, supervision))


def _mask_branch(recipe: PointSupRecipe, supervision: str) -> ConvMask | ImplicitMask:
    """The recipe's mask branch, taught by points or by masks."""
    if recipe.mask_head.kind == "conv":
        return ConvMask(loss_mask_point if supervision == "points" else loss_mask)
    by_masks = partial(random_mask_points, points=recipe.implicit.train_points)
    return ImplicitMask(recipe.implicit, answered_points if supervision == "points" else by_masks)
