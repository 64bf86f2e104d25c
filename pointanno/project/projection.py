"""From events to the current state, and back.

`Projection.apply` changes the tables as one event asks and returns what they held before; `Projection.revert` puts
that back. Undo happens in the reverse order of doing, so what an event found is exactly what must be there again.
Applying the same event to the same state always does the same: redo and rebuild rest on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Table, bindparam, delete, insert, select, update

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.parts import PartReader
from pointanno.project.schema import boxes, categories, clicks, images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointanno.project.store import Store

_TABLES: Mapping[str, Table] = {"clicks": clicks, "boxes": boxes, "categories": categories}
_INSERT = {name: insert(table) for name, table in _TABLES.items()}
_OF_IMAGE = {
    table.name: (table.c.image_id == bindparam("k_image")) & (table.c.uid == bindparam("k_uid"))
    for table in (clicks, boxes)
}
_KEY: Mapping[str, Any] = {**_OF_IMAGE, "categories": categories.c.id == bindparam("k_id")}
_SELECT = {name: select(table).where(_KEY[name]) for name, table in _TABLES.items()}
_DELETE = {name: delete(table).where(_KEY[name]) for name, table in _TABLES.items()}
_IMAGE = select(
    *[images.c[name] for name in ("id", "file_name", "height", "width", "clicks", "boxes", "answers")],
    *[images.c[name] for name in ("next_instance", "packed", "complete_things", "complete_stuff", "absent")],
).where(images.c.id == bindparam("k_id"))
_CATEGORY_NAMED = select(categories.c.id).where(categories.c.name == bindparam("k_name"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What the projection needs to know of an event."""

    seq: int
    uuid: str
    kind: str
    image_id: int | None
    payload: dict[str, Any]
    session: int | None
    annotator: int | None


