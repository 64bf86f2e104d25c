"""Points as bytes: the columns of `boxes`, and the immutable parts of an import.

Shape letters: P points of one box, R rows.

Columns of a box
    coords ``<i2`` or ``<i4`` (P, 2); labels ``u1`` (P); times, sessions, annotators ``<i4`` (P), -1 for none, and
    no bytes at all if every entry is none.

Parts of an import
    Rows of several tables by column. A JSON header tells for each column how it is stored; constant columns and
    text live in the header, numbers and bytes behind it. The whole is deflated.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

CODES: Mapping[str, int] = {"background": 0, "object": 1, "unsure": 2, "skip": 3, "pad": 4}
"""Answer to the byte that stands for it; `UNANSWERED` where there is none yet."""

UNANSWERED = 255
ANSWERS: Mapping[int, str | None] = {**{code: name for name, code in CODES.items()}, UNANSWERED: None}


def pack_coords(point_coords: ArrayLike) -> bytes:
    """(P, 2) int pixel indices as bytes, two bytes a number where that is enough."""
    coords = np.asarray(point_coords)
    small = coords.size == 0 or int(coords.max()) < 2**15
    return coords.astype("<i2" if small else "<i4").tobytes()


def unpack_coords(data: bytes, count: int) -> NDArray[np.int32]:
    """(P, 2) int32 from what `pack_coords` made of P points."""
    dtype = "<i4" if len(data) == 8 * count and count else "<i2"
    return np.frombuffer(data, dtype=dtype).astype(np.int32).reshape(count, 2)


def pack_optional(values: Sequence[int | None]) -> bytes:
    """Integers >= 0 or None as ``<i4``; empty if all are None."""
    if values.count(None) == len(values):
        return b""
    return np.array([-1 if value is None else value for value in values], dtype="<i4").tobytes()


def unpack_optional(data: bytes, count: int) -> tuple[int | None, ...]:
    """The inverse of `pack_optional` for P entries."""
    if not data:
        return (None,) * count
    return tuple(None if value < 0 else value for value in np.frombuffer(data, dtype="<i4").tolist())


def replace_optional(data: bytes, count: int, index: int, value: int | None) -> bytes:
    """A copy of what `pack_optional` made, with one entry changed."""
    values = list(unpack_optional(data, count))
    values[index] = value
    return pack_optional(values)


def pack_sources(sources: Sequence[str]) -> str:
    """One word if all are the same, else a JSON list."""
    is_one = len(set(sources)) == 1 and not sources[0].startswith("[")  # which marks a list
    return sources[0] if is_one else orjson.dumps(list(sources)).decode()


def unpack_sources(text: str, count: int) -> tuple[str, ...]:
    """The inverse of `pack_sources` for P points."""
    return tuple(orjson.loads(text)) if text.startswith("[") else (text,) * count


def _pack_column(values: list[Any], parts: list[bytes]) -> list[Any]:
    """Header entry of a column; its bytes, if any, are appended to `parts`."""
    first, kinds = values[0], set(map(type, values))
    if len(kinds) == 1 and kinds != {bytes} and values.count(first) == len(values):
        return ["const", first]
    if kinds == {bytes}:
        lengths = [len(value) for value in values]
        parts.append(b"".join(values))
        return ["bytes", lengths[0] if len(set(lengths)) == 1 else lengths]
    if kinds == {int} and -(2**31) <= min(values) and max(values) < 2**31:
        parts.append(np.array(values, dtype="<i4").tobytes())
        return ["<i4"]
    if kinds == {float}:
        parts.append(np.array(values, dtype="<f8").tobytes())
        return ["<f8"]
    return ["json", values]


def pack_rows(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Rows of several tables as one immutable part; every row of a table has the same keys."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    for name, rows in tables.items():
        names = list(rows[0]) if rows else []
        header[name] = [len(rows), {key: _pack_column([row[key] for row in rows], parts) for key in names}]
    text = orjson.dumps(header)
    return zlib.compress(b"".join([len(text).to_bytes(4, "little"), text, *parts]), 1)


def unpack_rows(data: bytes, until: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """The inverse of `pack_rows`; the tables behind the one named `until` are left packed."""
    raw = zlib.decompress(data)
    start = 4 + int.from_bytes(raw[:4], "little")
    header = orjson.loads(raw[4:start])
    tables: dict[str, list[dict[str, Any]]] = {}

    def take(size: int) -> bytes:
        nonlocal start
        start += size
        return raw[start - size : start]

    for name, (count, columns) in header.items():
        values = {key: _unpack_column(entry, count, take) for key, entry in columns.items()}
        tables[name] = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
        if name == until:
            break
    return tables


def _unpack_column(entry: list[Any], count: int, take: Callable[[int], bytes]) -> list[Any]:
    """Values of one column, its bytes taken from the front of what is left."""
    form = entry[0]
    if form == "const":
        return [entry[1]] * count
    if form == "json":
        return list(entry[1])
    if form == "bytes":
        lengths = entry[1] if isinstance(entry[1], list) else [entry[1]] * count
        return [take(length) for length in lengths]
    values: list[Any] = np.frombuffer(take(count * int(form[-1])), dtype=form).tolist()
    return values
