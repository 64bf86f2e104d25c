"""Points as PSPS reads them: panoptic PNGs that are painted at the clicked pixels only, void elsewhere.

A folder with one PNG for each picture and the ordinary panoptic JSON, `panoptic.json`. Boxes and areas in it are
those of the painted pixels: they are there because loaders ask for them, not to learn from.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from PIL import Image as PillowImage

from pointanno.dataset import PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.clicked_objects import chosen, clicked_objects
from pointanno.formats.coco_records import (
    category_to_dict,
    image_to_dict,
    parse_categories,
    parse_images,
    refuse_errors,
)
from pointanno.formats.folder import write_folder
from pointanno.formats.json_file import read_json
from pointanno.formats.panoptic_png import ids_to_colors, read_panoptic_png
from pointanno.formats.picture_names import short_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

JSON_NAME = "panoptic.json"
"""Name of the JSON in the folder."""

LARGEST_SEGMENT = 1000
"""Pixels of a segment beyond which they are taken for a mask and not for clicks."""


def narrow(dataset: PointDataset) -> PointDataset:
    """What the format keeps: positive points of objects and regions, each pixel for the first that claims it.

    Objects are numbered anew in each picture, since one whose pixels all belong to others is not there.
    """
    claimed: dict[int, set[tuple[int, int]]] = {image.id: set() for image in dataset.images}
    objects: Counter[int] = Counter()
    kept: list[Target] = []
    for target in sorted(clicked_objects(dataset), key=lambda one: not one.isthing):
        pixels = [(x, y) for x, y in target.points.coords.tolist()]
        free = [index for index, pixel in enumerate(pixels) if pixel not in claimed[target.image_id]]
        claimed[target.image_id].update(pixels)
        if free:
            objects[target.image_id] += target.isthing
            number = objects[target.image_id] if target.isthing else 0
            kept.append(replace(target, id=len(kept) + 1, instance=number, points=chosen(target.points, free)))
    return replace(dataset, instances=(), targets=tuple(kept), points_per_instance=None)


def paint_targets(
    targets: Sequence[Target], image_size: tuple[int, int]
) -> tuple[NDArray[np.int32], list[dict[str, Any]]]:
    """Segment ids at the points of a picture, and what each segment is.

    Parameters
    ----------
    targets
        Of one picture, with positive points only and no pixel twice; see `narrow`.
    image_size : (height, width)

    Returns
    -------
    panoptic_seg : (H, W) int32
        Ids from 1 in the order of the targets, 0 elsewhere.
    segments_info : list of dict
    """
    panoptic_seg = np.zeros(image_size, np.int32)
    segments = []
    for number, target in enumerate(targets, start=1):
        columns, rows = target.points.coords[:, 0], target.points.coords[:, 1]
        panoptic_seg[rows, columns] = number
        x0, y0, x1, y1 = (int(value) for value in (columns.min(), rows.min(), columns.max(), rows.max()))
        segments.append(
            {
                "id": number,
                "category_id": target.category_id,
                "isthing": int(target.isthing),
                "iscrowd": 0,
                "bbox": [x0, y0, x1 - x0 + 1, y1 - y0 + 1],
                "area": len(target.points),
            }
        )
    return panoptic_seg, segments


def points_of(panoptic_seg: NDArray[np.int32]) -> dict[int, NDArray[np.int32]]:
    """Painted pixels by segment id: (P, 2) int32 (x, y), row by row."""
    rows, columns = np.nonzero(panoptic_seg)
    ids = panoptic_seg[rows, columns]
    order = np.argsort(ids, kind="stable")
    coords = np.stack([columns, rows], axis=-1).astype(np.int32)[order]
    found, starts = np.unique(ids[order], return_index=True)
    return dict(zip(found.tolist(), np.split(coords, starts[1:]), strict=True)) if len(found) else {}


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write the folder, one PNG for each picture, also for those without points."""
    write_folder(path, "psps-png", _files(narrow(dataset)))


