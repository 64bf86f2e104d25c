"""PSPS as the engine sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from pointanno.errors import InputError
from pointanno_models.data import NormalizedPicture, PictureCache, measure_levels
from pointanno_models.data.augmentation import resize_image
from pointanno_models.data.records import check_size
from pointanno_models.engine.system import Schedule
from pointanno_models.engine.tiling import Tiling, default_tiling
from pointanno_models.psps.losses import StepObjective
from pointanno_models.psps.network import build_network
from pointanno_models.psps.postprocess import Candidates, best_candidates, candidates_to_prediction
from pointanno_models.psps.recipe import PSPSRecipe
from pointanno_models.psps.records import ClassOrder, records_from_dataset
from pointanno_models.psps.samples import Sample, collate, input_size, make_sample
from pointanno_models.recipe import recipe_from_mapping
from pointanno_models.segmenters.batches import pad_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from pointanno.dataset import Category, Instance, PanopticPrediction, PointDataset
    from pointanno.images import PixelSource
    from pointanno_models.data import Levels
    from pointanno_models.engine.system import StageContext
    from pointanno_models.psps.label_generator import PseudoLabels
    from pointanno_models.psps.outputs import Batch, NetworkOutputs
    from pointanno_models.psps.records import ClickRecord

    OnLabels = Callable[[Batch, Sequence[PseudoLabels]], None]

TRAIN = "train"

_SHORTEST_WARMUP = 100
"""Steps: with few pictures, one pass over them is too short for the semantic branch to learn anything."""


class PSPS:
    """A panoptic network that makes its own masks from clicks while it learns; or learns from true masks, as its twin.

    Attributes
    ----------
    notes : tuple of str
        What `prepare` left out, in sentences.
    on_labels : function or None
        Told each batch of a training with its pseudo-masks: for a picture of what is being learnt. Nothing is kept.
    """

    def __init__(self, recipe: Mapping[str, Any], categories: Sequence[Category], *, recipe_file: str) -> None:
        self.recipe = recipe_from_mapping(PSPSRecipe, recipe, recipe_file)
        self.categories = tuple(categories)
        self.classes = ClassOrder.of(categories)
        self.notes: tuple[str, ...] = ()
        self.on_labels: OnLabels | None = None
        self._records: tuple[ClickRecord, ...] = ()
        self._supervision = "points"
        self._scheduler: LRScheduler | None = None
        self._warmup_steps = 0
        data = self.recipe.data
        if data.channels < 1:
            raise InputError(
                f"{recipe_file}: data.channels is {data.channels}; 0 (as the pictures have) is replaced by their "
                "number when a run is created, so write that number here"
            )
        self._pictures = PictureCache(data.cache_megabytes * 2**20, channels=data.channels, how=data.normalize)

    def stages(self) -> Sequence[str]:
        """One stage: pseudo-masks are made in every step."""
        return (TRAIN,)

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

    def starts_fresh(self, stage: str) -> bool:
        """There is no other stage whose network could go on."""
        return False

    def prepare(self, dataset: PointDataset, images: Path, *, supervision: str, stage: str, products: Path) -> int:
        """Read clicks or masks; the pictures themselves are read when they are first needed."""
        data = self.recipe.data
        self._supervision = supervision
        self._records, self.notes = records_from_dataset(
            dataset,
            images,
            supervision=supervision,
            all_pictures=data.all_pictures,
            box_points=data.box_points,
        )
        most = max(int((record.labels < self.classes.num_things).sum()) for record in self._records)
        if most > self.recipe.network.queries:
            self.notes += (
                f"one picture holds {most} objects, but the network finds at most {self.recipe.network.queries}; "
                f"raise it by --set network.queries={-(-most // 50) * 50}",
            )
        return len(self._records)

    def work(self, stage: str, network: nn.Module, context: StageContext) -> None:
        """There is no work stage."""
        raise NotImplementedError(f"PSPS has no work stage {stage!r}")

    def build_network(self, *, weights: Path | None, pretrained: bool = True) -> nn.Module:
        """A new network; under mask supervision its semantic branch learns only if the recipe says so."""
        return build_network(
            self.recipe,
            self.classes.num_things,
            self.classes.num_stuff,
            trains_labels=self._supervision == "points" or self.recipe.losses.semantic_with_masks,
            weights=weights,
            pretrained=pretrained,
        )

    def build_optimizer(self, network: nn.Module, stage: str, steps: int) -> tuple[Optimizer, LRScheduler]:
        """AdamW; backbone, sampling offsets and reference points have a share of the learning rate."""
        train = self.recipe.train
        slow = network.slow_parameters()  # type: ignore[operator]
        groups: dict[float, list[Tensor]] = {}
        for name, parameter in network.named_parameters():
            if not parameter.requires_grad:
                continue
            factor = train.slow_factor if name in slow else 1.0
            factor = train.backbone_factor if name.startswith("backbone.") else factor
            groups.setdefault(factor, []).append(parameter)
        optimizer = AdamW(
            [{"params": groups[factor], "lr": factor * train.learning_rate} for factor in sorted(groups, reverse=True)],
            lr=train.learning_rate,
            weight_decay=train.weight_decay,
        )
        self._warmup_steps = self._length_of_warmup(steps)
        self._scheduler = LambdaLR(optimizer, self._learning_rate_factor(steps))
        return optimizer, self._scheduler

    def _length_of_warmup(self, steps: int) -> int:
        """Steps until the panoptic losses count in full; never more than half of a training."""
        wanted = self.recipe.losses.warmup_steps
        if not wanted:
            wanted = max(_SHORTEST_WARMUP, -(-len(self._records) // self.recipe.train.batch_size))
        return min(wanted, max(1, steps // 2))

    def _learning_rate_factor(self, steps: int) -> Callable[[int], float]:
        """The schedule, as a share of the learning rate; there is no warm-up."""
        train = self.recipe.train
        milestones = [milestone * steps / train.steps for milestone in train.milestones]

        def factor(step: int) -> float:
            if train.schedule == "cosine":
                return 0.5 * (1 + math.cos(math.pi * min(step, steps) / max(steps, 1)))
            return float(0.1 ** sum(step >= milestone for milestone in milestones))

        return factor

    @property
    def warmup(self) -> float:
        """Factor of the panoptic losses in the coming step: counted by the schedule, which a resumed run restores."""
        if self._scheduler is None:
            return 1.0
        return min(self._scheduler.last_epoch / self._warmup_steps, 1.0)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """One picture with its targets, resized and perhaps flipped."""
        data, record = self.recipe.data, self._records[index]
        picture = self._pictures(record.path, record.plane)
        check_size(picture.shape, record.image_size, record.path, record.image_id)
        short = data.short_sides[int(rng.integers(len(data.short_sides)))] if data.short_sides else 0
        return make_sample(
            picture,
            record,
            self.classes.num_things,
            size=input_size(record.image_size, short, data.long_side),
            mirrored=bool(data.flip and rng.random() < 0.5),
        )

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Pictures padded to one size, targets as they are."""
        return collate(samples)

    def training_step(self, network: nn.Module, batch: Any) -> dict[str, Tensor]:
        """All losses of one pass."""
        objective = StepObjective(
            self.recipe,
            batch,
            num_things=self.classes.num_things,
            stride=2**self.recipe.network.first_stage,
            warmup=self.warmup,
        )
        losses: dict[str, Tensor] = network(batch.images, batch.valid_sizes, objective)
        if self.on_labels is not None and objective.pseudo_labels is not None:
            self.on_labels(batch, objective.pseudo_labels)
        return losses

    def tiling(self) -> Tiling:
        """Tiles as the recipe has them; pictures that are resized are predicted whole by default."""
        test = self.recipe.test
        if test.tile:
            return Tiling(test.tile, test.tile_overlap or test.tile // 4)
        return Tiling(0, 0) if test.short_side or test.long_side else default_tiling()

    def measure(self, image: PixelSource) -> Levels:
        """How the values of a picture, and of each of its tiles, become network input."""
        return measure_levels(image, self.recipe.data.normalize, self.recipe.data.channels)

    def point_accuracy(
        self, network: nn.Module, image: PixelSource, instances: Sequence[Instance]
    ) -> tuple[int, int] | None:
        """There are no masks of given boxes."""
        return None

    @torch.no_grad()
    def predict(self, network: nn.Module, image: NDArray[Any], measured: Levels | None = None) -> PanopticPrediction:
        """Segments of one picture, or of a tile of the picture that was measured."""
        levels = measured or self.measure(image)
        height, width = image.shape[:2]
        test = self.recipe.test
        size = input_size((height, width), test.short_side, test.long_side)
        pixels = NormalizedPicture(image, levels)[0:height, 0:width]
        tensor = resize_image(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), size)
        images, sizes = pad_images([tensor])
        weight = next(network.parameters())  # its device, and the precision of a training that goes on
        found: list[Candidates] = []

        def select(outputs: NetworkOutputs) -> Tensor:
            found.append(best_candidates(outputs.location.class_logits[-1, 0], test.candidates))
            return found[0].queries[None]

        outputs, things = network.run(images.to(weight), sizes, select, with_labels=False)  # type: ignore[operator]
        masks, scores, labels = [things.masks[-1, 0]], [found[0].scores], [found[0].labels]
        if outputs.stuff is not None:
            masks.append(outputs.stuff.masks[-1, 0])
            scores.append(outputs.stuff.class_logits[-1, 0].sigmoid())
            labels.append(torch.arange(self.classes.num_stuff, device=weight.device) + self.classes.num_things)
        if not self.classes.num_things:  # the class that is never there
            masks, scores, labels = masks[1:], scores[1:], labels[1:]
        return candidates_to_prediction(
            torch.cat(masks).float(),
            torch.cat(scores).float(),
            torch.cat(labels),
            input_size=size,
            image_size=(height, width),
            stride=2**self.recipe.network.first_stage,
            num_things=self.classes.num_things,
            category_ids=self.classes.category_ids,
            settings=test,
        )
