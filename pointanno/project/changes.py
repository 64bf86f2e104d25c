"""The changes that one event makes to the tables, each noted with its inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Table, and_, bindparam, delete, insert, select, update

from pointanno.errors import InputError
from pointanno.project import schema
from pointanno.project.schema import IMAGE_STATE
from pointanno.project.tally import Tally, count_disagreements, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointanno.project.parts import PartReader
    from pointanno.project.store import Store

_TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        *(schema.images, schema.categories, schema.clicks, schema.boxes),
        *(schema.flags, schema.reviews, schema.category_aliases, schema.image_sets),
    )
}
_KEYS = {name: [column.name for column in table.primary_key] for name, table in _TABLES.items()}
_WHERE: Mapping[str, Any] = {
    name: and_(*[table.c[key] == bindparam(f"k_{key}") for key in _KEYS[name]]) for name, table in _TABLES.items()
}
_SELECT = {name: select(table).where(_WHERE[name]) for name, table in _TABLES.items()}
_INSERT = {name: insert(table) for name, table in _TABLES.items()}
_DELETE = {name: delete(table).where(_WHERE[name]) for name, table in _TABLES.items()}
_OF_IMAGE = {
    name: select(_TABLES[name]).where(_TABLES[name].c.image_id == bindparam("k_image"))
    for name in ("clicks", "boxes", "reviews", "flags")
}
_IMAGE = select(
    *[schema.images.c[name] for name in ("id", "file_name", "height", "width", *IMAGE_STATE)],
).where(schema.images.c.id == bindparam("k_id"))

Row = dict[str, Any]
NOTHING = Tally()


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
    is_new: bool = False
    """Whether it happens now; what lies in the journal already is held to the rules of its time."""


class Change:
    """Writes rows and remembers how to take that back.

    Parameters
    ----------
    store : open project file, inside of a transaction
    entry : the event
    parts : imported objects
    updates : statements that were built before, shared between events
    """

    def __init__(self, store: Store, entry: Entry, parts: PartReader, updates: dict[tuple[str, ...], Any]) -> None:
        self.store = store
        self.entry = entry
        self.parts = parts
        self._updates = updates
        self._images: dict[int, tuple[Row, Row]] = {}
        self.before: list[list[Any]] = []

    # rows -------------------------------------------------------------------------------------------------------

    def find(self, table: str, *key: Any) -> Row | None:
        """The row with this primary key."""
        row = self.store.execute(_SELECT[table], **_named(table, key)).fetchone()
        return None if row is None else dict(row)

    def rows_of_image(self, table: str, image_id: int) -> list[Row]:
        """Rows of `clicks`, `boxes`, `flags` or `reviews` that belong to an image."""
        return [dict(row) for row in self.store.execute(_OF_IMAGE[table], k_image=image_id).fetchall()]

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row."""
        self.store.execute(_INSERT[table], **row)
        self.before.append(["-", table, [row[key] for key in _KEYS[table]]])

    def delete(self, table: str, row: Mapping[str, Any]) -> None:
        """Remove a row."""
        self.store.execute(_DELETE[table], **_named(table, [row[key] for key in _KEYS[table]]))
        self.before.append(["+", table, _to_json(dict(row))])

    def update(self, table: str, row: Mapping[str, Any], **values: Any) -> None:
        """Change some columns of a row."""
        key = [row[name] for name in _KEYS[table]]
        self._write(table, key, values)
        self.before.append(["=", table, key, _to_json({name: row[name] for name in values})])

    # images -----------------------------------------------------------------------------------------------------

    def image(self, image_id: int | None = None, *, unpack: bool = True) -> Row:
        """The row of an image (of the event, by default), to be changed in place; written by `finish`.

        Parameters
        ----------
        image_id : int or None
        unpack : bool
            Whether its imported objects are about to be touched, too.

        Raises
        ------
        InputError
            If the project has no such image.
        """
        number = self.entry.image_id if image_id is None else image_id
        found = self._images.get(number) if number is not None else None
        if found is None:
            row = self.store.execute(_IMAGE, k_id=number).fetchone()
            if row is None or number is None:
                raise InputError(f"{self.entry.kind}, image_id: the project has no image {number}")
            found = self._images[number] = (dict(row), dict(row))
        image = found[0]
        if unpack and image["packed"]:
            self.parts.unpack_image(number)
            image["packed"] = found[1]["packed"] = 0
        return image

    def count(self, image: Row, *, of: Tally = NOTHING, minus: Tally = NOTHING, layer: int = 0, **deltas: int) -> None:
        """Add to the counters of an image; annotations of other layers are counted apart.

        Parameters
        ----------
        image : what `image` gave
        of, minus : Tally
            Of the object now, and as it was before.
        layer : int
            Where the object lies.
        **deltas : int
            Further counters and what is to be added.
        """
        if layer:
            image["others"] += sum(deltas.get(name, 0) for name in ("clicks", "boxes"))
            return
        for name, now, then in zip(Tally._fields, of, minus, strict=True):
            image[name] += now - then
        for name, delta in deltas.items():
            image[name] += delta

    def finish(self) -> None:
        """Write the images that were changed, with the counters that follow from the others."""
        for number, (image, old) in self._images.items():
            if image["others"] or old["others"]:
                image["disagreements"] = count_disagreements(
                    self.rows_of_image("clicks", number), self.rows_of_image("boxes", number), image["second"]
                )
            image["state"] = state_of(image)
            changed = {name: image[name] for name in IMAGE_STATE if image[name] != old[name]}
            if changed:
                self._write("images", [number], changed)
                self.before.append(["=", "images", [number], {name: old[name] for name in changed}])

    # back -------------------------------------------------------------------------------------------------------

    def revert(self, before: list[list[Any]]) -> None:
        """Put back what `before` says, last change first."""
        for step in reversed(before):
            match step:
                case ["-", table, key]:
                    self.store.execute(_DELETE[table], **_named(table, key))
                case ["+", table, row]:
                    self.store.execute(_INSERT[table], **_from_json(row))
                case ["=", table, key, values]:
                    self._write(table, key, _from_json(values))
                case _:
                    raise AssertionError(f"unknown inverse {step[0]!r}")

    def _write(self, table: str, key: list[Any], values: Mapping[str, Any]) -> None:
        names = (table, *values)
        statement = self._updates.get(names)
        if statement is None:
            assigned: dict[str, Any] = {name: bindparam(f"v_{name}") for name in values}
            statement = self._updates[names] = update(_TABLES[table]).where(_WHERE[table]).values(assigned)
        self.store.execute(statement, **_named(table, key), **{f"v_{name}": value for name, value in values.items()})


def _named(table: str, key: Any) -> dict[str, Any]:
    """A primary key as parameters."""
    return {f"k_{name}": value for name, value in zip(_KEYS[table], key, strict=True)}


def _to_json(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes as hexadecimal digits under a marked key."""
    return {(f"{k}#" if isinstance(v, bytes) else k): (v.hex() if isinstance(v, bytes) else v) for k, v in row.items()}


def _from_json(row: dict[str, Any]) -> dict[str, Any]:
    return {k.removesuffix("#"): bytes.fromhex(v) if k.endswith("#") else v for k, v in row.items()}


def dump(value: Any) -> str:
    """A value as JSON text for a column."""
    return orjson.dumps(value).decode()
