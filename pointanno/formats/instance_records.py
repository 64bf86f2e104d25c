"""Entries of `annotations` with their points, and the points of `point_annotations`, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import ANSWERED, IGNORED, Instance, MaskLabel, PointDataset, Points, provenance_of, repeated
from pointanno.errors import InputError
from pointanno.formats.coco_records import bbox_to_box, box_to_bbox
from pointanno.formats.rle import rle_area, segmentation_to_rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KNOWN_KEYS = frozenset(
    {
        "id", "image_id", "category_id", "iscrowd", "bbox", "area", "segmentation", "mask_source",
        "point_coords", "point_labels", "point_status", "point_times_ms", "point_annotator", "point_session",
        "point_source", "point_seed", "bbox_time_ms", "bbox_drag_ms", "bbox_annotator", "bbox_session", "bbox_source",
        "provenance",
    }
)  # fmt: skip
_POINT_KEYS = frozenset(
    "point_coords point_labels point_status point_times_ms point_annotator point_session point_source".split()
)
_OPTIONAL = {
    "bbox_time_ms": "box_time_ms",
    "bbox_drag_ms": "box_drag_ms",
    "bbox_annotator": "box_annotator",
    "bbox_session": "box_session",
    "bbox_source": "box_source",
    "point_seed": "point_seed",
}
"""Key of the file to field of `Instance`; left out where it is None."""

_NO_POINTS = Points.answered(np.zeros((0, 2)), np.zeros(0), source="imported")


def parse_instance(entry: Mapping[str, Any], image_size: tuple[int, int], name: str, *, mask_source: str) -> Instance:
    """Instance of a checked entry.

    Parameters
    ----------
    entry
        Entry of `annotations`; points are optional.
    image_size : (height, width)
    name
        File name for the sentence.
    mask_source
        Origin of the mask where the entry does not say.

    Raises
    ------
    InputError
        If the segmentation cannot be read.
    """
    box = bbox_to_box(entry["bbox"])
    area = float(entry["area"]) if entry.get("area") is not None else None
    mask = None
    if entry.get("segmentation"):
        try:
            rle = segmentation_to_rle(entry["segmentation"], image_size)
        except (ValueError, TypeError) as problem:
            raise InputError(f"{name}, annotation {entry['id']}, segmentation: {problem}; correct the mask") from None
        mask = MaskLabel(rle, entry.get("mask_source") or mask_source)
    elif area == _box_area(entry["bbox"]):
        area = None
    return Instance(
        id=entry["id"],
        image_id=entry["image_id"],
        category_id=entry["category_id"],
        box=box,
        points=parse_points(entry),
        iscrowd=bool(entry.get("iscrowd", 0)),
        area=area,
        mask=mask,
        extra={key: value for key, value in entry.items() if key not in _KNOWN_KEYS},
        **{field: entry.get(key) for key, field in _OPTIONAL.items()},
    )


def instance_to_dict(instance: Instance, *, superset: bool = True) -> dict[str, Any]:
    """Entry of `annotations`.

    Parameters
    ----------
    instance
        Instance.
    superset
        False leaves only the keys of the published PointSup file, masks left out.
    """
    bbox = box_to_bbox(instance.box)
    entry: dict[str, Any] = {
        "id": instance.id,
        "image_id": instance.image_id,
        "category_id": instance.category_id,
        "iscrowd": int(instance.iscrowd),
        "bbox": bbox,
        "area": _area_of(instance, bbox),
    }
    points = instance.points
    if not superset:
        return entry | {"point_coords": points.coords.tolist(), "point_labels": points.labels.tolist()}
    entry |= points_to_dict(points)
    for key, field in _OPTIONAL.items():
        value = getattr(instance, field)
        if value is not None:
            entry[key] = value
    provenance = provenance_of(instance)
    if provenance is not None:
        entry["provenance"] = provenance
    if instance.mask is not None:
        entry["segmentation"] = dict(instance.mask.rle)
        entry["mask_source"] = instance.mask.source
    return entry | {key: value for key, value in instance.extra.items() if key not in _KNOWN_KEYS}


def stuff_to_dict(instance: Instance) -> dict[str, Any]:
    """Entry of `stuff_masks`: the mask of a region, without points."""
    entry = instance_to_dict(instance)
    return {key: value for key, value in entry.items() if key not in _POINT_KEYS}


def parse_points(entry: Mapping[str, Any]) -> Points:
    """Points of a checked entry; none at all where it has no `point_coords`."""
    if "point_coords" not in entry:
        return _NO_POINTS
    labels = np.asarray(entry["point_labels"], dtype=np.int8)
    count = len(labels)
    status = entry.get("point_status")
    if status is None:
        status = ["unsure" if label == IGNORED else ANSWERED for label in labels.tolist()]
    return Points(
        coords=np.asarray(entry["point_coords"], dtype=np.int32).reshape(count, 2),
        labels=labels,
        status=_shared(status),
        times_ms=_shared(entry.get("point_times_ms") or repeated(None, count)),
        annotator=_shared(entry.get("point_annotator") or repeated(None, count)),
        session=_shared(entry.get("point_session") or repeated(None, count)),
        source=_shared(entry.get("point_source") or repeated("imported", count)),
    )


def _shared(values: Sequence[Any]) -> tuple[Any, ...]:
    """The values as a tuple, one for all records where they are all the same."""
    is_plain = isinstance(values, (list, tuple)) and len(values) > 0 and isinstance(values[0], (str, int, type(None)))
    if is_plain and values.count(values[0]) == len(values):
        return repeated(values[0], len(values))
    return tuple(values)


def points_to_dict(points: Points) -> dict[str, Any]:
    """The parallel arrays of an entry."""
    return {
        "point_coords": points.coords.tolist(),
        "point_labels": points.labels.tolist(),
        "point_status": list(points.status),
        "point_times_ms": list(points.times_ms),
        "point_annotator": list(points.annotator),
        "point_session": list(points.session),
        "point_source": list(points.source),
    }


def no_points() -> Points:
    """Zero points."""
    return _NO_POINTS


def pad_points(points: Points, count: int, box_corner: tuple[int, int]) -> Points:
    """The same points and as many ignored ones as are missing to `count`.

    Padding repeats the last coordinate (of an instance without points the pixel `box_corner`), has label -1,
    status "pad" and no time. More than `count` points are cut to the first ones.
    """
    if len(points) >= count:
        return Points(
            coords=points.coords[:count],
            labels=points.labels[:count],
            status=points.status[:count],
            times_ms=points.times_ms[:count],
            annotator=points.annotator[:count],
            session=points.session[:count],
            source=points.source[:count],
        )
    missing = count - len(points)
    filler = points.coords[-1] if len(points) else np.asarray(box_corner, np.int32)
    coords = np.concatenate([points.coords, np.tile(filler, (missing, 1)).astype(np.int32)])
    return Points(
        coords=coords,
        labels=np.concatenate([points.labels, np.full(missing, IGNORED, np.int8)]),
        status=(*points.status, *("pad",) * missing),
        times_ms=(*points.times_ms, *(None,) * missing),
        annotator=(*points.annotator, *(None,) * missing),
        session=(*points.session, *(None,) * missing),
        source=(*points.source, *("pad",) * missing),
    )


def pad_dataset(dataset: PointDataset, count: int | None = None, *, only_empty: bool = False) -> PointDataset:
    """The data set with the same number of points for every boxed instance, crowd included.

    Parameters
    ----------
    dataset
        Data set.
    count
        Points per instance; by default the largest number that occurs, at least 1.
    only_empty
        True pads only instances that have no point at all.
    """
    if count is None:
        count = max((len(instance.points) for instance in dataset.instances), default=0)
    count = max(count, 1)
    sizes = {image.id: (image.height, image.width) for image in dataset.images}
    instances = tuple(
        instance
        if len(instance.points) == count or (only_empty and len(instance.points))
        else replace(instance, points=pad_points(instance.points, count, _corner(instance, sizes)))
        for instance in dataset.instances
    )
    return replace(dataset, instances=instances, points_per_instance=count)


def pad_instance(instance: Instance, count: int, image_size: tuple[int, int]) -> Instance:
    """The instance with `count` points, see `pad_points`."""
    corner = _corner(instance, {instance.image_id: image_size})
    return replace(instance, points=pad_points(instance.points, max(count, 1), corner))


def thing_instances(dataset: PointDataset) -> Iterator[Instance]:
    """Instances of countable objects; segments of stuff that a panoptic truth brought along are passed over."""
    stuff = {category.id for category in dataset.categories if not category.isthing}
    return (instance for instance in dataset.instances if instance.category_id not in stuff)


def _corner(instance: Instance, sizes: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """Pixel at the top left of the box, inside the image."""
    height, width = sizes[instance.image_id]
    return (
        min(max(int(instance.box.x0), 0), width - 1),
        min(max(int(instance.box.y0), 0), height - 1),
    )


def _area_of(instance: Instance, bbox: list[float]) -> float:
    """Area of the mask, else what the file said, else that of the box."""
    if instance.area is not None:
        return instance.area
    if instance.mask is not None:
        return float(rle_area(instance.mask.rle))
    return _box_area(bbox)


def _box_area(bbox: list[float]) -> float:
    """Width times height, with the same rounding in the reader and the writer."""
    return float(bbox[2]) * float(bbox[3])
