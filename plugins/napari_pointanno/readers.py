"""Readers of the manifest: a project opens in the dock, a COCO-point file becomes layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_pointanno.palette import ANSWER_COLORS, category_colors
from pointanno.coords import box_to_napari_corners, index_to_napari
from pointanno.dataset import BACKGROUND, OBJECT, Category, Image, PointDataset
from pointanno.errors import InputError

Reader = Callable[[str | list[str]], list[Any]]


def get_project_reader(path: str | list[str]) -> Reader | None:
    """The reader of ``*.pointanno``; None for anything else."""
    first = path[0] if isinstance(path, list) else path
    return read_project if str(first).rstrip("/\\").endswith(".pointanno") else None


def get_points_reader(path: str | list[str]) -> Reader | None:
    """The reader of ``*.coco-points.json``; None for anything else."""
    first = path[0] if isinstance(path, list) else path
    return read_points if str(first).endswith(".coco-points.json") else None


def read_project(path: str | list[str]) -> list[Any]:
    """Open the project in the viewer in front; no layer is added by the reader itself."""
    import napari

    from napari_pointanno.application import open_docks

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError(f"{path}: a project opens in a napari window; start one by `pointanno open`")
    first = path[0] if isinstance(path, list) else path
    open_docks(viewer).annotate.open(str(first))
    return [(None,)]


def read_points(path: str | list[str]) -> list[Any]:
    """The first annotated image of a COCO-point file: picture if it is found, boxes and points."""
    from pointanno.formats import read_dataset

    file = Path(path[0] if isinstance(path, list) else path)
    dataset = read_dataset(file)
    annotated = {item.image_id for item in dataset.instances} | {item.image_id for item in dataset.targets}
    image = next((image for image in dataset.images if image.id in annotated), None)
    if image is None:
        raise InputError(f"{file}: no image of the file carries a point or a box, so there is nothing to show")
    return [*_picture(file, image), *_annotations(dataset, image)]


def _picture(file: Path, image: Image) -> list[Any]:
    from pointanno.images import is_there, read_image

    for folder in (file.parent, file.parent / "images", file.parent.parent, file.parent.parent / "images"):
        if is_there(folder / image.file_name):
            return [(read_image(folder / image.file_name), {"name": Path(image.file_name).stem}, "image")]
    return []


def _annotations(dataset: PointDataset, image: Image) -> list[Any]:
    colors = category_colors(dataset.categories)
    classes = {category.id: category for category in dataset.categories}
    positions: list[Any] = []
    faces: list[tuple[float, ...]] = []
    rows: dict[str, list[Any]] = {"class": [], "label": [], "isthing": [], "instance": [], "uid": []}
    box_rows: dict[str, list[Any]] = {"class": [], "isthing": [], "uid": []}
    corners, edges = [], []
    words = {OBJECT: "object", BACKGROUND: "background"}
    for instance in dataset.instances:
        if instance.image_id != image.id:
            continue
        corners.append(box_to_napari_corners(instance.box.xyxy))
        edges.append([value / 255 for value in colors[instance.category_id]])
        _add_row(box_rows, classes[instance.category_id], uid=f"box {instance.id}")
        points = instance.points
        for coords, label, status in zip(points.coords, points.labels.tolist(), points.status, strict=True):
            if status == "pad":  # nobody was asked: it fills up the count that loaders want
                continue
            word = words.get(label, status)
            positions.append(coords)
            faces.append(tuple(value / 255 for value in ANSWER_COLORS[word]))
            category = classes[instance.category_id]
            _add_row(rows, category, label=word, instance=0, uid=f"box {instance.id}")
    for target in dataset.targets:
        if target.image_id != image.id:
            continue
        for coords in target.points.coords:
            positions.append(coords)
            faces.append(tuple(value / 255 for value in colors[target.category_id]))
            _add_row(rows, classes[target.category_id], label="click", instance=target.instance, uid="")
    layers: list[Any] = []
    if corners:
        layers.append(
            (corners, {"name": "boxes", "shape_type": "rectangle", "edge_color": edges, "face_color": [0, 0, 0, 0],
                       "features": box_rows}, "shapes")
        )  # fmt: skip
    if positions:
        layers.append(
            (index_to_napari(np.array(positions)), {"name": "points", "face_color": faces, "features": rows}, "points")
        )
    return layers


def _add_row(rows: dict[str, list[Any]], category: Category, **others: Any) -> None:
    """One more line of the features; what the writer of the manifest needs to write them back."""
    for name, value in {"class": category.name, "isthing": category.isthing, **others}.items():
        rows[name].append(value)
