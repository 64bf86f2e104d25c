"""A second look at what is there: confirmed, changed, taken out, or put off; the original is always kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.changes import dump
from pointanno.project.effects.boxes import answered
from pointanno.project.effects.needs import (
    forget_absence,
    need_any,
    need_category,
    need_inside,
    need_thing,
    reviewed_points,
)
from pointanno.project.layers import MAIN, REMOVED, SECOND
from pointanno.project.tally import WHOLE, Tally, tally_box, tally_click

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row


def review(change: Change) -> None:
    """Write a record about a point, a click or a box; what it replaces goes into the record."""
    p, image = change.entry.payload, change.image()
    table, row = need_any(change, image, p["uid"])
    point = p.get("point", WHOLE)
    if row["layer"] == SECOND and table == "clicks" and p["verdict"] in ("confirm", "later"):
        _write(change, image, point, None)  # somebody looked at what only the second opinion has
        return
    if row["layer"] != MAIN:
        raise InputError(f"review, uid: {p['uid']} belongs to a second opinion. Review the main annotation")
    if point != WHOLE and (table != "boxes" or point >= len(row["labels"])):
        raise InputError(f"review, point: {p['uid']} has no point {point}")
    before = _tally(table, row, reviewed_points(change, image, p["uid"]))
    values, original = _outcome(change, image, table, row, point)
    if values:
        change.update(table, row, **values)
    _write(change, image, point, original)
    if point == WHOLE and p["verdict"] != "later":
        _take_flag_off(change, image, p["uid"])
    now = {**row, **values}
    if now["layer"] == REMOVED:
        change.count(image, minus=before)
        image[table] -= 1
        image["others"] += 1
    else:
        change.count(image, of=_tally(table, now, reviewed_points(change, image, p["uid"])), minus=before)


def _write(change: Change, image: Row, point: int, original: Row | None) -> None:
    """The record, and the count of what is put off."""
    p, entry = change.entry.payload, change.entry
    record = {
        **{"image_id": entry.image_id, "uid": p["uid"], "point": point, "seq": entry.seq, "verdict": p["verdict"]},
        "value": dump({name: p[name] for name in ("value", "category_id", "x", "y") if p.get(name) is not None}),
        "original": None if original is None else dump(original),
        **{"reason": p.get("reason"), "time_ms": p.get("time_ms")},
        **{"session": entry.session, "annotator": entry.annotator},
    }
    _count_later(change, image, p["uid"], point, p["verdict"])
    change.insert("reviews", record)
    image["reviews"] += 1


def _take_flag_off(change: Change, image: Row, uid: str) -> None:
    """What was looked at again as a whole needs its flag no more."""
    flag = change.find("flags", image["id"], uid)
    if flag is not None:
        change.delete("flags", flag)
        image["flags"] -= 1


def _tally(table: str, row: Row, reviewed: set[int]) -> Tally:
    return tally_click(row, WHOLE in reviewed) if table == "clicks" else tally_box(row, reviewed)


def _outcome(
    change: Change, image: Row, table: str, row: Row, point: int
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Columns that a verdict changes, and what they held."""
    p = change.entry.payload
    if p["verdict"] in ("confirm", "later"):
        return {}, None
    if point != WHOLE:
        count = len(row["labels"])
        original = {
            "value": packing.ANSWERS[row["labels"][point]],
            "time_ms": packing.unpack_optional(row["times"], count)[point],
            "session": packing.unpack_optional(row["point_sessions"], count)[point],
            "annotator": packing.unpack_optional(row["point_annotators"], count)[point],
        }
        value = "skip" if p["verdict"] == "delete" else p.get("value")
        if value is None:
            raise InputError("review, value: expected the answer that holds now, received None")
        return answered(change, row, point, value, p.get("time_ms")), original
    if p["verdict"] == "delete":
        return {"layer": REMOVED}, {"layer": row["layer"]}
    return _changed(change, image, table, row)


def _changed(change: Change, image: Row, table: str, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """Another class or another place of a whole object."""
    p = change.entry.payload
    values: dict[str, Any] = {}
    if p.get("category_id") is not None:
        if table == "boxes" and row["source"] != "mask":
            need_thing(change, p["category_id"])
        else:
            need_category(change, p["category_id"])
        values["category_id"] = p["category_id"]
        forget_absence(change, image, p["category_id"])
    if p.get("x") is not None and p.get("y") is not None:
        if table != "clicks":
            raise InputError("review, x, y: a box has no single place. Delete it and draw it again")
        need_inside(change, image, p["x"], p["y"])
        values |= {"x": p["x"], "y": p["y"]}
    if not values:
        raise InputError("review: expected category_id, or x and y, to change the object to; received neither")
    return values, {name: row[name] for name in values}


def _count_later(change: Change, image: Row, uid: str, point: int, verdict: str) -> None:
    """Keep count of what is put off: the newest verdict decides."""
    earlier = [
        row for row in change.rows_of_image("reviews", image["id"]) if row["uid"] == uid and row["point"] == point
    ]
    was_later = bool(earlier) and max(earlier, key=lambda row: row["seq"])["verdict"] == "later"
    image["later"] += int(verdict == "later") - int(was_later)
