"""Annotations beside the ground truth of a data set: answers, clicks, boxes and masks that were made in the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointanno.dataset import Image
from pointanno.errors import InputError
from pointanno.formats.picture_names import PictureFinder
from pointanno.formats.rle import rle_area, rle_at, rle_to_mask, rle_union
from pointanno.timing.accuracy import Judged
from pointanno.timing.log import session_annotators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pointanno.dataset import Instance, PointDataset
    from pointanno.project import BoxAnnotation, Click, Project
    from pointanno.timing.study import Study

SAME_OBJECT_IOU = 0.5
"""A box means the object of its class whose box it overlaps most, if by so much."""


@dataclass(frozen=True, slots=True)
class TruthOfImage:
    """Objects and regions of a picture, by class of the project; those without a mask are left out."""

    image_id: int
    objects: Mapping[int, tuple[Instance, ...]]

    def meant_by(self, category_id: int, box: tuple[float, float, float, float]) -> tuple[Instance | None, float]:
        """The object that a box means, and how far both overlap; None if it means none."""
        best, found = 0.0, None
        for one in self.objects.get(category_id, ()):
            overlap = 0.0 if one.iscrowd else box_iou(box, one.box.xyxy)
            if overlap > best:
                best, found = overlap, one
        return (found, best) if best >= SAME_OBJECT_IOU else (None, best)


@dataclass(frozen=True, slots=True)
class Hit:
    """A click beside the truth.

    Attributes
    ----------
    annotator : who clicked
    distance : pixels to the nearest pixel of the class, 0 on it; None if the picture holds none
    """

    annotator: str
    distance: float | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box, or a mask, beside the object that it means.

    Attributes
    ----------
    what : "box" or "mask"
    annotator : who drew it
    iou : None if it means none
    """

    what: str
    annotator: str
    iou: float | None


def truth_of(project: Project, dataset: PointDataset, name: str) -> list[TruthOfImage]:
    """The truth of the project's pictures, found by their names; classes are found by theirs.

    Parameters
    ----------
    project : whose classes and pictures count
    dataset : with masks
    name : of the file, for sentences

    Raises
    ------
    InputError
        If the file holds no masks, or no picture or class of the project.
    """
    if not any(one.mask is not None for one in dataset.instances):
        raise InputError(f"{name}: expected objects with masks, received none. Give COCO instances or COCO panoptic")
    finder = PictureFinder([Image(one.id, one.file_name, one.height, one.width) for one in project.images()])
    of_name = {category.name: category.id for category in project.categories()}
    category_of = {one.id: of_name[one.name] for one in dataset.categories if one.name in of_name}
    if not category_of:
        known = ", ".join(sorted(of_name)) or "none"
        raise InputError(f"{name}, categories: none has the name of a class of the project ({known}). Rename them")
    by_image: dict[int, list[Instance]] = {}
    for instance in dataset.instances:
        if instance.mask is not None and instance.category_id in category_of:
            by_image.setdefault(instance.image_id, []).append(instance)
    found: dict[int, TruthOfImage] = {}
    for image in dataset.images:
        ours = finder.find(image.file_name)
        if ours is None:
            continue
        if (ours.height, ours.width) != (image.height, image.width):
            raise InputError(
                f"{name}, image {image.id} ({image.file_name}): the file says {image.width} x {image.height} pixels, "
                f"but the picture has {ours.width} x {ours.height}. Give the truth of these pictures"
            )
        objects: dict[int, list[Instance]] = {}
        for instance in by_image.get(image.id, ()):
            objects.setdefault(category_of[instance.category_id], []).append(instance)
        found[ours.id] = TruthOfImage(ours.id, {key: tuple(many) for key, many in objects.items()})
    if not found:
        raise InputError(f"{name}, images: none is among the pictures of the project. Give the truth of these pictures")
    return list(found.values())


