"""Boxes, the clicks on extreme points that lead to them, and the answers about their points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.changes import dump
from pointanno.project.effects.needs import (
    extra_of,
    forget_absence,
    layer_of,
    need_box,
    need_inside,
    need_new,
    need_thing,
    reviewed_points,
)
from pointanno.project.layers import REMOVED
from pointanno.project.tally import tally_box

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row

EXTREMES = 4
"""Top, left, bottom, right."""


def box(change: Change) -> None:
    """A box with the points that are to be asked about."""
    p, image, entry = change.entry.payload, change.image(), change.entry
    need_thing(change, p["category_id"])
    need_new(change, p["uid"])
    x0, y0, x1, y1 = p["box"]
    if x0 < 0 or y0 < 0 or x1 > image["width"] or y1 > image["height"]:
        raise InputError(
            f"box, box: {p['box']} reaches out of {image['file_name']}, which is {image['width']} wide and "
            f"{image['height']} high. Draw the box inside the image"
        )
    source = "drag"
    if p.get("extreme_points") is not None:
        source = "extreme"
        for x, y in p["extreme_points"]:
            need_inside(change, image, x, y)
        image["pending"] = None
    if p.get("copy_of") is not None:
        source = "copy"
        if change.find("boxes", entry.image_id, p["copy_of"]) is None:
            raise InputError(f"box, copy_of: image {entry.image_id} has no box {p['copy_of']}")
    if p.get("provenance", "manual") != "manual":
        source = p["provenance"]
    extra = extra_of(p, "extreme_points", "extreme_times_ms", "suggested_by")
    row = {
        **{"image_id": entry.image_id, "uid": p["uid"], "born": entry.seq, "rank": 0},
        **{"category_id": p["category_id"], "x0": x0, "y0": y0, "x1": x1, "y1": y1},
        **_point_columns(change, image),
        **{"resample": 0, "source": source, "time_ms": p.get("time_ms"), "drag_ms": p.get("drag_ms")},
        **{"session": entry.session, "annotator": entry.annotator, "iscrowd": 0},
        **{"area": None, "mask": None, "extra": dump(extra) if extra else None},
        **{"layer": layer_of(change), "copy_of": p.get("copy_of")},
    }
    change.insert("boxes", row)
    change.count(image, layer=row["layer"], boxes=1)
    forget_absence(change, image, p["category_id"], row["layer"])


def extreme(change: Change) -> None:
    """One click on an extreme point of an object; after three of them the box is the next event."""
    p, image = change.entry.payload, change.image(unpack=False)
    need_thing(change, p["category_id"])
    need_inside(change, image, p["x"], p["y"])
    there = orjson.loads(image["pending"]) if image["pending"] else []
    if len(there) >= EXTREMES - 1:
        raise InputError(
            f"extreme: {len(there)} extreme points are clicked already. The fourth makes the box; record it as a box"
        )
    image["pending"] = dump([*there, [p["x"], p["y"], p.get("time_ms"), p["category_id"]]])


def extreme_cancelled(change: Change) -> None:
    """The extreme points clicked so far are given up."""
    change.image(unpack=False)["pending"] = None


def resample(change: Change) -> None:
    """The points of a box are drawn anew; what was answered about the old ones is given up."""
    image = change.image()
    row = need_box(change, change.entry.payload["uid"])
    _update_points(change, image, row, **_point_columns(change, image), resample=row["resample"] + 1)


def answer(change: Change) -> None:
    """What a person said about one point."""
    p, image = change.entry.payload, change.image()
    row = need_box(change, p["uid"])
    _update_points(change, image, row, **answered(change, row, p["point"], p["value"], p.get("time_ms")))


def skip_box(change: Change) -> None:
    """The points of a box that are still open shall not be asked about."""
    image = change.image()
    row = need_box(change, change.entry.payload["uid"])
    count = len(row["labels"])
    open_points = [index for index, code in enumerate(row["labels"]) if code == packing.UNANSWERED]
    labels = bytearray(row["labels"])
    owners = {name: list(packing.unpack_optional(row[name], count)) for name in ("point_sessions", "point_annotators")}
    for index in open_points:
        labels[index] = packing.CODES["skip"]
        owners["point_sessions"][index] = change.entry.session
        owners["point_annotators"][index] = change.entry.annotator
    if open_points:
        packed = {name: packing.pack_optional(values) for name, values in owners.items()}
        _update_points(change, image, row, labels=bytes(labels), **packed)


def answered(change: Change, row: Row, index: int, value: str, time_ms: int | None) -> dict[str, Any]:
    """Columns of a box after one of its points got an answer."""
    count = len(row["labels"])
    if index >= count:
        raise InputError(f"{change.entry.kind}, point: box {row['uid']} has points 0 to {count - 1}, received {index}")
    labels = bytearray(row["labels"])
    labels[index] = packing.CODES[value]
    return {
        "labels": bytes(labels),
        "times": packing.replace_optional(row["times"], count, index, time_ms),
        "point_sessions": packing.replace_optional(row["point_sessions"], count, index, change.entry.session),
        "point_annotators": packing.replace_optional(row["point_annotators"], count, index, change.entry.annotator),
    }


def _update_points(change: Change, image: Row, row: Row, **values: Any) -> None:
    """Write columns of a box and keep the counters of its image right."""
    change.update("boxes", row, **values)
    reviewed = reviewed_points(change, image, row["uid"])
    if row["layer"] != REMOVED:
        now, then = tally_box({**row, **values}, reviewed), tally_box(row, reviewed)
        change.count(image, of=now, minus=then, layer=row["layer"])


def _point_columns(change: Change, image: Row) -> dict[str, Any]:
    """Columns of points that nobody has answered yet."""
    p = change.entry.payload
    for x, y in p["point_coords"]:
        need_inside(change, image, x, y)
    return {
        "coords": packing.pack_coords(p["point_coords"]),
        "labels": bytes([packing.UNANSWERED]) * len(p["point_coords"]),
        **{"times": b"", "point_sessions": b"", "point_annotators": b"", "point_sources": "random"},
        **{"point_seed": p.get("point_seed"), "sampler": p.get("sampler")},
    }
