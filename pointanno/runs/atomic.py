"""The small files of a run folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson

from pointanno.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file; after an error the old one is untouched."""
    with replacing(path) as file:
        file.write(content)


def replace_json(path: Path, value: Any) -> None:
    """Replace a JSON file by an indented one."""
    replace_file(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of a small JSON file, None if it is missing or not an object."""
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None
