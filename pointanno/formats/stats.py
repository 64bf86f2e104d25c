"""What a data set holds, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import BACKGROUND, IGNORED, OBJECT

if TYPE_CHECKING:
    from pointanno.dataset import PointDataset, Points


def count_dataset(dataset: PointDataset) -> dict[str, Any]:
    """Counts of a data set.

    Returns
    -------
    dict
        `images`, `images_without_annotations`, `categories`, `boxes`, `crowd`, `masks`, `targets` (`things`,
        `stuff`), `points` (`all`, `object`, `background`, `ignored`), `points_per_box` (`min`, `max`), `status`,
        `complete`, `absences`, `flagged`, `skipped` (declarations about images), `median_time_ms` of the points
        whose time is known, `per_category` (`name`, `isthing`, `boxes`, `targets`, `points`).
    """
    records = [(instance.category_id, instance.image_id, instance.points) for instance in dataset.instances]
    records += [(target.category_id, target.image_id, target.points) for target in dataset.targets]
    annotated = {image_id for _, image_id, _ in records}
    times = [time for _, _, points in records for time in points.times_ms if time is not None]
    sizes = [len(instance.points) for instance in dataset.instances]
    boxes = Counter(instance.category_id for instance in dataset.instances)
    targets = Counter(target.category_id for target in dataset.targets)
    points_of: Counter[int] = Counter()
    for category_id, _, points in records:
        points_of[category_id] += len(points)
    return {
        "images": len(dataset.images),
        "images_without_annotations": sum(image.id not in annotated for image in dataset.images),
        "categories": len(dataset.categories),
        "complete": sum(bool(image.complete) and all((image.complete or {}).values()) for image in dataset.images),
        "absences": sum(len(image.absent_category_ids) for image in dataset.images),
        "flagged": sum(image.flag is not None for image in dataset.images),
        "skipped": sum(image.skipped is not None for image in dataset.images),
        "boxes": len(dataset.instances),
        "crowd": sum(instance.iscrowd for instance in dataset.instances),
        "masks": sum(instance.mask is not None for instance in dataset.instances),
        "targets": {
            "things": sum(target.isthing for target in dataset.targets),
            "stuff": sum(not target.isthing for target in dataset.targets),
        },
        "points": _count_labels([points for _, _, points in records]),
        "points_per_box": {"min": min(sizes), "max": max(sizes)} if sizes else None,
        "status": dict(Counter(value for _, _, points in records for value in points.status)),
        "median_time_ms": float(np.median(times)) if times else None,
        "sessions": len(dataset.sessions),
        "annotators": len(dataset.annotators),
        "events": len(dataset.events),
        "per_category": {
            category.id: {
                "name": category.name,
                "isthing": category.isthing,
                "boxes": boxes[category.id],
                "targets": targets[category.id],
                "points": points_of[category.id],
            }
            for category in dataset.categories
        },
    }


def _count_labels(all_points: list[Points]) -> dict[str, int]:
    """Points by label."""
    labels = np.concatenate([points.labels for points in all_points]) if all_points else np.zeros(0, np.int8)
    names = {"object": OBJECT, "background": BACKGROUND, "ignored": IGNORED}
    return {"all": len(labels)} | {name: int((labels == value).sum()) for name, value in names.items()}
