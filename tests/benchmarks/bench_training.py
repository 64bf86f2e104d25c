"""Training steps of our Mask R-CNN against torchvision's with the same backbone, sizes and batch.

    python tests/benchmarks/bench_training.py [--steps 12] [--threads 1]

Steps of peer and ours alternate in one process; the table shows the median of CPU and wall time and the ratio of
images per second. Ours is measured twice: with masks, which is the same work, and with points.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torchvision.models.detection import MaskRCNN as TorchvisionMaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from pointanno.scenes import generate_scene
from pointanno.systems import load_system
from pointanno_models.backbones import PyramidBackbone
from pointanno_models.point_sup.network import build_network
from pointanno_models.point_sup.recipe import PointSupRecipe
from pointanno_models.recipe import recipe_from_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

SIZE, BATCH, CATEGORIES = 128, 4, 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table = tomllib.loads(load_system("point_sup").recipe_file("small").read_text(encoding="utf-8"))
    recipe = recipe_from_mapping(PointSupRecipe, table, "small.toml")

    ways: dict[str, Callable[[int], dict[str, Tensor]]] = {}
    networks: dict[str, nn.Module] = {}
    networks["torchvision, masks"] = peer = _peer(recipe).train()
    ways["torchvision, masks"] = lambda step: peer(*_batch(step, points=False, as_list=True))
    for supervision in ("masks", "points"):
        network = build_network(recipe, CATEGORIES, supervision=supervision, weights=None).train()
        networks[f"pointanno, {supervision}"] = network
        points = supervision == "points"

        def step_of_ours(step: int, network: nn.Module = network, points: bool = points) -> dict[str, Tensor]:
            images, targets = _batch(step, points=points, as_list=False)
            losses: dict[str, Tensor] = network(images, [(SIZE, SIZE)] * BATCH, targets)
            return losses

        ways[f"pointanno, {supervision}"] = step_of_ours
    optimizers = {name: torch.optim.AdamW(network.parameters(), lr=1e-4) for name, network in networks.items()}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    for step in range(options.steps + 2):
        for name, forward in ways.items():
            torch.manual_seed(step)
            began = time.process_time(), time.perf_counter()
            loss = torch.stack(list(forward(step).values())).sum()
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
            if step >= 2:  # the first steps import and allocate
                cpu[name].append(time.process_time() - began[0])
                wall[name].append(time.perf_counter() - began[1])
    base = statistics.median(cpu["torchvision, masks"])
    print(f"{'':24}{'CPU s/step':>12}{'wall s/step':>13}{'images/s':>10}{'ratio':>8}")
    for name in ways:
        seconds = statistics.median(cpu[name])
        print(
            f"{name:24}{seconds:12.3f}{statistics.median(wall[name]):13.3f}{BATCH / seconds:10.2f}{base / seconds:8.2f}"
        )


def _peer(recipe: PointSupRecipe) -> TorchvisionMaskRCNN:
    """Torchvision's own class with every size of the recipe."""
    n, d = recipe.network, recipe.detector
    backbone = PyramidBackbone(
        n.backbone, norm=n.norm, last_stage=n.last_stage, channels=n.fpn_channels, frozen_stages=0
    )
    levels = list(backbone.level_names[:-1])
    sizes = tuple((size,) for size in d.anchor_sizes)
    return TorchvisionMaskRCNN(
        backbone,
        min_size=SIZE,
        max_size=SIZE,
        rpn_anchor_generator=AnchorGenerator(sizes, (tuple(d.aspect_ratios),) * len(sizes)),
        rpn_pre_nms_top_n_train=d.rpn_pre_nms_top_n_train,
        rpn_post_nms_top_n_train=d.rpn_post_nms_top_n_train,
        rpn_batch_size_per_image=d.rpn_batch_size_per_image,
        box_roi_pool=MultiScaleRoIAlign(levels, d.box_pool_size, 2, canonical_scale=d.canonical_scale),
        box_head=TwoMLPHead(n.fpn_channels * d.box_pool_size**2, d.box_head_channels),
        box_predictor=FastRCNNPredictor(d.box_head_channels, CATEGORIES + 1),
        box_batch_size_per_image=d.box_batch_size_per_image,
        box_positive_fraction=d.box_positive_fraction,
        mask_roi_pool=MultiScaleRoIAlign(levels, d.mask_pool_size, 2, canonical_scale=d.canonical_scale),
        mask_head=MaskRCNNHeads(n.fpn_channels, (d.mask_head_channels,) * d.mask_head_convs, 1),
        mask_predictor=MaskRCNNPredictor(d.mask_head_channels, d.mask_head_channels, CATEGORIES + 1),
    )


_SCENES: dict[int, tuple[Tensor, dict[str, Tensor]]] = {}


def _batch(step: int, *, points: bool, as_list: bool) -> tuple[Any, list[dict[str, Tensor]]]:
    """Scenes of this step with masks or with points."""
    images, targets = [], []
    for seed in range(step * BATCH, (step + 1) * BATCH):
        if seed not in _SCENES:
            _SCENES[seed] = _scene(seed)
        image, target = _SCENES[seed]
        wanted = {"boxes", "labels"} | ({"point_coords", "point_labels"} if points else {"masks"})
        images.append(image)
        targets.append({key: value for key, value in copy.copy(target).items() if key in wanted})
    return (images if as_list else torch.stack(images)), targets


def _scene(seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    scene = generate_scene(seed, SIZE)
    things = [segment for segment in scene.segments_info if segment["isthing"]]
    masks = np.stack([scene.panoptic_seg == segment["id"] for segment in things])
    boxes = []
    for mask in masks:
        rows, columns = np.nonzero(mask)
        boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    box = torch.tensor(np.array(boxes), dtype=torch.float32)
    coords = box[:, None, :2] + torch.rand(len(box), 10, 2) * (box[:, None, 2:] - box[:, None, :2])
    order = sorted({segment["category_id"] for segment in things})
    return torch.from_numpy(scene.image.transpose(2, 0, 1).astype(np.float32) / 255), {
        "boxes": box,
        "labels": torch.tensor([order.index(segment["category_id"]) + 1 for segment in things]),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
        "point_coords": coords,
        "point_labels": torch.randint(0, 2, (len(box), 10), dtype=torch.int8),
    }


if __name__ == "__main__":
    main()
