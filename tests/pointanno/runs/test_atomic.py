from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pointanno.runs import atomic


def test_replaced_file_is_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic.replace_file(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        atomic.replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert atomic.read_json(path) is None
    atomic.replace_json(path, {"a": 1})
    assert atomic.read_json(path) == {"a": 1}
    path.write_text("{")
    assert atomic.read_json(path) is None
    path.write_text("[]")
    assert atomic.read_json(path) is None
