"""Pictures to look at: the truth on the left, what was predicted on the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from pointanno.dataset import Image
from pointanno.formats import read_dataset
from pointanno.formats.coco_records import parse_categories, parse_images
from pointanno.formats.json_file import read_json
from pointanno.formats.panoptic_png import read_panoptic_png
from pointanno.images import read_image, to_rgb8
from pointanno.overlay import draw_outlines, draw_panoptic, side_by_side

if TYPE_CHECKING:
    from pointanno.benchmark.plan import Row

PICTURES = 6
"""Drawn for each row, spread evenly over those that are measured."""
SHOWN_SCORE = 0.5
"""Detections below are measured but not drawn."""
_WANTED_SIDE = 512
"""Small pictures are magnified to about so many pixels."""


def draw_pictures(row: Row, predictions: Path) -> list[Path]:
    """Draw some pictures of a row into ``pictures/`` and return the files."""
    panels_of = _panoptic_panels(row, predictions) if row.metric.name == "pq" else _instance_panels(row, predictions)
    folder = row.folder / "pictures"
    folder.mkdir(exist_ok=True)
    images = sorted(_images(row.val_truth), key=lambda image: image.file_name)
    chosen = np.unique(np.linspace(0, len(images) - 1, min(PICTURES, len(images))).round().astype(int))
    files = []
    for image in (images[index] for index in chosen.tolist()):
        pixels = to_rgb8(read_image(row.val_images / image.file_name))
        panels = panels_of(image, pixels, max(1, _WANTED_SIDE // max(pixels.shape[:2])))
        path = folder / f"{Path(image.file_name).stem}.png"
        PillowImage.fromarray(side_by_side(panels)).save(path)
        files.append(path)
    return files


Panels = Callable[[Image, NDArray[np.uint8], int], list[NDArray[np.uint8]]]
"""From an image, its pixels and the magnification to drawings."""


def _images(truth: Path) -> tuple[Image, ...]:
    return parse_images(read_json(truth)["images"])


def _instance_panels(row: Row, predictions: Path) -> Panels:
    """Outlines of objects."""
    truth = read_dataset(row.val_truth)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in read_json(predictions):
        if entry["score"] >= SHOWN_SCORE:
            found.setdefault(entry["file_name"], []).append(entry)

    def panels(image: Image, pixels: NDArray[np.uint8], zoom: int) -> list[NDArray[np.uint8]]:
        true = [
            instance.mask.rle
            for instance in truth.instances
            if instance.image_id == image.id and instance.mask is not None and not instance.iscrowd
        ]
        best = sorted(found.get(image.file_name, []), key=lambda entry: -entry["score"])
        return [
            draw_outlines(pixels, true, zoom),
            draw_outlines(pixels, [entry["segmentation"] for entry in best], zoom),
        ]

    return panels


def _panoptic_panels(row: Row, predictions: Path) -> Panels:
    """Segments in the colours of their classes."""
    sides = []
    for path in (row.val_truth, predictions):
        content = read_json(path)
        names = {image["id"]: image["file_name"] for image in content["images"]}
        sides.append((path.with_suffix(""), {names[one["image_id"]]: one for one in content["annotations"]}))
    categories = parse_categories(read_json(row.val_truth)["categories"])

    def panels(image: Image, pixels: NDArray[np.uint8], zoom: int) -> list[NDArray[np.uint8]]:
        drawn = []
        for folder, by_name in sides:
            annotation = by_name[image.file_name]
            panoptic_seg = read_panoptic_png(folder / annotation["file_name"])
            drawn.append(draw_panoptic(pixels, panoptic_seg, annotation["segments_info"], categories, zoom))
        return drawn

    return panels
