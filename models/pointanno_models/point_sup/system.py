"""PointSup as the engine sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from pointanno.errors import InputError
from pointanno.images import to_rgb8
from pointanno_models.data import Augmentation, AugmentedSample, PictureCache, normalize_image, records_from_dataset
from pointanno_models.data.augmentation import fit_scale, resize_image
from pointanno_models.data.records import contiguous_ids
from pointanno_models.engine.system import Schedule
from pointanno_models.point_sup.network import build_network
from pointanno_models.point_sup.postprocess import detections_to_prediction
from pointanno_models.point_sup.recipe import PointSupRecipe
from pointanno_models.point_sup.targets import subsample_points
from pointanno_models.recipe import recipe_from_mapping
from pointanno_models.segmenters.batches import pad_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno.dataset import Category, InstancePrediction, PointDataset
    from pointanno_models.data import TrainingRecord


class PointSup:
    """Mask R-CNN trained from boxes and points, or from boxes and masks as its twin."""

    def __init__(self, recipe: Mapping[str, Any], categories: Sequence[Category], *, recipe_file: str) -> None:
        self.recipe = recipe_from_mapping(PointSupRecipe, recipe, recipe_file)
        self.categories = tuple(categories)
        self._category_ids = {label: category_id for category_id, label in contiguous_ids(categories).items()}
        self._records: tuple[TrainingRecord, ...] = ()
        self._supervision = "points"
        data = self.recipe.data
        self._pictures = PictureCache(data.cache_megabytes * 2**20)
        self._augmentation = Augmentation(
            crop=data.crop,
            short_sides=data.short_sides,
            long_side=data.long_side,
            scale=data.scale,
            flip=data.flip,
            rotate=data.rotate,
            color=data.color,
        )

    def stages(self) -> Sequence[str]:
        """One stage."""
        return ("train",)

    def schedule(self, stage: str) -> Schedule:
        """Rhythm as the recipe has it."""
        train = self.recipe.train
        return Schedule(
            steps=train.steps,
            batch_size=train.batch_size,
            gradient_clip=train.gradient_clip or None,
            ema_decay=train.ema_decay or None,
            precision=train.precision,
            validate_every=train.validate_every,
            checkpoint_every=train.checkpoint_every,
            workers=self.recipe.data.workers,
        )

    def prepare(self, dataset: PointDataset, images: Path, *, supervision: str, stage: str) -> int:
        """Read records; the pictures themselves are read when they are first needed."""
        self._supervision = supervision
        self._records = records_from_dataset(dataset, images, supervision=supervision)
        return len(self._records)

    def build_network(self, *, weights: Path | None, pretrained: bool = True) -> nn.Module:
        """A new network, its mask loss chosen by the supervision of `prepare`."""
        return build_network(
            self.recipe,
            len(self._category_ids),
            supervision=self._supervision,
            weights=weights,
            pretrained=pretrained,
        )

    def build_optimizer(self, network: nn.Module, stage: str, steps: int) -> tuple[Optimizer, LRScheduler]:
        """Optimiser over all trained weights; norms and biases are not decayed under AdamW."""
        train = self.recipe.train
        if train.optimizer == "sgd":
            weights = [weight for weight in network.parameters() if weight.requires_grad]
            optimizer: Optimizer = SGD(
                weights, lr=train.learning_rate, momentum=train.momentum, weight_decay=train.weight_decay
            )
        else:
            decayed = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim > 1]
            others = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim <= 1]
            groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
            optimizer = AdamW(groups, lr=train.learning_rate, weight_decay=train.weight_decay)
        if train.schedule == "one_cycle":
            return optimizer, OneCycleLR(optimizer, train.learning_rate, total_steps=max(steps, 2), pct_start=0.1)
        milestones = [milestone * steps / train.steps for milestone in train.milestones]
        warmup = min(train.warmup_steps, max(1, steps // 10))

        def factor(step: int) -> float:
            if step < warmup:
                start = 0.001
                return start + (1 - start) * step / warmup
            return float(0.1 ** sum(step >= milestone for milestone in milestones))

        return optimizer, LambdaLR(optimizer, factor)

    def sample(self, index: int, rng: np.random.Generator) -> AugmentedSample:
        """One augmented picture with its targets."""
        record = self._records[index]
        picture = self._pictures(record.path)
        if picture.shape[:2] != record.image_size:
            raise InputError(
                f"{record.path}: the picture has {picture.shape[1]} x {picture.shape[0]} pixels, but the data set says "
                f"{record.image_size[1]} x {record.image_size[0]} for image {record.image_id}; put the right picture "
                "there or correct width and height"
            )
        image = normalize_image(picture, self.recipe.data.normalize)
        sample = self._augmentation(image, record, rng)
        if not self.recipe.data.subsample_points or self._supervision != "points":
            return sample
        coords, labels = subsample_points(sample.point_coords.numpy(), sample.point_labels.numpy(), rng)
        return AugmentedSample(
            image=sample.image,
            boxes=sample.boxes,
            labels=sample.labels,
            point_coords=torch.from_numpy(np.ascontiguousarray(coords)),
            point_labels=torch.from_numpy(labels),
            masks=None,
        )

    def collate(self, samples: Sequence[AugmentedSample]) -> dict[str, Any]:
        """Pictures padded to one size, targets as a list."""
        images, sizes = pad_images([sample.image for sample in samples])
        targets: list[dict[str, Tensor]] = []
        for sample in samples:
            target = {"boxes": sample.boxes, "labels": sample.labels}
            if sample.masks is not None:
                target["masks"] = sample.masks
            else:
                target |= {"point_coords": sample.point_coords, "point_labels": sample.point_labels}
            targets.append(target)
        return {"images": images, "sizes": sizes, "targets": targets}

    def training_step(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        """The five losses of Mask R-CNN, its mask loss taken at points."""
        losses: dict[str, Tensor] = network(batch["images"], batch["sizes"], batch["targets"])
        return losses

    @torch.no_grad()
    def predict(self, network: nn.Module, image: NDArray[Any]) -> InstancePrediction:
        """Instances of one picture of any size."""
        pixels = normalize_image(to_rgb8(image), self.recipe.data.normalize)
        height, width = pixels.shape[:2]
        test = self.recipe.test
        scale = fit_scale((height, width), test.short_side, test.long_side) if test.short_side else test.scale
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        tensor = resize_image(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), size)
        images, sizes = pad_images([tensor])
        device = next(network.parameters()).device
        [detections] = network(images.to(device), sizes)
        return detections_to_prediction(
            detections,
            zoom=(size[1] / width, size[0] / height),
            image_size=(height, width),
            mask_threshold=test.mask_threshold,
            category_ids=self._category_ids,
        )