def _files(dataset: PointDataset) -> Iterator[tuple[str, bytes]]:
    """Names and contents, one picture at a time, the JSON last."""
    names = short_names(dataset.images)
    by_image: dict[int, list[Target]] = {image.id: [] for image in dataset.images}
    for target in dataset.targets:
        by_image[target.image_id].append(target)
    annotations = []
    for image in dataset.images:
        panoptic_seg, segments = paint_targets(by_image[image.id], (image.height, image.width))
        content = io.BytesIO()
        PillowImage.fromarray(ids_to_colors(panoptic_seg)).save(content, format="PNG")
        file_name = f"{names[image.id]}.png"
        annotations.append({"image_id": image.id, "file_name": file_name, "segments_info": segments})
        yield file_name, content.getvalue()
    yield (
        JSON_NAME,
        orjson.dumps(
            {
                "info": dict(dataset.info),
                "licenses": [dict(entry) for entry in dataset.licenses],
                "images": [image_to_dict(image, superset=False) for image in dataset.images],
                "annotations": annotations,
                "categories": [category_to_dict(category) for category in dataset.categories],
            }
        ),
    )


def read(path: str | Path) -> PointDataset:
    """Data set whose targets are the painted pixels: an object or a region for each segment.

    Crowd segments, and segments without a pixel, are passed over.

    Parameters
    ----------
    path
        The folder, with its `panoptic.json`; or a panoptic JSON whose PNGs lie beside it in a folder of its
        name without the ending.

    Raises
    ------
    InputError
        At the first error; also if a segment is so large that its pixels are a mask and not clicks.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent if path.name == JSON_NAME else path.with_suffix("")
    if path.is_dir():
        path /= JSON_NAME
    data = read_json(path)
    refuse_errors(data, "coco-panoptic", str(path))
    images = parse_images(data["images"])
    categories = parse_categories(data["categories"])
    sizes = {image.id: (image.height, image.width) for image in images}
    isthing = {category.id: category.isthing for category in categories}
    targets: list[Target] = []
    for annotation in data["annotations"]:
        png = folder / annotation["file_name"]
        panoptic_seg = read_panoptic_png(png)
        height, width = sizes[annotation["image_id"]]
        if panoptic_seg.shape != (height, width):
            raise InputError(
                f"{png}: the label picture has {panoptic_seg.shape[1]} x {panoptic_seg.shape[0]} pixels,"
                f" but image {annotation['image_id']} has {width} x {height}; write it again"
            )
        targets += _targets_of(annotation, panoptic_seg, isthing, path, png, len(targets) + 1)
    return PointDataset(
        images=images,
        categories=categories,
        targets=tuple(targets),
        info=dict(data.get("info") or {}),
        licenses=tuple(data.get("licenses") or ()),
    )


def _targets_of(
    annotation: Mapping[str, Any],
    panoptic_seg: NDArray[np.int32],
    isthing: Mapping[int, bool],
    path: Path,
    png: Path,
    first: int,
) -> list[Target]:
    """Targets of a picture, numbered from `first` on."""
    segments = {segment["id"]: segment for segment in annotation["segments_info"]}
    found: list[Target] = []
    number = 0
    for segment_id, coords in points_of(panoptic_seg).items():
        if segment_id not in segments:
            raise InputError(
                f"{png}: pixel x {coords[0, 0]}, y {coords[0, 1]} has the segment id {segment_id}, which {path} does"
                f" not list for image {annotation['image_id']}; add the segment or write the PNG again"
            )
        if segments[segment_id].get("iscrowd", 0):
            continue
        if len(coords) > LARGEST_SEGMENT:
            raise InputError(
                f"{png}, segment {segment_id}: {len(coords)} pixels are painted, so this is a mask and not clicks;"
                " import it with --format coco-panoptic"
            )
        category_id = segments[segment_id]["category_id"]
        number += isthing[category_id]
        found.append(
            Target(
                id=first + len(found),
                image_id=annotation["image_id"],
                category_id=category_id,
                isthing=isthing[category_id],
                instance=number if isthing[category_id] else 0,
                points=Points.answered(coords, np.ones(len(coords)), source="imported"),
            )
        )
    return found
