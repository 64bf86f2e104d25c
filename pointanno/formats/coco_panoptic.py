"""COCO panoptic: one PNG of segment ids a picture, beside a JSON that says what each segment is.

The folder of the PNGs bears the name of the JSON without its ending, as in the COCO release.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.dataset import Instance, MaskLabel, PanopticPrediction, PointDataset
from pointanno.errors import InputError
from pointanno.formats.coco_records import (
    bbox_to_box,
    category_to_dict,
    image_to_dict,
    parse_categories,
    parse_images,
    refuse_errors,
)
from pointanno.formats.instance_records import no_points
from pointanno.formats.json_file import read_json, write_json
from pointanno.formats.panoptic_png import read_panoptic_png, write_panoptic_png
from pointanno.formats.rle import label_map_to_rles, rle_area, rle_to_mask, rle_to_xywh

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pointanno.dataset import Category, Image

_SEGMENT_KEYS = frozenset({"id", "category_id", "iscrowd", "bbox", "area", "isthing"})


def find_panoptic_folder(path: str | Path) -> Path:
    """Folder of the PNGs that belong to a panoptic JSON: its name without the ending.

    Raises
    ------
    InputError
        If it does not exist.
    """
    folder = Path(path).with_suffix("")
    if not folder.is_dir():
        raise InputError(f"{path}: its folder of PNGs {folder} does not exist; put it beside the JSON")
    return folder


def read(path: str | Path, *, panoptic_folder: str | Path | None = None) -> PointDataset:
    """Data set whose instances are all segments, things and stuff, with exact masks and tight boxes.

    Stuff segments are instances of a category whose `isthing` is false; formats of points leave them out.

    Parameters
    ----------
    path
        The JSON.
    panoptic_folder
        Folder of the PNGs; by default the JSON's name without its ending.

    Raises
    ------
    InputError
        At the first error, with file, record and field.
    """
    path = Path(path)
    data = read_json(path)
    refuse_errors(data, "coco-panoptic", str(path))
    folder = find_panoptic_folder(path) if panoptic_folder is None else Path(panoptic_folder)
    images = parse_images(data["images"])
    sizes = {image.id: (image.height, image.width) for image in images}
    instances: list[Instance] = []
    for annotation in data["annotations"]:
        png = folder / annotation["file_name"]
        panoptic_seg = read_panoptic_png(png)
        if panoptic_seg.shape != sizes[annotation["image_id"]]:
            height, width = sizes[annotation["image_id"]]
            raise InputError(
                f"{png}: the label picture has {panoptic_seg.shape[1]} x {panoptic_seg.shape[0]} pixels,"
                f" but image {annotation['image_id']} has {width} x {height}; write it again"
            )
        codes = label_map_to_rles(panoptic_seg)
        for segment in annotation["segments_info"]:
            if segment["id"] not in codes:
                raise InputError(
                    f"{path}, image {annotation['image_id']}, segment {segment['id']}: no pixel of {png} has"
                    " this id; remove the segment or write the PNG again"
                )
            instances.append(
                _segment_to_instance(segment, annotation["image_id"], codes[segment["id"]], len(instances) + 1)
            )
    return PointDataset(
        images=images,
        categories=parse_categories(data["categories"]),
        instances=tuple(instances),
        info=dict(data.get("info") or {}),
        licenses=tuple(data.get("licenses") or ()),
    )


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write the masks of a data set as panoptic truth, smaller ones on top.

    Pixels without a mask are void. Instances without a mask are left out.
    """
    by_image: dict[int, list[Instance]] = {image.id: [] for image in dataset.images}
    for instance in dataset.instances:
        if instance.mask is not None:
            by_image[instance.image_id].append(instance)
    isthing = {category.id: category.isthing for category in dataset.categories}
    segmentations = (
        (image.id, paint_instances(by_image[image.id], (image.height, image.width), isthing))
        for image in dataset.images
    )
    write_panoptic(
        path, dataset.images, dataset.categories, segmentations, info=dataset.info, licenses=dataset.licenses
    )


