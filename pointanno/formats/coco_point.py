"""COCO-point JSON, the superset in which nothing about the annotation is lost.

pycocotools and the published PointSup loader read it as it is; both ignore the keys they do not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pointanno.dataset import PointDataset, Target
from pointanno.formats.coco_records import (
    category_to_dict,
    image_to_dict,
    parse_categories,
    parse_images,
    refuse_errors,
)
from pointanno.formats.instance_records import (
    instance_to_dict,
    pad_dataset,
    parse_instance,
    parse_points,
    points_to_dict,
    thing_instances,
)
from pointanno.formats.json_file import read_json, write_json_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSION = "1.0"
"""Version of the superset that is written."""


def read(path: str | Path) -> PointDataset:
    """Data set of a COCO-point file.

    Raises
    ------
    InputError
        At the first breach of a rule, with file, record and field.
    """
    return dict_to_dataset(read_json(path), name=str(path))


def write(dataset: PointDataset, path: str | Path, *, with_events: bool = True, with_annotators: bool = True) -> None:
    """Write a data set record by record; the file appears complete or not at all."""
    write_json_records(path, _sections(dataset, with_events, with_annotators))


def dataset_to_dict(dataset: PointDataset, *, with_events: bool = True, with_annotators: bool = True) -> dict[str, Any]:
    """What `write` writes, as one object.

    Parameters
    ----------
    dataset
        Data set. Segments of stuff that came from a panoptic truth are left out: a box of stuff would be
        learnt as an object.
    with_events
        Whether the raw log travels along.
    with_annotators
        Whether names do; indices stay either way.
    """
    return {
        name: list(value) if hasattr(value, "__next__") else value
        for name, value in _sections(dataset, with_events, with_annotators)
    }


def dict_to_dataset(data: Any, *, name: str = "data") -> PointDataset:
    """Data set of a parsed COCO-point file; `name` stands in the sentences."""
    refuse_errors(data, "coco-point", name)
    header = data.get("pointanno") or {}
    images = parse_images(data["images"])
    sizes = {image.id: (image.height, image.width) for image in images}
    return PointDataset(
        images=images,
        categories=parse_categories(data["categories"]),
        instances=tuple(
            parse_instance(entry, sizes[entry["image_id"]], name, mask_source="imported")
            for entry in data["annotations"]
        ),
        targets=tuple(_parse_target(entry) for entry in data.get("point_annotations", [])),
        points_per_instance=header.get("points_per_instance"),
        exhaustive_things=header.get("exhaustive_things"),
        annotators=tuple(header.get("annotators") or ()),
        sessions=tuple(header.get("sessions") or ()),
        events=tuple(header.get("events") or ()),
        info=dict(data.get("info") or {}),
        licenses=tuple(data.get("licenses") or ()),
    )


def _parse_target(entry: Mapping[str, Any]) -> Target:
    """One single click or stuff record."""
    return Target(
        id=entry["id"],
        image_id=entry["image_id"],
        category_id=entry["category_id"],
        isthing=bool(entry["isthing"]),
        instance=entry["instance"],
        points=parse_points(entry),
        linked_annotation_id=entry.get("linked_annotation_id"),
    )


def _target_to_dict(target: Target) -> dict[str, Any]:
    """One entry of `point_annotations`."""
    return {
        "id": target.id,
        "image_id": target.image_id,
        "category_id": target.category_id,
        "isthing": int(target.isthing),
        "instance": target.instance,
        "linked_annotation_id": target.linked_annotation_id,
        **points_to_dict(target.points),
    }


def _sections(dataset: PointDataset, with_events: bool, with_annotators: bool) -> Iterator[tuple[str, Any]]:
    """The file from top to bottom; lists that may be long are iterators."""
    if any(len(instance.points) == 0 for instance in dataset.instances):
        # loaders stumble over an instance without points: a mask alone carries ignored ones
        padded = pad_dataset(dataset, dataset.points_per_instance, only_empty=True)
        dataset = replace(dataset, instances=padded.instances)
    yield "info", dict(dataset.info)
    yield "licenses", [dict(entry) for entry in dataset.licenses]
    yield "images", (image_to_dict(image, superset=True) for image in dataset.images)
    yield "categories", [category_to_dict(category) for category in dataset.categories]
    yield "annotations", (instance_to_dict(instance) for instance in thing_instances(dataset))
    yield "point_annotations", (_target_to_dict(target) for target in dataset.targets)
    yield "pointanno", _header(dataset, with_events, with_annotators)


def _header(dataset: PointDataset, with_events: bool, with_annotators: bool) -> dict[str, Any]:
    """The data set's own section."""
    header: dict[str, Any] = {
        "format": "pointanno",
        "version": VERSION,
        "coordinate_convention": "pixel_index_xy",
        "points_per_instance": dataset.points_per_instance,
        "exhaustive_things": dataset.exhaustive_things,
        "annotators": [dict(entry) for entry in dataset.annotators] if with_annotators else [],
        "sessions": [dict(entry) for entry in dataset.sessions],
    }
    if with_events:
        header["events"] = [dict(entry) for entry in dataset.events]
    return header
