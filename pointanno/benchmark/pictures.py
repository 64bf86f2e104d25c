"""Pictures to look at: true outlines on the left, predicted ones on the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from pointanno.formats import read_dataset
from pointanno.formats.json_file import read_json
from pointanno.images import read_image, to_rgb8
from pointanno.overlay import draw_outlines, side_by_side

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
    truth = read_dataset(row.val_truth)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in read_json(predictions):
        if entry["score"] >= SHOWN_SCORE:
            found.setdefault(entry["file_name"], []).append(entry)
    folder = row.folder / "pictures"
    folder.mkdir(exist_ok=True)
    images = sorted(truth.images, key=lambda image: image.file_name)
    chosen = np.unique(np.linspace(0, len(images) - 1, min(PICTURES, len(images))).round().astype(int))
    files = []
    for image in (images[index] for index in chosen.tolist()):
        true = [
            instance.mask.rle
            for instance in truth.instances
            if instance.image_id == image.id and instance.mask is not None and not instance.iscrowd
        ]
        best = sorted(found.get(image.file_name, []), key=lambda entry: -entry["score"])
        pixels = to_rgb8(read_image(row.val_images / image.file_name))
        zoom = max(1, _WANTED_SIDE // max(pixels.shape[:2]))
        panels = [
            draw_outlines(pixels, true, zoom),
            draw_outlines(pixels, [entry["segmentation"] for entry in best], zoom),
        ]
        path = folder / f"{Path(image.file_name).stem}.png"
        PillowImage.fromarray(side_by_side(panels)).save(path)
        files.append(path)
    return files
