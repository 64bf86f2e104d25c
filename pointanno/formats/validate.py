"""All findings about a file: its rules, what the strict loader needs, its pictures on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.errors import InputError
from pointanno.formats.checks import check_records, check_structure, detect_kind
from pointanno.formats.json_file import read_json
from pointanno.formats.panoptic_png import read_panoptic_png
from pointanno.formats.point_checks import Finding, error, warning
from pointanno.formats.rle import segmentation_to_rle
from pointanno.images import read_image, read_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Finding", "has_errors", "validate_file"]


def validate_file(path: str | Path, *, images: str | Path | None = None, strict: bool = False) -> list[Finding]:
    """What is wrong with a file, one sentence each, errors and warnings in the order of the file.

    Parameters
    ----------
    path
        COCO-point, PointSup, COCO instances or COCO panoptic JSON.
    images
        Folder of its pictures; given, each must exist, have the stated size and be readable to the end.
    strict
        Also check what the published PointSup loader needs: points on every annotation, as many on each.

    Returns
    -------
    list of Finding
        Empty if all is well.
    """
    path = Path(path)
    try:
        data = read_json(path)
    except InputError as problem:
        place, message = "file", str(problem).removeprefix(str(path))
        if message.startswith(", "):
            place, message = message[2:].split(": ", 1)
        return [error(place, message.removeprefix(": "))]
    findings = list(check_structure(data))
    if findings:
        return findings
    kind = detect_kind(data)
    if strict and kind == "coco-instances":
        kind = "pointsup"
    if kind is None or (strict and kind == "coco-panoptic"):
        return [error("file", "expected annotations with points, but this is a panoptic file; leave out --strict")]
    findings = list(check_records(data, kind))
    if not data["images"]:
        findings.append(warning("file", "images is empty; there is nothing to train or evaluate"))
    if any(finding.severity == "error" for finding in findings):
        # masks and pictures are looked at only when the records name them properly
        return findings
    findings += _check_masks(data)
    if kind == "coco-point":
        findings += _check_absences(data)
    if strict:
        findings += check_strict(data)
    if kind == "coco-panoptic":
        findings += _check_pngs(data, path.with_suffix(""))
    if images is not None:
        findings += _check_pictures(data, Path(images))
    return findings


def has_errors(findings: list[Finding]) -> bool:
    """Whether any finding must be mended."""
    return any(finding.severity == "error" for finding in findings)


def check_strict(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What the published PointSup loader needs beyond the general rules.

    It stacks the points of an image, so every annotation, crowd regions too, carries the same number; it drops
    crowd regions afterwards and stumbles over an image that has nothing else.
    """
    first: tuple[int, int] | None = None
    crowd_only: dict[int, bool] = {}
    for entry in data["annotations"]:
        count = len(entry["point_coords"])
        if first is None:
            first = (entry["id"], count)
        elif count != first[1]:
            yield error(
                f"annotation {entry['id']}",
                f"it has {count} points, but annotation {first[0]} has {first[1]}; export in the format pointsup,"
                " which pads all to one number",
            )
        is_crowd = entry.get("iscrowd", 0) == 1
        crowd_only[entry["image_id"]] = crowd_only.get(entry["image_id"], True) and is_crowd
    for image_id, only in crowd_only.items():
        if only:
            yield warning(f"image {image_id}", "all its annotations are crowd regions; the loader must filter it out")


def _check_masks(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Masks can be decoded and have the picture's size."""
    sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
    named = [("annotation", entry) for entry in data["annotations"]]
    named += [("stuff mask", entry) for entry in data.get("stuff_masks", ())]
    for name, entry in named:
        segmentation = entry.get("segmentation")
        if not segmentation:
            continue
        try:
            segmentation_to_rle(segmentation, sizes[entry["image_id"]])
        except (ValueError, TypeError) as problem:
            yield error(f"{name} {entry['id']}", f"segmentation: {problem}")


def _check_absences(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What was declared absent is not annotated, and is a class of the file."""
    present: dict[int, set[int]] = {}
    for name in ("annotations", "point_annotations", "stuff_masks"):
        for entry in data.get(name, ()):
            present.setdefault(entry["image_id"], set()).add(entry["category_id"])
    known = {category["id"] for category in data["categories"]}
    for image in data["images"]:
        absent = (image.get("pointanno") or {}).get("absent_category_ids") or ()
        for category_id in absent:
            if category_id not in known:
                yield warning(f"image {image['id']}", f"absent category {category_id} is not among the categories")
            elif category_id in present.get(image["id"], ()):
                yield warning(f"image {image['id']}", f"category {category_id} is declared absent, but annotated")


def _check_pngs(data: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    """The label pictures of a panoptic file hold exactly the segments that it lists."""
    if not folder.is_dir():
        yield error("file", f"its folder of PNGs {folder} does not exist; put it beside the JSON")
        return
    sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
    for entry in data["annotations"]:
        where = f"annotation of image {entry['image_id']}"
        try:
            panoptic_seg = read_panoptic_png(folder / entry["file_name"])
        except InputError as problem:
            yield error(where, str(problem))
            continue
        if panoptic_seg.shape != sizes[entry["image_id"]]:
            height, width = sizes[entry["image_id"]]
            found = f"{panoptic_seg.shape[1]} x {panoptic_seg.shape[0]}"
            yield error(where, f"its PNG has {found} pixels, but the image has {width} x {height}")
            continue
        ids, areas = np.unique(panoptic_seg, return_counts=True)
        measured = dict(zip(ids.tolist(), areas.tolist(), strict=True))
        measured.pop(0, None)
        listed = {segment["id"]: segment.get("area") for segment in entry["segments_info"]}
        for segment_id in sorted(measured.keys() - listed.keys()):
            yield error(where, f"segment {segment_id} is in its PNG, but not in segments_info")
        for segment_id in sorted(listed.keys() - measured.keys()):
            yield error(where, f"segment {segment_id} is in segments_info, but not in its PNG")
        for segment_id, area in listed.items():
            if area is not None and segment_id in measured and area != measured[segment_id]:
                pixels = measured[segment_id]
                yield warning(where, f"segment {segment_id} has area {area}, but {pixels} pixels in its PNG")


def _check_pictures(data: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    """Pictures exist, have the stated size and can be read to the end."""
    if not folder.is_dir():
        yield error("file", f"--images: there is no folder {folder}")
        return
    for image in data["images"]:
        where = f"image {image['id']}"
        picture = folder / image["file_name"]
        try:
            height, width = read_size(picture)
            if (height, width) != (image["height"], image["width"]):
                stated = f"{image['width']} x {image['height']}"
                yield error(where, f"{picture} has {width} x {height} pixels, but the file says {stated}")
                continue
            read_image(picture)
        except InputError as problem:
            yield error(where, str(problem))
            continue
        own = image.get("pointanno")
        digest = own.get("sha256") if isinstance(own, dict) else None
        if digest and hashlib.sha256(picture.read_bytes()).hexdigest() != digest:
            yield warning(where, f"{picture} is not the picture that was annotated; its content has changed")
