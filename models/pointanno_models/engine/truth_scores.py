"""Predictions against the truth of validation pictures: AP and PQ of instances, PQ of panoptic maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pointanno.dataset import InstancePrediction, PanopticPrediction
from pointanno.errors import InputError
from pointanno.evaluation import InstanceQuality, PanopticQuality, average_precision, truth_to_panoptic
from pointanno.evaluation.instance_quality import BACKGROUND
from pointanno_models.engine.prediction import prediction_to_labels, prediction_to_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.dataset import Category, Image, Instance, PointDataset, Prediction


@dataclass(frozen=True, slots=True)
class TruthValues:
    """Measures as fractions; a class without truth has none."""

    values: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class TruthScores(Protocol):
    """Collects predictions, then gives the measures."""

    def add(self, picture: Image, prediction: Prediction) -> None:
        """Count one picture.

        Raises
        ------
        InputError
            If the prediction is of another kind.
        """

    def result(self) -> TruthValues:
        """Over all pictures so far."""


class InstanceScores:
    """AP, and PQ of what is seen when predictions of at least one half are painted on one canvas.

    Parameters
    ----------
    truth : PointDataset
        Exactly the pictures that are counted, with masks.
    """

    def __init__(self, truth: PointDataset) -> None:
        self._truth = truth
        self._of_image = _by_image(truth)
        self._quality = InstanceQuality(truth.categories)
        self._results: list[dict[str, Any]] = []

    def add(self, picture: Image, prediction: Prediction) -> None:
        """Count one picture."""
        if not isinstance(prediction, InstancePrediction):
            raise InputError("validation by AP needs instance predictions, but the system predicts panoptic maps")
        self._results += prediction_to_results(prediction, picture.id, picture.file_name)
        drawn = prediction_to_labels(prediction, (picture.height, picture.width), self._truth.categories)
        self._quality.add(self._of_image[picture.id], drawn.labels, drawn.segments)

    def result(self) -> TruthValues:
        """`ap`, `ap50`, `ap75`; `pq`, `sq`, `rq` of things."""
        precision, quality = average_precision(self._truth, self._results), self._quality.result()
        # None means that no class has an object in these pictures, which was refused before
        values = {name: float(precision[name] or 0.0) for name in ("ap", "ap50", "ap75")}
        values |= {name: float(quality[name] or 0.0) for name in ("pq", "sq", "rq")}
        per_class: dict[int, dict[str, float]] = {}
        for category_id, measured in precision["per_class"].items():
            known = {name: value for name, value in measured.items() if value is not None}
            if known:
                per_class[category_id] = known
        for category_id, measured in quality["per_class"].items():
            per_class.setdefault(category_id, {}).update({name: measured[name] for name in ("pq", "sq", "rq")})
        return TruthValues(values, _by_name(per_class, self._truth.categories))


class PanopticScores:
    """PQ, SQ and RQ of panoptic maps, of all classes, of things and of stuff.

    Parameters
    ----------
    truth : PointDataset
        As a COCO panoptic file is read: segments as instances.
    """

    def __init__(self, truth: PointDataset) -> None:
        self._truth = truth
        self._of_image = _by_image(truth)
        isthing = {category.id: category.isthing for category in truth.categories}
        # a truth of things alone has no void either: see `truth_to_panoptic`
        self._is_things_only = all(isthing.values())
        self._quality = PanopticQuality({**isthing, BACKGROUND: False} if self._is_things_only else isthing)

    def add(self, picture: Image, prediction: Prediction) -> None:
        """Count one picture."""
        if not isinstance(prediction, PanopticPrediction):
            raise InputError("this validation needs panoptic maps, but the system predicts instances")
        size = (picture.height, picture.width)
        gt_seg, gt_segments = truth_to_panoptic(self._of_image[picture.id], size, self._truth.categories)
        self._quality.add(gt_seg, gt_segments, prediction.panoptic_seg, prediction.segments_info)

    def result(self) -> TruthValues:
        """`pq`, `sq`, `rq` over all classes, and each with `_things` and `_stuff`."""
        result = self._quality.result()
        values: dict[str, float] = {}
        groups = {"all": "", "things": "_things", "stuff": "_stuff"}
        for group, suffix in ({"things": ""} if self._is_things_only else groups).items():
            if result[group] is not None:
                values |= {f"{name}{suffix}": float(result[group][name]) for name in ("pq", "sq", "rq")}
        per_class = {
            category_id: {name: float(measured[name]) for name in ("pq", "sq", "rq")}
            for category_id, measured in result["per_class"].items()
            if category_id != BACKGROUND
        }
        return TruthValues({"pq": 0.0, **values}, _by_name(per_class, self._truth.categories))


def _by_image(dataset: PointDataset) -> dict[int, list[Instance]]:
    """Instances of each picture, none included."""
    of_image: dict[int, list[Instance]] = {image.id: [] for image in dataset.images}
    for instance in dataset.instances:
        of_image[instance.image_id].append(instance)
    return of_image


def _by_name(
    per_class: Mapping[int, Mapping[str, float]], categories: Sequence[Category]
) -> dict[str, Mapping[str, float]]:
    """Classes by name; of those that share one, the later carry their ids."""
    named: dict[str, Mapping[str, float]] = {}
    for category in categories:
        if category.id in per_class:
            name = category.name if category.name not in named else f"{category.name} ({category.id})"
            named[name] = per_class[category.id]
    return named
