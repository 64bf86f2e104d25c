"""Imported annotations: read from their immutable parts until somebody edits the image.

An import of millions of points is one event. Its objects stay in the packed parts that belong to the event; the
table `packed` says which parts count for an image. The first event that touches an image unpacks its objects into
the ordinary tables, so nothing is stored twice without need.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from sqlalchemy import bindparam, delete, func, insert, select, update

from pointanno.project.layers import LAYERS, MAIN
from pointanno.project.packing import unpack_rows
from pointanno.project.schema import (
    IMAGE_STATE,
    annotators,
    boxes,
    categories,
    category_aliases,
    clicks,
    flags,
    images,
    import_parts,
    packed,
    sessions,
)
from pointanno.project.tally import state_of, tally_box, tally_click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pointanno.project.store import AnyRow, Store

_STATE = (
    *("clicks", "boxes", "answers", "next_instance", "complete_things", "complete_stuff", "absent", "packed"),
    *("state", "others", "unsure", "fast", "skipped", "flags"),
)
"""Columns of `images` that an import may change."""

_COUNTED = ("clicks", "boxes", "answers", "unsure", "fast")
_PART = select(import_parts.c.data).where(
    import_parts.c.seq == bindparam("k_seq"), import_parts.c.part == bindparam("k_part")
)
_PART_NUMBERS = (
    select(import_parts.c.part).where(import_parts.c.seq == bindparam("k_seq")).order_by(import_parts.c.part)
)
_PACKED_OF = select(packed.c.seq, packed.c.part).where(packed.c.image_id == bindparam("k_image")).order_by(packed.c.seq)
_ALL_PACKED = select(packed.c.image_id, packed.c.seq, packed.c.part).order_by(packed.c.seq, packed.c.part)
_OF_CATEGORY = {
    t.name: select(t.c.image_id).where(t.c.category_id == bindparam("k_category")).distinct() for t in (clicks, boxes)
}
_DRAWN_BOX = (
    select(boxes.c.uid)
    .where(boxes.c.category_id == bindparam("k_category"), boxes.c.source.is_distinct_from("mask"))
    .limit(1)
)
_ALIASES = select(category_aliases.c.old, category_aliases.c.new)
_STATE_OF = select(*[images.c[name] for name in IMAGE_STATE]).where(images.c.id == bindparam("k_id"))
_FLAG_OF = select(flags.c.uid).where(flags.c.image_id == bindparam("k_id"), flags.c.uid == "")
_ADD_FLAG = insert(flags)
_DROP_FLAGS = delete(flags).where(flags.c.born == bindparam("k_seq"))
_NEXT_POSITION = select(func.coalesce(func.max(categories.c.position), -1) + 1)
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


def closure_of(category_id: int, aliases: Mapping[int, int | None]) -> set[int]:
    """A class and all that were merged into it."""
    return {category_id, *(old for old, new in aliases.items() if new == category_id)}


def resolved(category_id: int, aliases: Mapping[int, int | None]) -> int:
    """The class that a number stands for now."""
    found = aliases.get(category_id, category_id)
    return category_id if found is None else found


def resolve_absent(text: str, aliases: Mapping[int, int | None]) -> tuple[int, ...]:
    """Classes that an image shows nothing of: of merged ones, those where all parts were declared absent."""
    if text == "[]":
        return ()
    declared = set(orjson.loads(text))
    if not aliases:
        return tuple(sorted(declared))
    return tuple(sorted(one for one in declared if one not in aliases and closure_of(one, aliases) <= declared))


class PartReader:
    """Access to imported objects, packed or not."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # a part holds several images that are read one after the other
        self._part = lru_cache(maxsize=4)(self._read_part)
        self._counts: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._aliases: dict[int, int | None] | None = None

    def aliases(self) -> Mapping[int, int | None]:
        """Number of a class that was merged, to that of the class it counts as; None for one that was deleted."""
        if self._aliases is None:
            self._aliases = dict(self.alias_rows())
        return self._aliases

    def alias_rows(self) -> list[tuple[int, int | None]]:
        """The same, as it lies in the file now."""
        return [(row[0], row[1]) for row in self._store.execute(_ALIASES).fetchall()]

    def forget_aliases(self) -> None:
        """Read the aliases again the next time: the list of classes changed."""
        self._aliases = None

    def rows(self, image: AnyRow, layer: int | None = None) -> Rows:
        """Clicks and boxes of an image in the order in which they were made.

        Parameters
        ----------
        image : row of `images`
        layer : int or None
            None gives all layers.
        """
        found: Rows = {"clicks": [], "boxes": []}
        for name, query in _ROWS_OF.items():
            if image[name] or image["others"]:  # the counters; most images of a large project have nothing
                # by position: a Row looks every name up by comparing it with all of them
                rows = self._store.execute(query, k_image=image["id"])
                found[name] = [dict(zip(_COLUMNS[name], row, strict=True)) for row in rows]
        if image["packed"]:
            for seq, part in self._store.execute(_PACKED_OF, k_image=image["id"]).fetchall():
                for name, more in self._part(seq, part).get(image["id"], {}).items():
                    found[name] = found[name] + more
            for objects in found.values():
                objects.sort(key=_order)
        if layer is not None and (image["others"] or layer != MAIN):
            found = {name: [row for row in rows if row["layer"] == layer] for name, rows in found.items()}
        aliases = self.aliases()
        if aliases:
            for name, objects in found.items():
                found[name] = [
                    {**row, "category_id": resolved(row["category_id"], aliases)}
                    if row["category_id"] in aliases
                    else row
                    for row in objects
                ]
        return found

    def images_with(self, category_id: int) -> list[int]:
        """Images that have any annotation of a class, in whatever layer."""
        found: set[int] = set()
        wanted = closure_of(category_id, self.aliases())
        for one in wanted:
            for query in _OF_CATEGORY.values():
                found |= {row[0] for row in self._store.execute(query, k_category=one).fetchall()}
        for image_id, objects in self.packed_rows():
            if any(row["category_id"] in wanted for rows in objects.values() for row in rows):
                found.add(image_id)
        return sorted(found)

    def has_drawn_boxes_of(self, category_id: int) -> bool:
        """Whether any image has a box of this class that is more than the frame of a mask."""
        wanted = closure_of(category_id, self.aliases())
        if any(self._store.execute(_DRAWN_BOX, k_category=one).fetchone() is not None for one in wanted):
            return True
        return any(
            row["category_id"] in wanted and row["source"] != "mask"
            for _, objects in self.packed_rows()
            for row in objects.get("boxes", ())
        )

    def packed_rows(self) -> Iterator[tuple[int, Rows]]:
        """Objects that nobody has edited since they were imported, image by image."""
        for image_id, seq, part in self._store.execute(_ALL_PACKED).fetchall():
            yield image_id, self._part(seq, part).get(image_id, {})

    def packed_counts(self) -> Iterator[NDArray[np.int64]]:
        """The same, counted: (n, 7) of image, class, layer, clicks, boxes, masks, boxes without or around a mask.

        The last two overlap: a drawn box that got a mask is in both. Counted once a session, because parts never
        change.
        """
        images_of: dict[tuple[int, int], list[int]] = {}
        for image_id, seq, part in self._store.execute(_ALL_PACKED).fetchall():
            images_of.setdefault((seq, part), []).append(image_id)
        for place, ids in images_of.items():
            counts = self._counts.get(place)
            if counts is None:
                counts = self._counts[place] = _counted(self._part(*place))
            yield counts[np.isin(counts[:, 0], ids)]

    def unpack_image(self, image_id: int | None) -> None:
        """Move the imported objects of an image into the ordinary tables; its meaning stays the same."""
        for seq, part in self._store.execute(_PACKED_OF, k_image=image_id).fetchall():
            for name, rows in self._part(seq, part).get(image_id, {}).items():
                self._store.execute_many(_ADD_ROWS[name], rows)
        self._store.execute(_DROP_PACKED_IMAGE, k_id=image_id)
        self._store.execute(_COUNT_PACKED, k_id=image_id)

    def add(self, seq: int, payload: Mapping[str, Any]) -> list[list[Any]]:
        """Let the parts of an import count; returns what `remove` needs."""
        position = self._store.execute(_NEXT_POSITION).fetchone()[0]
        added = [
            {**row, "origin": seq, "position": position + number, "digit": None}
            for number, row in enumerate(payload["categories"])
        ]
        self._store.execute_many(_ADD_CATEGORY, added)
        self._store.execute_many(_ADD_SESSION, [{**row, "origin": seq} for row in payload["sessions"]])
        people = [{"uuid": "", **row, "origin": seq} for row in payload["annotators"]]
        self._store.execute_many(_ADD_ANNOTATOR, people)
        layer = LAYERS[payload.get("layer", "main")]
        before: list[list[Any]] = []
        for (part,) in self._store.execute(_PART_NUMBERS, k_seq=seq).fetchall():
            changed, counted = [], []
            for image in unpack_rows(self._data(seq, part), until="images")["images"]:
                old = self._store.execute(_STATE_OF, k_id=image["id"]).fetchone()
                before.append([image["id"], *[old[name] for name in _STATE]])
                if "unsure" not in image:  # written by a version that did not count these
                    image |= self._attention(seq, part, image["id"])
                is_flagged = self._store.execute(_FLAG_OF, k_id=image["id"]).fetchone() is not None
                if is_flagged or layer != MAIN:  # a flag that is there keeps its reason
                    image["flag"] = None
                changed.append({"k_id": image["id"], **_merged(old, image, layer)})
                counted.append({"image_id": image["id"], "seq": seq, "part": part})
                if image.get("flag") is not None:
                    flag = {"image_id": image["id"], "uid": "", "reason": image["flag"], "born": seq}
                    self._store.execute(_ADD_FLAG, **flag, session=None, annotator=None)
            self._store.execute_many(_SET_STATE, changed)
            self._store.execute_many(_ADD_PACKED, counted)
        return before

    def remove(self, seq: int, before: Sequence[Sequence[Any]]) -> None:
        """The inverse of `add`. Sessions and annotators stay: their numbers must never be given away again."""
        for statement in (*_DROP_ROWS.values(), _DROP_PACKED_IMPORT, _DROP_CATEGORIES, _DROP_FLAGS):
            self._store.execute(statement, k_seq=seq)
        for image_id, *old in before:
            values = {f"v_{name}": value for name, value in zip(_STATE, old, strict=True)}
            self._store.execute(_SET_STATE, k_id=image_id, **values)
            self._store.execute(_COUNT_PACKED, k_id=image_id)

    def _attention(self, seq: int, part: int, image_id: int) -> dict[str, int]:
        """Unsure and fast answers of an image in a part."""
        rows = self._part(seq, part).get(image_id, {"clicks": [], "boxes": []})
        tallies = [tally_click(row) for row in rows["clicks"]] + [tally_box(row) for row in rows["boxes"]]
        return {"unsure": sum(one.unsure for one in tallies), "fast": sum(one.fast for one in tallies)}

    def _data(self, seq: int, part: int) -> bytes:
        data: bytes = self._store.execute(_PART, k_seq=seq, k_part=part).fetchone()[0]
        return data

    def _read_part(self, seq: int, part: int) -> dict[int | None, Rows]:
        """Objects of one part by image."""
        tables = unpack_rows(self._data(seq, part))
        head = tables["import"][0]
        found: dict[int | None, Rows] = {}
        for name in ("clicks", "boxes"):
            for row in _finished(tables[name], seq, head["uuid"], LAYERS[head.get("layer", "main")], name == "clicks"):
                found.setdefault(row["image_id"], {"clicks": [], "boxes": []})[name].append(row)
        return found


