"""From a data set on disk to what one training picture needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.coords import index_to_continuous
from pointanno.dataset import DOUBTFUL_PSEUDO_LABEL, IGNORED
from pointanno.errors import InputError
from pointanno.images import is_there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Image, Instance, PointDataset


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRecord:
    """One picture and its N instances, crowd regions left out.

    Attributes
    ----------
    boxes : (N, 4) float32
        XYXY, continuous.
    labels : (N,) int64
        Contiguous ids, 1..K; 0 is the background of a detector.
    point_coords : (N, P, 2) float32
        Continuous (x, y); P is 0 under mask supervision.
    point_labels : (N, P) int8
        1 object, 0 background, -1 ignored.
    masks : N compressed run-length codes of the picture's size under mask supervision, else None
        Those of the data set itself: a mask is decoded when a sample needs it.
    has_mask : (N,) bool or None
        False where the mask must not be learnt from; None if all may.
    plane : dict from axis to index, or None
        Which plane of a stack the picture is, from `pointanno.plane` of the data set.
    """

    path: Path
    image_id: int
    image_size: tuple[int, int]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    point_coords: NDArray[np.float32]
    point_labels: NDArray[np.int8]
    masks: tuple[Mapping[str, Any], ...] | None
    plane: Mapping[str, int] | None = None
    has_mask: NDArray[np.bool_] | None = None


def stack_points(
    instances: Sequence[Instance], slots: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """(N, P, 2) and (N, P); short lists are padded with ignored points, to `slots` or to the longest list."""
    most = max((len(instance.points) for instance in instances), default=0) if slots is None else slots
    coords = np.zeros((len(instances), most, 2), dtype=np.float32)
    labels = np.full((len(instances), most), IGNORED, dtype=np.int8)
    for row, instance in enumerate(instances):
        count = len(instance.points)
        coords[row, :count] = index_to_continuous(instance.points.coords)
        labels[row, :count] = instance.points.labels
    return coords, labels


def _mask_of(instance: Instance, file_name: str) -> Mapping[str, Any]:
    """The instance's mask, or a sentence."""
    if instance.mask is None:
        raise InputError(
            f"annotation {instance.id} of {file_name}: --supervision masks needs a mask for every instance, but "
            "this one has none; train with --supervision points or give a COCO file with segmentations"
        )
    return instance.mask.rle


def _find_doubtful(instances: Sequence[Instance]) -> NDArray[np.bool_] | None:
    """Which masks may be learnt from, None if all."""
    known = np.array([i.mask is None or i.mask.source != DOUBTFUL_PSEUDO_LABEL for i in instances], dtype=np.bool_)
    return None if known.all() else known


def plane_of(image: Image) -> Mapping[str, int] | None:
    """Which plane of a stack a picture of the data set is, None for the first.

    Raises
    ------
    InputError
        If ``pointanno.plane`` is no table of numbers.
    """
    own = image.extra.get("pointanno")
    plane = own.get("plane") if isinstance(own, dict) else None
    if plane is None:
        return None
    if not isinstance(plane, dict) or not all(type(index) is int for index in plane.values()):
        raise InputError(
            f"image {image.id} ({image.file_name}): pointanno.plane must name axes and places, as in "
            f'{{"t": 0, "z": 4}}, but is {plane!r}'
        )
    return plane


def check_size(shape: Sequence[int], image_size: tuple[int, int], path: Path, image_id: int) -> None:
    """Refuse a picture that is not as large as the data set says (height, width).

    Raises
    ------
    InputError
        With both sizes.
    """
    if tuple(shape[:2]) != image_size:
        raise InputError(
            f"{path}: the picture has {shape[1]} x {shape[0]} pixels, but the data set says "
            f"{image_size[1]} x {image_size[0]} for image {image_id}; put the right picture there or correct width and "
            "height"
        )


def contiguous_ids(categories: Sequence[Category]) -> dict[int, int]:
    """Things by ascending category id as 1..K; stuff has no place in a detector."""
    things = sorted(category.id for category in categories if category.isthing)
    return {category_id: position for position, category_id in enumerate(things, start=1)}


def records_from_dataset(dataset: PointDataset, images: Path, *, supervision: str) -> tuple[TrainingRecord, ...]:
    """Records of all pictures that have at least one usable instance.

    Parameters
    ----------
    dataset : PointDataset
        Boxes with points, or with masks.
    images : Path
        Folder that the file names are relative to.
    supervision : {"points", "masks"}

    Raises
    ------
    InputError
        If nothing can be learnt from the data set: no boxes, no answered points, a missing mask or picture.
    """
    to_contiguous = contiguous_ids(dataset.categories)
    of_image: dict[int, list[Instance]] = {image.id: [] for image in dataset.images}
    for instance in dataset.instances:
        box = instance.box
        if (
            not instance.iscrowd
            and instance.category_id in to_contiguous
            and box.x1 - box.x0 >= 1
            and box.y1 - box.y0 >= 1
        ):
            of_image[instance.image_id].append(instance)

    # the same for all pictures: losses of a batch, and of its parts on several devices, are divided by all slots
    slots = max((len(instance.points) for instances in of_image.values() for instance in instances), default=0)
    records = []
    for image in dataset.images:
        instances = of_image[image.id]
        if not instances:
            continue
        path = images / image.file_name
        if not is_there(path):
            raise InputError(
                f"{path}: image {image.id} of the data set is not there; pass the folder that holds it by --images"
            )
        with_points = supervision == "points"
        coords, labels = stack_points(instances if with_points else [], slots)
        if not with_points:
            coords = np.zeros((len(instances), 0, 2), dtype=np.float32)
            labels = np.zeros((len(instances), 0), dtype=np.int8)
        records.append(
            TrainingRecord(
                path=path,
                image_id=image.id,
                image_size=(image.height, image.width),
                boxes=np.array([instance.box.xyxy for instance in instances], dtype=np.float32).reshape(-1, 4),
                labels=np.array([to_contiguous[instance.category_id] for instance in instances], dtype=np.int64),
                point_coords=coords,
                point_labels=labels,
                masks=None if with_points else tuple(_mask_of(i, image.file_name) for i in instances),
                plane=plane_of(image),
                has_mask=None if with_points else _find_doubtful(instances),
            )
        )
    if not records:
        raise InputError(
            "the data set has no boxes to learn from (crowd regions and boxes under one pixel do not count); "
            "draw boxes with the box + points protocol, or simulate them by `pointanno simulate --protocol box-points`"
        )
    if supervision == "points" and not any((record.point_labels != IGNORED).any() for record in records):
        raise InputError(
            "no box of the data set has an answered point; answer object / background for some points first, or "
            "train with --supervision masks if the file holds masks"
        )
    return tuple(records)
