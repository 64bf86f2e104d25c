"""What all COCO files share: images, categories, boxes, and the first error of a file as an exception."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pointanno.dataset import Box, Category, Image
from pointanno.errors import InputError
from pointanno.formats.checks import check_records, check_structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pointanno.formats.checks import Kind

_IMAGE_KEYS = frozenset({"id", "file_name", "height", "width"})
_DECLARATION_KEYS = frozenset({"sha256", "complete", "absent_category_ids", "flag", "skipped"})
_DECIMALS = (0, 2, 3, 6, 9, 12)


def refuse_errors(data: Any, kind: Kind, name: str, *, lenient: bool = False) -> None:
    """Raise the first error of a parsed file, if it has one.

    Parameters
    ----------
    data
        Parsed JSON.
    kind
        What it is meant to be.
    name
        File name for the sentence.
    lenient
        See `check_records`.
    """
    findings = check_structure(data)
    first = next(findings, None)
    if first is None:
        records = check_records(data, kind, lenient=lenient)
        first = next((finding for finding in records if finding.severity == "error"), None)
    if first is not None:
        place = "" if first.where == "file" else f", {first.where}"
        raise InputError(f"{name}{place}: {first.message}")


def parse_images(entries: Iterable[Mapping[str, Any]]) -> tuple[Image, ...]:
    """Images of checked COCO entries; keys without a field are kept in `extra`."""
    return tuple(_parse_image(entry) for entry in entries)


def _parse_image(entry: Mapping[str, Any]) -> Image:
    """One image."""
    own = entry.get("pointanno")
    own = own if isinstance(own, dict) else {}
    extra = {key: value for key, value in entry.items() if key not in _IMAGE_KEYS and key != "pointanno"}
    rest = {key: value for key, value in own.items() if key not in _DECLARATION_KEYS}
    if rest:
        extra["pointanno"] = rest
    complete = own.get("complete")
    return Image(
        id=entry["id"],
        file_name=entry["file_name"],
        height=entry["height"],
        width=entry["width"],
        sha256=own.get("sha256"),
        complete=dict(complete) if complete is not None else None,
        absent_category_ids=tuple(own.get("absent_category_ids") or ()),
        extra=extra,
        flag=own.get("flag"),
        skipped=own.get("skipped"),
    )


def image_to_dict(image: Image, *, superset: bool) -> dict[str, Any]:
    """COCO entry of an image.

    Parameters
    ----------
    image
        Image.
    superset
        Whether to write the annotator's declarations under `pointanno`; otherwise only plain COCO keys.
    """
    entry: dict[str, Any] = {
        "id": image.id,
        "file_name": image.file_name,
        "height": image.height,
        "width": image.width,
    }
    entry |= {key: value for key, value in image.extra.items() if key != "pointanno" and key not in entry}
    if not superset:
        return entry
    own = dict(image.extra.get("pointanno") or {})
    if image.sha256 is not None:
        own["sha256"] = image.sha256
    if image.complete is not None:
        own["complete"] = dict(image.complete)
    if image.absent_category_ids:
        own["absent_category_ids"] = list(image.absent_category_ids)
    if image.flag is not None:
        own["flag"] = image.flag
    if image.skipped is not None:
        own["skipped"] = image.skipped
    return entry | ({"pointanno": own} if own else {})


def parse_categories(entries: Iterable[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Categories of checked COCO entries; without the flag they are things."""
    return tuple(
        Category(
            id=entry["id"],
            name=entry["name"],
            isthing=bool(entry.get("isthing", 1) in (1, None)),
            supercategory=str(entry.get("supercategory") or ""),
            color=_parse_color(entry.get("color")),
        )
        for entry in entries
    )


def _parse_color(color: Any) -> tuple[int, int, int] | None:
    """RGB, if the file has one."""
    return None if color is None else (int(color[0]), int(color[1]), int(color[2]))


def category_to_dict(category: Category, *, with_flag: bool = True) -> dict[str, Any]:
    """COCO entry of a category."""
    entry: dict[str, Any] = {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
    }
    if with_flag:
        entry["isthing"] = int(category.isthing)
    if category.color is not None:
        entry["color"] = list(category.color)
    return entry


def bbox_to_box(bbox: Iterable[float]) -> Box:
    """Box of COCO's [x, y, width, height]."""
    x, y, width, height = (float(value) for value in bbox)
    return Box(x, y, x + width, y + height)


def box_to_bbox(box: Box) -> list[float]:
    """COCO's [x, y, width, height], such that reading it gives the same box.

    The difference of two floats seldom has the decimals that were written (5.6 - 2.4 is not 3.2), so the
    shortest decimal that leads back to the right edge is taken. A box that was read from a file comes back
    exactly; one whose edges were set otherwise may differ in the last bit, because for some pairs of edges no
    width leads from one to the other.
    """
    return [box.x0, box.y0, _extent(box.x0, box.x1), _extent(box.y0, box.y1)]


def _extent(low: float, high: float) -> float:
    """Shortest number that gives `high` when added to `low`."""
    difference = high - low
    for decimals in _DECIMALS:
        short = round(difference, decimals)
        if low + short == high:
            return short
    if low + difference == high:
        return difference
    for neighbour in (math.nextafter(difference, math.inf), math.nextafter(difference, -math.inf)):
        if low + neighbour == high:
            return neighbour
    return difference
