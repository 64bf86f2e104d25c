"""PointSup's network: Mask R-CNN (paper, section 4) built from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno_models.backbones import PyramidBackbone, load_backbone_weights
from pointanno_models.point_sup.losses import loss_mask_point
from pointanno_models.segmenters.mask_rcnn import MaskRCNN, loss_mask

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
    )
    if pretrained:
        load_backbone_weights(backbone, network.backbone, weights=network.weights, file=weights)
    return MaskRCNN(
        backbone, num_categories, recipe.detector, loss_mask_point if supervision == "points" else loss_mask
    )
