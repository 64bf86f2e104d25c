"""Folders of exported files: complete or not there, and never in the place of somebody else's files.

A hidden file in the folder lists what was written, so that a later export can tell its own files from others.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from pointanno.atomic import sync_folder
from pointanno.errors import InputError
from pointanno.formats.json_file import not_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIST: Final = ".pointanno.json"
"""Name of the file that lists the others with their SHA-256."""

_OF_THE_SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def write_folder(
    path: str | Path, format: str, files: Iterable[tuple[str, bytes]], facts: Mapping[str, Any] | None = None
) -> None:
    """Write files into a folder of their own, which appears when all of them are on disk.

    Parameters
    ----------
    path
        The folder. One that holds nothing but an earlier export of the same format is replaced.
    format
        Name of the format.
    files
        Name within the folder, with `/` between folders, and content.
    facts
        What the list of files says besides.

    Raises
    ------
    InputError
        If the folder cannot be written, or if it holds anything else; then it is as it was.
    """
    path = Path(path)
    _refuse_foreign(path, format)
    place = path.resolve()
    if not place.parent.is_dir():
        raise InputError(f"{path}: the folder {place.parent} does not exist; make it first")
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
        written: dict[str, str] = {}
        for name, content in files:
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, content)
            written[name] = hashlib.sha256(content).hexdigest()
        _write(temporary / LIST, orjson.dumps({"format": format, **(facts or {}), "files": written}))
        # mkdtemp makes folders that only the owner can open; these are meant to be shared
        _share(temporary)
        _put(temporary, place)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(place.parent)


def read_list(folder: str | Path) -> dict[str, Any]:
    """What the list of files of an exported folder says; an empty one if there is none."""
    try:
        content = orjson.loads((Path(folder) / LIST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) and isinstance(content.get("files"), dict) else {}


def _refuse_foreign(path: Path, format: str) -> None:
    """Raise if anything would be lost by replacing what is there."""
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path}: {format} is a folder of files, but this is a file; name a new folder")
    found = [file for file in sorted(path.rglob("*")) if not file.is_dir() or file.is_symlink()]
    found = [file for file in found if file.name not in _OF_THE_SYSTEM and file != path / LIST]
    known = read_list(path)
    if not found:
        return
    if known.get("format") != format:
        raise InputError(f"{path}: the folder holds files that are no earlier export as {format}; name a new folder")
    for file in found:
        name = file.relative_to(path).as_posix()
        if name not in known["files"]:
            raise InputError(f"{path}: {name} in it was not written by an export; move it away or name a new folder")
        if file.is_symlink() or hashlib.sha256(file.read_bytes()).hexdigest() != known["files"][name]:
            raise InputError(f"{path}: {name} in it was changed since; move it away or name a new folder")


def _put(temporary: Path, place: Path) -> None:
    """Rename the folder to its place; an old one is gone only when the new one is there."""
    if not place.exists():
        temporary.rename(place)
        return
    old = temporary.with_suffix(".old")
    place.rename(old)
    try:
        temporary.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _share(folder: Path) -> None:
    """Give a folder the permissions that new folders get here."""
    model = folder / ".mode"
    model.mkdir()
    mode = model.stat().st_mode
    model.rmdir()
    folder.chmod(mode)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
