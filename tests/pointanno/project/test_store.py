"""The file below: durable settings, and a disk that is full."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from pointanno.errors import InputError
from pointanno.project import Project, store

FULL = "the disk is full, so the last step was not saved; everything before it is"


def click(number: int) -> dict[str, Any]:
    return {"uid": f"{number:032x}", "category_id": 1, "x": number % 60, "y": number % 40}


def test_settings_of_a_local_file(tmp_path: Path, pictures: Path) -> None:
    with Project.create(tmp_path / "p", images=pictures) as project:
        inner = project._store
        assert inner.pragma("journal_mode") == "wal"
        assert inner.pragma("synchronous") == 2, "FULL"
    assert not (project.path / "project.db-wal").exists(), "the log is folded in at the end"


def test_network_drives_get_the_rollback_journal(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drives = [
        SimpleNamespace(mountpoint="/", fstype="ext4", opts="rw"),
        SimpleNamespace(mountpoint=str(tmp_path.resolve()), fstype="nfs4", opts="rw"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: drives)
    assert store.is_network_drive(tmp_path) and not store.is_network_drive(Path("/"))
    with Project.create(tmp_path / "p", images=pictures) as project:
        assert project._store.pragma("journal_mode") == "delete"
        assert project._store.pragma("synchronous") == 2
        project.add_category("cell", isthing=True)
        project.record("click", click(1), image_id=1)
    with Project.open(tmp_path / "p") as project:
        assert project._store.pragma("journal_mode") == "delete"
        assert len(project.annotations(1).clicks) == 1


def test_a_mount_point_is_no_prefix_of_a_longer_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "share2").mkdir()
    drives = [SimpleNamespace(mountpoint=str(tmp_path / "share"), fstype="cifs", opts="rw")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: drives)
    assert not store.is_network_drive(tmp_path / "share2")


def test_full_disk_refuses_the_step_and_keeps_the_rest(project: Project) -> None:
    project.record("click", click(0), image_id=1)
    raw = project._store.raw
    limit = raw.execute("pragma max_page_count").fetchone()[0]
    raw.execute(f"pragma max_page_count={raw.execute('pragma page_count').fetchone()[0]}")
    done = 1
    with pytest.raises(InputError, match=FULL):
        while done < 5000:
            state, events = project.projection_hash() if done % 50 == 0 else "", done
            project.record("click", click(done), image_id=1)
            done += 1
    assert 1 < done < 5000
    assert len(project.annotations(1).clicks) == project.image(1).clicks == done == max(events, done)
    before = project.projection_hash()
    with pytest.raises(InputError, match=FULL):
        project.record("press", {"note": "x" * 20000}, image_id=1)
    assert project.projection_hash() == before and state != before

    raw.execute(f"pragma max_page_count={limit}")
    event = project.record("click", click(done), image_id=1)
    assert event.seq == max(one.seq for one in project.events())
    assert len(project.annotations(1).clicks) == done + 1
    after = project.projection_hash()
    project.rebuild()
    assert project.projection_hash() == after
    assert project.undo() is not None and project.projection_hash() == before


def test_full_disk_at_the_very_first_step_of_a_session(project: Project) -> None:
    project.close()
    with Project.open(project.path) as opened:
        raw = opened._store.raw
        raw.execute(f"pragma max_page_count={raw.execute('pragma page_count').fetchone()[0]}")
        with pytest.raises(InputError, match=FULL):
            opened.record("press", {"note": "x" * 200000}, image_id=1)
        raw.execute("pragma max_page_count=1000000")
        event = opened.record("click", click(1), image_id=1)
        with_session = opened.dataset(with_events=True)
        assert event.session == 1 and len(with_session.sessions) == 2, "the session was not half-begun"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB; only root can make one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield mount
    subprocess.run(["umount", mount], check=True)


def test_really_full_disk(small_disk: Path, pictures: Path) -> None:
    with Project.create(small_disk / "p", images=pictures) as project:
        project.add_category("cell", isthing=True)
        done = 0
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (300 * 1024))
        with pytest.raises(InputError, match=FULL):
            while done < 5000:
                project.record("click", click(done), image_id=1)
                done += 1
        assert len(project.annotations(1).clicks) == done
        filler.unlink()
        project.record("click", click(done), image_id=1)
        state = project.projection_hash()
    with Project.open(small_disk / "p") as project:
        assert project.projection_hash() == state and len(project.annotations(1).clicks) == done + 1


def test_no_room_for_a_new_project(small_disk: Path, pictures: Path) -> None:
    with pytest.raises(OSError):
        (small_disk / "filler").write_bytes(b"x" * 2**21)
    with pytest.raises(InputError, match="the disk is full"):
        Project.create(small_disk / "p", images=pictures)
    assert not (small_disk / "p.pointanno").exists()


def test_read_only_disk(small_disk: Path, pictures: Path) -> None:
    with Project.create(small_disk / "p", images=pictures) as project:
        state = project.projection_hash()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(InputError, match="read-only for you"):
        Project.open(small_disk / "p")
    with pytest.raises(InputError, match="read-only for you"):
        Project.create(small_disk / "q", images=pictures)
    with Project.open(small_disk / "p", writable=False) as project:
        assert project.projection_hash() == state


def test_read_only_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"street\.pointanno: the project is read-only for you"):
        Project.open(project.path)


def test_mistakes_of_ours_stay_visible(project: Project) -> None:
    with pytest.raises(sqlite3.ProgrammingError), project._store.transaction():
        project._store.raw.execute("select :a", {})
    assert not project._store.raw.in_transaction


def test_an_index_that_finds_no_room_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert "reading or writing failed" in str(store.sentence(error, tmp_path / "project.db"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    assert "the disk is full" in str(store.sentence(error, tmp_path / "project.db"))


def test_a_deleted_project_saves_nothing_and_says_so(project: Project) -> None:
    """An open file without a name takes every write and loses all of them when it is closed."""
    project.add_category("kerb", isthing=True)
    shutil.rmtree(project.path)
    with pytest.raises(InputError, match="was deleted, moved or replaced while it is open"):
        project.add_category("lawn", isthing=False)
    project.close()


def test_a_replaced_project_file_is_noticed(project: Project, tmp_path: Path) -> None:
    project.add_category("kerb", isthing=True)
    file = project.path / "project.db"
    (tmp_path / "copy.db").write_bytes(file.read_bytes())
    os.replace(tmp_path / "copy.db", file)
    with pytest.raises(InputError, match="was deleted, moved or replaced"):
        project.add_category("lawn", isthing=False)
