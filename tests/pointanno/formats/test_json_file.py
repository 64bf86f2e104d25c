from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.formats.json_file import read_json, replace_file, write_json, write_json_records


def test_records_are_written_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json_records(path, [("info", {"a": 1}), ("empty", iter(())), ("list", ({"n": n} for n in range(3)))])
    assert read_json(path) == {"info": {"a": 1}, "empty": [], "list": [{"n": 0}, {"n": 1}, {"n": 2}]}
    assert path.read_text().count("\n") == 10  # a record a line, so that versions can be compared


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk is full; free some space and try again"),
        (errno.EACCES, "the folder may not be written to"),
        (errno.EROFS, "the folder is read-only"),
        (errno.EIO, "it could not be written"),
    ],
)
def test_a_failing_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    path = tmp_path / "a.json"
    write_json(path, [1])

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=message) as caught:
        write_json(path, [2])
    assert str(caught.value).startswith(str(path))
    assert read_json(path) == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; make it first"), replace_file(tmp_path / "no" / "a.json"):
        pass
    with pytest.raises(InputError, match="but this is a folder"), replace_file(tmp_path):
        pass


def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", 1)
    (tmp_path / "b.json").write_text("1")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "b.json").stat().st_mode


def test_text_of_another_encoding_is_not_called_truncated(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes("{}".encode("utf-16"))
    with pytest.raises(InputError, match="byte 1 is no text in UTF-8"):
        read_json(tmp_path / "a.json")
