"""COCO instances: full masks of things, as polygons or run-length codes; always written as the latter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pointanno.dataset import Box, Instance, PointDataset
from pointanno.formats.coco_records import (
    bbox_to_box,
    box_to_bbox,
    category_to_dict,
    image_to_dict,
    parse_categories,
    parse_images,
    refuse_errors,
)
from pointanno.formats.instance_records import parse_instance, thing_instances
from pointanno.formats.json_file import read_json, write_json_records
from pointanno.formats.rle import rle_area, rle_to_xywh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def read(path: str | Path) -> PointDataset:
    """Data set with masks and without points.

    Files of the world are read as they are found: a repeated annotation id gets a new one, an empty box is
    taken from its mask, an instance that has neither is left out.

    Raises
    ------
    InputError
        At the first error that cannot be mended, with file, record and field.
    """
    return dict_to_dataset(read_json(path), name=str(path))


def dict_to_dataset(data: Any, *, name: str = "data") -> PointDataset:
    """Data set of a parsed file; `name` stands in the sentences."""
    refuse_errors(data, "coco-instances", name, lenient=True)
    images = parse_images(data["images"])
    sizes = {image.id: (image.height, image.width) for image in images}
    instances = (
        parse_instance(entry, sizes[entry["image_id"]], name, mask_source="ground_truth")
        for entry in _with_own_ids(data["annotations"])
    )
    return PointDataset(
        images=images,
        categories=parse_categories(data["categories"]),
        instances=tuple(mended for instance in instances if (mended := _mend_box(instance)) is not None),
        info=dict(data.get("info") or {}),
        licenses=tuple(data.get("licenses") or ()),
    )


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write things with their masks; an instance without one keeps its box only."""
    write_json_records(path, _sections(dataset))


def dataset_to_dict(dataset: PointDataset) -> dict[str, Any]:
    """What `write` writes, as one object."""
    return {name: list(value) if hasattr(value, "__next__") else value for name, value in _sections(dataset)}


def _sections(dataset: PointDataset) -> Iterator[tuple[str, Any]]:
    """The file from top to bottom."""
    yield "info", dict(dataset.info)
    yield "licenses", [dict(entry) for entry in dataset.licenses]
    yield "images", (image_to_dict(image, superset=False) for image in dataset.images)
    yield "annotations", (_instance_to_dict(instance) for instance in thing_instances(dataset))
    yield "categories", [category_to_dict(category) for category in dataset.categories if category.isthing]


def _instance_to_dict(instance: Instance) -> dict[str, Any]:
    """One annotation, without points."""
    bbox = box_to_bbox(instance.box)
    entry: dict[str, Any] = {
        "id": instance.id,
        "image_id": instance.image_id,
        "category_id": instance.category_id,
        "iscrowd": int(instance.iscrowd),
        "bbox": bbox,
        "area": instance.area if instance.area is not None else bbox[2] * bbox[3],
    }
    if instance.mask is not None:
        if instance.area is None:
            entry["area"] = float(rle_area(instance.mask.rle))
        entry["segmentation"] = dict(instance.mask.rle)
    return entry | {key: value for key, value in instance.extra.items() if key not in entry}


def _with_own_ids(entries: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The entries, with a new id for each that repeats an earlier one."""
    seen: set[int] = set()
    fresh = max((entry["id"] for entry in entries), default=0) + 1
    for entry in entries:
        if entry["id"] in seen:
            entry = {**entry, "id": fresh}
            fresh += 1
        seen.add(entry["id"])
        yield entry


def _mend_box(instance: Instance) -> Instance | None:
    """The instance with a box that has an area, or None if it has no mask to take it from."""
    box = instance.box
    if box.x1 > box.x0 and box.y1 > box.y0:
        return instance
    if instance.mask is None or rle_area(instance.mask.rle) == 0:
        return None
    tight: Box = bbox_to_box(rle_to_xywh(instance.mask.rle))
    return replace(instance, box=tight)