def write_panoptic(
    path: str | Path,
    images: Iterable[Image],
    categories: Iterable[Category],
    segmentations: Iterable[tuple[int, PanopticPrediction]],
    *,
    info: Mapping[str, Any] | None = None,
    licenses: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write panoptic results or truth: the JSON and its folder of PNGs.

    Parameters
    ----------
    path
        The JSON; the folder gets its name without the ending.
    images, categories
        Of the data set.
    segmentations
        Image id and segments, one picture at a time; `segments_info` needs `id` and `category_id`, further
        keys such as `score` are kept, area and box are measured.
    info, licenses
        For the head of the file.
    """
    path = Path(path)
    by_id = {image.id: image for image in images}
    folder = path.with_suffix("")
    if folder == path:
        raise InputError(f"{path}: the name must end in .json, because the folder of PNGs has it without the ending")
    folder.mkdir(parents=True, exist_ok=True)
    annotations: list[dict[str, Any]] = []
    used: set[str] = set()
    for image_id, prediction in segmentations:
        file_name = f"{Path(by_id[image_id].file_name).stem}.png"
        if file_name in used:  # two pictures of one name in different folders
            file_name = f"{image_id:012d}.png"
        used.add(file_name)
        write_panoptic_png(folder / file_name, prediction.panoptic_seg)
        annotations.append(
            {
                "image_id": image_id,
                "file_name": file_name,
                "segments_info": _measure_segments(prediction),
            }
        )
    write_json(
        path,
        {
            "info": dict(info or {}),
            "licenses": [dict(entry) for entry in licenses],
            "images": [image_to_dict(image, superset=False) for image in by_id.values()],
            "annotations": annotations,
            "categories": [category_to_dict(category) for category in categories],
        },
    )


def _segment_to_instance(segment: Mapping[str, Any], image_id: int, rle: Mapping[str, Any], number: int) -> Instance:
    """A segment as an instance; its id is unique in the file, that of the segment is kept in `extra`."""
    return Instance(
        id=number,
        image_id=image_id,
        category_id=segment["category_id"],
        box=bbox_to_box(rle_to_xywh(rle)),
        points=no_points(),
        iscrowd=bool(segment.get("iscrowd", 0)),
        area=float(rle_area(rle)),
        mask=MaskLabel(rle, "ground_truth"),
        box_source="mask",
        extra={"segment_id": segment["id"]}
        | {key: value for key, value in segment.items() if key not in _SEGMENT_KEYS},
    )


def paint_instances(
    instances: Iterable[Instance], image_size: tuple[int, int], isthing: Mapping[int, bool]
) -> PanopticPrediction:
    """Masks on one canvas: stuff, then crowd regions, then objects, the largest first.

    Parameters
    ----------
    instances
        Of one picture; those without a mask are left out.
    image_size : (height, width)
    isthing : dict from category id to bool

    Returns
    -------
    PanopticPrediction
        Uncovered pixels are void; `segments_info` has `iscrowd` and lists what is still visible.
    """
    panoptic_seg: NDArray[np.int32] = np.zeros(image_size, np.int32)
    with_area = [(rle_area(instance.mask.rle), instance) for instance in instances if instance.mask is not None]
    with_area.sort(key=lambda pair: (isthing.get(pair[1].category_id, True), not pair[1].iscrowd, -pair[0]))
    segments = []
    for segment_id, (_, instance) in enumerate(with_area, start=1):
        if instance.mask is None:
            continue
        panoptic_seg[rle_to_mask(instance.mask.rle)] = segment_id
        segments.append(
            {
                "id": segment_id,
                "category_id": instance.category_id,
                "isthing": isthing.get(instance.category_id, True),
                "iscrowd": int(instance.iscrowd),
            }
        )
    left = set(np.unique(panoptic_seg).tolist())
    return PanopticPrediction(panoptic_seg, tuple(segment for segment in segments if segment["id"] in left))


def _measure_segments(prediction: PanopticPrediction) -> list[dict[str, Any]]:
    """`segments_info` with area and box as they are on the canvas; segments without a pixel are left out."""
    codes = label_map_to_rles(prediction.panoptic_seg)
    segments = []
    for info in prediction.segments_info:
        rle = codes.get(int(info["id"]))
        if rle is None:
            continue
        rest = {key: value for key, value in info.items() if key not in ("isthing", "area", "bbox")}
        segments.append({"iscrowd": 0, **rest, "area": rle_area(rle), "bbox": [int(v) for v in rle_to_xywh(rle)]})
    return segments
