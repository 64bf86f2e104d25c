"""Which images are annotated how, and which of them twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pointanno.errors import InputError
from pointanno.project.changes import dump
from pointanno.project.layers import CHOSEN, NOT_CHOSEN, SECOND_DONE
from pointanno.project.schema import image_sets

if TYPE_CHECKING:
    from pointanno.project.changes import Change, Row

_NAMED = select(image_sets).where(image_sets.c.name == bindparam("k_name"))
_NEXT_SET = select(func.coalesce(func.max(image_sets.c.id), 0) + 1)


def image_set(change: Change) -> None:
    """A named selection of images gets a protocol; images that it names leave the set where they were."""
    p = change.entry.payload
    row: Row | None = _found(change, p["name"])
    values: dict[str, Any] = {"protocol": p["protocol"], "options": dump(p.get("options", {}))}
    if row is None:
        number = int(change.store.execute(_NEXT_SET).fetchone()[0])
        row = {"id": number, "name": p["name"], "origin": change.entry.seq, **values}
        change.insert("image_sets", row)
    elif any(row[name] != value for name, value in values.items()):
        change.update("image_sets", row, **values)
    for image_id in p.get("image_ids", ()):
        change.image(image_id, unpack=False)["image_set"] = row["id"]


def second_pass(change: Change) -> None:
    """The images that a second person annotates, too; those chosen before and not begun are let go."""
    p = change.entry.payload
    for image_id in p.get("released_ids", ()):
        image = change.image(image_id, unpack=False)
        if image["second"] == CHOSEN:
            image["second"] = NOT_CHOSEN
    for image_id in p["image_ids"]:
        image = change.image(image_id, unpack=False)
        if image["second"] == NOT_CHOSEN:
            image["second"] = CHOSEN


def second_done(change: Change) -> None:
    """The second opinion on an image is complete, or is not after all."""
    p, image = change.entry.payload, change.image(unpack=False)
    if image["second"] == NOT_CHOSEN:
        raise InputError(
            f"second_done, image_id: {image['file_name']} is not among the images of the second pass. Choose it first"
        )
    image["second"] = SECOND_DONE if p["done"] else CHOSEN


def _found(change: Change, name: str) -> Row | None:
    row = change.store.execute(_NAMED, k_name=name).fetchone()
    return None if row is None else dict(row)
