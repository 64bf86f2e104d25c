"""The strict PointSup file: COCO instances whose masks are replaced by N points each, and nothing else.

Format of `prepare_coco_point_annotations_without_masks.py` (detectron2, projects/PointSup).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.dataset import PointDataset
from pointanno.formats.coco_records import (
    category_to_dict,
    image_to_dict,
    parse_categories,
    parse_images,
    refuse_errors,
)
from pointanno.formats.instance_records import instance_to_dict, pad_dataset, parse_instance, thing_instances
from pointanno.formats.json_file import read_json, write_json_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pointsup_file_name(stem: str, points_per_instance: int, version: int = 1) -> str:
    """Name that the published training recipe looks for, such as ``cells_n10_v1_without_masks.json``."""
    if version < 1:
        raise ValueError(f"version must be 1 or more, but got {version}")
    return f"{stem}_n{points_per_instance}_v{version}_without_masks.json"


def read(path: str | Path) -> PointDataset:
    """Data set of a PointSup file; label -1 becomes status "unsure", because the file does not say why.

    Raises
    ------
    InputError
        At the first breach of a rule, with file, record and field.
    """
    return dict_to_dataset(read_json(path), name=str(path))


def dict_to_dataset(data: Any, *, name: str = "data") -> PointDataset:
    """Data set of a parsed PointSup file; `name` stands in the sentences."""
    refuse_errors(data, "pointsup", name)
    images = parse_images(data["images"])
    sizes = {image.id: (image.height, image.width) for image in images}
    instances = tuple(
        parse_instance(entry, sizes[entry["image_id"]], name, mask_source="imported") for entry in data["annotations"]
    )
    counts = {len(instance.points) for instance in instances}
    return PointDataset(
        images=images,
        categories=parse_categories(data["categories"]),
        instances=instances,
        points_per_instance=counts.pop() if len(counts) == 1 else None,
        info=dict(data.get("info") or {}),
        licenses=tuple(data.get("licenses") or ()),
    )


def write(dataset: PointDataset, path: str | Path, *, points_per_instance: int | None = None) -> None:
    """Write the strict form: equal numbers of points everywhere, no private keys, no clicks without a box.

    Parameters
    ----------
    dataset
        Data set.
    path
        File; see `pointsup_file_name`.
    points_per_instance
        N; shorter instances are padded (repeated coordinate, label -1), longer ones cut. By default the
        largest number that occurs.
    """
    write_json_records(path, _sections(dataset, points_per_instance))


def dataset_to_dict(dataset: PointDataset, *, points_per_instance: int | None = None) -> dict[str, Any]:
    """What `write` writes, as one object."""
    return {
        name: list(value) if hasattr(value, "__next__") else value
        for name, value in _sections(dataset, points_per_instance)
    }


def _sections(dataset: PointDataset, points_per_instance: int | None) -> Iterator[tuple[str, Any]]:
    """The file from top to bottom. Stuff categories are left out: a detector would reserve a class for each."""
    padded = pad_dataset(dataset, points_per_instance)
    yield "info", dict(dataset.info)
    yield "licenses", [dict(entry) for entry in dataset.licenses]
    yield "images", (image_to_dict(image, superset=False) for image in dataset.images)
    yield "annotations", (instance_to_dict(instance, superset=False) for instance in thing_instances(padded))
    yield (
        "categories",
        [category_to_dict(category, with_flag=False) for category in dataset.categories if category.isthing],
    )