def _counted(objects: Mapping[int | None, Rows]) -> NDArray[np.int64]:
    """Counts of the objects of a part, as `PartReader.packed_counts` gives them."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for image_id, tables in objects.items():
        assert image_id is not None
        for row in tables["clicks"]:
            found.setdefault((image_id, row["category_id"], row["layer"]), [0, 0, 0, 0])[0] += 1
        for row in tables["boxes"]:
            sums = found.setdefault((image_id, row["category_id"], row["layer"]), [0, 0, 0, 0])
            sums[1] += 1
            sums[2] += row["mask"] is not None
            sums[3] += row["source"] != "mask"
    rows = [[*place, *sums] for place, sums in found.items()]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 7)


def _order(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["born"], row["rank"]


def _finished(
    rows: list[dict[str, Any]], seq: int, uuid: str, layer: int, are_clicks: bool
) -> Iterator[dict[str, Any]]:
    """Rows with the columns that follow from the import itself, or that its version did not know."""
    for row in rows:
        row["born"] = seq
        row["uid"] = import_uid(uuid, row["rank"])
        row["layer"] = layer
        if are_clicks:
            extra = row.setdefault("extra", None)
            row["closed"] = int(extra is not None and bool(orjson.loads(extra).get("done")))
            if row["linked"] is not None:
                row["linked"] = import_uid(uuid, row["linked"])
        else:
            row["copy_of"] = None
        yield row


def _merged(old: Mapping[str, Any], image: Mapping[str, Any], layer: int) -> dict[str, Any]:
    """State of an image after an import: counters add up, declarations of the file win."""
    now = dict(zip(_STATE, [old[name] for name in _STATE], strict=True))
    now["packed"] += 1
    now["next_instance"] = max(old["next_instance"], image["next_instance"])
    if layer == MAIN:
        for name in _COUNTED:
            now[name] += image[name]
        if image["absent"]:
            now["absent"] = orjson.dumps(sorted({*orjson.loads(old["absent"]), *image["absent"]})).decode()
        for name in ("complete_things", "complete_stuff"):
            if image[name] is not None:
                now[name] = image[name]
        if image.get("skipped") is not None:
            now["skipped"] = image["skipped"]
        now["flags"] += image.get("flag") is not None
    else:
        now["others"] += image["clicks"] + image["boxes"]
    now["state"] = state_of({**dict(old), **now})
    return {f"v_{name}": value for name, value in now.items()}
