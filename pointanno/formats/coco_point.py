"""COCO-point JSON, the superset in which nothing about the annotation is lost.

pycocotools and the published PointSup loader read it as it is; both ignore the keys they do not know.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
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
    stuff_to_dict,
    thing_instances,
)
from pointanno.formats.json_file import read_json, write_json_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pointanno.dataset import Category, Image, Instance

VERSION = "1.0"
"""Version of the superset that is written."""

_TARGET_KEYS = frozenset(
    "id image_id category_id isthing instance linked_annotation_id point_coords point_labels point_status "
    "point_times_ms point_annotator point_session point_source".split()
)


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
        Data set. Masks of stuff go into a list of their own, `stuff_masks`: a box of stuff among `annotations`
        would be learnt as an object.
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
            for entry in (*data["annotations"], *data.get("stuff_masks", ()))
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
        extra={key: value for key, value in entry.items() if key not in _TARGET_KEYS},
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
        **{key: value for key, value in target.extra.items() if key not in _TARGET_KEYS},
    }


def _sections(dataset: PointDataset, with_events: bool, with_annotators: bool) -> Iterator[tuple[str, Any]]:
    """The file of a data set from top to bottom."""
    if any(len(instance.points) == 0 for instance in dataset.instances):
        # loaders stumble over an instance without points: a mask alone carries ignored ones
        padded = pad_dataset(dataset, dataset.points_per_instance, only_empty=True)
        dataset = replace(dataset, instances=padded.instances)
    stuff = {category.id for category in dataset.categories if not category.isthing}
    return _stream(
        info=dataset.info,
        licenses=dataset.licenses,
        images=iter(dataset.images),
        categories=dataset.categories,
        instances=thing_instances(dataset),
        stuff=(one for one in dataset.instances if one.category_id in stuff and one.mask is not None),
        targets=iter(dataset.targets),
        head=lambda: dataset,
        with_events=with_events,
        with_annotators=with_annotators,
    )


def write_stream(
    path: str | Path,
    *,
    images: Iterator[Image],
    categories: Sequence[Category],
    instances: Iterator[Instance],
    stuff: Iterator[Instance],
    targets: Iterator[Target],
    head: Callable[[], PointDataset],
    info: Mapping[str, Any] | None = None,
    licenses: Sequence[Mapping[str, Any]] = (),
    with_events: bool = True,
    with_annotators: bool = True,
) -> None:
    """Write records as they come, so that a file of any size needs the memory of one.

    Parameters
    ----------
    path : file
    images, instances, stuff, targets : consumed in this order; `stuff` are masks of regions
    categories : classes
    head : called last; annotators, sessions, events and what concerns the whole set
    info, licenses : for the top of the file
    with_events, with_annotators : see `dataset_to_dict`
    """
    sections = _stream(
        info=info or {},
        licenses=licenses,
        images=images,
        categories=categories,
        instances=instances,
        stuff=stuff,
        targets=targets,
        head=head,
        with_events=with_events,
        with_annotators=with_annotators,
    )
    write_json_records(path, sections)


def _stream(
    *,
    info: Mapping[str, Any],
    licenses: Sequence[Mapping[str, Any]],
    images: Iterator[Image],
    categories: Sequence[Category],
    instances: Iterator[Instance],
    stuff: Iterator[Instance],
    targets: Iterator[Target],
    head: Callable[[], PointDataset],
    with_events: bool,
    with_annotators: bool,
) -> Iterator[tuple[str, Any]]:
    """The file from top to bottom; lists that may be long are iterators."""
    yield "info", dict(info)
    yield "licenses", [dict(entry) for entry in licenses]
    yield "images", (image_to_dict(image, superset=True) for image in images)
    yield "categories", [category_to_dict(category) for category in categories]
    yield "annotations", (instance_to_dict(instance) for instance in instances)
    first = next(stuff, None)
    if first is not None:
        yield "stuff_masks", (stuff_to_dict(instance) for instance in chain((first,), stuff))
    yield "point_annotations", (_target_to_dict(target) for target in targets)
    yield "pointanno", _header(head(), with_events, with_annotators)


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
