"""Scoring a network during a training, on frozen selections of pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.images import is_there
from pointanno_models.engine.keeper import NEWEST
from pointanno_models.engine.point_check import PointCheck, answered_instances, spread_evenly
from pointanno_models.engine.prediction import prediction_to_labels
from pointanno_models.engine.tiling import predict_any_size
from pointanno_models.engine.truth_scores import InstanceScores, PanopticScores, TruthScores, TruthValues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from pointanno.dataset import Category, PointDataset
    from pointanno_models.engine.system import System

    OnSample = Callable[[int, str, NDArray[np.uint8]], None]

_SAMPLES = 4
"""Pictures whose predictions are drawn."""

_LARGEST_SAMPLE = 2**24
"""Pixels; larger pictures are not drawn."""

POINT_ACCURACY = "point_accuracy"

METRICS = ("ap", "pq", POINT_ACCURACY, NEWEST)
"""What ``--best`` accepts."""


@dataclass(frozen=True, slots=True)
class Score:
    """Outcome of a validation.

    Attributes
    ----------
    metric, value : str, float or None
        What decides which checkpoint is the best; no value if nothing is decided by it.
    values : dict
        All measures, fractions.
    per_class : dict from class name to dict of measures
    point_accuracy : float or None
        Share of answered points that the masks of their boxes get right.
    is_held_out : bool
        Whether the pictures take no part in the training.
    """

    metric: str
    value: float | None
    values: Mapping[str, float]
    pictures: int
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    point_accuracy: float | None = None
    is_held_out: bool = True


class Validation:
    """Validation pictures and their truth.

    Parameters
    ----------
    truth : path
        COCO instances or panoptic; points alone give the point accuracy only.
    limit : int
        Pictures used, spread evenly; 0 for all. The same ones each time.
    categories : sequence of Category
        Classes that are trained.
    metric : str or None
        One of `METRICS`: decides about the best checkpoint.
    usual_metric : str
        Of the system, where `metric` is None and the truth has masks.
    output : {"instances", "panoptic"}
        What the system predicts.
    training : (PointDataset, path), optional
        Training data with points and the folder of their pictures, for the point accuracy where the truth has
        none.

    Raises
    ------
    InputError
        If the truth cannot score the predictions of this training.
    """

    def __init__(
        self,
        truth: Path,
        images: Path,
        *,
        limit: int,
        categories: Sequence[Category],
        metric: str | None = None,
        usual_metric: str = "ap",
        output: str = "instances",
        training: tuple[PointDataset, Path] | None = None,
    ) -> None:
        from pointanno.formats import read_dataset

        dataset = read_dataset(truth)
        _check_categories(dataset, categories, truth, output)
        self._images = images
        places = spread_evenly(len(dataset.images), limit)
        self._pictures = tuple(dataset.images[place] for place in places)
        ids = {picture.id for picture in self._pictures}
        instances = tuple(instance for instance in dataset.instances if instance.image_id in ids)
        if not instances:
            raise InputError(f"{truth}: --val has no objects in the {len(places)} pictures used; give another file")
        for picture in self._pictures:
            path = images / picture.file_name
            if not is_there(path):
                raise InputError(f"{path}: this validation picture is missing; check --val-images")
        self._truth = dataclasses.replace(dataset, images=self._pictures, instances=instances)
        self._output = output
        self._has_masks = all(instance.mask is not None for instance in instances)
        has_points = bool(answered_instances(self._truth))
        self._metric = self._choose_metric(metric, usual_metric, truth, has_points=has_points)
        if has_points:
            self._points = PointCheck(self._truth, images, limit=0, is_held_out=True)
        else:
            given, folder = training or (dataclasses.replace(dataset, images=(), instances=()), images)
            self._points = PointCheck(given, folder, limit=limit or len(places), is_held_out=False)

    is_needed = True
    """A training is complete only with its last validation."""

    @property
    def metric(self) -> str:
        """What decides about the best checkpoint."""
        return self._metric

    def _choose_metric(self, wanted: str | None, usual: str, truth: Path, *, has_points: bool) -> str:
        """The metric that was asked for, else the system's, else what points alone allow."""
        is_panoptic = self._output == "panoptic"
        if not self._has_masks and (not has_points or wanted in ("ap", "pq")):
            raise InputError(
                f"{truth}: --val has objects without masks, and points alone cannot score a prediction; give COCO "
                "instances with masks"
            )
        if wanted == "ap" and is_panoptic:
            raise InputError("--best ap: AP scores instances, but this system predicts panoptic maps; use --best pq")
        if wanted == POINT_ACCURACY and not has_points:
            raise InputError(
                f"{truth}: --best point_accuracy needs answered points in --val, and it has none; those of the "
                "training data say little about which checkpoint is better"
            )
        if wanted is None:
            return usual if self._has_masks else POINT_ACCURACY
        return wanted

    def __call__(
        self, system: System, network: nn.Module, *, is_stop_asked: Callable[[], bool], on_sample: OnSample
    ) -> Score | None:
        """Score a network in evaluation mode; None if a stop was asked for before the end."""
        from pointanno.images import opened_image
        from pointanno_models.data.records import plane_of

        scores: TruthScores | None = None
        if self._has_masks:
            scores = PanopticScores(self._truth) if self._output == "panoptic" else InstanceScores(self._truth)
        for index, picture in enumerate(self._pictures):
            if is_stop_asked():
                return None
            if scores is None and index >= _SAMPLES:
                break
            with opened_image(self._images / picture.file_name, plane_of(picture)) as image:
                prediction = predict_any_size(system, network, image)
                if index < _SAMPLES and picture.height * picture.width <= _LARGEST_SAMPLE:
                    on_sample(index + 1, picture.file_name, draw_prediction(image, prediction, system.categories))
            if scores is not None:
                scores.add(picture, prediction)
        accuracy = self._points(system, network, is_stop_asked=is_stop_asked)
        if accuracy is None and is_stop_asked():
            return None
        return self._score(TruthValues({}) if scores is None else scores.result(), accuracy)

    def _score(self, found: TruthValues, accuracy: float | None) -> Score:
        values = dict(found.values)
        if accuracy is not None:
            values[POINT_ACCURACY] = accuracy
        if self._metric == POINT_ACCURACY and accuracy is None:
            raise InputError(
                "validation by point accuracy: no answered point could be compared, because all lie outside of their "
                "boxes or the system has no masks of given boxes; give --val a file with masks"
            )
        return Score(
            metric=self._metric,
            value=values.get(self._metric),
            values=values,
            pictures=len(self._pictures),
            per_class=found.per_class,
            point_accuracy=accuracy,
        )


