"""Masks: painted, drawn as polygons, or accepted from a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from pointanno.errors import InputError
from pointanno.formats.rle import rle_area, rle_to_xywh, segmentation_to_rle
from pointanno.project.changes import dump
from pointanno.project.effects.needs import (
    extra_of,
    forget_absence,
    layer_of,
    need_box,
    need_category,
)
from pointanno.project.tally import tally_box

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row

MASK = "mask"
"""Source of a box that was not drawn, but follows from its mask."""


def mask(change: Change) -> None:
    """A box gets a mask or loses it; with a class and a new uid, the mask is an object of its own."""
    p, image, entry = change.entry.payload, change.image(), change.entry
    rle = None if p["rle"] is None else _checked(change, image)
    text = None if rle is None else dump([rle, p.get("source") or "painted"])
    row = change.find("boxes", entry.image_id, p["uid"])
    if row is None and p.get("category_id") is not None and change.find("clicks", entry.image_id, p["uid"]) is None:
        if rle is None or text is None:
            raise InputError("mask, rle: expected the mask of a new object, received None")
        _new_object(change, image, rle, text)
        return
    row = need_box(change, p["uid"])
    extra = {**(orjson.loads(row["extra"]) if row["extra"] else {}), **extra_of(p, "suggested_by")}
    values: dict[str, Any] = {"mask": text, "extra": dump(extra) if extra else None}
    if row["source"] == MASK:
        if rle is None:
            raise InputError(
                f"mask, rle: object {p['uid']} is nothing but its mask, so it cannot lose it. Delete the object"
            )
        values |= _tight_box(rle) | {"area": float(rle_area(rle))}
    change.update("boxes", row, **values)


def _checked(change: Change, image: Row) -> dict[str, Any]:
    """The run-length code of the event, compressed, not empty and of the image's size."""
    rle = change.entry.payload["rle"]
    size = rle.get("size")
    if size not in (None, [image["height"], image["width"]]):
        raise InputError(
            f"mask, rle.size: expected [{image['height']}, {image['width']}] as {image['file_name']} has, "
            f"received {size}"
        )
    if not change.entry.is_new and change.entry.payload.get("category_id") is None:
        return dict(rle)
    try:
        return segmentation_to_rle(rle, (image["height"], image["width"]))
    except (ValueError, TypeError) as error:
        raise InputError(f"mask, rle: {error}. Expected a COCO run-length code") from None


def _tight_box(rle: dict[str, Any]) -> dict[str, float]:
    x, y, width, height = rle_to_xywh(rle)
    if width <= 0 or height <= 0:
        raise InputError("mask, rle: the mask is empty, but an object needs at least one pixel. Delete the object")
    return {"x0": x, "y0": y, "x1": x + width, "y1": y + height}


def _new_object(change: Change, image: Row, rle: dict[str, Any], text: str) -> None:
    """Insert a box that is the tight one of the mask and has no points."""
    p, entry = change.entry.payload, change.entry
    need_category(change, p["category_id"])
    extra = extra_of(p, "suggested_by")
    row = {
        **{"image_id": entry.image_id, "uid": p["uid"], "born": entry.seq, "rank": 0},
        **{"category_id": p["category_id"], **_tight_box(rle)},
        **{"coords": b"", "labels": b"", "times": b"", "point_sessions": b"", "point_annotators": b""},
        **{"point_sources": "random", "point_seed": None, "sampler": None},
        **{"resample": 0, "source": MASK, "time_ms": p.get("time_ms"), "drag_ms": None},
        **{"session": entry.session, "annotator": entry.annotator, "iscrowd": 0},
        **{"area": float(rle_area(rle)), "mask": text, "extra": dump(extra) if extra else None},
        **{"layer": layer_of(change), "copy_of": None},
    }
    change.insert("boxes", row)
    change.count(image, of=tally_box(row), layer=row["layer"], boxes=1)
    for uid in p.get("clicks") or ():
        click = change.find("clicks", entry.image_id, uid)
        if click is None or click["layer"] != row["layer"]:
            raise InputError(f"mask, clicks: {image['file_name']} has no click {uid}. Name clicks of this image")
        change.update("clicks", click, linked=p["uid"])
    forget_absence(change, image, p["category_id"], row["layer"])
