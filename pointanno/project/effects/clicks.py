"""Clicks and the targets that they make up; deleting and changing the class of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.changes import dump
from pointanno.project.effects.needs import (
    extra_of,
    forget_absence,
    layer_of,
    need_any,
    need_category,
    need_inside,
    need_new,
    need_thing,
    reviewed_points,
)
from pointanno.project.layers import REMOVED
from pointanno.project.parts import resolved
from pointanno.project.tally import WHOLE, tally_box, tally_click

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row

MANUAL = "manual"


def click(change: Change) -> None:
    """A click on a thing or a region; without a number it begins a target of its own."""
    p, image, entry = change.entry.payload, change.image(), change.entry
    need_category(change, p["category_id"])
    need_inside(change, image, p["x"], p["y"])
    need_new(change, p["uid"])
    instance: int = p.setdefault("instance", int(image["next_instance"]))
    provenance = p.get("provenance", MANUAL)
    extra = extra_of(p, "suggested_by")
    row = {
        **{"image_id": entry.image_id, "uid": p["uid"], "born": entry.seq, "rank": 0},
        **{"category_id": p["category_id"], "x": p["x"], "y": p["y"], "instance": instance},
        **{"code": packing.CODES["object"], "time_ms": p.get("time_ms")},
        **{"source": "click" if provenance == MANUAL else provenance},
        **{"session": entry.session, "annotator": entry.annotator, "linked": None},
        **{"layer": layer_of(change), "closed": 0, "extra": dump(extra) if extra else None},
    }
    change.insert("clicks", row)
    change.count(image, of=tally_click(row), layer=row["layer"], clicks=1)
    image["next_instance"] = max(image["next_instance"], instance + 1)
    forget_absence(change, image, p["category_id"], row["layer"])


def move(change: Change) -> None:
    """A click goes to another pixel."""
    p, image = change.entry.payload, change.image()
    need_inside(change, image, p["x"], p["y"])
    row = change.find("clicks", change.entry.image_id, p["uid"])
    if row is None or row["layer"] == REMOVED:
        raise InputError(f"move, uid: {image['file_name']} has no click {p['uid']}")
    change.update("clicks", row, x=p["x"], y=p["y"])


def target_done(change: Change) -> None:
    """Nothing more is to be clicked on the target of a click, or something is after all."""
    p, image = change.entry.payload, change.image()
    row = change.find("clicks", change.entry.image_id, p["uid"])
    if row is None or row["layer"] == REMOVED:
        raise InputError(f"target_done, uid: {image['file_name']} has no click {p['uid']}")
    for one in _target_of(change, row):
        if one["closed"] != int(p["done"]):
            change.update("clicks", one, closed=int(p["done"]))


def reclass(change: Change) -> None:
    """An object gets another class, the other clicks of its target too if that is asked for."""
    p, image = change.entry.payload, change.image()
    table, row = need_any(change, image, p["uid"])
    if table == "boxes" and row["source"] != "mask":
        need_thing(change, p["category_id"])
    else:
        need_category(change, p["category_id"])
    for one in _objects(change, table, row):
        change.update(table, one, category_id=p["category_id"])
    forget_absence(change, image, p["category_id"], row["layer"])


def delete(change: Change) -> None:
    """An object goes, the other clicks of its target too if that is asked for."""
    image = change.image()
    table, row = need_any(change, image, change.entry.payload["uid"])
    for one in _objects(change, table, row):
        remove(change, image, table, one)


def remove(change: Change, image: Row, table: str, row: Row) -> None:
    """Remove one row together with its flag and what it adds to the counters."""
    reviewed = reviewed_points(change, image, row["uid"])
    change.delete(table, row)
    if row["layer"] == REMOVED:
        image["others"] -= 1
    elif table == "clicks":
        change.count(image, minus=tally_click(row, WHOLE in reviewed), layer=row["layer"], clicks=-1)
    else:
        change.count(image, minus=tally_box(row, reviewed), layer=row["layer"], boxes=-1)
    flag = change.find("flags", image["id"], row["uid"]) if image["flags"] else None
    if flag is not None:
        change.delete("flags", flag)
        image["flags"] -= 1


def _objects(change: Change, table: str, row: Row) -> list[Row]:
    """What a change of one row concerns."""
    if change.entry.payload.get("whole_target") and table == "clicks":
        return _target_of(change, row)
    return [row]


def _target_of(change: Change, row: Row) -> list[Row]:
    """The clicks that belong together: of one object, or of one class of stuff."""
    aliases = change.parts.aliases()

    category = need_category(change, resolved(row["category_id"], aliases))
    return [
        one
        for one in change.rows_of_image("clicks", row["image_id"])
        if resolved(one["category_id"], aliases) == category["id"]
        and one["layer"] == row["layer"]
        and (not category["isthing"] or one["instance"] == row["instance"])
    ]
