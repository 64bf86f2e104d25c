"""What a person says about a whole image: complete, without a class, to be looked at again, to be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from pointanno.errors import InputError
from pointanno.project.changes import dump
from pointanno.project.effects.needs import annotated_categories, need_any, need_category
from pointanno.project.parts import closure_of

if TYPE_CHECKING:
    from pointanno.project.changes import Change


def complete(change: Change) -> None:
    """Every thing, or all of the stuff, of an image is annotated."""
    p, image = change.entry.payload, change.image(unpack=False)
    image["complete_things"], image["complete_stuff"] = int(p["things"]), int(p["stuff"])


def absent(change: Change) -> None:
    """An image shows nothing of a class, or may do so after all."""
    p, image = change.entry.payload, change.image()
    category = need_category(change, p["category_id"])
    there = set(orjson.loads(image["absent"])) - closure_of(p["category_id"], change.parts.aliases())
    if p["absent"]:
        if change.entry.is_new and p["category_id"] in annotated_categories(change, image):
            raise InputError(
                f"absent, category_id: {category['name']!r} is annotated on {image['file_name']}, so it cannot be "
                "absent. Delete its annotations first"
            )
        there |= closure_of(p["category_id"], change.parts.aliases())
    image["absent"] = dump(sorted(there))


def flag(change: Change) -> None:
    """An image, or one object of it, is to be looked at again, or no more."""
    p, image, entry = change.entry.payload, change.image(unpack=bool(change.entry.payload.get("uid"))), change.entry
    uid = p.get("uid", "")
    if uid:
        need_any(change, image, uid)
    row = change.find("flags", entry.image_id, uid)
    if row is not None:
        change.delete("flags", row)
        image["flags"] -= 1
    if p["flagged"]:
        row = {"image_id": entry.image_id, "uid": uid, "reason": p.get("reason", "")}
        row |= {"born": entry.seq, "session": entry.session, "annotator": entry.annotator}
        change.insert("flags", row)
        image["flags"] += 1


def skip_image(change: Change) -> None:
    """An image is left out for a reason, or taken in again."""
    p, image = change.entry.payload, change.image(unpack=False)
    image["skipped"] = p.get("reason", "") if p["skipped"] else None
