"""JSON files: read with a sentence for every way to be broken, written so that a crash leaves the old one."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from pointanno.atomic import replacing
from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def read_json(path: str | Path) -> Any:
    """Parsed content of a JSON file.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, truncated or no JSON.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the name")
    if path.is_dir():
        raise InputError(f"{path}: expected a JSON file, but this is a folder; name the file in it")
    try:
        content = path.read_bytes()
    except PermissionError:
        raise InputError(f"{path}: the file may not be read; change its permissions") from None
    if not content.strip():
        raise InputError(f"{path}: the file is empty ({len(content)} bytes); write or copy it again")
    try:
        return orjson.loads(content.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        try:
            content.decode()
        except UnicodeDecodeError as problem:
            raise InputError(
                f"{path}: not a JSON file, because byte {problem.start + 1} is no text in UTF-8; save it as UTF-8"
            ) from None
        if error.pos >= len(error.doc.rstrip()) - 1 or "unexpected end" in error.msg:
            raise InputError(
                f"{path}: the JSON ends too early, after line {error.lineno}, so the file was truncated;"
                " write or copy it again"
            ) from None
        reason = error.msg.split(":")[0]
        raise InputError(
            f"{path}, line {error.lineno}, column {error.colno}: not valid JSON ({reason}); correct that place"
        ) from None


@contextmanager
def replace_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well, else leaves it as it was.

    The content is on disk before the name changes.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise InputError(f"{path}: expected the name of a file to write, but this is a folder; add a file name")
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise not_written(path, error) from error


def write_json(path: str | Path, data: Any) -> None:
    """Write one value."""
    with replace_file(path) as file:
        file.write(orjson.dumps(data, option=_OPTIONS))


def write_json_records(path: str | Path, sections: Iterable[tuple[str, Any]]) -> None:
    """Write an object section by section; a section that is an iterator is written record by record.

    So a file of any size needs the memory of one record.
    """
    with replace_file(path) as file:
        file.write(b"{")
        for number, (name, value) in enumerate(sections):
            file.write((b"," if number else b"") + b"\n" + orjson.dumps(name) + b": ")
            if hasattr(value, "__next__"):
                _write_list(file, value)
            else:
                file.write(orjson.dumps(value, option=_OPTIONS))
        file.write(b"\n}\n")


def _write_list(file: IO[bytes], records: Iterable[Any]) -> None:
    """One record a line."""
    file.write(b"[")
    for number, record in enumerate(records):
        file.write((b",\n" if number else b"\n") + orjson.dumps(record, option=_OPTIONS))
    file.write(b"\n]")


def not_written(path: Path, error: OSError) -> InputError:
    """The sentence for a file that could not be written; the old one, if any, is still there."""
    advice = {
        errno.ENOSPC: "the disk is full; free some space and try again",
        errno.EDQUOT: "the disk quota is used up; free some space and try again",
        errno.EACCES: "the folder may not be written to; choose another one or change its permissions",
        errno.EPERM: "the folder may not be written to; choose another one or change its permissions",
        errno.EROFS: "the folder is read-only; choose another one",
    }.get(error.errno or 0, f"it could not be written ({error.strerror or error}); choose another place")
    return InputError(f"{path}: {advice}")
