"""Acceptance check N of PSPS: from clicks alone, pseudo-masks become better, and the colour prior is why."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pointanno.systems import load_system
from pointanno_models.psps.click_squares import cell_labels, square_side
from pointanno_models.psps.color_prior import find_color_pairs, loss_sem_color
from pointanno_models.psps.contrastive import loss_metric
from pointanno_models.psps.label_generator import PseudoLabels, generate_pseudo_labels
from pointanno_models.psps.network import build_network
from pointanno_models.psps.outputs import ImageTargets
from pointanno_models.psps.recipe import PSPSRecipe
from pointanno_models.psps.semantic_losses import loss_sem_cls, loss_sem_mask
from pointanno_models.recipe import recipe_from_mapping

SIZE, SCENES, STEPS, WARMUP = 96, 40, 125, 100


@dataclass(frozen=True)
class Scene:
    """Discs and squares on a plain background, some hiding others; one click on each, anywhere."""

    rgb: Tensor
    masks: Tensor
    targets: ImageTargets


def _draw(rng: np.random.Generator) -> Scene:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    image = rng.uniform(0.2, 0.8, 3) + rng.normal(0, 0.03, 3) * (rows / SIZE - 0.5)[..., None]
    owner = np.full((SIZE, SIZE), -1)
    labels = rng.integers(0, 2, rng.integers(2, 5)).tolist()
    for number, label in enumerate(labels):
        radius = rng.uniform(9, 20)
        y, x = rng.uniform(0.6 * radius, SIZE - 0.6 * radius, 2)
        if label == 0:
            inside = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        else:
            inside = np.maximum(abs(rows - y), abs(columns - x)) <= 0.85 * radius
        owner[inside] = number
        # reddish discs, bluish squares, each of its own tone
        image[inside] = np.array([(0.75, 0.3, 0.2), (0.2, 0.35, 0.75)][label]) + rng.uniform(-0.2, 0.2, 3)
    image += rng.normal(0, 0.01, image.shape)
    kept = [number for number in range(len(labels)) if (owner == number).sum() >= 40]
    masks = np.stack([*(owner == number for number in kept), ~np.isin(owner, kept)])
    places = [np.argwhere(mask) for mask in masks]
    clicks = np.array([place[rng.integers(len(place))] for place in places])
    classes = torch.tensor([*(labels[number] for number in kept), 2])
    return Scene(
        torch.from_numpy(image.clip(0, 1)).permute(2, 0, 1).float(),
        torch.from_numpy(masks),
        ImageTargets(
            labels=classes,
            isthing=classes < 2,
            target_ids=torch.arange(len(classes)),
            click_coords=torch.from_numpy(clicks[:, ::-1].copy()).float() + 0.5,
            click_targets=torch.arange(len(classes)),
        ),
    )


def _mean_iou(scene: Scene, made: PseudoLabels) -> tuple[Tensor, float]:
    """(N, H, W) pseudo-masks, and the mean overlap of things with their truth; what got no mask has 0."""
    masks = torch.zeros_like(scene.masks)
    masks[made.targets.thing_index] = made.targets.thing_masks
    masks[made.targets.stuff_index] = made.targets.stuff_masks
    overlap, union = (masks & scene.masks).sum(dim=(1, 2)), (masks | scene.masks).sum(dim=(1, 2))
    return masks, float((overlap / union)[scene.targets.isthing].mean())


def _train(color: float, seed: int) -> NDArray[np.float64]:
    """(STEPS,) mean overlap of the pseudo-masks of each step's batch.

    Semantic branch, projector and generator with the recipe `small`; the panoptic branch takes no part.
    """
    file = load_system("psps").recipe_file("small")
    recipe = recipe_from_mapping(PSPSRecipe, tomllib.loads(file.read_text(encoding="utf-8")), str(file))
    assert recipe.losses.color_warmup and recipe.losses.warmup_steps == WARMUP
    rng = np.random.default_rng(seed)
    scenes = [_draw(rng) for _ in range(SCENES)]
    torch.manual_seed(seed)
    network = build_network(recipe, 2, 1, trains_labels=True, pretrained=False).train()
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=recipe.train.learning_rate, weight_decay=recipe.train.weight_decay)
    stride, grid, sizes = network.stride, (SIZE // network.stride,) * 2, [(SIZE, SIZE)] * 4
    side = square_side(sizes[0], recipe.labels.click_square)
    ious = []
    for step in range(STEPS):
        batch = [scenes[index] for index in rng.choice(SCENES, 4, replace=False)]
        rgb = torch.stack([scene.rgb for scene in batch])
        spread, mean = torch.std_mean(rgb, dim=(1, 2, 3), keepdim=True)
        memory = network.encode((rgb - mean) / spread, sizes)
        semantic, embedding = network.semantic_branch(memory), network.projector(memory)
        targets = [scene.targets for scene in batch]
        made = generate_pseudo_labels(
            list(semantic.logits[-1].detach()),
            list(embedding.detach()),
            list(rgb),
            targets,
            stride=stride,
            settings=recipe.labels,
        )
        masks, scores = zip(*(_mean_iou(scene, one) for scene, one in zip(batch, made, strict=True)), strict=True)
        ious.append(np.mean(scores))
        labels = [
            cell_labels(t.click_coords, t.labels, (SIZE, SIZE), grid=grid, stride=stride, side=side) for t in targets
        ]
        present = torch.stack([(t.labels[:, None] == torch.arange(3)).any(dim=0) for t in targets])
        log_probs = semantic.logits.log_softmax(dim=2)
        loss = loss_sem_mask(log_probs, torch.stack(labels))
        loss = loss + recipe.losses.presence * loss_sem_cls(semantic.presence_logits, present)
        loss = loss + recipe.losses.contrastive * loss_metric(
            embedding, masks, [t.click_coords for t in targets], [t.click_targets for t in targets], stride=stride
        )
        if color:
            pairs = find_color_pairs(rgb, memory.is_valid_cell, stride=stride)
            loss = loss + color * min(step / WARMUP, 1) ** 2 * loss_sem_color(log_probs, pairs)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.train.gradient_clip)
        optimizer.step()
    return np.array(ious)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pseudo_masks_become_better() -> None:
    """Bounds of the specification."""
    with_color, without = _train(3.0, seed=0), _train(0.0, seed=0)
    first, last, plain = with_color[:25].mean(), with_color[-25:].mean(), without[-25:].mean()
    print(f"pseudo-mask IoU: first {first:.3f}, last {last:.3f}, without colours {plain:.3f}")
    assert last >= 0.60
    assert last > first + 0.2
    assert last >= plain + 0.08