class _Change:
    """The changes of one event, each noted with its inverse."""

    def __init__(self, store: Store, image_id: int | None, updates: dict[tuple[str, ...], Any]) -> None:
        self._store = store
        self._image_id = image_id
        self._updates = updates
        self.before: list[list[Any]] = []

    def _key(self, table: str, key: Any) -> dict[str, Any]:
        return {"k_id": key} if table == "categories" else {"k_image": self._image_id, "k_uid": key}

    def find(self, table: str, key: Any) -> Mapping[str, Any] | None:
        """The row with this uid (or id, for categories)."""
        row: Mapping[str, Any] | None = self._store.execute(_SELECT[table], **self._key(table, key)).fetchone()
        return row

    def insert(self, table: str, key: Any, row: Mapping[str, Any]) -> None:
        self._store.execute(_INSERT[table], **row)
        self.before.append(["-", table, key])

    def delete(self, table: str, key: Any, row: Mapping[str, Any]) -> None:
        self._store.execute(_DELETE[table], **self._key(table, key))
        self.before.append(["+", table, _to_json(dict(row))])

    def update(self, table: str, key: Any, row: Mapping[str, Any], **values: Any) -> None:
        self.write(table, self._key(table, key), values)
        self.before.append(["=", table, key, _to_json({name: row[name] for name in values})])

    def update_image(self, image: Mapping[str, Any], **values: Any) -> None:
        self.write("images", {"k_id": image["id"]}, values)
        self.before.append(["i", {name: image[name] for name in values}])

    def write(self, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Update some columns of one row."""
        names = (table, *values)
        statement = self._updates.get(names)
        if statement is None:
            target = images if table == "images" else _TABLES[table]
            where = images.c.id == bindparam("k_id") if table == "images" else _KEY[table]
            statement = update(target).where(where).values({name: bindparam(f"v_{name}") for name in values})
            self._updates[names] = statement
        self._store.execute(statement, **key, **{f"v_{name}": value for name, value in values.items()})

    def revert(self, before: list[list[Any]]) -> None:
        """Put back what `before` says, last change first."""
        for step in reversed(before):
            match step:
                case ["-", table, key]:
                    self._store.execute(_DELETE[table], **self._key(table, key))
                case ["+", table, row]:
                    self._store.execute(_INSERT[table], **_from_json(row))
                case ["=", table, key, values]:
                    self.write(table, self._key(table, key), _from_json(values))
                case ["i", values]:
                    self.write("images", {"k_id": self._image_id}, values)
                case _:
                    raise AssertionError(f"unknown inverse {step[0]!r}")


class Projection:
    """The current state of a project as tables."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._updates: dict[tuple[str, ...], Any] = {}
        self.parts = PartReader(store)

    def apply(self, entry: Entry) -> list[list[Any]]:
        """Change the tables as the event asks; `entry.payload` is completed in place.

        Returns
        -------
        list
            What `revert` needs; plain enough for JSON.

        Raises
        ------
        InputError
            If the event does not fit the state, naming kind and field. The caller rolls back.
        """
        if entry.kind == "import":
            return self.parts.add(entry.seq, entry.payload)
        change = _Change(self._store, entry.image_id, self._updates)
        if entry.kind in ("category_added", "category_changed"):
            getattr(self, f"_{entry.kind}")(entry, change)
        else:
            image = self._store.execute(_IMAGE, k_id=entry.image_id).fetchone()
            if image is None:
                raise InputError(f"{entry.kind}, image_id: the project has no image {entry.image_id}")
            if image["packed"]:
                self.parts.unpack_image(entry.image_id)
            getattr(self, f"_{entry.kind}")(entry, change, image)
        return change.before

    def revert(self, entry: Entry, before: list[list[Any]]) -> None:
        """Undo `apply`; the state must be the one that it left."""
        if entry.kind == "import":
            self.parts.remove(entry.seq, before)
        else:
            _Change(self._store, entry.image_id, self._updates).revert(before)

    # one method a kind -----------------------------------------------------------------------------------------

    def _click(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        self._need_category(entry, p["category_id"])
        self._need_inside(entry, image, p["x"], p["y"])
        self._need_new(entry, change)
        instance = p.setdefault("instance", image["next_instance"])
        row = {
            **{"image_id": entry.image_id, "uid": p["uid"], "born": entry.seq, "rank": 0},
            **{"category_id": p["category_id"], "x": p["x"], "y": p["y"], "instance": instance},
            **{"code": packing.CODES["object"], "time_ms": p.get("time_ms"), "source": "click"},
            **{"session": entry.session, "annotator": entry.annotator, "linked": None},
        }
        change.insert("clicks", p["uid"], row)
        change.update_image(image, clicks=image["clicks"] + 1, next_instance=max(image["next_instance"], instance + 1))

    def _box(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        self._need_thing(entry, p["category_id"])
        self._need_new(entry, change)
        x0, y0, x1, y1 = p["box"]
        if x0 < 0 or y0 < 0 or x1 > image["width"] or y1 > image["height"]:
            raise InputError(
                f"box, box: {p['box']} reaches out of {image['file_name']}, which is {image['width']} wide and "
                f"{image['height']} high. Draw the box inside the image"
            )
        row = {
            **{"image_id": entry.image_id, "uid": p["uid"], "born": entry.seq, "rank": 0},
            **{"category_id": p["category_id"], "x0": x0, "y0": y0, "x1": x1, "y1": y1},
            **self._point_columns(entry, image),
            **{"resample": 0, "source": "drag", "time_ms": p.get("time_ms"), "drag_ms": p.get("drag_ms")},
            **{"session": entry.session, "annotator": entry.annotator, "iscrowd": 0},
            **{"area": None, "mask": None, "extra": None},
        }
        change.insert("boxes", p["uid"], row)
        change.update_image(image, boxes=image["boxes"] + 1)

    def _resample(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        row = self._need_box(entry, change)
        columns = self._point_columns(entry, image)
        change.update("boxes", row["uid"], row, **columns, resample=row["resample"] + 1)
        change.update_image(image, answers=image["answers"] - _answered(row["labels"]))

    def _answer(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        row = self._need_box(entry, change)
        labels, index = bytearray(row["labels"]), p["point"]
        count = len(labels)
        if index >= count:
            raise InputError(f"answer, point: box {row['uid']} has points 0 to {count - 1}, received {index}")
        is_first = labels[index] in (packing.UNANSWERED, packing.CODES["pad"])
        labels[index] = packing.CODES[p["value"]]
        change.update(
            "boxes",
            row["uid"],
            row,
            labels=bytes(labels),
            times=packing.replace_optional(row["times"], count, index, p.get("time_ms")),
            point_sessions=packing.replace_optional(row["point_sessions"], count, index, entry.session),
            point_annotators=packing.replace_optional(row["point_annotators"], count, index, entry.annotator),
        )
        if is_first:
            change.update_image(image, answers=image["answers"] + 1)

    def _move(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        self._need_inside(entry, image, p["x"], p["y"])
        row = change.find("clicks", p["uid"])
        if row is None:
            raise InputError(f"move, uid: {image['file_name']} has no click {p['uid']}")
        change.update("clicks", p["uid"], row, x=p["x"], y=p["y"])

    def _reclass(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        table, row = self._need_any(entry, change, image)
        if table == "boxes":
            self._need_thing(entry, entry.payload["category_id"])
        else:
            self._need_category(entry, entry.payload["category_id"])
        change.update(table, row["uid"], row, category_id=entry.payload["category_id"])

    def _delete(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        table, row = self._need_any(entry, change, image)
        change.delete(table, row["uid"], row)
        if table == "clicks":
            change.update_image(image, clicks=image["clicks"] - 1)
        else:
            answers = image["answers"] - _answered(row["labels"])
            change.update_image(image, boxes=image["boxes"] - 1, answers=answers)

    def _complete(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        change.update_image(image, complete_things=int(p["things"]), complete_stuff=int(p["stuff"]))

    def _absent(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        self._need_category(entry, p["category_id"])
        absent = set(orjson.loads(image["absent"])) - {p["category_id"]}
        if p["absent"]:
            absent.add(p["category_id"])
        change.update_image(image, absent=orjson.dumps(sorted(absent)).decode())

    def _mask(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> None:
        p = entry.payload
        row = self._need_box(entry, change)
        size = None if p["rle"] is None else p["rle"].get("size")
        if size not in (None, [image["height"], image["width"]]):
            raise InputError(
                f"mask, rle.size: expected [{image['height']}, {image['width']}] as {image['file_name']} has, "
                f"received {size}"
            )
        mask = None if p["rle"] is None else orjson.dumps([p["rle"], p["source"] or "painted"]).decode()
        change.update("boxes", row["uid"], row, mask=mask)

    def _category_added(self, entry: Entry, change: _Change) -> None:
        p = entry.payload
        if change.find("categories", p["id"]) is not None:
            raise InputError(f"category_added, id: the project already has a category {p['id']}")
        self._need_free_name(entry, p["name"], p["id"])
        row = {**p, "isthing": int(p["isthing"]), "origin": entry.seq}
        row["supercategory"] = p.get("supercategory", "")
        row["color"] = _color(p.get("color"))
        change.insert("categories", p["id"], row)

    def _category_changed(self, entry: Entry, change: _Change) -> None:
        p = entry.payload
        row = change.find("categories", p["id"])
        if row is None:
            raise InputError(f"category_changed, id: the project has no category {p['id']}")
        values: dict[str, Any] = {}
        if "name" in p:
            self._need_free_name(entry, p["name"], p["id"])
            values["name"] = p["name"]
        if "isthing" in p:
            if row["isthing"] and not p["isthing"] and self.parts.has_boxes_of(p["id"]):
                raise InputError(
                    f"category_changed, isthing: there are boxes of {row['name']!r}, and only things have boxes. "
                    "Delete them or give them another class first"
                )
            values["isthing"] = int(p["isthing"])
        if "color" in p:
            values["color"] = _color(p["color"])
        if values:
            change.update("categories", p["id"], row, **values)

    # what several kinds need ------------------------------------------------------------------------------------

    def _point_columns(self, entry: Entry, image: Mapping[str, Any]) -> dict[str, Any]:
        """Columns of points that nobody has answered yet."""
        p = entry.payload
        for x, y in p["point_coords"]:
            self._need_inside(entry, image, x, y)
        return {
            "coords": packing.pack_coords(p["point_coords"]),
            "labels": bytes([packing.UNANSWERED]) * len(p["point_coords"]),
            **{"times": b"", "point_sessions": b"", "point_annotators": b"", "point_sources": "random"},
            **{"point_seed": p.get("point_seed"), "sampler": p.get("sampler")},
        }

    def _need_thing(self, entry: Entry, category_id: int) -> None:
        """Boxes of stuff would be learnt as objects, and no format has room for them."""
        category = self._need_category(entry, category_id)
        if not category["isthing"]:
            raise InputError(
                f"{entry.kind}, category_id: {category['name']!r} is stuff, and only things have boxes. "
                "Pick a class of things, or click on the region"
            )

    def _need_category(self, entry: Entry, category_id: int) -> Mapping[str, Any]:
        category: Mapping[str, Any] | None = self._store.execute(_SELECT["categories"], k_id=category_id).fetchone()
        if category is None:
            known = ", ".join(str(row[0]) for row in self._store.execute(select(categories.c.id))) or "none yet"
            raise InputError(
                f"{entry.kind}, category_id: {category_id} is not among the classes of the project ({known})"
            )
        return category

    def _need_free_name(self, entry: Entry, name: str, own_id: int) -> None:
        found = self._store.execute(_CATEGORY_NAMED, k_name=name).fetchone()
        if found is not None and found["id"] != own_id:
            raise InputError(f"{entry.kind}, name: the project already has a class {name!r}. Choose another name")

    def _need_inside(self, entry: Entry, image: Mapping[str, Any], x: int, y: int) -> None:
        if not (0 <= x < image["width"] and 0 <= y < image["height"]):
            raise InputError(
                f"{entry.kind}, x, y: pixel ({x}, {y}) lies outside of {image['file_name']}, which is "
                f"{image['width']} wide and {image['height']} high"
            )

    def _need_new(self, entry: Entry, change: _Change) -> None:
        uid = entry.payload["uid"]
        if change.find("clicks", uid) is not None or change.find("boxes", uid) is not None:
            raise InputError(f"{entry.kind}, uid: {uid} is already used on this image. Give every annotation its own")

    def _need_box(self, entry: Entry, change: _Change) -> Mapping[str, Any]:
        row = change.find("boxes", entry.payload["uid"])
        if row is None:
            raise InputError(f"{entry.kind}, uid: image {entry.image_id} has no box {entry.payload['uid']}")
        return row

    def _need_any(self, entry: Entry, change: _Change, image: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        for table in ("clicks", "boxes"):
            row = change.find(table, entry.payload["uid"])
            if row is not None:
                return table, row
        uid = entry.payload["uid"]
        raise InputError(f"{entry.kind}, uid: {image['file_name']} has neither a click nor a box {uid}")


def _answered(labels: bytes) -> int:
    """How many points have an answer."""
    return len(labels) - labels.count(packing.UNANSWERED) - labels.count(packing.CODES["pad"])


def _color(color: list[int] | None) -> str | None:
    return None if color is None else orjson.dumps(color).decode()


def _to_json(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes as hexadecimal digits under a marked key."""
    return {(f"{k}#" if isinstance(v, bytes) else k): (v.hex() if isinstance(v, bytes) else v) for k, v in row.items()}


def _from_json(row: dict[str, Any]) -> dict[str, Any]:
    return {k.removesuffix("#"): bytes.fromhex(v) if k.endswith("#") else v for k, v in row.items()}
