"""Every project that cannot be opened gets one sentence, and is left as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.opening import project_folder
from pointanno.project.schema import SCHEMA_VERSION


def test_names_that_mean_a_project(tmp_path: Path, project: Project) -> None:
    for name in ("street", "street.pointanno", "street.pointanno/project.db"):
        assert project_folder(tmp_path / name) == project.path
    assert project_folder(tmp_path / "v1.2", new=True) == tmp_path / "v1.2.pointanno"


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as refused:
        Project.open(path, **options)
    text = str(refused.value)
    assert "\n" not in text and "Traceback" not in text
    return text


@pytest.mark.parametrize("writable", [True, False])
def test_what_is_no_project(tmp_path: Path, writable: bool) -> None:
    folder = tmp_path / "x.pointanno"
    assert "there is no such project" in refusal(folder, writable=writable)
    folder.mkdir()
    assert "this is not a project, because project.db is missing" in refusal(folder, writable=writable)
    (folder / "project.db").write_bytes(b"")
    assert "project.db: the file is empty" in refusal(folder, writable=writable)
    (folder / "project.db").write_bytes(b"something else entirely")
    assert "project.db: the file is not a database" in refusal(folder, writable=writable)
    (folder / "project.db").unlink()
    with closing(sqlite3.connect(folder / "project.db")) as other:
        other.execute("create table x(y)")
    assert "this is a database of another program" in refusal(folder, writable=writable)


def test_newer_version(project: Project) -> None:
    project.close()
    file = project.path / "project.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute(f"pragma user_version={SCHEMA_VERSION + 1}")
    content = file.read_bytes()
    text = refusal(project.path)
    numbers = f"(format {SCHEMA_VERSION + 1}, this program knows {SCHEMA_VERSION})"
    assert f"saved by a newer version {numbers}" in text and "Update pointanno" in text
    assert "newer version" in refusal(project.path, writable=False)
    assert file.read_bytes() == content
    refusal(project.path)  # the lock was given back, so the reason stays the same


@pytest.mark.parametrize("writable", [True, False])
def test_a_migration_that_this_program_does_not_know(project: Project, writable: bool) -> None:
    """Alembic's own note counts as much as the number in the header."""
    project.close()
    file = project.path / "project.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("update alembic_version set version_num = '0999'")
        raw.commit()
    content = file.read_bytes()
    text = refusal(project.path, writable=writable)
    assert (
        f"saved by a newer version (format 0999, this program knows {SCHEMA_VERSION})" in text
        and "Update pointanno" in text
    )
    assert file.read_bytes() == content


@pytest.mark.parametrize("kept", [0.3, 0.7])
def test_truncated_file_names_the_backup(project: Project, person: Any, kept: float) -> None:
    someone = person(project, 5)
    for _ in range(60):
        someone.act()
    project.close()
    [backup] = (project.path / "backups").glob("project-*.db")
    file = project.path / "project.db"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    text = refusal(project.path)
    assert "the file is damaged" in text and f"backups/{backup.name}" in text
    file.write_bytes(backup.read_bytes())  # what the sentence says
    with Project.open(project.path) as opened:
        assert opened.image_count() == 3 and any(one.clicks for one in opened.images())


def test_damaged_pages(project: Project, person: Any) -> None:
    someone = person(project, 5)
    for _ in range(60):
        someone.act()
    project.close()
    file = project.path / "project.db"
    content = bytearray(file.read_bytes())
    for page in range(4, len(content) // 4096):
        content[page * 4096 : page * 4096 + 40] = b"\xff" * 40
    file.write_bytes(content)
    shutil.rmtree(project.path / "backups")
    text = refusal(project.path)
    assert "the file is damaged" in text and "There is no backup in backups/ yet" in text


def test_no_file_handles_stay_open_after_a_refusal(project: Project) -> None:
    import psutil

    project.close()
    with closing(sqlite3.connect(project.path / "project.db")) as raw:
        raw.execute("pragma user_version=9")
    refusal(project.path)
    assert not [one for one in psutil.Process().open_files() if str(project.path) in one.path]
