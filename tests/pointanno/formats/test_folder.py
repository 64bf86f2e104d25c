from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.formats.folder import LIST, read_list, write_folder

FILES = [("a.txt", b"1"), ("in/b.txt", b"2")]


def _content(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != LIST)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "f", iter(FILES), {"classes": ["cell"]})
    assert _content(tmp_path / "out") == dict(FILES)
    assert read_list(tmp_path / "out")["classes"] == ["cell"]
    (tmp_path / "plain").mkdir()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("out", "plain")}
    assert len(modes) == 1  # as readable as any other folder
    assert sorted(os.listdir(tmp_path)) == ["out", "plain"]


def test_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "f", FILES)
    (tmp_path / "out" / ".DS_Store").write_bytes(b"x")  # comes by looking at a folder
    write_folder(tmp_path / "out", "f", [("c.txt", b"3")])
    assert _content(tmp_path / "out") == {"c.txt": b"3"}
    assert os.listdir(tmp_path) == ["out"]
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", "f", FILES)
    assert _content(tmp_path / "empty") == dict(FILES)


def test_the_files_of_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, "f", FILES)
    with pytest.raises(InputError, match=r"out: the folder holds files that are no earlier export as g"):
        write_folder(out, "g", FILES)
    (out / "in" / "notes.md").write_text("mine")
    with pytest.raises(InputError, match=r"out: in/notes\.md in it was not written by an export"):
        write_folder(out, "f", [])
    (out / "in" / "notes.md").unlink()
    (out / "a.txt").write_text("corrected by hand")
    with pytest.raises(InputError, match=r"out: a\.txt in it was changed since"):
        write_folder(out, "f", [])
    assert _content(out) == {"a.txt": b"corrected by hand", "in/b.txt": b"2"}
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "x").write_text("mine")
    with pytest.raises(InputError, match="no earlier export"):
        write_folder(tmp_path / "foreign", "f", FILES)
    with pytest.raises(InputError, match="f is a folder of files, but this is a file"):
        write_folder(out / "a.txt", "f", FILES)
    with pytest.raises(InputError, match=r"the folder .*none does not exist"):
        write_folder(tmp_path / "none" / "out", "f", FILES)


def test_what_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "f", FILES)

    def full() -> Iterator[tuple[str, bytes]]:
        yield "c.txt", b"3"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="out: the disk is full"):
        write_folder(tmp_path / "out", "f", full())
    assert _content(tmp_path / "out") == dict(FILES)
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "out", "f", FILES)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(InputError, match="may not be written"):
        write_folder(tmp_path / "out", "f", [])
    assert _content(tmp_path / "out") == dict(FILES)
    assert os.listdir(tmp_path) == ["out"]


def test_a_broken_list_is_none(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("{")
    assert read_list(tmp_path) == {}
    (tmp_path / LIST).write_text('{"files": 3}')
    assert read_list(tmp_path) == {}
