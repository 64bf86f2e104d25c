"""What events need of the state, and the sentences for when it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, select

from pointanno.errors import InputError
from pointanno.project.changes import dump
from pointanno.project.layers import LAYERS, MAIN, REMOVED
from pointanno.project.parts import closure_of, resolved
from pointanno.project.schema import categories

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row

_IDS = select(categories.c.id).order_by(categories.c.id)
_NAMED = select(categories.c.id).where(categories.c.name == bindparam("k_name"))


def layer_of(change: Change) -> int:
    """Number of the layer that the event names; the main one by default."""
    return LAYERS[change.entry.payload.get("layer", "main")]


def need_category(change: Change, category_id: int) -> Row:
    """A class of the project."""
    category = change.find("categories", category_id)
    if category is None:
        known = ", ".join(str(row[0]) for row in change.store.execute(_IDS)) or "none yet"
        raise InputError(
            f"{change.entry.kind}, category_id: {category_id} is not among the classes of the project ({known})"
        )
    return category


def need_thing(change: Change, category_id: int) -> None:
    """Boxes of stuff would be learnt as objects, and no format has room for them."""
    category = need_category(change, category_id)
    if not category["isthing"]:
        raise InputError(
            f"{change.entry.kind}, category_id: {category['name']!r} is stuff, and only things have boxes. "
            "Pick a class of things, or click on the region"
        )


def need_free_name(change: Change, name: str, own_id: int) -> None:
    """No other class of this name."""
    found = change.store.execute(_NAMED, k_name=name).fetchone()
    if found is not None and found["id"] != own_id:
        raise InputError(f"{change.entry.kind}, name: the project already has a class {name!r}. Choose another name")


def need_inside(change: Change, image: Row, x: int, y: int) -> None:
    """A pixel of the image."""
    if not (0 <= x < image["width"] and 0 <= y < image["height"]):
        raise InputError(
            f"{change.entry.kind}, x, y: pixel ({x}, {y}) lies outside of {image['file_name']}, which is "
            f"{image['width']} wide and {image['height']} high"
        )


def need_new(change: Change, uid: str) -> None:
    """A uid that nothing on the image has."""
    number = change.entry.image_id
    if change.find("clicks", number, uid) is not None or change.find("boxes", number, uid) is not None:
        raise InputError(
            f"{change.entry.kind}, uid: {uid} is already used on this image. Give every annotation its own"
        )


def need_box(change: Change, uid: str) -> Row:
    """A box of the image that no review has taken out."""
    row = change.find("boxes", change.entry.image_id, uid)
    if row is None or row["layer"] == REMOVED:
        raise InputError(f"{change.entry.kind}, uid: image {change.entry.image_id} has no box {uid}")
    return row


def need_any(change: Change, image: Row, uid: str) -> tuple[str, Row]:
    """A click or a box of the image: its table and its row."""
    for table in ("clicks", "boxes"):
        row = change.find(table, change.entry.image_id, uid)
        if row is not None and row["layer"] != REMOVED:
            return table, row
    raise InputError(f"{change.entry.kind}, uid: {image['file_name']} has neither a click nor a box {uid}")


def forget_absence(change: Change, image: Row, category_id: int, layer: int = MAIN) -> None:
    """Take back that a class is absent, now that one of it is there."""
    if layer != MAIN or image["absent"] == "[]":
        return
    gone = closure_of(category_id, change.parts.aliases())
    image["absent"] = dump([one for one in orjson.loads(image["absent"]) if one not in gone])


def annotated_categories(change: Change, image: Row) -> set[int]:
    """Classes of what lies in the main layer of an image."""
    found: set[int] = set()
    if image["clicks"] or image["boxes"]:
        aliases = change.parts.aliases()
        for table in ("clicks", "boxes"):
            rows = change.rows_of_image(table, image["id"])
            found |= {resolved(row["category_id"], aliases) for row in rows if row["layer"] == MAIN}
    return found


def reviewed_points(change: Change, image: Row, uid: str) -> set[int]:
    """Points of an object that need no more attention, because a review said what they are."""
    if not image["reviews"]:
        return set()
    rows = change.rows_of_image("reviews", image["id"])
    return {row["point"] for row in rows if row["uid"] == uid and row["verdict"] != "later"}


def extra_of(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    """Parts of a payload that are kept with the annotation as they are."""
    return {name: payload[name] for name in names if payload.get(name) is not None}
