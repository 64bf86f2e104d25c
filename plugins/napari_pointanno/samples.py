"""Sample data of the manifest: generated scenes with their truth, and scikit-image's bundled pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_pointanno.palette import category_colors, instance_color

SCENES, SIZE = 6, 256

BUNDLED = (
    "astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "horse", "hubble_deep_field",
    "immunohistochemistry", "moon", "page", "retina", "rocket",
)  # fmt: skip
"""Pictures that come with scikit-image itself; others would be downloaded."""

LayerData = tuple[Any, dict[str, Any], str]


def scene() -> list[LayerData]:
    """One generated scene and its panoptic truth."""
    return _scenes([0])


def scene_stack() -> list[LayerData]:
    """Six generated scenes as a stack, with their panoptic truth."""
    return _scenes(list(range(SCENES)))


def _scenes(seeds: list[int]) -> list[LayerData]:
    from collections import defaultdict

    from pointanno.scenes import CATEGORIES, generate_scene

    scenes = [generate_scene(seed, SIZE) for seed in seeds]
    images = np.stack([scene.image for scene in scenes])
    colors = category_colors(CATEGORIES)
    table: defaultdict[int | None, Any] = defaultdict(lambda: np.zeros(4))
    truth = np.zeros((len(scenes), *scenes[0].panoptic_seg.shape), dtype=np.uint16)
    rows: dict[str, list[Any]] = {"index": [0], "class": ["void"]}
    names = {category.id: category.name for category in CATEGORIES}
    number = 0
    for plane, scene in zip(truth, scenes, strict=True):
        for segment in scene.segments_info:
            number += 1
            plane[scene.panoptic_seg == segment["id"]] = number
            table[number] = np.array(
                instance_color(colors[segment["category_id"]], number, isthing=bool(segment["isthing"]))
            )
            rows["index"].append(number)
            rows["class"].append(names[segment["category_id"]])
    from napari.utils import DirectLabelColormap

    if len(scenes) == 1:
        images, truth = images[0], truth[0]
    return [
        (images, {"name": "scene", "rgb": True}, "image"),
        (
            truth,
            {"name": "panoptic truth", "opacity": 0.45, "features": rows,
             "colormap": DirectLabelColormap(color_dict=table)},
            "labels",
        ),
    ]  # fmt: skip


def bundled(name: str) -> list[LayerData]:
    """A picture of scikit-image by name."""
    from skimage import data

    return [(getattr(data, name)(), {"name": name}, "image")]


def coins() -> list[LayerData]:
    """Coins: touching things of one class."""
    return bundled("coins")


def immunohistochemistry() -> list[LayerData]:
    """Stained tissue: stuff and cells."""
    return bundled("immunohistochemistry")


def hubble_deep_field() -> list[LayerData]:
    """Galaxies: many small things."""
    return bundled("hubble_deep_field")


def retina() -> list[LayerData]:
    """An eye's background: vessels as stuff."""
    return bundled("retina")


def coffee() -> list[LayerData]:
    """A cup, a spoon, a table."""
    return bundled("coffee")


def cell() -> list[LayerData]:
    """One cell, grey."""
    return bundled("cell")