def judged_by_truth(
    study: Study, project: Project, truth: Sequence[TruthOfImage], *, answers: str = "first"
) -> list[Judged]:
    """Timed answers beside what the mask of the object says that the box means.

    Answers about points that were drawn anew later, and about boxes that mean no object or were deleted, are left out.
    """
    drawn_anew = {
        (event.image_id, str(event.payload["uid"])): event.seq
        for event in study.log.events
        if event.kind == "resample"
    }  # fmt: skip
    labels: dict[tuple[int | None, str], NDArray[np.uint8]] = {}
    for image in truth:
        for layer in ("main", "second"):
            for box in project.annotations(image.image_id, layer=layer).boxes:
                meant, _ = image.meant_by(box.category_id, box.box.xyxy)
                if meant is not None and meant.mask is not None and len(box.point_coords):
                    labels[image.image_id, box.uid] = rle_at(meant.mask.rle, box.point_coords)
    found = []
    for item in study.chosen("point", answers=answers):
        key = (item.image_id, item.uid)
        if item.value == "unsure" or key not in labels or item.seq < drawn_anew.get(key, 0):
            continue
        if item.point is not None and item.point < len(labels[key]) and item.value in ("object", "background"):
            found.append(Judged(item, "object" if labels[key][item.point] else "background", ""))
    return found


def hits(project: Project, truth: Sequence[TruthOfImage]) -> list[Hit]:
    """Every click that stands and was made in a session: on an object or region of its class, or how far from it."""
    names = session_annotators(project)
    found = []
    for image in truth:
        masks: dict[int, NDArray[np.bool_] | None] = {}
        for click in project.annotations(image.image_id).clicks:
            if click.session in names:
                if click.category_id not in masks:
                    masks[click.category_id] = _covered(image.objects.get(click.category_id, ()))
                found.append(Hit(names[click.session], _distance(masks[click.category_id], click)))
    return found


def _covered(objects: Sequence[Instance]) -> NDArray[np.bool_] | None:
    """Where any of the objects is, None without any."""
    rles = [one.mask.rle for one in objects if one.mask is not None]
    return rle_to_mask(rle_union(rles)) if rles else None


def _distance(mask: NDArray[np.bool_] | None, click: Click) -> float | None:
    if mask is None or not mask.any():
        return None
    if mask[click.y, click.x]:
        return 0.0
    rows, columns = np.nonzero(mask)
    return float(np.sqrt(((rows - click.y) ** 2 + (columns - click.x) ** 2).min()))


def overlaps(project: Project, truth: Sequence[TruthOfImage]) -> list[Drawn]:
    """Every box and mask that stands and was drawn in a session, and how far it overlaps the object that it means."""
    names = session_annotators(project)
    found: list[Drawn] = []
    for image in truth:
        for box in project.annotations(image.image_id).boxes:
            if box.session in names and not box.iscrowd:
                found += _overlaps_of(image, box, names[box.session])
    return found


def _overlaps_of(image: TruthOfImage, box: BoxAnnotation, annotator: str) -> Iterator[Drawn]:
    meant, overlap = image.meant_by(box.category_id, box.box.xyxy)
    if box.source in ("drag", "extreme"):
        yield Drawn("box", annotator, None if meant is None else overlap)
    if box.mask is not None and box.mask.source == "painted":
        iou = None if meant is None or meant.mask is None else mask_iou(box.mask.rle, meant.mask.rle)
        yield Drawn("mask", annotator, iou)


def box_iou(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes, XYXY."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def mask_iou(one: Mapping[str, object], other: Mapping[str, object]) -> float:
    """Intersection over union of two run-length codes of one size; 0 if both are empty."""
    union = rle_area(rle_union([one, other]))
    return (rle_area(one) + rle_area(other) - union) / union if union else 0.0


def read_truth(project: Project, path: Path) -> list[TruthOfImage]:
    """The truth of the project's pictures from a file: COCO instances with masks, or COCO panoptic.

    Raises
    ------
    InputError
        If the file cannot be read or says nothing about the project.
    """
    from pointanno.formats import read_dataset

    return truth_of(project, read_dataset(path), str(path))
