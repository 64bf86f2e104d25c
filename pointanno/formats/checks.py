"""What must hold in a COCO file of any kind, as one sentence per breach.

Readers stop at the first error, `pointanno.formats.validate` lists them all: both ask here, so both say the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard

from pointanno.formats.point_checks import Finding, check_origin, check_points, check_target, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind: TypeAlias = Literal["coco-point", "pointsup", "coco-instances", "coco-panoptic"]

_OUTSIDE, _OUTSIDE_LENIENT = 1.0, 2.0  # pixels that a box may stick out: writers round differently
_LARGEST_ID = 2**53  # what every reader of JSON keeps exactly
_LARGEST_SIDE = 2**31 - 1


@dataclass(slots=True)
class _Context:
    """What earlier parts of the file declared."""

    kind: Kind
    lenient: bool
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    things: dict[int, bool | None] = field(default_factory=dict)
    annotation_ids: set[int] = field(default_factory=set)

    @property
    def has_points(self) -> bool:
        return self.kind in ("coco-point", "pointsup")


def detect_kind(data: Any) -> Kind | None:
    """Kind of a parsed COCO file, None if it is none (a list of results, say)."""
    if not isinstance(data, dict) or not isinstance(data.get("annotations"), list):
        return None
    annotations = [entry for entry in data["annotations"] if isinstance(entry, dict)]
    if any("segments_info" in entry for entry in annotations):
        return "coco-panoptic"
    if "pointanno" in data or "point_annotations" in data:
        return "coco-point"
    return "pointsup" if any("point_coords" in entry for entry in annotations) else "coco-instances"


def check_structure(data: Any) -> Iterator[Finding]:
    """Findings that make every further check pointless."""
    if isinstance(data, list):
        yield error("file", "expected an object with images, annotations and categories, but got a list")
        return
    if not isinstance(data, dict):
        yield error("file", f"expected an object, but got {_name_type(data)}")
        return
    for name in ("images", "annotations", "categories"):
        if name not in data:
            yield error("file", f"{name} is missing; expected a list")
        elif not isinstance(data[name], list):
            yield error("file", f"{name} must be a list, but is {_name_type(data[name])}")
    if not isinstance(data.get("info") or {}, dict):
        yield error("file", f"info must be an object, but is {_name_type(data['info'])}")
    yield from _check_objects(data, "licenses", "licenses")


def _check_objects(section: Mapping[str, Any], name: str, where: str) -> Iterator[Finding]:
    """An optional list of objects."""
    value = section.get(name)
    if value is None:
        return
    if not isinstance(value, list):
        yield error("file", f"{where} must be a list, but is {_name_type(value)}")
        return
    for position, entry in enumerate(value):
        if not isinstance(entry, dict):
            yield error(f"{where}[{position}]", f"expected an object, but got {_name_type(entry)}")
            return


def check_records(data: Mapping[str, Any], kind: Kind, *, lenient: bool = False) -> Iterator[Finding]:
    """Findings in the records of a file that passed `check_structure`.

    Parameters
    ----------
    data
        Parsed file.
    kind
        What it is.
    lenient
        True lets a reader of foreign instances accept what it can mend: repeated annotation ids and boxes
        that stick out by a rounding error.
    """
    context = _Context(kind, lenient)
    yield from _check_images(data["images"], context)
    yield from _check_categories(data["categories"], context)
    for position, entry in enumerate(data["annotations"]):
        if not isinstance(entry, dict):
            yield error(f"annotations[{position}]", f"expected an object, but got {_name_type(entry)}")
        elif kind == "coco-panoptic":
            yield from _check_panoptic(entry, position, context)
        else:
            yield from _check_annotation(entry, position, context)
    if kind == "coco-point":
        yield from _check_stuff_masks(data.get("stuff_masks", []), context)
        yield from _check_targets(data.get("point_annotations", []), context)
        yield from _check_header(data.get("pointanno"))


def _check_header(header: Any) -> Iterator[Finding]:
    """The section about the whole annotation: who, when, how complete."""
    if header is None:
        return
    if not isinstance(header, dict):
        yield error("file", f"pointanno must be an object, but is {_name_type(header)}")
        return
    for name in ("annotators", "sessions", "events"):
        yield from _check_objects(header, name, f"pointanno.{name}")
    for name in ("annotators", "sessions"):
        entries = header.get(name)
        for position, entry in enumerate(entries if isinstance(entries, list) else []):
            index = entry.get("index", 0) if isinstance(entry, dict) else 0
            if not _is_int(index) or index < 0:
                yield error(f"pointanno.{name}[{position}]", f"index must be 0 or more, but is {_show(index)}")
    count, exhaustive = header.get("points_per_instance"), header.get("exhaustive_things")
    if count is not None and (not _is_int(count) or count < 1):
        yield error("file", f"pointanno.points_per_instance must be a positive integer or null, but is {_show(count)}")
    if exhaustive is not None and not isinstance(exhaustive, bool):
        yield error("file", f"pointanno.exhaustive_things must be true, false or null, but is {_show(exhaustive)}")


def _check_images(images: list[Any], context: _Context) -> Iterator[Finding]:
    """Ids, names and sizes."""
    names: dict[str, int] = {}
    for position, image in enumerate(images):
        where = f"images[{position}]"
        if not isinstance(image, dict):
            yield error(where, f"expected an object, but got {_name_type(image)}")
            continue
        image_id = image.get("id")
        if not _is_int(image_id):
            yield error(where, f"id must be an integer, but is {_show(image_id)}")
            continue
        where = f"image {image_id}"
        if image_id in context.sizes:
            yield error(where, "the id occurs more than once; give each image its own id")
        name = image.get("file_name")
        if not isinstance(name, str) or not name:
            yield error(where, f"file_name must be the name of a file, but is {_show(name)}")
        elif name in names:
            yield warning(where, f"file_name {name!r} is also that of image {names[name]}")
        else:
            names[name] = image_id
        size = []
        for key in ("height", "width"):
            value = image.get(key)
            if not _is_int(value) or not 0 < value <= _LARGEST_SIDE:
                yield error(where, f"{key} must be a positive integer, but is {_show(value)}")
            else:
                size.append(value)
        context.sizes[image_id] = (size[0], size[1]) if len(size) == 2 else (0, 0)
        if context.kind == "coco-point":
            yield from _check_declarations(image, where)


def _check_declarations(image: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """What an annotator declared about the whole image (rule 8)."""
    own = image.get("pointanno", {})
    if not isinstance(own, dict):
        yield error(where, f"pointanno must be an object, but is {_name_type(own)}")
        return
    complete = own.get("complete")
    if complete is not None and not (
        isinstance(complete, dict) and all(isinstance(value, bool) for value in complete.values())
    ):
        yield error(where, 'pointanno.complete must be like {"things": true, "stuff": false}')
    absent = own.get("absent_category_ids", [])
    if not isinstance(absent, list) or not all(_is_int(value) for value in absent):
        yield error(where, "pointanno.absent_category_ids must be a list of integers")
    for name in ("flag", "skipped"):
        if own.get(name) is not None and not isinstance(own[name], str):
            yield error(where, f"pointanno.{name} must be the reason in words, but is {_show(own[name])}")


def _check_categories(categories: list[Any], context: _Context) -> Iterator[Finding]:
    """Ids, names and the thing flag."""
    for position, category in enumerate(categories):
        where = f"categories[{position}]"
        if not isinstance(category, dict):
            yield error(where, f"expected an object, but got {_name_type(category)}")
            continue
        category_id = category.get("id")
        if not _is_int(category_id):
            yield error(where, f"id must be an integer, but is {_show(category_id)}")
            continue
        where = f"category {category_id}"
        if category_id in context.things:
            yield error(where, "the id occurs more than once; give each category its own id")
        if not isinstance(category.get("name"), str):
            yield error(where, f"name must be text, but is {_show(category.get('name'))}")
        isthing = category.get("isthing")
        if isthing not in (None, 0, 1):
            yield error(where, f"isthing must be 0 or 1, but is {_show(isthing)}")
        elif isthing is None and context.kind == "coco-panoptic":
            yield error(where, "isthing is missing; expected 0 for stuff or 1 for things")
        color = category.get("color")
        if color is not None and not (
            isinstance(color, list) and len(color) == 3 and all(_is_int(v) and 0 <= v <= 255 for v in color)
        ):
            yield error(where, f"color must be three integers from 0 to 255, but is {_show(color)}")
        context.things[category_id] = None if isthing is None else bool(isthing)


def _check_reference(entry: Mapping[str, Any], where: str, context: _Context) -> Iterator[Finding]:
    """Image and category that a record names."""
    image_id, category_id = entry.get("image_id"), entry.get("category_id")
    if not _is_int(image_id):
        yield error(where, f"image_id must be an integer, but is {_show(image_id)}")
    elif image_id not in context.sizes:
        yield error(where, f"image_id {image_id} is not among the ids of images")
    if context.kind == "coco-panoptic" and "segments_info" in entry:
        return
    if not _is_int(category_id):
        yield error(where, f"category_id must be an integer, but is {_show(category_id)}")
    elif category_id not in context.things:
        yield error(where, f"category_id {category_id} is not among {_list_ids(context.things)}")


def _check_annotation(entry: Mapping[str, Any], position: int, context: _Context) -> Iterator[Finding]:
    """One boxed object."""
    annotation_id = entry.get("id")
    lowest = 0 if context.kind == "coco-instances" else 1  # real COCO files of others begin with 0
    if not _is_int(annotation_id) or annotation_id < lowest:
        what = "a positive integer" if lowest else "an integer that is not negative"
        yield error(f"annotations[{position}]", f"id must be {what}, but is {_show(annotation_id)}")
        where = f"annotations[{position}]"
    else:
        where = f"annotation {annotation_id}"
        if annotation_id in context.annotation_ids and not context.lenient:
            yield error(where, "the id occurs more than once; give each annotation its own id")
        context.annotation_ids.add(annotation_id)
    yield from _check_reference(entry, where, context)
    size = context.sizes.get(entry["image_id"]) if _is_int(entry.get("image_id")) else None
    yield from _check_box(entry, where, size, context)
    yield from _check_flags(entry, where, context)
    if context.has_points:
        yield from check_points(entry, where, size, full=context.kind == "coco-point")
    if context.kind == "coco-point":
        yield from check_origin(entry, where)


def _check_box(
    entry: Mapping[str, Any], where: str, size: tuple[int, int] | None, context: _Context
) -> Iterator[Finding]:
    """`bbox` is four numbers of a box in the picture."""
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_number(value) for value in box):
        yield error(where, f"bbox must be [x, y, width, height] in pixels, but is {_show(box)}")
        return
    x, y, width, height = box
    if width <= 0 or height <= 0:
        if context.lenient:
            return
        yield error(where, f"bbox {_show(box)} is empty; width and height must be greater than 0")
        return
    if size is None or 0 in size:
        return
    outside = max(-x, -y, x + width - size[1], y + height - size[0])
    if outside > (_OUTSIDE_LENIENT if context.lenient else _OUTSIDE):
        yield error(
            where, f"bbox {_show(box)} lies outside the picture of {size[1]} x {size[0]} pixels; correct the box"
        )


def _check_flags(entry: Mapping[str, Any], where: str, context: _Context) -> Iterator[Finding]:
    """`iscrowd`, `area`, `ignore`, `segmentation`."""
    required = error if context.kind == "coco-point" else warning
    if "iscrowd" not in entry:
        yield required(where, "iscrowd is missing; expected 0 or 1")
    elif entry["iscrowd"] not in (0, 1):
        yield error(where, f"iscrowd must be 0 or 1, but is {_show(entry['iscrowd'])}")
    if "area" not in entry:
        yield required(where, "area is missing; expected square pixels (that of the box if there is no mask)")
    elif not _is_number(entry["area"]) or entry["area"] < 0:
        yield error(where, f"area must be a number of square pixels, but is {_show(entry['area'])}")
    if "ignore" in entry and (context.has_points or entry["ignore"]):
        yield error(where, "the key ignore is not allowed, the training loader refuses it; remove it")
    segmentation = entry.get("segmentation")
    if segmentation is None:
        if context.kind == "coco-instances":
            yield warning(where, "segmentation is missing; only its box can be used")
        elif "segmentation" in entry:
            yield error(where, "segmentation must be left out when there is no mask")
    elif context.has_points and segmentation == []:
        yield error(where, "segmentation must be left out when there is no mask, not be an empty list")
    elif not isinstance(segmentation, (list, dict)):
        yield error(where, f"segmentation must be polygons or run lengths, but is {_name_type(segmentation)}")
    elif context.kind == "coco-point" and not entry.get("mask_source"):
        yield warning(where, "mask_source is missing; expected where the mask comes from")


def _check_stuff_masks(entries: Any, context: _Context) -> Iterator[Finding]:
    """Masks of regions, which have no place among the boxed objects."""
    if not isinstance(entries, list):
        yield error("file", f"stuff_masks must be a list, but is {_name_type(entries)}")
        return
    for position, entry in enumerate(entries):
        where = f"stuff_masks[{position}]"
        if not isinstance(entry, dict):
            yield error(where, f"expected an object, but got {_name_type(entry)}")
            continue
        if not _is_int(entry.get("id")) or entry["id"] < 1:
            yield error(where, f"id must be a positive integer, but is {_show(entry.get('id'))}")
        yield from _check_reference(entry, where, context)
        size = context.sizes.get(entry["image_id"]) if _is_int(entry.get("image_id")) else None
        yield from _check_box(entry, where, size, context)
        yield from check_origin(entry, where)
        if not entry.get("segmentation"):
            yield error(where, "segmentation is missing; expected the mask of the region")
        if _is_int(entry.get("category_id")) and context.things.get(entry["category_id"]):
            yield error(where, f"category {entry['category_id']} is a thing; its masks belong into annotations")


def _check_panoptic(entry: Mapping[str, Any], position: int, context: _Context) -> Iterator[Finding]:
    """One image's segments."""
    where = f"annotations[{position}]"
    if _is_int(entry.get("image_id")):
        where = f"annotation of image {entry['image_id']}"
        if entry["image_id"] in context.annotation_ids:
            yield error(where, "the image has more than one panoptic annotation")
        context.annotation_ids.add(entry["image_id"])
    segments = entry.get("segments_info")
    yield from _check_reference({**entry, "segments_info": segments}, where, context)
    if not isinstance(entry.get("file_name"), str):
        yield error(where, f"file_name must name the PNG, but is {_show(entry.get('file_name'))}")
    if not isinstance(segments, list):
        yield error(where, f"segments_info must be a list, but is {_name_type(segments)}")
        return
    seen: set[int] = set()
    for number, segment in enumerate(segments):
        place = f"{where}, segments_info[{number}]"
        if not isinstance(segment, dict):
            yield error(place, f"expected an object, but got {_name_type(segment)}")
            continue
        segment_id = segment.get("id")
        if not _is_int(segment_id) or not 0 < segment_id < 256**3:
            yield error(place, f"id must be an integer from 1 to {256**3 - 1}, but is {_show(segment_id)}")
        elif segment_id in seen:
            yield error(place, f"segment id {segment_id} occurs more than once")
        else:
            seen.add(segment_id)
        category_id = segment.get("category_id")
        if not _is_int(category_id) or category_id not in context.things:
            yield error(place, f"category_id {_show(category_id)} is not among {_list_ids(context.things)}")
        if segment.get("iscrowd", 0) not in (0, 1):
            yield error(place, f"iscrowd must be 0 or 1, but is {_show(segment['iscrowd'])}")
        area = segment.get("area", 0)
        if not _is_number(area) or not 0 <= area <= _LARGEST_ID:
            yield error(place, f"area must be a number of pixels, but is {_show(area)}")


