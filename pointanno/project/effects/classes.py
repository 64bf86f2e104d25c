"""The list of classes: adding, changing, ordering, merging and deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pointanno.errors import InputError
from pointanno.project.changes import dump
from pointanno.project.effects.clicks import remove
from pointanno.project.effects.needs import need_category, need_free_name
from pointanno.project.schema import categories

if TYPE_CHECKING:
    from pointanno.project.changes import Change

_ALL = select(categories).order_by(categories.c.position, categories.c.id)
_NEXT_POSITION = select(func.coalesce(func.max(categories.c.position), -1) + 1)
_WITH_DIGIT = select(categories).where(categories.c.digit == bindparam("k_digit"))


def category_added(change: Change) -> None:
    """A new class at the end of the list."""
    p = change.entry.payload
    if change.find("categories", p["id"]) is not None or change.find("category_aliases", p["id"]) is not None:
        raise InputError(f"category_added, id: the project already has a category {p['id']}")
    need_free_name(change, p["name"], p["id"])
    row = {"id": p["id"], "name": p["name"], "isthing": int(p["isthing"]), "origin": change.entry.seq}
    row |= {"supercategory": p.get("supercategory", ""), "color": _color(p.get("color")), "digit": None}
    row["position"] = change.store.execute(_NEXT_POSITION).fetchone()[0]
    change.insert("categories", row)


def category_changed(change: Change) -> None:
    """Another name, colour, kind or digit."""
    p = change.entry.payload
    row = change.find("categories", p["id"])
    if row is None:
        raise InputError(f"category_changed, id: the project has no category {p['id']}")
    values: dict[str, Any] = {}
    if "name" in p:
        need_free_name(change, p["name"], p["id"])
        values["name"] = p["name"]
    if "isthing" in p:
        if row["isthing"] and not p["isthing"] and change.parts.has_drawn_boxes_of(p["id"]):
            raise InputError(
                f"category_changed, isthing: there are boxes of {row['name']!r}, and only things have boxes. "
                "Delete them or give them another class first"
            )
        values["isthing"] = int(p["isthing"])
    if "color" in p:
        values["color"] = _color(p["color"])
    if "digit" in p:
        values["digit"] = None if p["digit"] < 0 else p["digit"]
        if values["digit"] is not None:
            for other in change.store.execute(_WITH_DIGIT, k_digit=p["digit"]).fetchall():
                change.update("categories", dict(other), digit=None)
                if other["id"] == p["id"]:
                    row["digit"] = None
    if values:
        change.update("categories", row, **values)


def categories_reordered(change: Change) -> None:
    """Another order of the list."""
    wanted = change.entry.payload["ids"]
    there = [dict(row) for row in change.store.execute(_ALL).fetchall()]
    if sorted(wanted) != sorted(row["id"] for row in there):
        raise InputError(
            f"categories_reordered, ids: expected each of {[row['id'] for row in there]} once, received {wanted}"
        )
    for row in there:
        position = wanted.index(row["id"])
        if row["position"] != position:
            change.update("categories", row, position=position)


def categories_merged(change: Change) -> None:
    """Everything of one class counts as another from now on.

    Annotations keep the number that they were made with; the alias says what it means. So a class with a million
    annotations merges, and comes back, at once.
    """
    p = change.entry.payload
    source, target = need_category(change, p["source"]), need_category(change, p["target"])
    if source["id"] == target["id"]:
        raise InputError(f"categories_merged: {source['name']!r} cannot be merged with itself. Name two classes")
    if source["isthing"] != target["isthing"]:
        kinds = [("thing" if row["isthing"] else "stuff") for row in (source, target)]
        raise InputError(
            f"categories_merged: {source['name']!r} is {kinds[0]} and {target['name']!r} is {kinds[1]}. "
            "Make them of one kind first, so that it is clear what becomes of the annotations"
        )
    for old, new in change.parts.alias_rows():
        if new == source["id"]:
            row = change.find("category_aliases", old)
            assert row is not None
            change.update("category_aliases", row, new=target["id"])
    change.insert("category_aliases", {"old": source["id"], "new": target["id"], "origin": change.entry.seq})
    change.delete("categories", source)


def category_deleted(change: Change) -> None:
    """A class goes; what is annotated as it goes too, if that was asked for."""
    p = change.entry.payload
    row = change.find("categories", p["id"])
    if row is None:
        raise InputError(f"category_deleted, id: the project has no category {p['id']}")
    used = change.parts.images_with(p["id"])
    if used and not p.get("with_annotations", False):
        raise InputError(
            f"category_deleted, id: {row['name']!r} is annotated on {len(used)} images. Merge it into another class, "
            "or delete it together with its annotations"
        )
    aliases = change.parts.aliases()
    gone = {p["id"]} | {old for old, new in aliases.items() if new == p["id"]}
    for image_id in used:
        image = change.image(image_id)
        for table in ("clicks", "boxes"):
            for one in change.rows_of_image(table, image_id):
                if one["category_id"] in gone:
                    remove(change, image, table, one)
    change.insert("category_aliases", {"old": p["id"], "new": None, "origin": change.entry.seq})
    change.delete("categories", row)


def _color(color: list[int] | None) -> str | None:
    return None if color is None else dump(color)