class TrainingPoints:
    """What can be told without validation data: the accuracy at answered points of training pictures."""

    metric = NEWEST
    is_needed = False

    def __init__(self, points: PointCheck) -> None:
        self._points = points

    def __call__(
        self, system: System, network: nn.Module, *, is_stop_asked: Callable[[], bool], on_sample: OnSample
    ) -> Score | None:
        """The accuracy; None if it is not known. It decides nothing."""
        accuracy = self._points(system, network, is_stop_asked=is_stop_asked)
        if accuracy is None:
            return None
        return Score(
            metric=POINT_ACCURACY,
            value=None,
            values={POINT_ACCURACY: accuracy},
            pictures=len(self._points),
            point_accuracy=accuracy,
            is_held_out=False,
        )


def _check_categories(dataset: PointDataset, categories: Sequence[Category], truth: Path, output: str) -> None:
    """Refuse a truth of other classes, or one that cannot be compared with panoptic maps."""
    known = {category.id for category in dataset.categories}
    for category in categories:
        if (category.isthing or output == "panoptic") and category.id not in known:
            raise InputError(
                f"{truth}: --val has no category {category.id} ({category.name}), which the training data have; "
                "give a file with the same classes"
            )
    if output == "panoptic" and any(not c.isthing for c in categories) and all(c.isthing for c in dataset.categories):
        raise InputError(f"{truth}: panoptic predictions need a COCO panoptic truth; --val has things only")


def draw_prediction(image: Any, prediction: Any, categories: Sequence[Category]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the picture with its predicted segments."""
    from pointanno.images import to_rgb8

    height, width = image.shape[:2]
    labels = prediction_to_labels(prediction, (height, width), categories).labels
    return draw_labels(to_rgb8(image[0:height, 0:width]), labels)


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