def _check_targets(entries: Any, context: _Context) -> Iterator[Finding]:
    """Single clicks and stuff points (rule 7)."""
    if not isinstance(entries, list):
        yield error("file", f"point_annotations must be a list, but is {_name_type(entries)}")
        return
    seen: set[int] = set()
    for position, entry in enumerate(entries):
        where = f"point_annotations[{position}]"
        if not isinstance(entry, dict):
            yield error(where, f"expected an object, but got {_name_type(entry)}")
            continue
        if not _is_int(entry.get("id")) or entry["id"] < 1:
            yield error(where, f"id must be a positive integer, but is {_show(entry.get('id'))}")
        else:
            where = f"point_annotation {entry['id']}"
            if entry["id"] in seen:
                yield error(where, "the id occurs more than once; give each point annotation its own id")
            seen.add(entry["id"])
        yield from _check_reference(entry, where, context)
        size = context.sizes.get(entry["image_id"]) if _is_int(entry.get("image_id")) else None
        yield from check_points(entry, where, size, full=True)
        isthing = context.things.get(entry["category_id"]) if _is_int(entry.get("category_id")) else None
        yield from check_target(entry, where, isthing, context.annotation_ids)


def _is_int(value: Any) -> TypeGuard[int]:
    """JSON integers that can be kept exactly; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_ID


def _is_number(value: Any) -> bool:
    """Finite JSON numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _name_type(value: Any) -> str:
    """JSON's word for the type of a value."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _show(value: Any) -> str:
    """A value as JSON would write it, cut to a readable length."""
    if value is None:
        return "missing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _list_ids(ids: Mapping[int, Any]) -> str:
    """The known ids, the first ten of them."""
    known = [str(value) for value in sorted(ids)]
    if not known:
        return "the categories, because there are none"
    return ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
