"""Imported annotations: read from their immutable parts until somebody edits the image.

An import of millions of points is one event. Its objects stay in the packed parts that belong to the event; the
table `packed` says which parts count for an image. The first event that touches an image unpacks its objects into
the ordinary tables, so nothing is stored twice without need.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, select, update

from pointanno.project.packing import unpack_rows
from pointanno.project.schema import annotators, boxes, categories, clicks, images, import_parts, packed, sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pointanno.project.store import AnyRow, Store

_STATE = ("clicks", "boxes", "answers", "next_instance", "complete_things", "complete_stuff", "absent", "packed")
_PART = select(import_parts.c.data).where(
    import_parts.c.seq == bindparam("k_seq"), import_parts.c.part == bindparam("k_part")
)
_PART_NUMBERS = (
    select(import_parts.c.part).where(import_parts.c.seq == bindparam("k_seq")).order_by(import_parts.c.part)
)
_PACKED_OF = select(packed.c.seq, packed.c.part).where(packed.c.image_id == bindparam("k_image")).order_by(packed.c.seq)
_ALL_PACKED = select(packed.c.image_id, packed.c.seq, packed.c.part).order_by(packed.c.seq, packed.c.part)
_BOX_OF_CATEGORY = select(boxes.c.uid).where(boxes.c.category_id == bindparam("k_category")).limit(1)
_STATE_OF = select(*[images.c[name] for name in _STATE]).where(images.c.id == bindparam("k_id"))
_SET_STATE = (
    update(images).where(images.c.id == bindparam("k_id")).values(**{name: bindparam(f"v_{name}") for name in _STATE})
)
_COUNT_PACKED = (
    update(images)
    .where(images.c.id == bindparam("k_id"))
    .values(packed=select(func.count()).where(packed.c.image_id == bindparam("k_id")).scalar_subquery())
)
_ADD_PACKED = insert(packed)
_DROP_PACKED_IMAGE = delete(packed).where(packed.c.image_id == bindparam("k_id"))
_DROP_PACKED_IMPORT = delete(packed).where(packed.c.seq == bindparam("k_seq"))
_DROP_ROWS = {t.name: delete(t).where(t.c.born == bindparam("k_seq")) for t in (clicks, boxes)}
_DROP_CATEGORIES = delete(categories).where(categories.c.origin == bindparam("k_seq"))
_ADD_CATEGORY = insert(categories)
_ADD_SESSION = insert(sessions).prefix_with("or replace")
_ADD_ANNOTATOR = insert(annotators).prefix_with("or replace")
_ADD_ROWS = {"clicks": insert(clicks), "boxes": insert(boxes)}
_ROWS_OF = {
    t.name: select(t).where(t.c.image_id == bindparam("k_image")).order_by(t.c.born, t.c.rank) for t in (clicks, boxes)
}

_COLUMNS = {t.name: [column.name for column in t.columns] for t in (clicks, boxes)}

Rows = dict[str, list[dict[str, Any]]]
"""Rows of `clicks` and `boxes`, complete with uid and origin."""


def import_uid(import_uuid: str, rank: int) -> str:
    """Uid of the object with this number in an import: the same on every rebuild."""
    return f"{import_uuid[:20]}{rank:012x}"


class PartReader:
    """Access to imported objects, packed or not."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # a part holds several images that are read one after the other
        self._part = lru_cache(maxsize=4)(self._read_part)

    def rows(self, image: AnyRow) -> Rows:
        """All clicks and boxes of an image (a row of `images`) in the order in which they were made."""
        found: Rows = {"clicks": [], "boxes": []}
        for name, query in _ROWS_OF.items():
            if image[name]:  # the counter; most images of a large project have nothing
                # by position: a Row looks every name up by comparing it with all of them
                rows = self._store.execute(query, k_image=image["id"])
                found[name] = [dict(zip(_COLUMNS[name], row, strict=True)) for row in rows]
        if image["packed"]:
            for seq, part in self._store.execute(_PACKED_OF, k_image=image["id"]).fetchall():
                for name, more in self._part(seq, part).get(image["id"], {}).items():
                    found[name] = found[name] + more
            for objects in found.values():
                objects.sort(key=_order)
        return found

    def has_boxes_of(self, category_id: int) -> bool:
        """Whether any image has a box of this class."""
        if self._store.execute(_BOX_OF_CATEGORY, k_category=category_id).fetchone() is not None:
            return True
        for image_id, seq, part in self._store.execute(_ALL_PACKED).fetchall():
            boxes_there = self._part(seq, part).get(image_id, {}).get("boxes", [])
            if any(row["category_id"] == category_id for row in boxes_there):
                return True
        return False

    def unpack_image(self, image_id: int | None) -> None:
        """Move the imported objects of an image into the ordinary tables; its meaning stays the same."""
        for seq, part in self._store.execute(_PACKED_OF, k_image=image_id).fetchall():
            for name, rows in self._part(seq, part).get(image_id, {}).items():
                self._store.execute_many(_ADD_ROWS[name], rows)
        self._store.execute(_DROP_PACKED_IMAGE, k_id=image_id)
        self._store.execute(_COUNT_PACKED, k_id=image_id)

    def add(self, seq: int, payload: Mapping[str, Any]) -> list[list[Any]]:
        """Let the parts of an import count; returns what `remove` needs."""
        self._store.execute_many(_ADD_CATEGORY, [{**row, "origin": seq} for row in payload["categories"]])
        self._store.execute_many(_ADD_SESSION, [{**row, "origin": seq} for row in payload["sessions"]])
        self._store.execute_many(_ADD_ANNOTATOR, [{**row, "origin": seq} for row in payload["annotators"]])
        before: list[list[Any]] = []
        for (part,) in self._store.execute(_PART_NUMBERS, k_seq=seq).fetchall():
            changed, counted = [], []
            for image in unpack_rows(self._data(seq, part), until="images")["images"]:
                old = self._store.execute(_STATE_OF, k_id=image["id"]).fetchone()
                before.append([image["id"], *old])
                changed.append({"k_id": image["id"], **_merged(old, image)})
                counted.append({"image_id": image["id"], "seq": seq, "part": part})
            self._store.execute_many(_SET_STATE, changed)
            self._store.execute_many(_ADD_PACKED, counted)
        return before

    def remove(self, seq: int, before: Sequence[Sequence[Any]]) -> None:
        """The inverse of `add`. Sessions and annotators stay: their numbers must never be given away again."""
        for statement in (*_DROP_ROWS.values(), _DROP_PACKED_IMPORT, _DROP_CATEGORIES):
            self._store.execute(statement, k_seq=seq)
        for image_id, *old in before:
            values = {f"v_{name}": value for name, value in zip(_STATE, old, strict=True)}
            self._store.execute(_SET_STATE, k_id=image_id, **values)
            self._store.execute(_COUNT_PACKED, k_id=image_id)

    def _data(self, seq: int, part: int) -> bytes:
        data: bytes = self._store.execute(_PART, k_seq=seq, k_part=part).fetchone()[0]
        return data

    def _read_part(self, seq: int, part: int) -> dict[int | None, Rows]:
        """Objects of one part by image."""
        tables = unpack_rows(self._data(seq, part))
        uuid = tables["import"][0]["uuid"]
        found: dict[int | None, Rows] = {}
        for name in ("clicks", "boxes"):
            for row in _finished(tables[name], seq, uuid):
                found.setdefault(row["image_id"], {"clicks": [], "boxes": []})[name].append(row)
        return found


def _order(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["born"], row["rank"]


def _finished(rows: list[dict[str, Any]], seq: int, uuid: str) -> Iterator[dict[str, Any]]:
    """Rows with the columns that follow from the import itself."""
    for row in rows:
        row["born"] = seq
        row["uid"] = import_uid(uuid, row["rank"])
        if row.get("linked") is not None:
            row["linked"] = import_uid(uuid, row["linked"])
        yield row


def _merged(old: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    """State of an image after an import: counters add up, declarations of the file win."""
    absent = orjson.loads(old["absent"])
    if image["absent"]:
        absent = sorted({*absent, *image["absent"]})
    things, stuff = image["complete_things"], image["complete_stuff"]
    return {
        **{f"v_{name}": old[name] + image[name] for name in ("clicks", "boxes", "answers")},
        "v_next_instance": max(old["next_instance"], image["next_instance"]),
        "v_complete_things": old["complete_things"] if things is None else things,
        "v_complete_stuff": old["complete_stuff"] if stuff is None else stuff,
        "v_absent": orjson.dumps(absent).decode(),
        "v_packed": old["packed"] + 1,
    }
