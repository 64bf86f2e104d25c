"""Scoring a network during a training, on a frozen selection of validation pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pointanno.dataset import InstancePrediction
from pointanno.errors import InputError
from pointanno_models.engine.prediction import prediction_to_labels, prediction_to_results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from pointanno.dataset import Category
    from pointanno_models.engine.system import System

_SAMPLES = 4
"""Pictures whose predictions are drawn."""


@dataclass(frozen=True, slots=True)
class Score:
    """Outcome of a validation: `value` decides which checkpoint is the best."""

    metric: str
    value: float
    values: Mapping[str, float]
    pictures: int


class Validation:
    """Validation pictures and their truth.

    Parameters
    ----------
    truth : path
        COCO instances or panoptic.
    limit : int
        Pictures used, spread evenly; 0 for all. The same ones each time.
    categories : sequence of Category
        Classes that are trained.

    Raises
    ------
    InputError
        If the truth cannot score the predictions of this training.
    """

    def __init__(self, truth: Path, images: Path, *, metric: str, limit: int, categories: Sequence[Category]) -> None:
        from pointanno.formats import read_dataset

        if metric != "ap":
            raise InputError(
                f"--val: validation during a training knows AP only, not {metric}, which scores this system"
            )
        dataset = read_dataset(truth)
        known = {category.id for category in dataset.categories}
        for category in categories:
            if category.isthing and category.id not in known:
                raise InputError(
                    f"{truth}: --val has no category {category.id} ({category.name}), which the training data have; "
                    "give a file with the same classes"
                )
        self._images = images
        count = len(dataset.images) if limit == 0 else min(limit, len(dataset.images))
        places = np.linspace(0, len(dataset.images) - 1, count).round().astype(int).tolist()
        self._pictures = tuple(dataset.images[place] for place in places)
        ids = {picture.id for picture in self._pictures}
        instances = tuple(instance for instance in dataset.instances if instance.image_id in ids)
        if not instances:
            raise InputError(f"{truth}: --val has no objects in the {count} pictures used; give another file")
        if any(instance.mask is None for instance in instances):
            raise InputError(
                f"{truth}: --val has objects without masks, and points alone cannot score a prediction; give COCO "
                "instances with masks"
            )
        for picture in self._pictures:
            path = images / picture.file_name
            if not path.is_file():
                raise InputError(f"{path}: this validation picture is missing; check --val-images")
        self._truth = dataclasses.replace(dataset, images=self._pictures, instances=instances)

    def __call__(
        self,
        system: System,
        network: nn.Module,
        *,
        is_stop_asked: Callable[[], bool],
        on_sample: Callable[[int, str, NDArray[np.uint8]], None],
    ) -> Score | None:
        """Score a network in evaluation mode; None if a stop was asked for before the end."""
        from pointanno.images import read_image, to_rgb8

        results: list[dict[str, Any]] = []
        for index, picture in enumerate(self._pictures):
            if is_stop_asked():
                return None
            image = read_image(self._images / picture.file_name)
            with torch.no_grad():
                prediction = system.predict(network, image)
            if not isinstance(prediction, InstancePrediction):
                raise InputError("validation by AP needs instance predictions, but the system predicts panoptic maps")
            results += prediction_to_results(prediction, picture.id, picture.file_name)
            if index < _SAMPLES:
                labels = prediction_to_labels(prediction, image.shape[:2], system.categories).labels
                on_sample(index + 1, picture.file_name, draw_labels(to_rgb8(image), labels))
        return self._score(results)

    def _score(self, results: list[dict[str, Any]]) -> Score:
        from pointanno.evaluation import average_precision

        report = average_precision(self._truth, results)
        # None means that no class has an object in these pictures, which was refused before
        values = {name: float(report[name] or 0.0) for name in ("ap", "ap50", "ap75")}
        return Score(metric="ap", value=values["ap"], values=values, pictures=len(self._pictures))


def draw_labels(image: NDArray[np.uint8], labels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 with each segment tinted and its border drawn in white."""
    hues = (np.arange(int(labels.max(initial=0)) + 1) * 0.61803399) % 1.0
    # three shifted cosines go once around the colour circle
    tints = 127.5 + 127.5 * np.cos(2 * np.pi * (hues[:, None] + np.array([0.0, 1 / 3, 2 / 3])))
    drawn = image.astype(np.float32)
    inside = labels > 0
    drawn[inside] = 0.5 * drawn[inside] + 0.5 * tints[labels[inside]].astype(np.float32)
    border = np.zeros(labels.shape, dtype=bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    drawn[border] = 255
    return drawn.astype(np.uint8)
