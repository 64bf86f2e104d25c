"""Points on objects and regions, without the boxes: what formats keep that know clicks only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointanno.dataset import OBJECT, Points, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointanno.dataset import PointDataset


def clicked_objects(dataset: PointDataset) -> list[Target]:
    """Every object and region with its positive points, in the order of the images.

    A box and the clicks that are linked to it are one object, clicks of one number are one object, and all
    points of a class of stuff in a picture are one region. Crowds, and what has no positive point, are left out;
    a pixel that was clicked twice counts once. Objects are numbered from 1 in each picture, regions have 0.
    """
    isthing = {category.id: category.isthing for category in dataset.categories}
    crowds = {instance.id for instance in dataset.instances if instance.iscrowd}
    boxed = {instance.id: instance.category_id for instance in dataset.instances}
    groups: dict[int, dict[tuple[str, int, int], list[Points]]] = {image.id: {} for image in dataset.images}
    for instance in dataset.instances:
        if not instance.iscrowd:
            key = ("box", instance.category_id, instance.id)
            if not isthing[instance.category_id]:
                key = ("stuff", instance.category_id, 0)
            groups[instance.image_id].setdefault(key, []).append(instance.points)
    for target in dataset.targets:
        linked = target.linked_annotation_id
        if not target.isthing:
            key = ("stuff", target.category_id, 0)
        elif linked in crowds:
            continue
        elif linked is not None and linked in boxed:
            key = ("box", boxed[linked], linked)
        else:
            key = ("click", target.category_id, target.instance)
        groups[target.image_id].setdefault(key, []).append(target.points)
    found: list[Target] = []
    for image_id, of_image in groups.items():
        number = 0
        for (kind, category_id, _), several in of_image.items():
            points = positives(several)
            if len(points):
                number += kind != "stuff"
                found.append(
                    Target(
                        id=len(found) + 1,
                        image_id=image_id,
                        category_id=category_id,
                        isthing=kind != "stuff",
                        instance=0 if kind == "stuff" else number,
                        points=points,
                    )
                )
    return found


def positives(several: Sequence[Points]) -> Points:
    """The points with label 1 of all, each pixel once."""
    seen: set[tuple[int, int]] = set()
    kept: list[tuple[Points, int]] = []
    for points in several:
        for index in np.flatnonzero(points.labels == OBJECT).tolist():
            x, y = points.coords[index].tolist()
            if (x, y) not in seen:
                seen.add((x, y))
                kept.append((points, index))
    return _gathered(kept)


def chosen(points: Points, indices: Sequence[int]) -> Points:
    """Some of the points."""
    return _gathered([(points, index) for index in indices])


def medoid(points: Points) -> int:
    """Index of the point with the smallest sum of distances to all others, the first of equal ones."""
    coords = points.coords.astype(np.float64)
    distances = np.linalg.norm(coords[:, None] - coords[None], axis=-1).sum(axis=1)
    # equal sums may differ in the last bit by the order of their terms
    return int(np.flatnonzero(distances <= distances.min() * (1 + 1e-12))[0])


def _gathered(kept: Sequence[tuple[Points, int]]) -> Points:
    return Points(
        coords=np.array([points.coords[index] for points, index in kept], np.int32).reshape(-1, 2),
        labels=np.array([points.labels[index] for points, index in kept], np.int8),
        status=tuple(points.status[index] for points, index in kept),
        times_ms=tuple(points.times_ms[index] for points, index in kept),
        annotator=tuple(points.annotator[index] for points, index in kept),
        session=tuple(points.session[index] for points, index in kept),
        source=tuple(points.source[index] for points, index in kept),
    )
