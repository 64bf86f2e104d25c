"""The engine's side of the toy system.

Stages by name: "label" is a work stage that writes a label picture for each training picture, "relearn" trains a
fresh network on these; every other stage trains on the points, going on with the network of the stage before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pycocotools import mask as mask_api
from scipy import ndimage
from torch import Tensor, nn

from pointanno.atomic import replacing
from pointanno.dataset import InstancePrediction
from pointanno.images import read_image, to_rgb8
from pointanno_models.engine.system import Schedule, StageContext
from pointanno_models.engine.tiling import Tiling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno.dataset import Category, Instance, PointDataset
    from pointanno.images import PixelSource


class ToyPoints:
    notes: tuple[str, ...] = ()

    def __init__(self, recipe: Mapping[str, Any], categories: Sequence[Category], *, recipe_file: str) -> None:
        self.recipe = recipe
        self.categories = tuple(categories)
        self._items: list[tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int8]]] = []

    def stages(self) -> Sequence[str]:
        return list(self.recipe["network"]["stages"])

    def starts_fresh(self, stage: str) -> bool:
        return stage == "relearn"

    def schedule(self, stage: str) -> Schedule:
        train = self.recipe["train"]
        return Schedule(
            steps=0 if stage == "label" else train["steps"],
            batch_size=train["batch_size"],
            gradient_clip=1.0,
            ema_decay=train["ema_decay"] or None,
            precision=train["precision"],
            validate_every=train["validate_every"],
            checkpoint_every=train["checkpoint_every"],
            workers=train["workers"],
        )

    def prepare(self, dataset: PointDataset, images: Path, *, supervision: str, stage: str, products: Path) -> int:
        self._items = []
        for image in dataset.images:
            mine = [instance.points for instance in dataset.instances if instance.image_id == image.id]
            coords = np.concatenate([points.coords for points in mine])
            labels = np.concatenate([points.labels for points in mine])
            if stage == "relearn":
                learnt = np.load(products / "label" / f"{image.id}.npy")
                rows, columns = np.indices(learnt.shape)
                coords, labels = np.stack([columns, rows], axis=-1).reshape(-1, 2), learnt.reshape(-1)
            self._items.append((to_rgb8(read_image(images / image.file_name)).copy(), coords, labels))
        return len(self._items)

    def work(self, stage: str, network: nn.Module, context: StageContext) -> None:
        images = context.dataset.images
        for done, image in enumerate(images):
            context.progress(done, len(images))
            if context.is_stop_asked():
                return
            path = context.folder / f"{image.id}.npy"
            if path.exists():
                continue
            time.sleep(self.recipe["trouble"]["seconds"])
            score = self._score(network, read_image(context.images / image.file_name))
            with replacing(path) as file:
                np.save(file, (score > 0.5).astype(np.int8))
        context.progress(len(images), len(images))

    def build_network(self, *, weights: Path | None, pretrained: bool = True) -> nn.Module:
        channels = self.recipe["network"]["channels"]
        return nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout2d(0.1),
            nn.Conv2d(channels, len(self.categories), 1),
        )

    def build_optimizer(self, network: nn.Module, stage: str, steps: int) -> tuple[Optimizer, LRScheduler]:
        rate = self.recipe["train"]["learning_rate"]
        optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(2, steps))

    def sample(self, index: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        picture, coords, labels = self._items[index]
        pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
        pixels = pixels + 0.05 * torch.from_numpy(rng.standard_normal(pixels.shape)).float()
        x = coords[:, 0]
        if self.recipe["train"]["flip"] and rng.random() < 0.5:
            pixels, x = pixels.flip(2), picture.shape[1] - 1 - x
        target = torch.full(pixels.shape[1:], -1.0)
        target[torch.from_numpy(coords[:, 1].astype(np.int64)), torch.from_numpy(x.astype(np.int64))] = (
            torch.from_numpy(labels).float()
        )
        return pixels, target, torch.tensor(index)

    def collate(self, samples: Sequence[tuple[Tensor, Tensor, Tensor]]) -> dict[str, Tensor]:
        pixels, targets, indices = zip(*samples, strict=True)
        return {"pixels": torch.stack(pixels), "targets": torch.stack(targets), "indices": torch.stack(indices)}

    def training_step(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        trouble = self.recipe["trouble"]
        time.sleep(trouble["seconds"])
        if trouble["largest_batch"] and len(batch["pixels"]) > trouble["largest_batch"]:
            raise torch.OutOfMemoryError("planted")
        logits = network(batch["pixels"])[:, 0]
        known = batch["targets"] >= 0
        loss = nn.functional.binary_cross_entropy_with_logits(logits[known], batch["targets"][known])
        # a draw from torch's generator, which must follow from the seed as well
        jitter = 1e-3 * torch.rand(()) * logits.square().mean()
        if int(batch["indices"][0]) == trouble["nan_at"]:
            loss = loss * float("nan")
        return {"loss_point": loss, "loss_jitter": jitter}

    def _score(self, network: nn.Module, image: NDArray[Any]) -> NDArray[np.float32]:
        pixels = torch.from_numpy(to_rgb8(image).copy()).permute(2, 0, 1).float() / 255
        device = next(network.parameters()).device
        score: NDArray[np.float32] = network(pixels[None].to(device))[0, 0].sigmoid().detach().cpu().numpy()
        return score

    def point_accuracy(
        self, network: nn.Module, image: PixelSource, instances: Sequence[Instance]
    ) -> tuple[int, int] | None:
        score = self._score(network, np.asarray(image))
        coords = np.concatenate([instance.points.coords for instance in instances])
        labels = np.concatenate([instance.points.labels for instance in instances])
        return int(((score[coords[:, 1], coords[:, 0]] > 0.5) == labels).sum()), len(labels)

    def tiling(self) -> Tiling:
        return Tiling(0, 0)

    def measure(self, image: PixelSource) -> None:
        return None

    def predict(self, network: nn.Module, image: NDArray[Any], measured: Any = None) -> InstancePrediction:
        score = self._score(network, image)
        parts, count = ndimage.label(score > 0.5)
        rles, boxes, scores = [], [], []
        for part in range(1, count + 1):
            mask = parts == part
            rle = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
            x, y, width, height = mask_api.toBbox(rle)
            rles.append(rle)
            boxes.append([x, y, x + width, y + height])
            scores.append(float(score[mask].mean()))
        order = np.argsort(scores)[::-1]
        return InstancePrediction(
            boxes=np.array(boxes, dtype=np.float32).reshape(-1, 4)[order],
            scores=np.array(scores, dtype=np.float32)[order],
            category_ids=np.full(count, self.categories[0].id, dtype=np.int64),
            rles=tuple(rles[i] for i in order.tolist()),
        )
