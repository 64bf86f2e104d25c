"""PointSup as the engine sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from pointanno.dataset import IGNORED, OBJECT
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno_models.data import (
    Augmentation,
    AugmentedSample,
    NormalizedPicture,
    PictureCache,
    measure_levels,
    records_from_dataset,
)
from pointanno_models.data.augmentation import fit_scale, resize_image
from pointanno_models.data.records import check_size, contiguous_ids, plane_of, stack_points
from pointanno_models.engine.system import Schedule
from pointanno_models.engine.tiling import Tiling, default_tiling
from pointanno_models.layers.point_features import point_coords_relative_to_boxes, point_sample
from pointanno_models.point_sup.given_boxes import masks_of_boxes
from pointanno_models.point_sup.network import build_network
from pointanno_models.point_sup.postprocess import detections_to_prediction
from pointanno_models.point_sup.pseudo_label_stage import PSEUDO_MASKS, label_pictures
from pointanno_models.point_sup.pseudo_labels import PseudoMask, make_pseudo_mask
from pointanno_models.point_sup.recipe import PointSupRecipe
from pointanno_models.point_sup.targets import subsample_points
from pointanno_models.recipe import recipe_from_mapping
from pointanno_models.segmenters.batches import pad_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno.dataset import Category, Image, Instance, InstancePrediction, PointDataset
    from pointanno.images import PixelSource
    from pointanno_models.data import Levels, TrainingRecord
    from pointanno_models.engine.system import StageContext


TRAIN, LABEL, RETRAIN = "train", "pseudo_label", "retrain"
"""Stages; the last two make up self-training."""


class PointSup:
    """Mask R-CNN trained from boxes and points, or from boxes and masks as its twin."""

    def __init__(self, recipe: Mapping[str, Any], categories: Sequence[Category], *, recipe_file: str) -> None:
        self.recipe = recipe_from_mapping(PointSupRecipe, recipe, recipe_file)
        self.categories = tuple(categories)
        self.notes: tuple[str, ...] = ()
        self._category_ids = {label: category_id for category_id, label in contiguous_ids(categories).items()}
        self._records: tuple[TrainingRecord, ...] = ()
        self._supervision = "points"
        data = self.recipe.data
        if data.channels < 1:
            raise InputError(
                f"{recipe_file}: data.channels is {data.channels}; 0 (as the pictures have) is replaced by their "
                "number when a run is created, so write that number here"
            )
        self._pictures = PictureCache(data.cache_megabytes * 2**20, channels=data.channels, how=data.normalize)
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
        """One stage, or three with self-training, of which the first may have been another run."""
        settings = self.recipe.self_training
        if not settings.enabled:
            return (TRAIN,)
        return (TRAIN, LABEL, RETRAIN) if settings.first_stage == TRAIN else (LABEL, RETRAIN)

    def schedule(self, stage: str) -> Schedule:
        """Rhythm as the recipe has it; both trainings have the same."""
        train = self.recipe.train
        return Schedule(
            steps=0 if stage == LABEL else train.steps,
            batch_size=train.batch_size,
            gradient_clip=train.gradient_clip or None,
            ema_decay=train.ema_decay or None,
            precision=train.precision,
            validate_every=train.validate_every,
            checkpoint_every=train.checkpoint_every,
            workers=self.recipe.data.workers,
        )

    def starts_fresh(self, stage: str) -> bool:
        """The retraining begins anew: it must not inherit the mistakes that made its masks."""
        return stage == RETRAIN

    def prepare(self, dataset: PointDataset, images: Path, *, supervision: str, stage: str, products: Path) -> int:
        """Read records; the pictures themselves are read when they are first needed."""
        if self.recipe.self_training.enabled and supervision != "points":
            raise InputError(
                "self-training makes masks from answered points, but --supervision masks has them already; use a "
                "recipe without it, such as small, or --set self_training.enabled=false"
            )
        if stage == RETRAIN:
            dataset, supervision = read_dataset(products / LABEL / PSEUDO_MASKS), "masks"
        self._supervision = supervision
        self._records = records_from_dataset(dataset, images, supervision=supervision)
        return len(self._records)

    def work(self, stage: str, network: nn.Module, context: StageContext) -> None:
        """Pseudo-labels: the masks of all annotated boxes, answers written into them."""
        settings = self.recipe.self_training

        def make_masks(image: Image, instances: Sequence[Instance]) -> list[PseudoMask]:
            size = (image.height, image.width)
            boxes, labels = self._boxes_and_labels(instances)
            made: list[PseudoMask | None] = [None] * len(instances)
            for chosen, probs in self._masks_of_boxes(network, self._picture(image, context.images), boxes, labels):
                for index, prob in zip(chosen.tolist(), probs, strict=True):
                    made[index] = make_pseudo_mask(
                        prob,
                        instances[index].box,
                        instances[index].points,
                        size,
                        threshold=self.recipe.test.mask_threshold,
                        answer_size=settings.answer_size,
                    )
            return [mask for mask in made if mask is not None]

        label_pictures(context, make_masks, max_disagreement=settings.max_disagreement)

    def _picture(self, image: Image, images: Path) -> NormalizedPicture:
        """A picture of the data set, checked against what the data set says."""
        path = images / image.file_name
        picture = self._pictures(path, plane_of(image))
        check_size(picture.shape, (image.height, image.width), path, image.id)
        return picture

    def _boxes_and_labels(self, instances: Sequence[Instance]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(N, 4) boxes and (N,) contiguous classes of things."""
        to_contiguous = {category_id: label for label, category_id in self._category_ids.items()}
        boxes = np.array([instance.box.xyxy for instance in instances], dtype=np.float32).reshape(-1, 4)
        return boxes, np.array([to_contiguous[instance.category_id] for instance in instances], dtype=np.int64)

    def _masks_of_boxes(
        self,
        network: nn.Module,
        picture: NormalizedPicture | NDArray[np.float32],
        boxes: NDArray[np.float32],
        labels: NDArray[np.int64],
    ) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """As `given_boxes.masks_of_boxes`, with zoom and parts of the recipe's test settings."""
        return masks_of_boxes(network, picture, boxes, labels, zoom=self._zoom, tiling=self.tiling())

    def _zoom(self, image_size: tuple[int, int]) -> float:
        """Pixels of the network's input for one pixel of a picture of (height, width), in prediction."""
        test = self.recipe.test
        return fit_scale(image_size, test.short_side, test.long_side) if test.short_side else test.scale

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
        picture = self._pictures(record.path, record.plane)
        check_size(picture.shape, record.image_size, record.path, record.image_id)
        sample = self._augmentation(picture, record, rng)
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
                if sample.has_mask is not None:
                    target["has_mask"] = sample.has_mask
            else:
                target |= {"point_coords": sample.point_coords, "point_labels": sample.point_labels}
            targets.append(target)
        return {"images": images, "sizes": sizes, "targets": targets}

    def training_step(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        """The five losses of Mask R-CNN, its mask loss taken at points."""
        losses: dict[str, Tensor] = network(batch["images"], batch["sizes"], batch["targets"])
        return losses

    def tiling(self) -> Tiling:
        """Tiles as the recipe has them; pictures that are resized to a short side are predicted whole by default."""
        test = self.recipe.test
        if test.tile:
            return Tiling(test.tile, test.tile_overlap or test.tile // 4)
        return Tiling(0, 0) if test.short_side else default_tiling(test.scale)

    def measure(self, image: PixelSource) -> Levels:
        """How the values of a picture, and of each of its tiles, become network input."""
        return measure_levels(image, self.recipe.data.normalize, self.recipe.data.channels)

    @torch.no_grad()
    def point_accuracy(
        self, network: nn.Module, image: PixelSource, instances: Sequence[Instance]
    ) -> tuple[int, int] | None:
        """Answered points inside their boxes at which the mask's logit has the right sign, and all of them."""
        picture = NormalizedPicture(image, self.measure(image))
        boxes, labels = self._boxes_and_labels(instances)
        right = counted = 0
        for chosen, probs in self._masks_of_boxes(network, picture, boxes, labels):
            coords, answers = stack_points([instances[index] for index in chosen.tolist()])
            relative = point_coords_relative_to_boxes(torch.from_numpy(coords), torch.from_numpy(boxes[chosen]))
            # between the cells logits are interpolated, not probabilities, as in training
            logits = point_sample(probs.logit(eps=1e-6)[:, None], relative)[:, 0]
            known = torch.from_numpy(answers)
            is_valid = (known != IGNORED) & ((relative >= 0) & (relative <= 1)).all(dim=-1)
            right += int(((logits > 0) == (known == OBJECT))[is_valid].sum())
            counted += int(is_valid.sum())
        return right, counted

    @torch.no_grad()
    def predict(self, network: nn.Module, image: NDArray[Any], measured: Levels | None = None) -> InstancePrediction:
        """Instances of one picture, or of a tile of the picture that was measured."""
        pixels = (measured or self.measure(image))(image)
        height, width = pixels.shape[:2]
        scale = self._zoom((height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        tensor = resize_image(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), size)
        images, sizes = pad_images([tensor])
        weight = next(network.parameters())  # its device, and the precision of a training that goes on
        [detections] = network(images.to(weight), sizes)
        return detections_to_prediction(
            detections,
            zoom=(size[1] / width, size[0] / height),
            image_size=(height, width),
            mask_threshold=self.recipe.test.mask_threshold,
            category_ids=self._category_ids,
        )
