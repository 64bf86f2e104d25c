"""Names of classes from a file: a text with one name a line, or any COCO JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointanno.dataset import Category
from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {"thing": True, "stuff": False}


def read_class_file(path: str | Path) -> list[Category]:
    """Classes of a file in its order, each name once; ids are those of the file, or the numbers of the lines.

    A line of a text may end in a tabulator or comma and the word thing or stuff; without it a class is a thing.

    Raises
    ------
    InputError
        Naming file and line or record.
    """
    path = Path(path)
    found = _of_json(path) if path.suffix.lower() == ".json" else _of_text(path)
    unique: dict[str, Category] = {}
    for category in found:
        unique.setdefault(category.name, category)
    if not unique:
        raise InputError(f"{path}: expected names of classes, found none; write one name a line")
    return list(unique.values())


def _of_text(path: Path) -> Iterator[Category]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the name") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start + 1} is no text in UTF-8; save it as UTF-8") from None
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise InputError(f"{path}, line {number}: expected names of classes as text, one a line")
        name, isthing = line, True
        for mark in ("\t", ","):
            head, _, tail = line.rpartition(mark)
            if head and tail.strip().casefold() in _KINDS:
                name, isthing = head, _KINDS[tail.strip().casefold()]
                break
        name = " ".join(name.split())
        if name:
            yield Category(number, name, isthing)


def _of_json(path: Path) -> Iterator[Category]:
    from pointanno.formats.json_file import read_json  # the formats are loaded only where a file is read

    data = read_json(path)
    records = data.get("categories") if isinstance(data, dict) else data
    if not isinstance(records, list):
        raise InputError(f"{path}: expected a COCO file with a list of categories; choose another file")
    for number, record in enumerate(records, 1):
        entry = {"name": record} if isinstance(record, str) else record
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{path}, category {number}, name: expected a text, received {name!r}")
        one_id = entry.get("id")
        yield Category(
            id=one_id if isinstance(one_id, int) and one_id > 0 else number,
            name=" ".join(name.split()),
            isthing=bool(entry.get("isthing", True)),
            color=_color(entry.get("color")),
        )


def _color(value: Any) -> tuple[int, int, int] | None:
    """Three bytes, or nothing: a file without proper colours is still a list of classes."""
    if isinstance(value, list) and len(value) == 3 and all(isinstance(one, int) and 0 <= one <= 255 for one in value):
        return value[0], value[1], value[2]
    return None
